"""Lets ``python -m ring`` be the `ring` command."""

from ring.cli import main

main()
