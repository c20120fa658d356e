"""`ring status`, `members`, `findings`, `history` and `seeds`: what a manager sees."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from ring import render_live, render_stops
from ring.client.errors import RefusedError, UnavailableError
from ring.client.manager import Reply
from ring.client.source import Source
from ring.commands.asking import Output, asks, keyspaces, pods
from ring.output import Form, exit_unless, has_colour, width, write_lines
from ring.render_live import Look
from ring.status import owned_keyspace, status

app = typer.Typer()

Pods = Annotated[
    list[str] | None,
    typer.Argument(metavar="POD...", help="Only these pods.", autocompletion=pods),
]


def look() -> Look:
    """Return what standard output is."""
    return Look(width(), has_colour())


@app.command(name="status")
@asks()
def status_(
    source: Source,
    keyspace: Annotated[
        str,
        typer.Option(
            "--keyspace", "-k", help="Whose ownership to show.", autocompletion=keyspaces
        ),
    ] = "",
    output: Output = Form.TABLE,
) -> None:
    """Show members as nodetool status does, with pods, readiness and findings.

    Exit code: 0 healthy; 1 a member is not up, a finding is a warning or worse, or it cannot
    be said for certain; 2 there is no answer.

    Example: ring status -n shop -k orders
    """
    reply, answer = ask_status(source, keyspace)
    write_lines(answer, output, lambda: render_live.status(answer, reply.age, look()))
    exit_unless(safe=answer["healthy"])


def ask_status(source: Source, keyspace: str = "") -> tuple[Reply, dict[str, Any]]:
    """Ask for the picture and for the shares of one keyspace."""
    reply = source.get("/v1/ring")
    name = owned_keyspace(reply.body["keyspaces"], keyspace)
    shares: Mapping[str, float] = {}
    if name is not None:
        try:
            shares = source.get(f"/v1/keyspaces/{quote(name, safe='')}").body["ownership"]
        except (RefusedError, UnavailableError):
            if keyspace and keyspace not in reply.body["keyspaces"]:
                raise
            name = None  # tokens are not known: findings say why
    return reply, status(reply.body, name, shares)


@app.command()
@asks()
def members(source: Source, output: Output = Form.TABLE) -> None:
    """Show who each member is: pod, address, disk, version, and how others see it.

    SEEN counts running members that see it up, down, and of which nobody can tell; WORD is
    the age of its own last word.

    Example: ring members -o json | jq -r '.members[] | [.pod, .hostId] | @tsv'
    """
    reply = source.get("/v1/members")
    write_lines(reply.body, output, lambda: render_live.members(reply.body, reply.age, look()))


@app.command()
@asks()
def findings(source: Source, output: Output = Form.TABLE) -> None:
    """Show what is wrong or worth knowing, each with evidence and what to do.

    Exit code: 0 nothing above info; 1 a warning or worse, or a stale picture; 2 no answer.
    docs/findings.md explains every kind.

    Example: ring findings -o json | jq '.findings[].kind'
    """
    reply = source.get("/v1/findings")
    found, stale = reply.body["findings"], bool(reply.body.get("stale"))

    def lines() -> list[str]:
        top = render_live.banner(reply.body, reply.age, look())
        return [*top, *render_live.findings(found, look())]

    write_lines(reply.body, output, lines)
    exit_unless(safe=not stale and all(each["severity"] == "info" for each in found))


@app.command()
@asks()
def history(
    source: Source,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many changes.")] = 100,
    output: Output = Form.TABLE,
) -> None:
    """Show the last changes: who joined, left, went down, came back, changed its address.

    Example: ring history --limit 20
    """
    reply = source.get("/v1/history", [("limit", str(limit))])
    write_lines(reply.body, output, lambda: render_live.history(reply.body, reply.age, look()))


@app.command()
@asks()
def seeds(source: Source, pod: Pods = None, output: Output = Form.TABLE) -> None:
    """Show every node's seeds and why each was chosen or not, as its sidecar says now.

    Example: ring seeds cassandra-2
    """
    if pod and len(pod) == 1:
        reply = source.get("/v1/seeds", [("pod", pod[0])])
    else:
        reply = source.get("/v1/seeds")
    answer = reply.body
    if pod:
        missing = [each for each in pod if each not in answer["pods"]]
        if missing:
            raise RefusedError(404, f"there is no pod {', '.join(missing)}")
        answer = {**answer, "pods": {each: answer["pods"][each] for each in pod}}
    write_lines(answer, output, lambda: render_stops.seeds(answer, reply.age, look()))
