"""The sidecar: turns what Kubernetes knows of a Cassandra StatefulSet into seed addresses."""
