"""Since when all that a member holds has been repaired, by the history that Cassandra keeps.

``system_distributed.parent_repair_history`` has a row for each repair that was asked for.  A
range counts as repaired since the repair began; a member, since the oldest of its ranges was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ring.health import Assessor
from ring.model import MAX_TOKEN, MIN_TOKEN, HostId, Keyspace, RingState
from ring.placement import Placement

NOT_MISSED = frozenset({"system_distributed", "system_traces"})
"""Keyspaces in which nobody misses a row; logins are missed."""
Span = tuple[int, int]  # tokens: the first is not in it, the second is


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A full repair of all replicas that has ended well, at least for these ranges.

    Attributes:
        tables: of the keyspace, that were repaired.
        began: in seconds since 1970, by the clock of the node that was asked.
        ranges: as Cassandra has them, one that wraps included.

    """

    keyspace: str
    tables: frozenset[str]
    began: float
    ranges: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairHistory:
    """What is known of repairs.

    Attributes:
        tables: that there are, by keyspace.
        repairs: in no order.

    """

    tables: Mapping[str, Collection[str]] = field(default_factory=dict)
    repairs: Sequence[Repair] = ()


def repaired(
    ring: RingState, history: RepairHistory, hosts: Collection[HostId]
) -> dict[HostId, float]:
    """Return since when each of these members is repaired; who is not whole is left out.

    Keyspaces of one replica are not looked at: there is nothing to repair them from.

    Raises:
        InputError: where no member's tokens are known.

    """
    assessor = Assessor(ring.nodes)
    placed = [
        (each, placement)
        for each in ring.keyspaces
        if each.name not in NOT_MISSED
        and history.tables.get(each.name)
        and (placement := assessor.placement(each.replication)).width > 1
    ]
    found = {}
    for number, node in enumerate(ring.nodes):
        if node.host_id not in hosts:
            continue
        since = [
            oldest
            for keyspace, placement in placed
            for oldest in _oldest(keyspace, placement, number, history)
        ]
        if since and min(since) > float("-inf"):
            found[node.host_id] = min(since)
    return found


def _oldest(
    keyspace: Keyspace, placement: Placement, node: int, history: RepairHistory
) -> Iterator[float]:
    """Yield for each table of a keyspace since when all that the node holds was repaired."""
    held = _held(placement, node)
    if not held:
        return
    repairs = sorted(
        (each for each in history.repairs if each.keyspace == keyspace.name),
        key=lambda each: each.began,
    )
    spans = [_unwrapped(each.ranges) for each in repairs]
    cuts = np.unique(np.array([*held, *(span for some in spans for span in some)]).ravel())
    mine = np.zeros(len(cuts) - 1, np.bool_)
    for part in _slices(cuts, held):
        mine[part] = True
    for table in history.tables[keyspace.name]:
        since = np.full(len(mine), float("-inf"))
        for repair, some in zip(repairs, spans, strict=True):
            if table in repair.tables:
                for part in _slices(cuts, some):
                    since[part] = repair.began  # they come in order of time
        yield float(since[mine].min())


def _held(placement: Placement, node: int) -> list[Span]:
    ends = placement.ring.tokens
    numbers = np.flatnonzero((placement.replicas == node).any(axis=0)).tolist()
    return _unwrapped([(int(ends[n - 1]), int(ends[n])) for n in numbers])


def _unwrapped(ranges: Sequence[Span]) -> list[Span]:
    """Cut ranges that wrap at the ring's first token, which nothing hashes to."""
    found = []
    for start, end in ranges:
        if start < end:
            found.append((start, end))
            continue
        found += [(s, e) for s, e in ((start, MAX_TOKEN), (MIN_TOKEN, end)) if s < e]
    return found


def _slices(cuts: NDArray[np.int64], spans: Sequence[Span]) -> Iterator[slice]:
    for start, end in spans:
        first, last = np.searchsorted(cuts, np.array([start, end], np.int64)).tolist()
        yield slice(first, last)
