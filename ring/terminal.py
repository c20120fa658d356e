"""How the `ring` command reads rings, and writes tables and what is too large to hold."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import IO, Any

import msgspec
import yaml
from rich.console import Console
from rich.table import Table

from ring import output, ringfile
from ring.errors import InputError
from ring.model import Keyspace, RingState
from ring.output import Form, readers_may_leave
from ring.plain import harmless
from ring.remarks import Remark, remarks

WIDE = 1000  # columns of a file or a pipe: nothing is cut off there


def parsed(data: bytes, where: str, names: Iterable[str] | None) -> RingState:
    """Parse a ring file, telling its remarks; keep the keyspaces named, or all.

    Raises:
        InputError: where it is no ring file, or has no such keyspace.

    """
    state = _only(ringfile.parse(data), list(names or ()))
    tell(remarks(state), where)
    return state


def tell(found: Iterable[Remark], where: str) -> None:
    """Write remarks to standard error, where no program takes them for the answer."""
    for remark in found:
        output.tell(f"{where}: {remark}")


def _only(state: RingState, names: list[str]) -> RingState:
    known = {keyspace.name: keyspace for keyspace in state.keyspaces}
    for name in names:
        if name not in known:
            raise InputError("--keyspace", f"there is no keyspace {name}")
    chosen: tuple[Keyspace, ...] = tuple(known[name] for name in dict.fromkeys(names))
    return replace(state, keyspaces=chosen) if names else state


def write(answer: dict[str, Any], form: Form, tables: Callable[[], Iterable[Table]]) -> None:
    """Write an answer; tables are made only where they are asked for."""
    readers_may_leave()
    match form:
        case Form.JSON:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer)).decode() + "\n")
        case Form.YAML:
            yaml.dump(answer, sys.stdout, yaml.CSafeDumper, sort_keys=False)
        case Form.TABLE:
            show(tables())


def show(tables: Iterable[Table]) -> None:
    """Print tables: with colours on a terminal, whole in a pipe."""
    readers_may_leave()
    terminal = sys.stdout.isatty()
    plain = not terminal or os.environ.get("NO_COLOR", "") != ""
    console = Console(
        color_system=None if plain else "auto",  # None: no bold and no other escapes either
        markup=False,  # names of racks and keyspaces may hold brackets
        emoji=False,
        highlight=False,
        force_terminal=terminal,
        width=None if terminal else WIDE,
    )
    for table in tables:
        with console.capture() as drawn:
            console.print(table)
        for line in drawn.get().splitlines(keepends=True):
            sys.stdout.write(harmless(line.rstrip("\n"), colour=not plain) + "\n")


def stream(out: IO[str], found: Iterator[tuple[str, Iterator[list[dict[str, Any]]]]]) -> None:
    """Write ranges as they come: a large ring's are hundreds of megabytes."""
    readers_may_leave()
    out.write('{"keyspaces": {')
    for number, (name, several) in enumerate(found):
        out.write((", " if number else "") + msgspec.json.encode(name).decode() + ": [")
        for block, rows in enumerate(several):
            text = ",\n".join(msgspec.json.encode(row).decode() for row in rows)
            out.write((",\n" if block else "\n") + text)
        out.write("]")
    out.write("}}\n")
