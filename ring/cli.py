"""The `ring` command: finds the module of the command that is called, and leaves by exit code.

0: healthy, safe or yes; 1: not; 2: the input is wrong, or there is no answer.
"""

import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import typer

from ring.errors import RingError
from ring.output import fail, fail_unforeseen

MODULES: Final[Mapping[str, str]] = {
    "status": "live",
    "members": "live",
    "findings": "live",
    "history": "live",
    "seeds": "live",
    "watch": "watching",
    "gate": "stops",
    "drain-order": "stops",
    "snapshot": "snapshots",
    "ownership": "rings",
    "health": "rings",
    "whatif": "rings",
    "ranges": "rings",
    "skew": "rings",
    "tokens": "rings",
    "serve": "serving",
}
"""Where each command is.  Modules are imported when called: numpy takes half a second."""

HELP: Final = """Who is who on a Cassandra ring in Kubernetes, who owns what, how healthy it is,
and what a change would do.

Commands ask the ring manager of the namespace, which they reach as kubectl reaches the API
server: with a kubeconfig, and nothing else. Most read a file of `ring snapshot` or a ring file
instead with --file, without any cluster.

Example: ring status; ring gate cassandra-2 --wait && kubectl delete pod cassandra-2
"""


def application(words: Sequence[str]) -> typer.Typer:
    """Return the command line with the one command that the words name, or with all."""
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        add_completion=True,
        rich_markup_mode=None,  # else help in a pipe has colours where the environment asks so
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": 110},
        callback=_nothing,  # else a lone command would lose its name
    )
    called = next((MODULES[word] for word in words[:1] if word in MODULES), None)
    for module in [called] if called else dict.fromkeys(MODULES.values()):
        app.add_typer(importlib.import_module(f"ring.commands.{module}").app)
    return app


def _nothing() -> None:
    pass


def main() -> None:
    """Run the command."""
    # Who has read enough, or stops us, must not be told by exit code 1 that a ring is unsafe.
    for ending in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(ending, signal.SIG_DFL)
    name = "kubectl ring" if Path(sys.argv[0]).name == "kubectl-ring" else "ring"
    try:
        try:
            application(() if _completes() else sys.argv[1:])(prog_name=name)
        finally:
            sys.stdout.flush()  # here, where a full disk still can be told
    except RingError as error:
        fail(error)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is no verdict on a ring
        fail_unforeseen(error)


def _completes() -> bool:
    return any(name.endswith("RING_COMPLETE") for name in os.environ)
