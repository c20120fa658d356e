"""What each consistency level needs of a range: Cassandra's table, as array arithmetic.

A `Tally` counts replicas for many kinds of range at once; `spares` says how many more are alive
than needed, and `margins` what is the least of it.

Sources: ``ConsistencyLevel.blockFor`` and ``blockForWrite``,
``ReplicaPlans.assureSufficientLiveReplicas``, ``ReplicaPlans.forPaxos`` (Paxos v1),
``Paxos.Participants`` (v2).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ring.model import Everywhere, Factor, Local, Replication, Simple, Topology

Counts = NDArray[np.int64]
Change = Callable[[Counts], Counts]


class Level(StrEnum):
    """Consistency levels as CQL names them."""

    ONE = "ONE"
    LOCAL_ONE = "LOCAL_ONE"
    TWO = "TWO"
    THREE = "THREE"
    QUORUM = "QUORUM"
    LOCAL_QUORUM = "LOCAL_QUORUM"
    EACH_QUORUM = "EACH_QUORUM"
    ALL = "ALL"
    SERIAL = "SERIAL"
    LOCAL_SERIAL = "LOCAL_SERIAL"

    @property
    def is_local(self) -> bool:
        """Say whether only replicas in the coordinator's data centre count."""
        return self.startswith("LOCAL_")

    @property
    def is_serial(self) -> bool:
        """Say whether it is for lightweight transactions."""
        return self.endswith("SERIAL")


class Operation(StrEnum):
    """What is done at a level; a serial one depends on the Paxos that the cluster runs."""

    READ = "read"
    WRITE = "write"
    PAXOS_V1 = "paxos v1"
    PAXOS_V2 = "paxos v2"


@dataclass(frozen=True, slots=True)
class Check:
    """One question: whether this can be done at this level, from a coordinator in this place.

    Attributes:
        dc: the coordinator's data centre for local levels; None for the others.

    """

    level: Level
    operation: Operation
    dc: str | None = None

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.level} {self.operation}" + (f" in {self.dc}" if self.dc else "")


@dataclass(frozen=True)
class Demand:
    """What a replication asks for, by data centre.

    Attributes:
        total: replicas as configured, over all data centres.
        by_dc: as configured, for NetworkTopologyStrategy; None where it has no such factors.
        dcs: data centres that a coordinator can be in: those that have a factor.  Where none
            has, all of the ring, as there is nothing that it could reach from any of them.

    """

    total: int
    by_dc: dict[str, int] | None
    dcs: tuple[str, ...]

    @classmethod
    def of(cls, replication: Replication, dcs: tuple[str, ...], nodes: int) -> "Demand":
        """Return the demand of a replication on a ring of these data centres."""
        match replication:
            case Simple(factor):
                return cls(factor.replicas, None, dcs)
            case Topology(factors):
                given = {dc: factor.replicas for dc, factor in factors if factor.replicas}
                return cls(sum(given.values()), given, tuple(given) or dcs)
            case Everywhere():
                return cls(nodes, None, dcs)
            case Local():
                return cls(0, None, ())

    def local_quorum(self, dc: str) -> int:
        """Source: ``ConsistencyLevel.localQuorumFor``."""
        rf = self.total if self.by_dc is None else self.by_dc.get(dc, 0)
        return Factor(rf).quorum


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Replicas by kind of range (rows) and data centre (columns, in the order of ``dcs``).

    Attributes:
        natural: natural replicas.
        alive: those of them that count as alive.
        full: those alive that are full.
        pending: replicas to be.
        pending_alive: those of them that count as alive.

    """

    dcs: tuple[str, ...]
    natural: Counts
    alive: Counts
    full: Counts
    pending: Counts
    pending_alive: Counts
    _scopes: dict[str | None, "Tally"] = field(default_factory=dict, init=False, repr=False)

    def within(self, dc: str | None) -> "Tally":
        """Return the counts that matter: of all data centres together, or of one."""
        if dc not in self._scopes:  # every check asks for one of these few again
            self._scopes[dc] = self._within(dc)
        return self._scopes[dc]

    def _within(self, dc: str | None) -> "Tally":
        if dc is None:
            return self._with(lambda counts: counts.sum(axis=1))
        if dc not in self.dcs:
            return self._with(lambda counts: np.zeros(len(counts), np.int64))
        column = self.dcs.index(dc)
        return self._with(lambda counts: counts[:, column])

    def _with(self, change: Change) -> "Tally":
        return Tally(
            self.dcs,
            *map(
                change,
                (self.natural, self.alive, self.full, self.pending, self.pending_alive),
            ),
        )

    def less(self, *, column: int, full: bool, pending: bool) -> "Tally":
        """Return the counts after one live replica of ``column`` stopped, in every row."""
        one = np.zeros(len(self.dcs), np.int64)
        one[column] = 1
        if pending:
            return replace(self, pending_alive=self.pending_alive - one)
        fewer = self.full - one if full else self.full
        return replace(self, alive=self.alive - one, full=fewer)


def checks_of(demand: Demand) -> Iterator[Check]:
    """Yield every question there is for a keyspace."""
    for level in Level:
        operations = (
            (Operation.PAXOS_V1, Operation.PAXOS_V2)
            if level.is_serial
            else (Operation.READ, Operation.WRITE)
        )
        for dc in demand.dcs if level.is_local else (None,):
            for operation in operations:
                yield Check(level, operation, dc)


Spare = tuple[str | None, Counts]


def margins(check: Check, demand: Demand, tally: Tally) -> Counts:
    """Return, for each kind of range, how many more replicas are alive than needed."""
    return reduce(np.minimum, (spare for _, spare in spares(check, demand, tally)))


def spares(check: Check, demand: Demand, tally: Tally) -> Iterator[Spare]:
    """Yield all that limits a check: what there is to spare, and in which data centre.

    None stands for all data centres together.  A replica that stops takes at most one of it,
    and only where it counts: in that data centre.
    """
    if check.level is Level.EACH_QUORUM and demand.by_dc is not None:
        yield from _each_quorum(check, demand, tally)
        return
    scope = tally.within(check.dc)
    alive = scope.alive + scope.pending_alive
    match check.operation:
        case Operation.READ:
            yield check.dc, scope.alive - _block_for(check, demand)
            # A read needs one full replica: transient ones cannot tell the data.
            yield check.dc, scope.full - 1
        case Operation.WRITE:
            yield check.dc, alive - (_block_for(check, demand) + scope.pending)
        case Operation.PAXOS_V1:
            participants = scope.natural + scope.pending
            # Two pending replicas make it impossible, however many are alive.
            impossible = scope.pending > 1
            need = np.where(impossible, participants + 1, participants // 2 + 1)
            yield check.dc, alive - need
        case Operation.PAXOS_V2:
            yield check.dc, alive - (scope.natural // 2 + 1 + scope.pending)


def _each_quorum(check: Check, demand: Demand, tally: Tally) -> Iterator[Spare]:
    """Take every data centre by itself.

    Pending replicas count per data centre as ``DatacenterSyncWriteResponseHandler`` waits for
    them; the check before the write is laxer, and such a write would time out.
    """
    writes = check.operation is Operation.WRITE
    for dc in demand.dcs:
        there = tally.within(dc)
        spare = there.alive - demand.local_quorum(dc)
        yield dc, (spare + there.pending_alive - there.pending if writes else spare)
    if not writes:
        yield None, tally.within(None).full - 1


def _block_for(check: Check, demand: Demand) -> int:
    match check.level:
        case Level.ONE | Level.LOCAL_ONE:
            return 1
        case Level.TWO:
            return 2
        case Level.THREE:
            return 3
        case Level.LOCAL_QUORUM:
            return demand.local_quorum(check.dc or "")
        case Level.ALL:
            # Of no replicas at all Cassandra would let a write at ALL through, to nobody.
            return max(1, demand.total)
        case _:  # EACH_QUORUM is QUORUM where there are no factors by data centre
            return Factor(demand.total).quorum
