"""The commands of `ring`, a module for each group; imported only when one of it is called."""
