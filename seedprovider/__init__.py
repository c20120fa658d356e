"""The sidecar: turns what Kubernetes knows about a Cassandra StatefulSet into seed addresses."""
