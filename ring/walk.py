"""The walk around the ring that finds replicas, done for all starting tokens at once.

What limits the cost is the number of steps, not their size: each step is one array operation
over the starts that have not found their replica yet, and most find it at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ring.networks import ordered
from ring.tokens import Indexes, TokenRing

FEW_GROUPS = 8  # up to here a column per rack is cheaper than a walk

Keys = NDArray[np.integer]
Fits = Callable[[Indexes, Indexes], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Packing:
    """How a replica is one number that sorts as the walk meets it: place, node, transience.

    A place is an index into the ring's tokens, second time around too: up to twice as many.
    """

    shift: int
    lap: int
    dtype: np.dtype[np.integer]

    @classmethod
    def of(cls, ring: TokenRing) -> "Packing":
        """Return the narrowest packing: half the width is twice the speed."""
        shift = ring.size.bit_length() + 1
        lap = len(ring.tokens) << shift
        narrow = 3 * lap < np.iinfo(np.int32).max
        return cls(shift, lap, np.dtype(np.int32 if narrow else np.int64))

    def nodes(self, keys: Keys) -> Keys:
        """Return the nodes of packed replicas."""
        return (keys & ((1 << self.shift) - 1)) >> 1


class SubRing:
    """The tokens of one data centre, or of all, with what walks over them need.

    Starts are its tokens ``0 … length-1``; places run around twice, ``0 … 2·length-1``.
    """

    def __init__(self, ring: TokenRing, dc: int | None, packing: Packing) -> None:
        if dc is None:
            self.at = np.arange(len(ring.tokens))
            self.cell = self.at
        else:
            here = ring.dc[ring.owner] == dc
            self.at = np.flatnonzero(here)
            self.cell = np.cumsum(here) - here
        self.length = len(self.at)
        self.node = ring.owner[self.at]
        self.rack = ring.rack[self.node]
        self.racks = np.flatnonzero(np.bincount(self.rack))
        self.packing = packing
        keys = (self.at << packing.shift | self.node << 1).astype(packing.dtype)
        self.keys = np.concatenate([keys, keys + packing.dtype.type(packing.lap)])

    @cached_property
    def nodes(self) -> int:
        """Number of nodes that have tokens here."""
        return int(np.count_nonzero(np.bincount(self.node)))

    @cached_property
    def node_before(self) -> Indexes:
        """Place where the node of each place was met last; -1 if never before."""
        return _met_before(self.node)

    @cached_property
    def rack_before(self) -> Indexes:
        """Place where the rack of each place was met last; -1 if never before."""
        return _met_before(self.rack)

    @cached_property
    def next_node(self) -> Indexes:
        """Next place that belongs to another node."""
        return _next_other(self.node)

    @cached_property
    def next_rack(self) -> Indexes:
        """Next place that belongs to another rack."""
        return _next_other(self.rack)

    def distinct_nodes(self, count: int) -> list[Keys]:
        """Return, from every start, the first ``count`` distinct nodes: a row each."""
        before = self.node_before
        starts = np.arange(self.length)
        return self._walk(starts, count, lambda q, j: before.take(q) < j, self.next_node)

    def distinct_racks(self, count: int) -> list[Keys]:
        """Return the first node of each of the first ``count`` distinct racks."""
        if len(self.racks) <= max(FEW_GROUPS, 2 * count):
            return self._racks_in_turn[:count]
        before = self.rack_before
        starts = np.arange(self.length)
        return self._walk(starts, count, lambda q, j: before.take(q) < j, self.next_rack)

    @cached_property
    def _racks_in_turn(self) -> list[Keys]:
        """From every start the first node of each rack, the nearest rack first."""
        return ordered([self._next_in(rack) for rack in self.racks.tolist()])

    def rack_repeats(self, count: int) -> list[Keys]:
        """Return the first ``count`` nodes not met before in racks that were."""
        if count == 0:
            return []
        node, rack = self.node_before, self.rack_before
        begin = self.next_node[: self.length]  # the start itself is in a rack not yet met
        return self._walk(
            begin, count, lambda q, j: (node.take(q) < j) & (rack.take(q) >= j), self.next_node
        )

    def _next_in(self, rack: int) -> Keys:
        """Return the next place of ``rack`` from every start, itself included, as keys."""
        own = self.keys[: self.length]
        here = self.rack == rack
        found = np.where(here, own, np.iinfo(own.dtype).max)
        np.minimum.accumulate(found[::-1], out=found[::-1])
        places = np.flatnonzero(here)
        found[places[-1] + 1 :] = own[places[0]] + self.packing.lap
        return found

    def _walk(self, begin: Indexes, count: int, fits: Fits, step: Indexes) -> list[Keys]:
        """Find ``count`` fitting places in turn, from ``begin`` on, for every start.

        They have to exist within one lap: callers ask for no more than there are.
        """
        starts = np.arange(self.length)
        rows = []
        place = begin
        for _ in range(count):
            place = place.copy()
            todo = np.flatnonzero(~fits(place, starts))
            while len(todo):
                place[todo] = further = step.take(place.take(todo))
                todo = todo[~fits(further, todo)]
            rows.append(self.keys.take(place))
            place = step.take(place)
        return rows


def _met_before(group: Indexes) -> Indexes:
    """Return, for two laps, the place before where the same group stood; -1 for none."""
    length = len(group)
    counts = np.bincount(group)
    narrow = group.astype(np.uint16) if len(counts) <= 1 << 16 else group  # sorts by radix
    order = np.argsort(narrow, kind="stable")
    ends = np.cumsum(counts)
    present = counts > 0
    first, last = order[(ends - counts)[present]], order[ends[present] - 1]
    before = np.empty(2 * length, np.intp)
    before[order[1:]] = order[:-1]
    before[first] = -1
    np.add(before[:length], length, out=before[length:])
    before[length + first] = last
    return before


def _next_other(group: Indexes) -> Indexes:
    """Return, for two laps, the next place of another group; two laps where none is."""
    twice = np.concatenate([group, group])
    further = np.arange(1, len(twice) + 1)
    stays = np.flatnonzero(twice[1:] == twice[:-1])  # few, unless tokens are crowded
    if len(stays):
        ends = np.append(np.flatnonzero(np.diff(stays) > 1), len(stays) - 1)
        lengths = np.diff(ends, prepend=-1)
        further[stays] = np.repeat(stays[ends] + 2, lengths)
    return further
