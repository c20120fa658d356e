"""`ring ownership`, `ranges`, `health`, `whatif`, `skew` and `tokens`: a ring's mathematics.

Of a ring file, or of what a manager gives as one: either way it is computed here.
"""

import sys
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer

from ring import answers, render, render_verdicts, verdicts
from ring.commands.asking import GivenRing, Output, ring_of
from ring.comparing import compare
from ring.errors import InputError
from ring.health import Assessor
from ring.levels import Level
from ring.model import Local, RingState
from ring.output import Form, exit_unless
from ring.remarks import remarks
from ring.skew import ROUNDS, skew, suggest
from ring.terminal import parsed, show, stream, tell, write
from ring.whatif_options import Change, changed, handing_over

app = typer.Typer()

Names = Annotated[
    list[str] | None,
    typer.Option("--keyspace", "-k", help="Only this keyspace; may be repeated."),
]
Levels = Annotated[
    list[Level] | None,
    typer.Option(
        "--level",
        "-l",
        case_sensitive=False,
        help="Level that decides; may be repeated. Without: quorums, and ONE for Cassandra's"
        " own keyspaces.",
    ),
]


Everything = Annotated[
    bool, typer.Option("--all", "-a", help="Show every level, not only those that decide.")
]


@app.command()
@ring_of
def ownership(given: GivenRing, output: Output = Form.TABLE, keyspace: Names = None) -> None:
    """Show each node's share of the ring, as nodetool status computes it.

    Example: ring ownership -k shop
    """
    state = parsed(given.data, given.name, keyspace)
    answer = answers.ownership(state)
    write(answer, output, lambda: render.ownership(state.nodes, answer))


@app.command()
@ring_of
def ranges(given: GivenRing, output: Output = Form.TABLE, keyspace: Names = None) -> None:
    """Show every token range and its replicas, in Cassandra's order.

    Example: ring ranges -k shop -o json
    """
    state = parsed(given.data, given.name, keyspace)
    found = answers.ranges(state)
    if output is Form.JSON:
        stream(sys.stdout, found)
    elif output is Form.YAML:
        whole = {name: [row for rows in several for row in rows] for name, several in found}
        write({"keyspaces": whole}, output, lambda: ())
    else:
        for name, several in found:
            show(render.ranges(state.nodes, name, several))


@app.command()
@ring_of
def health(
    given: GivenRing,
    output: Output = Form.TABLE,
    keyspace: Names = None,
    level: Levels = None,
    *,
    everything: Everything = False,
) -> None:
    """Judge every consistency level; exit with 1 where one that decides is not satisfiable.

    Example: ring health -k shop --level LOCAL_QUORUM
    """
    state = parsed(given.data, given.name, keyspace)
    answer = verdicts.health(state, level or ())
    tables = render_verdicts.health
    write(answer, output, lambda: tables(state.nodes, answer, everything=everything))
    exit_unless(safe=answer["healthy"])


@app.command()
@ring_of
def whatif(  # noqa: PLR0913 -- options of a command are its arguments
    given: GivenRing,
    output: Output = Form.TABLE,
    keyspace: Names = None,
    level: Levels = None,
    *,
    everything: Everything = False,
    stop: Annotated[
        list[str] | None, typer.Option(help="Stop this node: pod, host ID or address.")
    ] = None,
    drain: Annotated[
        list[str] | None, typer.Option(help="Stop all on this Kubernetes node.")
    ] = None,
    stop_rack: Annotated[
        list[str] | None, typer.Option(help="Stop a whole rack: DC/RACK.")
    ] = None,
    lose_dc: Annotated[list[str] | None, typer.Option(help="Lose a whole data centre.")] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(help="Remove this node for good; it gives nothing on, as if dead."),
    ] = None,
    decommission: Annotated[
        list[str] | None, typer.Option(help="Let this node leave; it hands over its data.")
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(help="Add a node: DC/RACK, or DC/RACK=TOKEN,TOKEN,…"),
    ] = None,
    alter: Annotated[
        list[str] | None,
        typer.Option(help="Replicate otherwise: KEYSPACE=CLASS,OPTION:RF,…"),
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="Stop each node in turn.")] = False,
    most: Annotated[
        bool, typer.Option("--most", help="Find who may be down together.")
    ] = False,
) -> None:
    """Say what a change would make worse; exit with 1 where it loses a level that decides.

    Example: ring whatif --stop cassandra-2

    Example: ring whatif --stop-rack dc1/a --all
    """
    state = parsed(given.data, given.name, keyspace)
    wanted = Change(
        stop=tuple(stop or ()),
        drain=tuple(drain or ()),
        stop_rack=tuple(stop_rack or ()),
        lose_dc=tuple(lose_dc or ()),
        remove=tuple(remove or ()),
        decommission=tuple(decommission or ()),
        add=tuple(add or ()),
        alter=tuple(alter or ()),
    )
    wanted = with_members(wanted, given)
    levels = level or []
    if each + most + bool(wanted) != 1:
        raise InputError("", "name a change, or one of --each and --most")
    if each:
        answer = verdicts.each_stopped(state, levels)
        write(answer, output, lambda: render_verdicts.stops(state.nodes, answer))
        exit_unless(safe=answer["safe"])
    elif most:
        answer = verdicts.most_stopped(state, levels)
        write(answer, output, lambda: render_verdicts.standing(state.nodes, answer))
    else:
        _changed(state, wanted, levels, output, everything=everything)


def _changed(
    state: RingState, wanted: Change, levels: list[Level], output: Form, *, everything: bool
) -> None:
    after = changed(state, wanted)
    known = remarks(state)  # told already, when the file was read
    tell([each for each in remarks(after) if each not in known], "after the change")
    changes = compare(state, after, handing_over(state, wanted))
    answer = verdicts.change(state, after, changes, levels)
    write(
        answer,
        output,
        lambda: render_verdicts.change(after.nodes, answer, everything=everything),
    )
    exit_unless(safe=answer["safe"])


@app.command(name="skew")
@ring_of
def skew_(
    given: GivenRing,
    output: Output = Form.TABLE,
    keyspace: Names = None,
    rounds: Annotated[int, typer.Option(min=20, help="Random rings to compare with.")] = ROUNDS,
    seed: Annotated[
        int | None, typer.Option(min=0, help="To draw the same rings again.")
    ] = None,
) -> None:
    """Compare how even the ring is with random rings; exit with 1 where luck is no excuse.

    Example: ring skew --seed 1
    """
    state = parsed(given.data, given.name, keyspace)
    assessor, rng = Assessor(state.nodes), np.random.default_rng(seed)
    placed = [each for each in state.keyspaces if not isinstance(each.replication, Local)]
    known = {
        replication: skew(assessor.placement(replication), replication, rng, rounds)
        for replication in dict.fromkeys(each.replication for each in placed)
    }
    answer = answers.skews((each.name, known[each.replication]) for each in placed)
    write(answer, output, lambda: render.skews(answer))
    exit_unless(safe=answer["explained"])


@app.command()
@ring_of
def tokens(
    given: GivenRing,
    place: Annotated[str, typer.Argument(metavar="DC/RACK", help="Where the node will be.")],
    count: Annotated[int, typer.Option(help="Tokens of the node.")] = 16,
    output: Output = Form.TABLE,
) -> None:
    """Suggest tokens for the next node of a rack.

    Example: ring tokens dc1/a --count 16
    """
    state = parsed(given.data, given.name, None)
    dc, _, rack = place.partition("/")
    same_dc = [n for n, node in enumerate(state.nodes) if node.dc == dc]
    peers = [n for n in same_dc if state.nodes[n].rack == rack]
    if not same_dc:
        raise InputError("DC/RACK", f"the ring has no data centre {dc}")
    found = suggest(Assessor(state.nodes).ring, peers, count)
    answer = answers.suggestion(found)
    write(answer, output, lambda: render.suggestion(answer))


NAMING = ("stop", "remove", "decommission")


def with_members(change: Change, given: GivenRing) -> Change:
    """Put host IDs where a change names pods, as far as these are known."""
    if not any(getattr(change, field) for field in NAMING):
        return change
    hosts = {each["pod"]: each["hostId"] for each in given.members() if each["pod"]}
    named: dict[str, tuple[str, ...]] = {
        field: tuple(hosts.get(word, word) for word in getattr(change, field))
        for field in NAMING
    }
    return replace(change, **named)
