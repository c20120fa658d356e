"""`ring gate` and `ring drain-order`: what scripts ask before they stop anything."""

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from ring import render_stops
from ring.client.errors import RefusedError, UnavailableError
from ring.client.manager import Manager, Params, as_params
from ring.client.source import Source
from ring.commands.asking import Output, asks, keyspaces, pods
from ring.commands.live import look
from ring.errors import InputError
from ring.output import Form, exit_unless, write_lines

app = typer.Typer()

PAUSE: Final = 2.0  # seconds between questions; the picture is renewed every few seconds
HOUR: Final = 3600.0
TOLD_AGAIN: Final = 30.0  # seconds after which a reason that stays is told once more

Json = dict[str, Any]
Levels = Annotated[
    list[str] | None,
    typer.Option(
        "--level",
        "-l",
        help="Consistency level that clients use; may be repeated. Without: quorums, and ONE"
        " for Cassandra's own keyspaces.",
    ),
]
Keyspaces = Annotated[
    list[str] | None,
    typer.Option(
        "--keyspace",
        "-k",
        help="Only this keyspace decides; may be repeated.",
        autocompletion=keyspaces,
    ),
]


@app.command()
@asks(file=False)
def gate(  # noqa: PLR0913 -- options of a command are its arguments
    manager: Manager,
    pod: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="POD...", help="Pods that are to stop together.", autocompletion=pods
        ),
    ] = None,
    node: Annotated[
        str, typer.Option("--node", help="Kubernetes node that is to be drained.")
    ] = "",
    level: Levels = None,
    keyspace: Keyspaces = None,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Let every note forbid it too, as a repair due.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the answer is yes.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait at most, with --wait.")
    ] = HOUR,
    output: Output = Form.TABLE,
) -> None:
    """Say whether pods may stop now without losing a level that decides, in numbers.

    What is unknown never makes it yes. Ask anew before each stop: the answer is about now.
    Exit code: 0 yes; 1 no, or not within --timeout; 2 wrong input, or no manager to ask.

    Example: ring gate cassandra-2 --wait && kubectl delete pod cassandra-2

    Example: ring gate --node worker-3 --wait --timeout 600 && kubectl drain worker-3
    """
    if bool(pod) == bool(node):
        raise InputError("", "name pods, or a Kubernetes node with --node")
    words = {
        "pod": pod or [],
        "node": [node] if node else [],
        "level": [each.upper() for each in level or ()],
        "keyspace": keyspace or [],
    }
    question = _Question(manager, as_params(words), strict=strict)
    answer = _waited(question, timeout) if wait else question.ask()
    write_lines(answer, output, lambda: render_stops.gate(answer, look()))
    exit_unless(safe=answer["allowed"])


@dataclass(frozen=True, slots=True)
class _Question:
    manager: Manager
    params: Params
    strict: bool

    def ask(self) -> Json:
        answer: Json = self.manager.get("/v1/gate", self.params).body
        if self.strict and answer["warnings"] and not answer["idle"]:
            reasons = [*answer["reasons"], *answer["warnings"]]
            return {**answer, "allowed": False, "reasons": reasons, "warnings": []}
        return answer


def _waited(
    question: _Question,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Json:
    """Ask until the answer is yes, telling why it is not; a manager that is away may come back.

    Raises:
        UnavailableError: where it never answered.

    """
    ends, told, told_at = clock() + timeout, "", 0.0
    answer: Json | None = None
    while True:
        try:
            answer = question.ask()
            if answer["allowed"]:
                return answer
            why = render_stops.blocking(answer)
        except UnavailableError as error:
            if clock() >= ends and answer is None:
                raise
            why = error.problem
        if why != told or clock() - told_at >= TOLD_AGAIN:
            sys.stderr.write(f"ring: waiting: {why}\n")
            sys.stderr.flush()
            told, told_at = why, clock()
        left = ends - clock()
        if left <= 0:
            if answer is None:
                raise UnavailableError(f"no answer within {timeout:.0f} s: {why}")
            return answer
        sleep(min(left, PAUSE * (0.5 + random.random())))  # noqa: S311 -- no secret


@app.command(name="drain-order")
@asks()
def drain_order(source: Source, level: Levels = None, output: Output = Form.TABLE) -> None:
    """Show an order in which all pods can be stopped: racks together where that is safe.

    A step is judged on the ring as it is now: let the pods of one be ready again before the
    next, which `ring gate --wait` sees to. Exit code: 0 every step is safe; 1 one is not.

    Example: ring drain-order -o json | jq -r '.steps[].pods | join(" ")' |
    while read -r pods; do ring gate $pods --wait && kubectl delete pod $pods; done
    """
    params = as_params({"level": [each.upper() for each in level or ()]})
    if params and not isinstance(source, Manager):
        raise RefusedError(400, "a dump answers for the levels that decide by default alone")
    reply = source.get("/v1/drain-order", params)
    answer = reply.body
    write_lines(answer, output, lambda: render_stops.drain_order(answer, reply.age, look()))
    exit_unless(safe=answer["safe"] and not answer.get("stale"))
