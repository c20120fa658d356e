"""What the ring manager reads: the only modules of `ring` that talk to anybody but the user."""
