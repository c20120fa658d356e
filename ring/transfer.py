"""What data has to move for a change, and what nobody is left to give."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.errors import TooLargeError
from ring.model import RING_SIZE, HostId, Liveness, Node
from ring.ownership import ExactWidths
from ring.placement import Placement
from ring.tokens import TokenRing, ends_at, united, widths_of

MAX_COMPARISONS = 1 << 34  # of replicas before and after: 10 seconds
EXAMPLES = 5  # ranges that are shown of those lost

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of the ring.

    Attributes:
        tokens: how wide; of 2^64.
        ranges: how many.

    """

    tokens: int = 0
    ranges: int = 0

    @property
    def share(self) -> float:
        """Share of the ring; 0.0 only where it is nothing."""
        return self.tokens / RING_SIZE


@dataclass(frozen=True, slots=True)
class DataLoss:
    """Ranges that a change takes a replica from, and that nobody is left to copy from.

    Attributes:
        worst: where unknown nodes are down: what may be lost.
        best: where they are up: what is lost for certain.
        examples: last tokens of some of them, and who held them.

    """

    worst: Extent = Extent()
    best: Extent = Extent()
    examples: tuple[tuple[int, tuple[HostId, ...]], ...] = ()


def data_loss(
    old_nodes: Sequence[Node],
    old: Placement,
    new_nodes: Sequence[Node],
    handing_over: Collection[HostId] = (),
) -> DataLoss:
    """Return what is lost with the nodes that are gone.

    A range can be copied from a full replica that stays and is up after the change, or
    that hands over what it has before it goes.  Ranges that lose no replica are not asked
    about: what is down can come back with its disk.
    """
    after = {node.host_id: node.liveness for node in new_nodes}
    gone = np.array([node.host_id not in after for node in old_nodes], np.bool_)
    if not gone.any() or not old.width:
        return DataLoss()
    seen = [
        node.liveness if node.host_id in handing_over else after.get(node.host_id)
        for node in old_nodes
    ]
    up = np.array([each is Liveness.UP for each in seen], np.bool_)
    unknown = np.array([each is Liveness.UNKNOWN for each in seen], np.bool_)
    loses = _any_full(old, gone)
    worst, best = loses & ~_any_full(old, up), loses & ~_any_full(old, up | unknown)
    first = np.flatnonzero(worst)[:EXAMPLES]
    examples = [
        (token, tuple(old_nodes[n].host_id for n in holders))
        for token, holders in zip(
            old.ring.tokens[first].tolist(), old.replicas[:, first].T.tolist(), strict=True
        )
    ]
    return DataLoss(_extent(old.ring, worst), _extent(old.ring, best), tuple(examples))


def _any_full(placement: Placement, nodes: Flags) -> Flags:
    """Say for each range whether one of these nodes is a full replica of it."""
    found = np.zeros(len(placement.ring.tokens), np.bool_)
    for layer in placement.layers:
        for row in layer.nodes[: layer.full]:
            there = nodes[row]
            found |= there if layer.cell is None else there.take(layer.cell)
    return found


def _extent(ring: TokenRing, ranges: Flags) -> Extent:
    number = int(ranges.sum())
    if number == len(ranges):
        return Extent(RING_SIZE, number)
    return Extent(sum(ring.widths[ranges].tolist()), number)


def gains(
    old_nodes: Sequence[Node], old: Placement, new_nodes: Sequence[Node], new: Placement
) -> dict[HostId, int]:
    """Return how many tokens' worth of ranges each host holds after that it did not before.

    What it holds as a transient replica counts as held.

    Raises:
        TooLargeError: where replicas are so many that comparing them is beyond all use.

    """
    if not new.width:
        return {}
    if all(layer.is_uniform for layer in (*old.layers, *new.layers)):
        had = {old_nodes[n].host_id for n in old.replicas[:, 0].tolist()} if old.width else ()
        now = (new_nodes[n].host_id for n in new.replicas[:, 0].tolist())
        return {host: RING_SIZE for host in now if host not in had}
    if new.width * old.width * len(new.ring.tokens) > MAX_COMPARISONS:
        raise TooLargeError("too many replicas of too many ranges to compare")
    tokens = united(old.ring.tokens, new.ring.tokens)
    number = {node.host_id: i for i, node in enumerate(new_nodes)}
    as_new = np.array([number.get(node.host_id, -1) for node in old_nodes], np.int32)
    none = np.empty((0, len(tokens)), np.int32)
    held = as_new[old.replicas][:, ends_at(old.ring.tokens, tokens)] if old.width else none
    widths = widths_of(tokens)
    sums = [0] * len(new_nodes)
    for row in new.replicas[:, ends_at(new.ring.tokens, tokens)]:
        fresh = np.ones(len(tokens), np.bool_)
        for other in held:
            fresh &= row != other
        if len(tokens) == 1 and fresh[0]:
            sums[int(row[0])] += RING_SIZE
            continue
        into = row[fresh].astype(np.intp)
        added_here = ExactWidths.of(widths[fresh], into, len(new_nodes)).tokens()
        sums = [a + b for a, b in zip(sums, added_here, strict=True)]
    return {node.host_id: n for node, n in zip(new_nodes, sums, strict=True) if n}
