"""Who may be down: single nodes and racks exactly, large sets by a search that says so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.errors import TooLargeError
from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Counts, margins, spares
from ring.model import HostId, Keyspace, Liveness, Node
from ring.placement import MAX_CELLS
from ring.profile import Profile, Views
from ring.stopping import parts_of, stop_tables
from ring.tokens import Indexes

NO_LIMIT = np.iinfo(np.int64).max
ORDERS = 4  # racks that a search begins with, besides one by size


@dataclass(frozen=True, slots=True)
class Standing:
    """Who may go down without losing any range for the checks asked about, in either case.

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
    for name, table in stop_tables(nodes, health).items():
        alone &= table.safe(asked.get(name, ()))
    limits: list[_Limit] = []
    for (_, checks), each in distinct.items():
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
    """Say whether with these nodes anything is lost that could be had before, in either case.

    Nodes only went down, so no range can have been won: the numbers tell it.
    """
    after = assessor.health(keyspaces, nodes)
    return any(
        late.worst.failing > early.worst.failing or late.best.failing > early.best.failing
        for name, each in before.items()
        for check in asked.get(name, ())
        for early, late in [(each.answer(check), after[name].answer(check))]
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
        for name, table in stop_tables(nodes, health).items():
            free &= table.safe(asked.get(name, ()))
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
        pairs = [pair for part in parts_of(profile) for pair in part]
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
) -> Iterator[_Limit]:
    """Turn a check into limits, for the worst and for the best case.

    Segments that fail it already have none.
    """
    seen, views = health.profile, Views.of(nodes)
    cases = [(seen.worst, views.up)]
    if seen.best is not seen.worst:
        cases.append((seen.best, views.up | views.unknown))
    for tally, alive in cases:
        fails = margins(check, health.demand, tally) < 0
        for dc, spare in spares(check, health.demand, tally):
            there = np.array([dc in (None, node.dc) for node in nodes])
            limit = np.where(fails, NO_LIMIT, spare)[seen.kind]
            yield _Limit(limit, alive & there, holders)


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
