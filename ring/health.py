"""How healthy replication is: what share of the ring each level can serve, and how nearly.

What is unknown is reported as such: every figure is a pair, of the worst case (nodes whose
state is unknown are down) and of the best (they are up).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ring.errors import InputError
from ring.levels import Check, Demand, Level, Operation, Tally, checks_of, margins
from ring.model import RING_SIZE, Keyspace, Node, Replication, Topology
from ring.ownership import ExactWidths
from ring.pending import Pending, pending_replicas, settled
from ring.placement import Placement, Planner
from ring.profile import Profile, Views, profile
from ring.tokens import Indexes, TokenRing, token_ring

INTERNAL = frozenset({"system_auth", "system_distributed", "system_traces"})


@dataclass(frozen=True, slots=True)
class Outlook:
    """The answer to one check, in one case.

    Attributes:
        satisfiable: tokens of the ring for which it can be done; of 2^64.
        margin: alive replicas less those needed, where it is least; negative where it fails.
        failing: ranges for which it cannot be done.
        weakest: ranges with that least margin.

    """

    satisfiable: int
    margin: int
    failing: int
    weakest: int

    @property
    def share(self) -> float:
        """Satisfiable share of the ring: 1.0 only where it is all of it."""
        return min(self.satisfiable / RING_SIZE, 1.0 if not self.failing else 1 - 2**-53)


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """The answer to one check; ``worst`` is ``best`` where nothing is unknown."""

    check: Check
    worst: Outlook
    best: Outlook

    @property
    def certain(self) -> bool:
        """Say whether the unknown nodes make no difference to whether it can be done."""
        return self.worst.failing == self.best.failing


@dataclass(frozen=True, eq=False)
class ReplicationHealth:
    """Health of all keyspaces with one replication.

    Attributes:
        demand: what levels are measured by.
        profile: the ranges by kind, for those who ask which ranges and nodes are behind it.
        checks: an answer to every question there is.

    """

    demand: Demand
    profile: Profile
    checks: tuple[CheckHealth, ...]

    @cached_property
    def by_check(self) -> Mapping[Check, CheckHealth]:
        """The answers by question."""
        return {each.check: each for each in self.checks}

    def answer(self, check: Check) -> CheckHealth:
        """Answer any check, one that this replication does not ask itself too."""
        known = self.by_check.get(check)
        return known or _answered([check], self.demand, self.profile)[0]

    def at_margin(self, check: Check, limit: int) -> Indexes:
        """Return the segments whose margin is at most ``limit`` in the worst case, in order."""
        weak = margins(check, self.demand, self.profile.worst) <= limit
        return np.flatnonzero(weak[self.profile.kind])


class Assessor:
    """Judges states of one ring: placements are made once and kept while tokens stay.

    Its nodes differ between calls in liveness alone.

    Raises:
        InputError: where no node owns a token.
        DuplicateTokenError: where two nodes own one.

    """

    def __init__(self, nodes: Sequence[Node], ring: TokenRing | None = None) -> None:
        """Take the nodes' ring where it is known already."""
        self.nodes = tuple(nodes)
        self.ring = ring or token_ring(self.nodes)
        if not len(self.ring.tokens):
            raise InputError("", "no node owns a token: there is no ring to judge")
        self._planner = Planner(self.ring)
        self._settled = settled(self.nodes)
        self._placements: dict[Replication, Placement] = {}
        self._to_be: dict[Replication, Pending] = {}

    def placement(self, replication: Replication) -> Placement:
        """Return the placement of one replication."""
        if replication not in self._placements:
            self._placements[replication] = self._planner.place(replication)
        return self._placements[replication]

    def health(
        self, keyspaces: Iterable[Keyspace], nodes: Sequence[Node] | None = None
    ) -> dict[str, ReplicationHealth]:
        """Judge every keyspace, by name; LocalStrategy is left out, as nothing is placed.

        Args:
            keyspaces: those with equal replication share one answer.
            nodes: the same nodes as now seen; those of the constructor by default.

        """
        views = Views.of(nodes or self.nodes)
        known: dict[Replication, ReplicationHealth] = {}
        answers = {}
        for keyspace in keyspaces:
            replication = keyspace.replication
            if replication not in known:
                known[replication] = self._judged(replication, views)
            if known[replication].checks:
                answers[keyspace.name] = known[replication]
        return answers

    def _pending(self, replication: Replication) -> Pending | None:
        if self._settled:
            return None
        if replication not in self._to_be:
            now = self.placement(replication)
            self._to_be[replication] = pending_replicas(self.nodes, now, replication)
        return self._to_be[replication]

    def _judged(self, replication: Replication, views: Views) -> ReplicationHealth:
        placement, pending = self.placement(replication), self._pending(replication)
        nodes = int(self.ring.member.sum())
        demand = Demand.of(replication, self.ring.dcs, nodes)
        return judge(demand, profile(placement, pending, views))


def judge(demand: Demand, ranges: Profile) -> ReplicationHealth:
    """Answer every check for ranges sorted by kind."""
    checks = tuple(checks_of(demand)) if demand.dcs else ()
    return ReplicationHealth(demand, ranges, _answered(checks, demand, ranges))


def _answered(
    checks: Sequence[Check], demand: Demand, ranges: Profile
) -> tuple[CheckHealth, ...]:
    worst = best = _outlooks(checks, demand, ranges, ranges.worst)
    if ranges.best is not ranges.worst:
        best = _outlooks(checks, demand, ranges, ranges.best)
    return tuple(map(CheckHealth, checks, worst, best))


def _outlooks(
    checks: Sequence[Check], demand: Demand, ranges: Profile, tally: Tally
) -> list[Outlook]:
    """Answer all checks in one case; one by one, calling numpy would cost more than it does."""
    if not checks:
        return []
    spare = np.array([margins(check, demand, tally) for check in checks])
    fails, least = spare < 0, spare.min(axis=1)
    failing = fails @ ranges.ranges
    weakest = (spare == least[:, np.newaxis]) @ ranges.ranges
    lost = ExactWidths(fails @ ranges.widths.high, fails @ ranges.widths.low).tokens()
    return [
        # One range alone is the whole ring, which does not fit in a width.
        Outlook(0 if number == len(ranges.kind) else RING_SIZE - width, margin, number, weak)
        for width, margin, number, weak in zip(
            lost, least.tolist(), failing.tolist(), weakest.tolist(), strict=True
        )
    ]


def judged_at(keyspace: Keyspace, dcs: Iterable[str]) -> tuple[Check, ...]:
    """Return the checks that decide whether a keyspace is healthy, where nobody names a level.

    Clients are taken to use quorums; Cassandra itself reads its own keyspaces at ONE.
    """
    there = set(dcs)
    both = (Operation.READ, Operation.WRITE)
    if keyspace.name in INTERNAL:
        return tuple(Check(Level.ONE, operation) for operation in both)
    checks = [Check(Level.QUORUM, operation) for operation in both]
    if isinstance(keyspace.replication, Topology):
        checks += [
            Check(Level.LOCAL_QUORUM, operation, dc)
            for dc, factor in keyspace.replication.factors
            if factor.replicas and dc in there
            for operation in both
        ]
    return tuple(checks)
