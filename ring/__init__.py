"""Who owns what on a Cassandra ring, how healthy its replication is, and what would change it."""
