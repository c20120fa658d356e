"""``seedprovider install``: fits a copy of Cassandra's settings to the sidecar."""
