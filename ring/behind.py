"""Which ranges and which nodes are behind the least margin of a check."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.health import ReplicationHealth
from ring.levels import Check, Operation
from ring.model import HostId, Liveness, Node
from ring.profile import Profile
from ring.tokens import Indexes

LISTED = 5  # tokens of ranges that are listed, of what can be hundreds of thousands


@dataclass(frozen=True, slots=True)
class Weak:
    """Ranges with the least margin, of one node.

    Attributes:
        ranges: how many.
        tokens: last tokens of the first of them, `LISTED` at most.

    """

    ranges: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WeakRange:
    """One of the weakest ranges.

    Attributes:
        token: its last one.
        replicas: natural replicas, in order.
        pending: replicas to be, which writes wait for.

    """

    token: int
    replicas: tuple[HostId, ...]
    pending: tuple[HostId, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind the least margin of a check in the worst case.

    Attributes:
        nodes: those not known to be up that the check counts, with their weakest ranges.
        examples: some of the weakest ranges, `LISTED` at most.

    """

    nodes: Mapping[HostId, Weak]
    examples: tuple[WeakRange, ...]


def behind(health: ReplicationHealth, nodes: Sequence[Node], check: Check) -> Behind:
    """Return what is behind a check of this health, which is that of these nodes."""
    weakest = health.at_margin(check, health.answer(check).worst.margin)
    return Behind(
        dict(_nodes(health, nodes, check, weakest)),
        tuple(_examples(health, nodes, weakest[:LISTED])),
    )


def _nodes(
    health: ReplicationHealth, nodes: Sequence[Node], check: Check, weakest: Indexes
) -> Iterator[tuple[HostId, Weak]]:
    """Sort the pairs of node and range by node: counting alone would not name ranges."""
    suspects = np.array(
        [node.liveness is not Liveness.UP and check.dc in (None, node.dc) for node in nodes]
    )
    pairs = list(_pairs(health.profile, suspects, weakest))
    if check.operation is not Operation.READ:
        to_be, at = health.profile.counted_pending
        counts = suspects[to_be] & np.isin(at, weakest)
        pairs.append((to_be[counts], at[counts]))
    if not pairs:
        return
    node, segment = (np.concatenate(each) for each in zip(*pairs, strict=True))
    # Node numbers of few bits are sorted by radix, many times as fast.
    order = np.argsort(node.astype(np.uint16) if len(nodes) <= 1 << 16 else node, kind="stable")
    ends = np.cumsum(np.bincount(node, minlength=len(nodes)))
    for n in np.flatnonzero(suspects).tolist():
        own = segment[order[ends[n - 1] if n else 0 : ends[n]]]
        if len(own):
            tokens = health.profile.segments.tokens[np.sort(own)[:LISTED]].tolist()
            yield nodes[n].host_id, Weak(len(own), tuple(tokens))


def _pairs(
    seen: Profile, suspects: NDArray[np.bool_], weakest: Indexes
) -> Iterator[tuple[Indexes, Indexes]]:
    """Yield suspects and their weakest ranges, a row of replicas at a time."""
    at = seen.segments.range[weakest]
    for layer in seen.placement.layers:
        cell = at if layer.cell is None else layer.cell[at]
        for row in layer.nodes:
            if suspects[row].any():
                node = row[cell]
                hits = np.flatnonzero(suspects[node])
                yield node[hits], weakest[hits]


def _examples(
    health: ReplicationHealth, nodes: Sequence[Node], some: Indexes
) -> Iterator[WeakRange]:
    seen = health.profile
    to_be, at = seen.counted_pending
    for segment in some.tolist():
        natural = seen.placement.replicas[:, seen.segments.range[segment]].tolist()
        pending = to_be[at == segment].tolist()
        yield WeakRange(
            int(seen.segments.tokens[segment]),
            tuple(nodes[n].host_id for n in natural),
            tuple(nodes[n].host_id for n in pending),
        )
