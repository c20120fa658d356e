"""Who may be stopped now: each node in turn, each rack, and many together.

One node at a time is exact and needs no second placement: stopping a node moves each of its
ranges from one kind to the next one down, so the kinds of all nodes' ranges are all there is
to know.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.errors import TooLargeError
from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Counts, Level, margins
from ring.model import RING_SIZE, HostId, Keyspace, Liveness, Node
from ring.placement import MAX_CELLS
from ring.profile import Profile
from ring.tokens import Indexes

FLOATS = NDArray[np.float64]
NO_LIMIT = np.iinfo(np.int64).max
ORDERS = 4  # racks that a search begins with, besides one by size


@dataclass(frozen=True, eq=False)
class StopTable:
    """What stopping each node alone would do to one replication, unknown taken as down.

    Attributes:
        checks: columns of the tables.
        lost: share of the ring that could be served and then cannot, by node and check.
        margin: the least margin anywhere on the ring after it, by node and check.

    """

    checks: tuple[Check, ...]
    lost: FLOATS
    margin: Counts

    def safe(self, checks: Iterable[Check]) -> NDArray[np.bool_]:
        """Say for each node whether nothing of these checks is lost with it."""
        columns = [self.checks.index(check) for check in checks if check in self.checks]
        return np.asarray((self.lost[:, columns] == 0).all(axis=1))


def stop_each(nodes: Sequence[Node], health: ReplicationHealth) -> StopTable:
    """Stop each node in turn; one that is not known to be up changes nothing any more."""
    checks = tuple(each.check for each in health.checks)
    before = np.array([margins(c, health.demand, health.profile.worst) for c in checks])
    lost = np.zeros((len(nodes), len(checks)))
    margin = np.tile(before.min(axis=1), (len(nodes), 1))
    up = np.array([node.liveness is Liveness.UP for node in nodes], np.bool_)
    for part in _parts(health.profile):
        high, low = _widths_by_kind(health.profile, part, len(nodes))
        for column in range(len(health.profile.placement.ring.dcs)):
            here = up & (health.profile.placement.ring.dc == column)
            here &= (high + low).any(axis=1)
            if not here.any():
                continue
            tally = health.profile.worst.less(
                column=column, full=part.full, pending=part.pending
            )
            after = np.array([margins(check, health.demand, tally) for check in checks])
            newly = ((before >= 0) & (after < 0)).T.astype(np.float64)
            lost[here] += (high[here] @ newly * 2.0**32 + low[here] @ newly) / RING_SIZE
            present = (high[here] + low[here]) > 0
            for c in range(len(checks)):
                least = np.where(present, after[c], NO_LIMIT).min(axis=1)
                margin[here, c] = np.minimum(margin[here, c], least)
    return StopTable(checks, lost, margin)


@dataclass(frozen=True, slots=True)
class _Part:
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


def _parts(profile: Profile) -> list[_Part]:
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
        _Part(full=True, pending=False, rows=tuple(full)),
        _Part(full=False, pending=False, rows=tuple(rest)),
    ]
    if profile.pending is not None:
        parts.append(_Part(full=False, pending=True, pairs=profile.counted_pending()))
    return [part for part in parts if part.rows or part.pairs]


def _widths_by_kind(profile: Profile, part: _Part, nodes: int) -> tuple[FLOATS, FLOATS]:
    """Add up the widths of each node's ranges by kind: upper and lower halves, exact."""
    split = profile.halves
    sums = np.zeros((2, nodes * profile.kinds), np.uint64)
    for node, segment in part:
        kind = profile.kind if segment is None else profile.kind[segment]
        into = node * profile.kinds + kind
        for half, total in zip(split, sums, strict=True):
            np.add.at(total, into, half if segment is None else half[segment])
    shaped = sums.reshape(2, nodes, profile.kinds).astype(np.float64)
    return shaped[0], shaped[1]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who may go down together without losing any range for the checks asked about.

    Attributes:
        nodes: hosts that may be stopped, each alone; exact.
        racks: racks, as data centre and rack, each alone as a whole; exact.
        together: a set that may be down all at once.  It is checked exactly, and no further
            node can be added to it; a larger set that is chosen otherwise may exist.

    """

    nodes: frozenset[HostId]
    racks: frozenset[tuple[str, str]]
    together: frozenset[HostId]


Asked = Mapping[str, Sequence[Check]]


def standing(assessor: Assessor, keyspaces: Sequence[Keyspace], asked: Asked) -> Standing:
    """Find out who may be down; ``asked`` names the checks by keyspace.

    Ranges that cannot be served now are not held against anybody.
    """
    nodes = assessor.nodes
    health = assessor.health(keyspaces)
    distinct: dict[tuple[int, tuple[Check, ...]], ReplicationHealth] = {}
    for name, each in health.items():
        checks = tuple(check for check in asked.get(name, ()) if check in each.by_check)
        distinct[id(each), checks] = each
    alone = np.ones(len(nodes), np.bool_)
    tables: dict[int, StopTable] = {}
    limits: list[_Limit] = []
    for (key, checks), each in distinct.items():
        if key not in tables:
            tables[key] = stop_each(nodes, each)
        alone &= tables[key].safe(checks)
        holders = _Holders.of(each.profile, len(nodes))
        for check in checks:
            limits += _limits(check, each, holders, nodes)
    racks = sorted({(node.dc, node.rack) for node in nodes})
    safe_racks = frozenset(
        rack
        for rack in racks
        if not _lost(assessor, keyspaces, asked, health, _without_rack(nodes, rack))
    )
    best = max((_fill(order, limits) for order in _orders(nodes, racks)), key=len)
    together = _extended(assessor, keyspaces, asked, frozenset(best))
    return Standing(
        frozenset(node.host_id for node, safe in zip(nodes, alone, strict=True) if safe),
        safe_racks,
        frozenset(nodes[n].host_id for n in together),
    )


def _without_rack(nodes: Sequence[Node], rack: tuple[str, str]) -> list[Node]:
    return [
        node.as_liveness(Liveness.DOWN) if (node.dc, node.rack) == rack else node
        for node in nodes
    ]


def _lost(
    assessor: Assessor,
    keyspaces: Sequence[Keyspace],
    asked: Asked,
    before: Mapping[str, ReplicationHealth],
    nodes: Sequence[Node],
) -> bool:
    """Say whether with these nodes anything is lost that could be had before."""
    after = assessor.health(keyspaces, nodes)
    return any(
        after[name].answer(check).worst.failing > each.answer(check).worst.failing
        for name, each in before.items()
        for check in asked.get(name, ())
    )


def _extended(
    assessor: Assessor, keyspaces: Sequence[Keyspace], asked: Asked, taken: frozenset[int]
) -> frozenset[int]:
    """Add nodes until none is left to add, each judged exactly.

    `_fill` takes any replica for one that counts; where transient ones do not, more may fit.
    """
    while True:
        nodes = [
            node.as_liveness(Liveness.DOWN) if n in taken else node
            for n, node in enumerate(assessor.nodes)
        ]
        free = np.ones(len(nodes), np.bool_)
        health = assessor.health(keyspaces, nodes)
        tables = {id(each): stop_each(nodes, each) for each in health.values()}
        for name, each in health.items():
            free &= tables[id(each)].safe(asked.get(name, ()))
        more = [n for n in np.flatnonzero(free).tolist() if n not in taken]
        if not more:
            return taken
        taken |= {more[0]}


@dataclass(frozen=True, eq=False)
class _Holders:
    """The segments of each node, as slices of one array."""

    segment: Indexes
    start: Indexes

    @classmethod
    def of(cls, profile: Profile, nodes: int) -> "_Holders":
        everything = np.arange(len(profile.kind))
        if profile.placement.width * len(everything) > MAX_CELLS:
            raise TooLargeError("too many replicas of too many ranges to search among")
        pairs = [pair for part in _parts(profile) for pair in part]
        segments = [everything if s is None else s for _, s in pairs]
        if not pairs:
            return cls(everything[:0], np.zeros(nodes + 1, np.intp))
        node, segment = np.concatenate([n for n, _ in pairs]), np.concatenate(segments)
        narrow = node.astype(np.uint16) if nodes <= 1 << 16 else node
        order = np.argsort(narrow, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=nodes))])
        return cls(segment[order], start)

    def __getitem__(self, node: int) -> Indexes:
        return self.segment[self.start[node] : self.start[node + 1]]


@dataclass(frozen=True, eq=False)
class _Limit:
    """How many more replicas each segment can lose, of those that count."""

    spare: Counts
    counts: NDArray[np.bool_]
    holders: _Holders


def _limits(
    check: Check, health: ReplicationHealth, holders: _Holders, nodes: Sequence[Node]
) -> list[_Limit]:
    """Turn a check into limits on single data centres or on all of them."""
    replication_has_dcs = health.demand.by_dc is not None
    if check.level is Level.EACH_QUORUM and replication_has_dcs:
        checks = [Check(Level.LOCAL_QUORUM, check.operation, dc) for dc in health.demand.dcs]
    else:
        checks = [check]
    limits = []
    for each in checks:
        spare = margins(each, health.demand, health.profile.worst)[health.profile.kind]
        spare[spare < 0] = NO_LIMIT
        counts = np.array(
            [node.liveness is Liveness.UP and each.dc in (None, node.dc) for node in nodes]
        )
        limits.append(_Limit(spare, counts, holders))
    return limits


def _fill(order: Iterable[int], limits: Sequence[_Limit]) -> list[int]:
    """Take one node after the other that still fits."""
    spares = [limit.spare.copy() for limit in limits]
    taken = []
    for node in order:
        touched = [
            (spare, limit.holders[node])
            for spare, limit in zip(spares, limits, strict=True)
            if limit.counts[node]
        ]
        if all((spare[segments] > 0).all() for spare, segments in touched):
            for spare, segments in touched:
                spare[segments] -= 1
            taken.append(node)
    return taken


def _orders(nodes: Sequence[Node], racks: Sequence[tuple[str, str]]) -> list[list[int]]:
    """Return orders to try: racks first, because nodes of one rack seldom share a range."""
    size = dict.fromkeys(racks, 0)
    for node in nodes:
        size[node.dc, node.rack] += 1
    by_dc: dict[str, list[tuple[str, str]]] = {}
    for rack in sorted(racks, key=lambda rack: (-size[rack], rack)):
        by_dc.setdefault(rack[0], []).append(rack)
    orders = [sorted(range(len(nodes)), key=lambda n: (len(nodes[n].tokens), n))]
    for first in range(min(ORDERS, max(map(len, by_dc.values())))):
        rank = {}
        for ordered in by_dc.values():
            turned = ordered[first % len(ordered) :] + ordered[: first % len(ordered)]
            rank.update({rack: place for place, rack in enumerate(turned)})
        orders.append(
            sorted(range(len(nodes)), key=lambda n: (rank[nodes[n].dc, nodes[n].rack], n))
        )
    return orders
