"""`ring snapshot`: keeps a ring as it is now in a file that the other commands read."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ring.client.errors import UnavailableError
from ring.client.manager import Manager
from ring.client.source import DUMP, dumped
from ring.commands.asking import asks
from ring.errors import InputError
from ring.output import readers_may_leave

app = typer.Typer()


@app.command()
@asks(file=False)
def snapshot(
    manager: Manager,
    to: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write; - for standard output.")
    ],
    *,
    ring_only: Annotated[
        bool, typer.Option("--ring-only", help="Tokens, states and keyspaces alone.")
    ] = False,
) -> None:
    """Write a ring file with all that the manager knows; every command reads it with --file.

    Example: ring snapshot before.json; ring status --file before.json
    """
    if ring_only:
        data = manager.raw("/v1/ringfile")
    else:
        content = dumped(manager)
        for path, answer in content[DUMP].items():
            if isinstance(answer, dict) and set(answer) == {"error"}:
                sys.stderr.write(f"ring: without {path}: {answer['error']}\n")
        if content[DUMP]["/v1/ring"].get("stale"):
            raise UnavailableError(
                "the manager's picture is stale: it is no snapshot of now",
                "see the manager's log, and ring status",
            )
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    _write(to, data)


def _write(to: Path, data: bytes) -> None:
    """Write whole or not at all: an older file is not lost to a full disk."""
    if str(to) == "-":
        readers_may_leave()
        sys.stdout.buffer.write(data)
        return
    part = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(to)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(str(to), error.strerror or str(error)) from error
    sys.stderr.write(f"ring: wrote {to}, {len(data)} bytes\n")
