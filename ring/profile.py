"""Sorts the ranges of a placement into the few kinds that differ in who is alive.

256,000 ranges with nine replicas each have a few dozen ways to be alive; levels are judged on
those, and what is costly is done once for all levels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ring.levels import Counts, Tally
from ring.model import Liveness, Node
from ring.ownership import ExactWidths
from ring.pending import Pending, Segments
from ring.placement import Layer, Placement
from ring.tokens import Indexes, TokenRing, Widths, halves, widths_of

ONE_RANGE = np.uint64(2**40)  # counts one, above the sum of upper halves
MANY_CODES = 1 << 21  # codes that a table is laid out for: 16 MiB; above, they are sorted


@dataclass(frozen=True, eq=False)
class Views:
    """Who is alive, by node: in the worst case unknown nodes are down, in the best up.

    Attributes:
        up, unknown: by liveness.
        anywhere: not up, and on the way to tokens that nobody told: in the worst case writes
            wait for it in every range, in the best in none.

    """

    up: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    anywhere: NDArray[np.bool_]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> "Views":
        """Read the nodes' liveness."""
        return cls(
            np.array([node.liveness is Liveness.UP for node in nodes], np.bool_),
            np.array([node.liveness is Liveness.UNKNOWN for node in nodes], np.bool_),
            np.array(
                [node.aim_unknown and node.liveness is not Liveness.UP for node in nodes],
                np.bool_,
            ),
        )


@dataclass(frozen=True, eq=False)
class Profile:
    """The ranges of one placement by kind.

    Attributes:
        placement: whose ranges.
        pending: replicas to be; None where nothing is under way.
        kind: kind of each segment.
        worst: the counts by kind, unknown nodes taken as down.
        best: the same, unknown nodes taken as up.

    """

    placement: Placement
    pending: Pending | None
    kind: Indexes
    worst: Tally
    best: Tally

    @property
    def kinds(self) -> int:
        """Number of kinds."""
        return len(self.worst.alive)

    @property
    def segments(self) -> Segments:
        """The pieces of the ring that are sorted: its ranges, cut where something comes."""
        if self.pending is not None:
            return self.pending.segments
        tokens = self.placement.ring.tokens
        return Segments(tokens, np.arange(len(tokens)))

    @property
    def halves(self) -> tuple[Widths, Widths]:
        """Upper and lower 32 bits of the segments' widths; see `widths_of` for a lone range."""
        if self.pending is None:
            return self.placement.ring.halves
        return halves(widths_of(self.segments.tokens))

    @cached_property
    def _sums(self) -> tuple[Widths, Widths]:
        """Add up the halves by kind; the first sum carries the number of ranges on top.

        All upper halves together are at most 2^32, so there is room, and one pass saved.
        """
        sums = np.zeros((2, self.kinds), np.uint64)
        high, low = self.halves
        np.add.at(sums[0], self.kind, high + ONE_RANGE)
        np.add.at(sums[1], self.kind, low)
        return sums[0], sums[1]

    @property
    def widths(self) -> ExactWidths:
        """How many tokens are in ranges of each kind."""
        high, low = self._sums
        return ExactWidths(high % ONE_RANGE, low)

    @property
    def ranges(self) -> Counts:
        """How many segments are of each kind."""
        return (self._sums[0] // ONE_RANGE).astype(np.int64)

    @cached_property
    def counted_pending(self) -> tuple[Indexes, Indexes]:
        """Return nodes and segments of the pending replicas that are not natural besides."""
        if self.pending is None:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        counted = ~_is_natural(self.placement, self.pending)
        return self.pending.node[counted], self.pending.segment[counted]


def profile(placement: Placement, pending: Pending | None, views: Views) -> Profile:
    """Count who is alive in every range, and sort the ranges by it."""
    segments = pending.segments if pending is not None else None
    blocks = [
        block
        for layer in placement.layers
        for block in _natural(layer, segments, placement.ring, views)
    ]
    if pending is not None:
        blocks += _to_be(pending, placement, views)
    sorting = _Sorting(len((segments or placement.ring).tokens))
    for block in blocks:
        sorting.add(block.code, block.codes)
    kind, example = sorting.done()
    worst, best = _tallies(placement, blocks, example)
    if not (views.unknown | views.anywhere).any():
        best = worst
    ring = placement.ring
    waited_for = np.bincount(ring.dc[views.anywhere], minlength=len(ring.dcs))
    if waited_for.any():
        worst = replace(worst, pending=worst.pending + waited_for)
    return Profile(placement, pending, kind, worst, best)


class _Sorting:
    """Numbers segments by several columns at once; equal rows get equal numbers."""

    def __init__(self, size: int) -> None:
        self._code = np.zeros(size, np.intp)
        self._codes = 1

    def add(self, column: Indexes, base: int) -> None:
        if self._codes * base > MANY_CODES:
            self._code, _, self._codes = renumbered(self._code, self._codes)
        if self._codes * base > MANY_CODES:
            column, _, base = renumbered(column, base)
        self._code *= base
        self._code += column
        self._codes *= base

    def done(self) -> tuple[Indexes, Indexes]:
        """Return the number of each segment and, for each number, one segment."""
        kind, example, _ = renumbered(self._code, self._codes)
        return kind, example


def renumbered(code: Indexes, codes: int) -> tuple[Indexes, Indexes, int]:
    """Give the codes that occur numbers from 0; return also one place of each, and how many."""
    if codes > MANY_CODES:
        _, example, number = np.unique(code, return_index=True, return_inverse=True)
        return number, example, len(example)
    place = np.full(codes, -1)
    place[code] = np.arange(len(code))
    present = np.flatnonzero(place >= 0)
    number = np.empty(codes, np.intp)
    number[present] = np.arange(len(present))
    return number[code], place[present], len(present)


@dataclass(frozen=True, slots=True)
class _Block:
    """Counts of one kind of replica in one data centre, by segment.

    A code packs three of them: ``up + base * (unknown + base * (all - more))``.  Where all
    segments have as many replicas, ``more`` is their number, and there are fewer codes.
    """

    what: str
    dc: int
    code: Indexes
    base: int
    more: int

    @property
    def codes(self) -> int:
        """Return how many codes there can be."""
        return self.base**2 if self.more else self.base**3


def _weights(views: Views, base: int) -> Indexes:
    """Return what each node adds to a code; as narrow as codes can be, for speed."""
    dtype = np.min_scalar_type(-(base**3))
    one, unknown = np.ones(len(views.up), dtype), views.unknown.astype(dtype)
    return np.asarray(views.up + base * (unknown + base * one))


def _natural(
    layer: Layer, segments: Segments | None, ring: TokenRing, views: Views
) -> Iterator[_Block]:
    """Count a layer's replicas, full and transient, in each data centre that it covers."""
    for dc in (layer.dc,) if layer.dc is not None else range(len(ring.dcs)):
        for what, rows in (
            ("full", layer.nodes[: layer.full]),
            ("rest", layer.nodes[layer.full :]),
        ):
            if not rows:
                continue
            base = len(rows) + 1
            weight = _weights(views, base)
            if layer.dc is None:
                weight *= ring.dc == dc
            more = len(rows) if layer.dc is not None else 0
            code = weight.take(rows[0])
            for row in rows[1:]:
                code += weight.take(row)
            code -= more * base**2
            by_range = code if layer.cell is None else code.take(layer.cell)
            by_segment = by_range if segments is None else by_range[segments.range]
            yield _Block(what, dc, by_segment, base, more)


def _to_be(pending: Pending, placement: Placement, views: Views) -> Iterator[_Block]:
    """Count pending replicas by data centre; those natural besides are counted once, there."""
    counted = ~_is_natural(placement, pending)
    ring = placement.ring
    for dc in range(len(ring.dcs)):
        pick = counted & (ring.dc[pending.node] == dc)
        segment, node = pending.segment[pick], pending.node[pick]
        base = int(np.bincount(segment, minlength=1).max()) + 1
        code = np.zeros(len(pending.segments.tokens), np.intp)
        np.add.at(code, segment, _weights(views, base)[node])
        yield _Block("pending", dc, code, base, 0)


def _is_natural(placement: Placement, pending: Pending) -> NDArray[np.bool_]:
    """Say which pairs are natural replicas besides: writes count those once.

    Source: ``ReplicaLayout.haveWriteConflicts``.
    """
    if not placement.width:
        return np.zeros(len(pending.node), np.bool_)
    there = placement.replicas[:, pending.segments.range[pending.segment]]
    return np.asarray((there == pending.node).any(axis=0))


def _tallies(
    placement: Placement, blocks: Sequence[_Block], example: Indexes
) -> tuple[Tally, Tally]:
    dcs = placement.ring.dcs
    shape = (len(example), len(dcs))
    totals = {
        (what, which): np.zeros(shape, np.int64)
        for what in ("full", "rest", "pending")
        for which in ("up", "unknown", "all")
    }
    for block in blocks:
        code, what, dc = block.code[example], block.what, block.dc
        totals[what, "up"][:, dc] += code % block.base
        totals[what, "unknown"][:, dc] += code // block.base % block.base
        totals[what, "all"][:, dc] += code // block.base**2 + block.more
    natural = totals["full", "all"] + totals["rest", "all"]
    views = []
    for best in (False, True):
        alive = {
            what: totals[what, "up"] + (totals[what, "unknown"] if best else 0)
            for what in ("full", "rest", "pending")
        }
        views.append(
            Tally(
                dcs,
                natural,
                alive["full"] + alive["rest"],
                alive["full"],
                totals["pending", "all"],
                alive["pending"],
            )
        )
    return views[0], views[1]
