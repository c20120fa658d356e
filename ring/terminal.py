"""How the `ring` command reads files, writes answers and leaves: all of its I/O."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, NoReturn

import msgspec
import yaml
from rich.console import Console
from rich.table import Table

from ring import ringfile
from ring.errors import InputError, RingError
from ring.model import Keyspace, RingState
from ring.remarks import Remark, remarks

UNSAFE, WRONG_INPUT = 1, 2
WIDE = 1000  # columns of a file or a pipe: nothing is cut off there


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def read(file: Path, names: Iterable[str] | None) -> RingState:
    """Read a ring file, telling its remarks; keep the keyspaces named, or all.

    Raises:
        InputError: where it cannot be read, is no ring file, or has no such keyspace.

    """
    state = _only(ringfile.parse(_bytes(file)), list(names or ()))
    tell(remarks(state), str(file))
    return state


def tell(found: Iterable[Remark], where: str) -> None:
    """Write remarks to standard error, where no program takes them for the answer."""
    for remark in found:
        sys.stderr.write(f"ring: {where}: {remark}\n")


def _bytes(file: Path) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(ringfile.MAX_BYTES + 1)
        with file.open("rb") as stream:
            return stream.read(ringfile.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(str(file), error.strerror or str(error)) from error


def _only(state: RingState, names: list[str]) -> RingState:
    known = {keyspace.name: keyspace for keyspace in state.keyspaces}
    for name in names:
        if name not in known:
            raise InputError("--keyspace", f"the file has no keyspace {name}")
    chosen: tuple[Keyspace, ...] = tuple(known[name] for name in dict.fromkeys(names))
    return replace(state, keyspaces=chosen) if names else state


def fail(error: RingError) -> NoReturn:
    """Tell an error and leave with 2."""
    sys.stderr.write(f"ring: {error}\n")
    raise SystemExit(WRONG_INPUT)


def fail_unforeseen(error: Exception) -> NoReturn:
    """Tell of what should not happen and leave with 2: 1 would call a ring unsafe."""
    sys.stderr.write(f"ring: {type(error).__name__}: {error}\n")
    # What is left in the buffer must not fail once more when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(WRONG_INPUT)


def exit_unless(*, safe: bool) -> None:
    """Leave with 1 unless the answer is good."""
    if not safe:
        raise SystemExit(UNSAFE)


def write(answer: dict[str, Any], form: Form, tables: Callable[[], Iterable[Table]]) -> None:
    """Write an answer; tables are made only where they are asked for."""
    match form:
        case Form.JSON:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer)).decode() + "\n")
        case Form.YAML:
            yaml.dump(answer, sys.stdout, yaml.CSafeDumper, sort_keys=False)
        case Form.TABLE:
            show(tables())


def show(tables: Iterable[Table]) -> None:
    """Print tables: with colours on a terminal, whole in a pipe."""
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
        console.print(table)


def stream(out: IO[str], found: Iterator[tuple[str, Iterator[list[dict[str, Any]]]]]) -> None:
    """Write ranges as they come: a large ring's are hundreds of megabytes."""
    out.write('{"keyspaces": {')
    for number, (name, several) in enumerate(found):
        out.write((", " if number else "") + msgspec.json.encode(name).decode() + ": [")
        for block, rows in enumerate(several):
            text = ",\n".join(msgspec.json.encode(row).decode() for row in rows)
            out.write((",\n" if block else "\n") + text)
        out.write("]")
    out.write("}}\n")
