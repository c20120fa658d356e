"""How the `ring` command writes answers and leaves, for commands that must be quick."""

import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, NoReturn

from ring.errors import RingError
from ring.plain import harmless
from ring.readjson import TOO_DEEP

UNSAFE, WRONG_INPUT = 1, 2
HARM_IN_JSON = re.compile(r"[\x7f-\x9f]")  # of control characters, what JSON need not escape


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def fail(error: RingError) -> NoReturn:
    """Tell an error and leave with 2."""
    tell(str(error))
    raise SystemExit(WRONG_INPUT)


def tell(text: str) -> None:
    """Write to standard error, where no program takes it for the answer."""
    for line in f"ring: {text}".split("\n"):
        sys.stderr.write(harmless(line) + "\n")


def fail_unforeseen(error: Exception) -> NoReturn:
    """Tell of what should not happen and leave with 2: 1 would call a ring unsafe."""
    deep = isinstance(error, RecursionError)
    tell(f"what was read: {TOO_DEEP}" if deep else f"{type(error).__name__}: {error}")
    # What is left in the buffer must not fail once more when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(WRONG_INPUT)


def readers_may_leave() -> None:
    """Let this end as other filters do when nobody reads on: before the answer is written.

    Exit code 1, which click would make of it, would call a ring unsafe.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def servers_may_leave() -> None:
    """Let sockets that a server closed be errors and not the end: before anything is asked."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def exit_unless(*, safe: bool) -> None:
    """Leave with 1 unless the answer is good."""
    if not safe:
        raise SystemExit(UNSAFE)


def has_colour() -> bool:
    """Say whether what is written is painted: on a terminal, unless NO_COLOR is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int | None:
    """Return the terminal's width; None in a pipe or a file, where nothing is left out."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def write_lines(answer: Any, form: Form, lines: Callable[[], Iterable[str]]) -> None:  # noqa: ANN401 -- any JSON
    """Write an answer; lines for people are made only where they are asked for."""
    readers_may_leave()
    match form:
        case Form.JSON:
            text = json.dumps(answer, indent=2, ensure_ascii=False)
            sys.stdout.write(HARM_IN_JSON.sub(_escaped, text) + "\n")
        case Form.YAML:
            import yaml  # noqa: PLC0415 -- slow to import, and not needed for the other forms

            yaml.dump(answer, sys.stdout, yaml.CSafeDumper, sort_keys=False)
        case Form.TABLE:
            colour = has_colour()
            sys.stdout.writelines(f"{harmless(each, colour=colour)}\n" for each in lines())


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
