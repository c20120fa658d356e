"""Rings for property tests: small, with every case that the rules distinguish."""

from dataclasses import replace
from uuid import UUID

from hypothesis import strategies as st

from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    Factor,
    HostId,
    Keyspace,
    Liveness,
    Mode,
    Node,
    Replication,
    RingState,
    Simple,
    Topology,
)

tokens = st.integers(MIN_TOKEN, MAX_TOKEN) | st.integers(-40, 40)


def host(number: int) -> HostId:
    return HostId(UUID(int=number + 1))


def node(number: int, *own: int, dc: str = "dc1", rack: str = "r1", **more: object) -> Node:
    made = Node(host_id=host(number), address=f"10.0.0.{number}", dc=dc, rack=rack, tokens=own)
    return replace(made, **more)  # type: ignore[arg-type]


@st.composite
def factors(draw: st.DrawFn) -> Factor:
    replicas = draw(st.integers(0, 6))
    transient = draw(st.integers(0, max(0, replicas - 1)))
    return Factor(replicas, transient if draw(st.integers(0, 5)) == 0 else 0)


@st.composite
def replications(draw: st.DrawFn) -> Replication:
    if draw(st.booleans()):
        return Simple(draw(factors()))
    dcs = draw(st.lists(st.sampled_from(["dc1", "dc2", "empty"]), min_size=1, unique=True))
    return Topology(tuple((dc, draw(factors())) for dc in sorted(dcs)))


@st.composite
def nodes(draw: st.DrawFn, *, moving: bool = False) -> tuple[Node, ...]:
    free = draw(st.lists(tokens, min_size=1, max_size=30, unique=True))
    made: list[Node] = []
    while free:
        count = draw(st.integers(1, len(free)))
        own, free = free[:count], free[count:]
        one = node(
            len(made),
            *own,
            dc=draw(st.sampled_from(["dc1", "dc1", "dc2"])),
            rack=draw(st.sampled_from(["r1", "r2", "r3"])),
            liveness=draw(st.sampled_from(list(Liveness))),
        )
        modes = (
            [Mode.NORMAL, Mode.NORMAL, Mode.LEAVING, Mode.JOINING] if moving and made else []
        )
        made.append(replace(one, mode=draw(st.sampled_from(modes or [Mode.NORMAL]))))
    return tuple(made)


@st.composite
def states(draw: st.DrawFn, *, moving: bool = False) -> RingState:
    several = draw(st.lists(replications(), min_size=1, max_size=3))
    keyspaces = tuple(Keyspace(f"ks{i}", each) for i, each in enumerate(several))
    return RingState(draw(nodes(moving=moving)), keyspaces)
