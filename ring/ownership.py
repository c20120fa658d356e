"""How much of the ring each node owns.  Pure: the same tokens give the same shares.

Two answers are given.  *Shares* are what Cassandra says, digit for digit: 32-bit floats of
ranges rounded to six decimals, added in token order.  *Widths* are exact, in tokens, and add
up: those are for arithmetic.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ring.model import RING_SIZE
from ring.placement import Layer, Placement
from ring.tokens import Indexes, TokenRing, Widths, halves

CASSANDRA_RING = RING_SIZE - 2  # Murmur3Partitioner.describeOwnership: MAXIMUM - (MINIMUM + 1)
MICRO = 1_000_000  # it rounds to six decimals
NEAR_HALF = 1e-6  # of a millionth: closer to a tie, double arithmetic may round wrongly

Shares = NDArray[np.float32]


class ExactWidths:
    """Sums of range widths by group, exact: of their upper and of their lower 32 bits.

    One sum can be more than 2^64 (a node that holds several rings' worth is an error
    elsewhere, all ranges together are not), which no number of numpy's holds.
    """

    def __init__(self, high: Widths, low: Widths) -> None:
        self.high, self.low = high, low

    @classmethod
    def none(cls, groups: int) -> Self:
        """Start from nothing."""
        return cls(np.zeros(groups, np.uint64), np.zeros(groups, np.uint64))

    @classmethod
    def of(cls, widths: Widths, group: Indexes, groups: int) -> Self:
        """Add up widths by group; groups are 0 … ``groups-1``."""
        sums = cls.none(groups)
        sums.add(*halves(widths), group)
        return sums

    def add(self, high: Widths, low: Widths, group: Indexes) -> None:
        """Add to each group what belongs to it."""
        np.add.at(self.high, group, high)
        np.add.at(self.low, group, low)

    def tokens(self) -> list[int]:
        """Return each sum as an exact number of tokens."""
        return [
            (high << 32) + low
            for high, low in zip(self.high.tolist(), self.low.tolist(), strict=True)
        ]


def range_shares(ring: TokenRing) -> Shares:
    """Return each range's share as Cassandra computes it, rounded half-even to six decimals.

    Source: ``Murmur3Partitioner.describeOwnership``.
    """
    if len(ring.tokens) <= 1:
        return np.ones(len(ring.tokens), np.float32)
    widths = ring.widths % np.uint64(CASSANDRA_RING)
    # It goes around modulo its own ring size, so the range that wraps is two tokens short.
    widths[0] = (int(ring.widths[0]) - 2) % CASSANDRA_RING
    scaled = widths.astype(np.float64) * (MICRO / CASSANDRA_RING)
    millionths = np.rint(scaled)
    doubtful = np.flatnonzero(np.abs(np.abs(scaled - millionths) - 0.5) < NEAR_HALF)
    for i in doubtful.tolist():
        millionths[i] = round(Fraction(int(widths[i]) * MICRO, CASSANDRA_RING))
    # Both are exact floats, so this rounds once, as BigDecimal.floatValue does.
    return millionths.astype(np.float32) / np.float32(MICRO)


def primary_shares(ring: TokenRing) -> Shares:
    """Return each node's share before replication (``StorageService.getOwnership``)."""
    return _added_in_order(range_shares(ring)[:, np.newaxis], ring.owner, ring.size)


def effective_shares(placement: Placement) -> Shares:
    """Return each node's share with replication (``StorageService.getEffectiveOwnership``).

    Transient replicas count as full ones do.
    """
    ring = placement.ring
    total = np.zeros(ring.size, np.float32)
    shares = range_shares(ring)[:, np.newaxis]
    for layer in placement.layers:
        total += _layer_shares(layer, shares, ring.size)
    return total


def _layer_shares(layer: Layer, shares: Shares, size: int) -> Shares:
    """Add up one layer; a node is in one layer only, so their sums never meet."""
    nodes = np.stack(layer.nodes, axis=1)
    if layer.is_uniform:
        total = np.zeros(size, np.float32)
        total[nodes[0]] = np.add.accumulate(shares[:, 0])[-1]
        return total
    if layer.cell is not None:
        nodes = nodes.take(layer.cell, axis=0)  # whole rows: four times as fast as indexing
    return _added_in_order(np.broadcast_to(shares, nodes.shape), nodes, size)


def _added_in_order(shares: Shares, nodes: Indexes, size: int) -> Shares:
    """Add float by float in token order: Java does, and floats do not add associatively."""
    total = np.zeros(size, np.float32)
    np.add.at(total, nodes.ravel(), shares.ravel())
    return total


def primary_widths(ring: TokenRing) -> list[int]:
    """Return each node's primary ranges in tokens, exact; together 2^64."""
    if len(ring.tokens) == 1:
        return [RING_SIZE if node == ring.owner[0] else 0 for node in range(ring.size)]
    return ExactWidths.of(ring.widths, ring.owner, ring.size).tokens()


def effective_widths(placement: Placement) -> list[int]:
    """Return what each node holds in tokens, exact; together 2^64 times the replicas."""
    ring = placement.ring
    if len(ring.tokens) == 1:
        held = np.bincount(placement.replicas[:, 0], minlength=ring.size)
        return [RING_SIZE * int(times) for times in held]
    total = ExactWidths.none(ring.size)
    for layer in placement.layers:
        cells = len(layer.keys[0])
        cell = np.arange(cells) if layer.cell is None else layer.cell
        by_cell = ExactWidths.of(ring.widths, cell, cells)
        for nodes in layer.nodes:
            total.add(by_cell.high, by_cell.low, nodes)
    return total.tokens()


def shortest(shares: Shares) -> Sequence[float]:
    """Return shares as the shortest decimals that are the same 32-bit floats."""
    return [float(str(share)) for share in shares]
