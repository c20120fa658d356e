"""Values that ring mathematics works on: nodes, replication, keyspaces.  No I/O, no clock."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ring.errors import InputError

HostId = NewType("HostId", UUID)

RING_SIZE = 2**64  # tokens are all the signed 64-bit integers
MIN_TOKEN = -(2**63)
MAX_TOKEN = 2**63 - 1


class Liveness(StrEnum):
    """Whether a node answers; `UNKNOWN` is neither and is never taken for one of them."""

    UP = "U"
    DOWN = "D"
    UNKNOWN = "?"


class Mode(StrEnum):
    """Where a node stands in the ring, by the letters of ``nodetool status``."""

    NORMAL = "N"
    LEAVING = "L"
    JOINING = "J"
    MOVING = "M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One ring member.

    Attributes:
        host_id: stable over restarts and changes of address; the address is not.
        address: for people; IP literal or name, without port.
        tokens: those it owns; of a joining node, those it will own.
        moving_to: the token that a moving node goes to.
        replaces: of a joining node, the dead member whose tokens it takes.
        kubernetes_node: the machine it runs on, where known; empty otherwise.

    """

    host_id: HostId
    address: str = ""
    dc: str
    rack: str
    liveness: Liveness = Liveness.UP
    mode: Mode = Mode.NORMAL
    tokens: tuple[int, ...] = ()
    moving_to: int | None = None
    replaces: HostId | None = None
    kubernetes_node: str = ""

    @property
    def state(self) -> str:
        """Return liveness and mode as ``nodetool status`` has them, such as ``UN``."""
        return f"{self.liveness}{self.mode}"

    @property
    def aim_unknown(self) -> bool:
        """Say whether it is on its way to tokens that nobody told."""
        joins = self.mode is Mode.JOINING and not self.tokens
        return joins or (self.mode is Mode.MOVING and self.moving_to is None)

    def as_liveness(self, liveness: Liveness) -> "Node":
        """Return the same node, seen otherwise."""
        return replace(self, liveness=liveness)


@dataclass(frozen=True, slots=True)
class Factor:
    """A replication factor (Cassandra's ``ReplicationFactor``).

    Attributes:
        replicas: all of them, full and transient.
        transient: how many of them are transient.

    """

    replicas: int
    transient: int = 0

    def __post_init__(self) -> None:
        """Refuse what ``ReplicationFactor.validate`` refuses."""
        if self.replicas < 0:
            raise ValueError(f"a replication factor cannot be {self.replicas}")
        if self.transient and not 0 < self.transient < self.replicas:
            raise ValueError(
                f"{self.transient} transient replicas of {self.replicas}:"
                " at least one has to be full"
            )

    def __str__(self) -> str:
        """Write it as CQL has it."""
        return f"{self.replicas}/{self.transient}" if self.transient else str(self.replicas)

    @property
    def quorum(self) -> int:
        """Replicas that make a quorum of the factor as configured."""
        return self.replicas // 2 + 1

    @classmethod
    def parse(cls, text: str) -> "Factor":
        """Read ``3`` or ``3/1``; raise `ValueError` for anything else.

        Source: ``ReplicationFactor.fromString``.
        """
        match = re.fullmatch(r"\+?(\d{1,9})(?:/\+?(\d{1,9}))?", text, re.ASCII)
        if match is None:
            raise ValueError(f"{text!r} is not a replication factor such as 3 or 3/1")
        return cls(int(match[1]), int(match[2] or 0))


@dataclass(frozen=True, slots=True)
class Simple:
    """SimpleStrategy: the next nodes on the ring, whatever their data centre."""

    factor: Factor


@dataclass(frozen=True, slots=True)
class Topology:
    """NetworkTopologyStrategy: a factor a data centre, over its racks; sorted by name."""

    factors: tuple[tuple[str, Factor], ...]

    def factor(self, dc: str) -> Factor:
        """Return the factor of ``dc``, 0 where it has none."""
        return dict(self.factors).get(dc, Factor(0))


@dataclass(frozen=True, slots=True)
class Everywhere:
    """EverywhereStrategy (DSE): every node holds everything."""


@dataclass(frozen=True, slots=True)
class Local:
    """LocalStrategy: each node its own data, so nothing is placed on the ring."""


Replication = Simple | Topology | Everywhere | Local


def parse_replication(
    options: Mapping[str, str], dcs: frozenset[str] = frozenset(), place: str = ""
) -> Replication:
    """Read a keyspace's replication as ``system_schema.keyspaces`` has it.

    Args:
        options: ``class``, short or fully qualified, and its options.
        dcs: to which a ``replication_factor`` of NetworkTopologyStrategy is spread, as
            ``NetworkTopologyStrategy.prepareOptions`` does when a keyspace is created.
        place: where the options come from, for the error.

    Raises:
        InputError: for an unknown class, a missing or superfluous option, a bad factor.

    """
    rest = dict(options)
    name = rest.pop("class", "").rpartition(".")[2]
    where = f"{place}." if place else ""
    match name:
        case "SimpleStrategy":
            if "replication_factor" not in rest:
                raise InputError(place, "SimpleStrategy needs a replication_factor")
            factor = _factor(rest.pop("replication_factor"), f"{where}replication_factor")
            _refuse_rest(rest, name, where)
            return Simple(factor)
        case "NetworkTopologyStrategy":
            return _topology(rest, dcs, place)
        case "EverywhereStrategy" | "LocalStrategy":
            rest.pop("replication_factor", None)
            _refuse_rest(rest, name, where)
            return Everywhere() if name == "EverywhereStrategy" else Local()
        case "":
            raise InputError(place, "the replication has no class")
        case _:
            raise InputError(f"{where}class", f"{name} is no replication strategy known here")


def _topology(rest: dict[str, str], dcs: frozenset[str], place: str) -> Topology:
    where = f"{place}." if place else ""
    every = rest.pop("replication_factor", None)
    factors = {dc: _factor(text, f"{where}{dc}") for dc, text in rest.items()}
    if every is not None:
        spread = _factor(every, f"{where}replication_factor")
        factors = {**dict.fromkeys(dcs, spread), **factors}
    if not factors:
        raise InputError(place, "NetworkTopologyStrategy names no data centre")
    return Topology(tuple(sorted(factors.items())))


def _factor(text: str, place: str) -> Factor:
    try:
        return Factor.parse(text)
    except ValueError as error:
        raise InputError(place, str(error)) from error


def _refuse_rest(rest: Mapping[str, str], name: str, where: str) -> None:
    for option in rest:
        raise InputError(f"{where}{option}", f"{name} has no such option")


@dataclass(frozen=True, slots=True)
class Keyspace:
    """A keyspace by name, and how it is replicated."""

    name: str
    replication: Replication


@dataclass(frozen=True, slots=True)
class RingState:
    """Everything that the questions of this package are about, at one moment.

    Attributes:
        nodes: in the order of the source; host IDs are unique.
        keyspaces: in the order of the source; names are unique.

    """

    nodes: tuple[Node, ...]
    keyspaces: tuple[Keyspace, ...] = ()

    @property
    def dcs(self) -> tuple[str, ...]:
        """The nodes' data centres, sorted."""
        return tuple(sorted({node.dc for node in self.nodes}))
