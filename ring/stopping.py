"""What stopping each node in turn would do.

One node at a time is exact and needs no second placement: stopping a node moves each of its
ranges from one kind to the next one down, so the kinds of all nodes' ranges are all there is
to know.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.health import ReplicationHealth
from ring.levels import Check, Tally, margins
from ring.model import RING_SIZE, Node
from ring.profile import Profile, Views
from ring.tokens import Indexes

FLOATS = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StopTable:
    """What stopping each node alone would do to one replication.

    Attributes:
        checks: columns of both tables.
        worst: share of the ring that could be served and then cannot, by node and check,
            unknown nodes taken as down: stopping one of them changes nothing any more.
        best: the same, unknown nodes taken as up: stopping one takes what it may be holding up.

    """

    checks: tuple[Check, ...]
    worst: FLOATS
    best: FLOATS

    def safe(self, checks: Iterable[Check]) -> NDArray[np.bool_]:
        """Say for each node whether nothing of these checks is lost with it, in either case."""
        columns = [self.checks.index(check) for check in checks if check in self.checks]
        lost = self.worst[:, columns] + self.best[:, columns]
        return np.asarray((lost == 0).all(axis=1))


def stop_each(nodes: Sequence[Node], health: ReplicationHealth) -> StopTable:
    """Stop each node in turn; ``health`` is that of the same nodes as seen now."""
    views, seen = Views.of(nodes), health.profile
    worst = best = _Case(health, seen.worst, views.up)
    if seen.best is not seen.worst:
        best = _Case(health, seen.best, views.up | views.unknown)
    cases = (worst,) if best is worst else (worst, best)
    for part in parts_of(seen):
        shares = _shares_by_kind(seen, part, len(nodes))
        for case in cases:
            case.take_away(part, shares)
    return StopTable(worst.checks, worst.lost, best.lost)


def stop_tables(
    nodes: Sequence[Node], answers: Mapping[str, ReplicationHealth]
) -> dict[str, StopTable]:
    """Make the table of every keyspace; those with one replication share one."""
    distinct = {id(health): health for health in answers.values()}
    tables = {key: stop_each(nodes, health) for key, health in distinct.items()}
    return {name: tables[id(health)] for name, health in answers.items()}


class _Case:
    """Fills the table of one case, a part of the replicas at a time."""

    def __init__(
        self, health: ReplicationHealth, tally: Tally, alive: NDArray[np.bool_]
    ) -> None:
        self.checks = tuple(each.check for each in health.checks)
        self.lost = np.zeros((len(alive), len(self.checks)))
        self._demand, self._ring = health.demand, health.profile.placement.ring
        self._tally, self._alive = tally, alive
        self._can = self._possible(tally)

    def _possible(self, tally: Tally) -> NDArray[np.bool_]:
        """Say for each check and kind of range whether it can be done."""
        return np.array([margins(check, self._demand, tally) >= 0 for check in self.checks])

    def take_away(self, part: "Part", shares: FLOATS) -> None:
        """Stop whoever is alive; the shares of its ranges are given by node and kind."""
        for column in range(len(self._ring.dcs)):
            here = self._alive & (self._ring.dc == column)
            after = self._possible(
                self._tally.less(column=column, full=part.full, pending=part.pending)
            )
            newly = (self._can & ~after).T.astype(np.float64)
            self.lost[here] += shares[here] @ newly


@dataclass(frozen=True, slots=True)
class Part:
    """Some replicas: whether full, whether only to be.

    Attributes:
        rows: one a replica: nodes, and what they are to be indexed with to be by segment.
        pairs: nodes and their segments, where there are not as many for every segment.

    """

    full: bool
    pending: bool
    rows: tuple[tuple[Indexes, Indexes | None], ...] = ()
    pairs: tuple[Indexes, Indexes] | None = None

    def __iter__(self) -> Iterator[tuple[Indexes, Indexes | None]]:
        """Yield nodes with their segments, None for all; one row at a time fits in memory."""
        for nodes, at in self.rows:
            yield (nodes if at is None else nodes[at]), None
        if self.pairs is not None:
            yield self.pairs


def parts_of(profile: Profile) -> list[Part]:
    """Split the replicas by what their stopping takes away."""
    full: list[tuple[Indexes, Indexes | None]] = []
    rest: list[tuple[Indexes, Indexes | None]] = []
    cut = profile.segments.range if profile.pending is not None else None
    for layer in profile.placement.layers:
        at = layer.cell if layer.cell is not None else cut
        if layer.cell is not None and cut is not None:
            at = layer.cell[cut]
        full += [(row, at) for row in layer.nodes[: layer.full]]
        rest += [(row, at) for row in layer.nodes[layer.full :]]
    parts = [
        Part(full=True, pending=False, rows=tuple(full)),
        Part(full=False, pending=False, rows=tuple(rest)),
    ]
    if profile.pending is not None:
        parts.append(Part(full=False, pending=True, pairs=profile.counted_pending))
    return [part for part in parts if part.rows or part.pairs]


def _shares_by_kind(profile: Profile, part: Part, nodes: int) -> FLOATS:
    """Add up the widths of each node's ranges by kind; 0.0 only where there is none."""
    split = profile.halves
    sums = np.zeros((2, nodes * profile.kinds), np.uint64)
    for node, segment in part:
        kind = profile.kind if segment is None else profile.kind[segment]
        into = node * profile.kinds + kind
        for half, total in zip(split, sums, strict=True):
            np.add.at(total, into, half if segment is None else half[segment])
    high, low = sums.reshape(2, nodes, profile.kinds).astype(np.float64)
    return np.asarray((high * 2.0**32 + low) / RING_SIZE)
