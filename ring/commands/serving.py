"""`ring serve`, among the commands."""

import typer

from ring.serve_command import serve

app = typer.Typer()
app.command()(serve)
