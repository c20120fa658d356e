"""Who owns what on a Cassandra ring, how healthy it is, and what a change would do."""
