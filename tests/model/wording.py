"""A way through the model told as a story: who does what, under the names of the start.

Worlds are canonical, so a pod changes its number from step to step. `story` plays the labels
again, keeps who is who, and puts the names of the start into every line.
"""

import re
from collections.abc import Callable, Iterator

from tests.model import state as m

POD = re.compile(r"cassandra-(\d+)")
Options = Callable[[m.World], Iterator[tuple[tuple[str, int, str], object]]]


def owner(world: m.World, address: int) -> str:
    """Say whose an address is."""
    for n, pod in enumerate(world.pods):
        if pod.address == address:
            return f"cassandra-{n}'s address"
    for n, entry in enumerate(world.ledger):
        if entry and entry.address == address:
            return f"cassandra-{n}'s earlier address"
    return "an earlier address"


def host_of(world: m.World, host: int) -> str:
    """Say whose a host ID is."""
    if not host:
        return "no host"
    for n, pod in enumerate(world.pods):
        if pod.disk.host == host or pod.ghost[:1] == (host,):
            return f"cassandra-{n}'s host"
    for n, entry in enumerate(world.ledger):
        if entry and entry.host == host:
            return f"cassandra-{n}'s lost host"
    return "a new host" if host >= m.NEW else "a lost host"


def what(world: m.World, step: tuple) -> str:
    """Say what a step does."""
    match step[0]:
        case m.ANSWER:
            seeds = ", ".join(owner(world, each) for each in step[1])
            place = f", in the place of {owner(world, step[2])}" if step[2] >= 0 else ""
            return f"seeds: {seeds}{place}"
        case m.RECORD:
            record = step[1]
            how = ("founded", "adopted", "rebuilt")[record.how]
            return f"the record, {how} by cassandra-{record.founder}"
        case m.ENTRY:
            entry, of = step[1], step[2]
            state = ("joining", "member", "left")[entry.state]
            return f"the entry of cassandra-{of}: {state}, {host_of(world, entry.host)}"
        case m.PROMISE:
            return "first the promise of an answer"
        case _:
            return "the join turn"


def story(
    start: m.World, path: tuple[tuple[str, int, str], ...], options: Options
) -> list[str]:
    """Tell a way from a start, a line for each step.

    Args:
        start: where it begins.
        path: its labels, as a search gives them.
        options: all moves and faults of a world.

    """
    world, order = m.canonical_with_order(start)
    names = list(order)
    lines = []
    for number, label in enumerate(path, 1):
        lines.append(f"{number:3}. {_sentence(label, names)}")
        after = next((after for each, after in options(world) if each == label), None)
        if not isinstance(after, m.World):
            break
        world, order = m.canonical_with_order(after)
        names = [names[n] for n in order]
    return lines


def _sentence(label: tuple[str, int, str], names: list[int]) -> str:
    verb, n, more = label
    who = f"cassandra-{n} " if n >= 0 else ""
    text = f"{who}{verb}{': ' if more else ''}{more}"
    return POD.sub(lambda found: f"cassandra-{names[int(found[1])]}", text)
