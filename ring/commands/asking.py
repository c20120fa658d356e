"""Options that say which ring a command is about, and the source that they lead to."""

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import typer

from ring.client import source
from ring.client.connecting import Target, connect
from ring.client.errors import AccessError
from ring.errors import InputError
from ring.output import Form

Json = dict[str, Any]

MAX_BYTES: Final = 512 * 2**20

File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="Ask a file of `ring snapshot` instead of a manager; - for standard input.",
    ),
]
RingFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="Ring file (JSON) or file of `ring snapshot`, instead of a manager; - for standard"
        " input.",
    ),
]
Context = Annotated[
    str, typer.Option("--context", help="Context of the kubeconfig; without, the current one.")
]
Kubeconfig = Annotated[
    str,
    typer.Option(
        "--kubeconfig", help="Kubeconfig file; without, KUBECONFIG or ~/.kube/config."
    ),
]
Namespace = Annotated[
    str,
    typer.Option("--namespace", "-n", help="Namespace; without, the one of the context."),
]
Service = Annotated[
    str, typer.Option("--service", help="Cassandra's Service, whose manager is asked.")
]
ManagerUrl = Annotated[
    str,
    typer.Option(
        "--manager",
        help="URL of a manager to ask directly, such as http://127.0.0.1:8080;"
        " RING_MANAGER says the same.",
    ),
]
Output = Annotated[Form, typer.Option("--output", "-o", help="How to write the answer.")]

TARGET: Final = (
    ("context", Context, ""),
    ("kubeconfig", Kubeconfig, ""),
    ("namespace", Namespace, ""),
    ("service", Service, "cassandra"),
    ("manager", ManagerUrl, ""),
)
FILE: Final = ("file", File, None)
RING_FILE: Final = ("file", RingFile, None)

Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class GivenRing:
    """A ring file, from disk or from a manager.

    Attributes:
        data: its bytes.
        name: what it is called in messages.
        members: returns the members that a manager or a dump tells of, as JSON values; none
            of a mere ring file.

    """

    data: bytes
    name: str
    members: Callable[[], list[Json]]


def asks(*, file: bool = True) -> Callable[[Command], Command]:
    """Give a command, which takes a source first, the options that lead to one.

    Args:
        file: whether it can be answered from a dump too.

    """

    def decorated(command: Command) -> Command:
        @functools.wraps(command)
        def called(**words: Any) -> None:  # noqa: ANN401 -- options of any type
            path, target = _chosen(words)
            if path is not None:
                dump = source.read(str(path), contents(path))
                try:
                    command(dump, **words)
                except (AttributeError, KeyError, TypeError) as error:
                    problem = f"not as `ring snapshot` of this version writes it: {error!r}"
                    raise InputError(str(path), problem) from error
                return
            with connect(target) as manager:
                command(manager, **words)

        _sign(called, command, (FILE, *TARGET) if file else TARGET)
        return called

    return decorated


def ring_of(command: Command) -> Command:
    """Give a command, which takes a `GivenRing` first, the options that lead to one."""

    @functools.wraps(command)
    def called(**words: Any) -> None:  # noqa: ANN401 -- options of any type
        path, target = _chosen(words)
        if path is not None:
            data = contents(path)
            command(GivenRing(data, str(path), lambda: source.members_in(data)), **words)
            return
        with connect(target) as manager:
            data = manager.raw("/v1/ringfile")
            given = GivenRing(
                data, "the ring", lambda: list(manager.get("/v1/members").body["members"])
            )
            command(given, **words)

    _sign(called, command, (RING_FILE, *TARGET))
    return called


def _chosen(words: dict[str, Any]) -> tuple[Path | None, Target]:
    """Take out of the options those that say which ring."""
    path: Path | None = words.pop("file", None)
    target = Target(**{name: words.pop(name) for name, _, _ in TARGET})
    if path is not None and target != Target():
        raise InputError("--file", "answers without a manager: leave out what says which")
    return path, target


def _sign(
    called: Command, command: Command, options: Sequence[tuple[str, object, object]]
) -> None:
    """Let a function have the parameters of another less its first, and options."""
    first, *own = inspect.signature(command).parameters.values()
    more = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind
        )
        for name, kind, default in options
    ]
    kept = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    called.__signature__ = inspect.Signature([*kept, *more])  # type: ignore[attr-defined]
    hints = get_type_hints(command, include_extras=True)
    hints.pop(first.name)
    called.__annotations__ = hints | {name: kind for name, kind, _ in options}


def contents(path: Path) -> bytes:
    """Return a file's content, or standard input's; raise `InputError` where it cannot be."""
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error)) from error


PATIENCE_TO_COMPLETE: Final = 2.0


def completed(path: str, field: str, name: str) -> Callable[[typer.Context, str], list[str]]:
    """Return a completion: names of what the manager has; none where it cannot be asked.

    Args:
        path: that is asked.
        field: of the answer, a list or an object by name.
        name: of an element of the list.

    """

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        words = {key: ctx.params.get(key) or default for key, _, default in TARGET}
        try:
            with connect(Target(**words)) as manager:
                found = manager.get(path).body[field]
        except (AccessError, KeyError, TypeError):
            return []
        names = [each[name] for each in found] if isinstance(found, list) else list(found)
        return [each for each in names if each and each.startswith(incomplete)]

    return complete


pods = completed("/v1/members", "members", "pod")
keyspaces = completed("/v1/keyspaces", "keyspaces", "")
