"""Which nodes writes go to besides the natural replicas, while nodes join, leave or move.

Source: ``TokenMetadata.calculatePendingRanges``, step by step, because its result is not simply
what the ring will look like: joining nodes do not see each other, moving ones go in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.model import Mode, Node, Replication
from ring.placement import Placement, Planner
from ring.tokens import Indexes, TokenRing, Tokens

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Segments:
    """The ring cut at the tokens of now and of everything under way.

    Attributes:
        tokens: ends of the segments, ascending.
        range: for each segment, the range of the present ring that it lies in.

    """

    tokens: Tokens
    range: Indexes


@dataclass(frozen=True, eq=False)
class Pending:
    """Pending replicas as pairs, sorted by segment and then node; a pair occurs once.

    Attributes:
        segments: what they are about.
        segment: segment of each pair.
        node: node of each pair.
        full: whether it will be a full replica.

    """

    segments: Segments
    segment: Indexes
    node: Indexes
    full: Flags


def segments_of(ring: TokenRing, nodes: Sequence[Node]) -> Segments:
    """Cut the ring at its own tokens and at those that joining and moving nodes go to."""
    coming = [t for node in nodes if node.mode is Mode.JOINING for t in node.tokens]
    coming += [node.moving_to for node in nodes if node.moving_to is not None]
    tokens = ring.tokens
    if coming:
        tokens = np.union1d(tokens, np.array(coming, np.int64))
    return Segments(tokens, ring.ends_at(tokens))


def settled(nodes: Sequence[Node]) -> bool:
    """Say whether nobody is on the way in, out or elsewhere."""
    return all(node.mode is Mode.NORMAL for node in nodes)


def pending_replicas(
    nodes: Sequence[Node], now: Placement, replication: Replication
) -> Pending:
    """Return who is pending for which segment; ``now`` is the placement of ``replication``.

    More than one moving node at a time is taken in the order of ``nodes``; Cassandra's order
    is that of a hash table.
    """
    segments = segments_of(now.ring, nodes)
    found = _Found(segments)
    if len(now.ring.tokens):
        leaving = [n for n, node in enumerate(nodes) if node.mode is Mode.LEAVING]
        left = now.ring.without(leaving) if leaving else now.ring
        if leaving:
            _after_leaving(found, now, Planner(left).place(replication), leaving)
        for n, node in enumerate(nodes):
            if node.mode is Mode.JOINING and node.tokens:
                _joining(found, Planner(left.with_tokens(n, node.tokens)).place(replication), n)
        for n, node in enumerate(nodes):
            if node.mode is Mode.MOVING and node.moving_to is not None:
                moved = left.with_tokens(n, [node.moving_to])
                before, after = Planner(left), Planner(moved)
                _moving(found, now, before.place(replication), after.place(replication), n)
                left = moved.without([n])
    return found.pairs()


class _Found:
    """Pairs as they are found; the same may be found twice."""

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._segment: list[Indexes] = []
        self._node: list[Indexes] = []
        self._full: list[Flags] = []

    def add(self, view: "_View", where: Flags) -> None:
        """Take those replicas of ``view`` where ``where`` holds."""
        rows, segment = np.nonzero(where)
        self._segment.append(segment)
        self._node.append(view.nodes[rows, segment].astype(np.intp))
        self._full.append(view.full[rows, segment])

    def pairs(self) -> Pending:
        if not self._segment:
            none = np.empty(0, np.intp)
            return Pending(self.segments, none, none, none.astype(np.bool_))
        segment, node = np.concatenate(self._segment), np.concatenate(self._node)
        full = np.concatenate(self._full)
        order = np.lexsort((~full, node, segment))  # of two the full one, as it needs more
        segment, node, full = segment[order], node[order], full[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (segment[1:] != segment[:-1]) | (node[1:] != node[:-1])
        return Pending(self.segments, segment[new], node[new], full[new])


class _View:
    """A placement as the segments see it."""

    def __init__(
        self, placement: Placement, segments: Segments, whole_ranges_of: TokenRing | None = None
    ) -> None:
        ring = placement.ring
        ends = whole_ranges_of.tokens[segments.range] if whole_ranges_of else segments.tokens
        at = ring.ends_at(ends) if len(ring.tokens) else np.zeros(len(ends), np.intp)
        width = placement.width if len(ring.tokens) else 0
        self.nodes = placement.replicas[:, at] if width else np.empty((0, len(ends)), np.int32)
        flags = placement.transient
        self.full = np.ones(self.nodes.shape, np.bool_) if flags is None else ~flags[:, at]

    def has(self, nodes: "_View") -> Flags:
        """Say which replicas of another view are replicas here too, of whatever kind."""
        found = np.zeros(nodes.nodes.shape, np.bool_)
        for row in self.nodes:
            found |= nodes.nodes == row
        return found

    def has_alike(self, nodes: "_View") -> Flags:
        """Say which replicas of another view are the same here, full or transient."""
        found = np.zeros(nodes.nodes.shape, np.bool_)
        for row, full in zip(self.nodes, self.full, strict=True):
            found |= (nodes.nodes == row) & (nodes.full == full)
        return found


def _after_leaving(
    found: _Found, now: Placement, later: Placement, leaving: Sequence[int]
) -> None:
    """Whoever takes over a range of a leaving node, for the whole of the present range."""
    current = _View(now, found.segments, now.ring)
    after = _View(later, found.segments, now.ring)
    affected = np.isin(current.nodes, leaving).any(axis=0)
    found.add(after, affected & ~current.has(after))


def _joining(found: _Found, later: Placement, node: int) -> None:
    """Everything that a joining node will hold once the leaving ones have left."""
    after = _View(later, found.segments)
    found.add(after, after.nodes == node)


def _moving(
    found: _Found, now: Placement, before: Placement, after: Placement, node: int
) -> None:
    """All that those nodes gain which gain anything in a range that the mover had or gets."""
    gainers: set[int] = set()
    for placement in (before, after):
        own = (placement.replicas == node).any(axis=0) if placement.width else slice(0)
        ends = placement.ring.tokens[own]
        there = Segments(ends, now.ring.ends_at(ends))
        current, later = _View(now, there), _View(after, there)
        gainers.update(later.nodes[~current.has(later)].tolist())
    current, later = _View(now, found.segments), _View(after, found.segments)
    found.add(later, np.isin(later.nodes, list(gainers)) & ~current.has_alike(later))
