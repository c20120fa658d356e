"""A real Cassandra ring on loopback, on an emulated Kubernetes API: a stage, not installed."""
