"""The `ring` command on ring files: reads the file, asks, prints, and answers by exit code.

0: healthy, or safe; 1: not; 2: the input is wrong.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ring import answers, render, render_verdicts, verdicts
from ring.comparing import compare
from ring.errors import InputError, RingError
from ring.health import Assessor
from ring.levels import Level
from ring.model import Local, RingState
from ring.remarks import remarks
from ring.serve_command import serve
from ring.skew import ROUNDS, skew, suggest
from ring.terminal import (
    Form,
    exit_unless,
    fail,
    fail_unforeseen,
    read,
    show,
    stream,
    tell,
    write,
)
from ring.whatif_options import Change, changed, handing_over

app = typer.Typer(
    name="ring",
    help="Who owns what on a Cassandra ring, how healthy it is, and what a change would do.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # else help in a pipe has colours where the environment asks so
    pretty_exceptions_enable=False,
)


File = Annotated[
    Path, typer.Option("--file", "-f", help="Ring file (JSON); - for standard input.")
]
Output = Annotated[Form, typer.Option("--output", "-o", help="How to write the answer.")]
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
def ownership(file: File, output: Output = Form.TABLE, keyspace: Names = None) -> None:
    """Show each node's share of the ring, as nodetool status computes it."""
    state = read(file, keyspace)
    answer = answers.ownership(state)
    write(answer, output, lambda: render.ownership(state.nodes, answer))


@app.command()
def ranges(file: File, output: Output = Form.TABLE, keyspace: Names = None) -> None:
    """Show every token range and its replicas, in Cassandra's order."""
    state = read(file, keyspace)
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
def health(
    file: File,
    output: Output = Form.TABLE,
    keyspace: Names = None,
    level: Levels = None,
    *,
    everything: Everything = False,
) -> None:
    """Judge every consistency level; exit with 1 where one that decides is not satisfiable."""
    state = read(file, keyspace)
    answer = verdicts.health(state, level or ())
    tables = render_verdicts.health
    write(answer, output, lambda: tables(state.nodes, answer, everything=everything))
    exit_unless(safe=answer["healthy"])


@app.command()
def whatif(  # noqa: PLR0913 -- options of a command are its arguments
    file: File,
    output: Output = Form.TABLE,
    keyspace: Names = None,
    level: Levels = None,
    *,
    everything: Everything = False,
    stop: Annotated[
        list[str] | None, typer.Option(help="Stop this node: host ID or address.")
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
    """Say what a change would make worse; exit with 1 where it loses a level that decides."""
    state = read(file, keyspace)
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
def skew_(
    file: File,
    output: Output = Form.TABLE,
    keyspace: Names = None,
    rounds: Annotated[int, typer.Option(min=20, help="Random rings to compare with.")] = ROUNDS,
    seed: Annotated[
        int | None, typer.Option(min=0, help="To draw the same rings again.")
    ] = None,
) -> None:
    """Compare how even the ring is with random rings; exit with 1 where luck is no excuse."""
    state = read(file, keyspace)
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
def tokens(
    file: File,
    place: Annotated[str, typer.Argument(metavar="DC/RACK", help="Where the node will be.")],
    count: Annotated[int, typer.Option(help="Tokens of the node.")] = 16,
    output: Output = Form.TABLE,
) -> None:
    """Suggest tokens for the next node of a rack."""
    state = read(file, None)
    dc, _, rack = place.partition("/")
    same_dc = [n for n, node in enumerate(state.nodes) if node.dc == dc]
    peers = [n for n in same_dc if state.nodes[n].rack == rack]
    if not same_dc:
        raise InputError("DC/RACK", f"the ring has no data centre {dc}")
    found = suggest(Assessor(state.nodes).ring, peers, count)
    answer = answers.suggestion(found)
    write(answer, output, lambda: render.suggestion(answer))


app.command()(serve)


def main() -> None:
    """Run the command."""
    # Who has read enough, or stops us, must not be told by exit code 1 that a ring is unsafe.
    for ending in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(ending, signal.SIG_DFL)
    try:
        try:
            app(prog_name="ring")
        finally:
            sys.stdout.flush()  # here, where a full disk still can be told
    except RingError as error:
        fail(error)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is no verdict on a ring
        fail_unforeseen(error)
