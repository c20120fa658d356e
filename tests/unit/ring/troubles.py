"""Rings with whatever is the matter with them, and what is left when sources are silent."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import strategies as st

from ring.observed import Observation
from ring.reading import UNREAD, Reading
from ring.words import Row
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World, broken

Trouble = tuple[str, int, int]


def unreachable(world: World, *numbers: int) -> None:
    """Let sidecars be silent, and Kubernetes say of their machines that it does not know."""
    for number in numbers:
        world.seats[number].heard = False
        name = f"worker-{number}"
        world.machines[name] = replace(world.machines[name], ready=None)


def troubled(found: list[Trouble], factor: int) -> World:
    """Return a ring of six in which all that is the matter."""
    world = World(6)
    for name in list(world.keyspaces):
        world.keyspaces[name] = {"class": "NetworkTopologyStrategy", "dc1": str(factor)}
    for kind, n, by in found:
        TROUBLES[kind](world, n, by)
    return world


def _unheard(world: World, n: int, _: int) -> None:
    world.seats[n].heard = False


def _undecided(world: World, n: int, by: int) -> None:
    world.sees[by, n] = None


def _terminating(world: World, n: int, _: int) -> None:
    seat = world.seats[n]
    seat.pod = replace(seat.pod, terminating=True)


def _draining(world: World, n: int, _: int) -> None:
    world.seats[n].mode = "DRAINING"


def _ghost(world: World, n: int, _: int) -> None:
    world.ghosts.append(Row(host_id=host(20 + n), address=f"10.9.0.{n}"))


def _unread(world: World, _: int, __: int) -> None:
    world.stale["pods"] = Reading(None, None, "forbidden")


TROUBLES: Mapping[str, Callable[[World, int, int], None]] = {
    "down": lambda world, n, _: world.down(n),
    "unheard": _unheard,
    "undecided": _undecided,
    "unseen": lambda world, n, by: world.unseen(n, by=(by,)),
    "gone": lambda world, n, _: world.gone.add(n),
    "terminating": _terminating,
    "draining": _draining,
    "unreachable": lambda world, n, _: unreachable(world, n),
    "cut": lambda world, n, by: world.cut(tuple({n, by}), tuple({*range(6)} - {n, by})),
    "ghost": _ghost,
    "unread": _unread,
}


@st.composite
def troubles(draw: st.DrawFn) -> list[Trouble]:
    """What is the matter, with which member, and who sees it."""
    one = st.tuples(st.sampled_from(sorted(TROUBLES)), st.integers(0, 5), st.integers(0, 5))
    return draw(st.lists(one, max_size=5))


SOURCES = ("pods", "record", "ledger", "turn", "machines", "claims", "endpoints")
OBJECTS = {
    f"{source} {name}": (source, name)
    for source, name in (
        *(
            (source, f"cassandra-{n}")
            for source in ("pods", "ledger", "claims")
            for n in (0, 3)
        ),
        ("stateful_sets", "cassandra"),
        ("machines", "worker-0"),
        ("record", "cassandra-ring"),
        ("turn", "cassandra-join"),
    )
}


@st.composite
def losses(draw: st.DrawFn) -> list[tuple[str, bool]]:
    """Sources that are lost, by name or a pod's number, and whether they were ever read.

    Among them single objects that make no sense, by source and name.
    """
    pods = [str(n) for n in range(6)]
    names = [*SOURCES, "facts", *pods, *pods, *OBJECTS]
    one = st.sampled_from(names)
    return draw(st.lists(st.tuples(one, st.booleans()), min_size=1, max_size=6))


def less(observed: Observation, lost: list[tuple[str, bool]]) -> Observation:
    """Return what is known without these: nothing, or what was read ten hours ago."""
    for name, ever in lost:
        if name in OBJECTS:
            observed = broken(observed, [OBJECTS[name]])
            continue
        old = partial(replace, age=36000.0, failure="timed out") if ever else _never
        if name == "facts":
            facts = {address: old(each) for address, each in observed.facts.items()}
            observed = replace(observed, facts=facts)
        elif name in SOURCES:
            observed = replace(observed, **{name: old(getattr(observed, name))})
        elif (pod := f"cassandra-{name}") in observed.sidecars:
            sidecars = {**observed.sidecars, pod: old(observed.sidecars[pod])}
            observed = replace(observed, sidecars=sidecars)
    return observed


def _never(_: Reading[object]) -> Reading[Any]:
    return UNREAD
