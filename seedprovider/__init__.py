"""The sidecar: turns what Kubernetes knows of a Cassandra StatefulSet into seed addresses."""

__version__ = "0.1.0"
