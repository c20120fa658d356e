"""A real Cassandra ring on loopback with an emulated Kubernetes API: a stage, never installed."""
