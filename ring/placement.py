"""Which nodes hold which range, in Cassandra's order: all ranges of the ring at once.

Each data centre is filled by itself, over its own tokens (a `Layer`); the replicas of a range
are then the layers' in the order in which one walk around the whole ring meets them, which is
the order of ``AbstractReplicationStrategy.calculateNaturalReplicas``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ring.errors import TooLargeError
from ring.model import Everywhere, Factor, Local, Replication, Simple, Topology
from ring.networks import Column, merged
from ring.tokens import Indexes, TokenRing
from ring.walk import Keys, Packing, SubRing

BLOCK = 1 << 14  # ranges merged together: nine columns of them stay in a core's cache
MAX_CELLS = 1 << 27  # replicas in one placement; 512 MiB of node numbers


@dataclass(frozen=True, eq=False)
class Layer:
    """The replicas that one data centre (or, for SimpleStrategy, the ring) gives each range.

    Attributes:
        dc: number of the data centre; None where the layer covers all of them.
        keys: packed replicas, one row each, in order; one column a cell.
        cell: for each range, its column in ``keys``; None where they are the same.
        full: how many rows are full replicas; those after are transient.
        packing: how the keys are packed.

    """

    dc: int | None
    keys: tuple[Keys, ...]
    cell: Indexes | None
    full: int
    packing: Packing

    @property
    def width(self) -> int:
        """Replicas that every range has from this layer."""
        return len(self.keys)

    @property
    def is_uniform(self) -> bool:
        """Say whether all ranges have the same replicas, as EverywhereStrategy gives them."""
        return self.cell is not None and len(self.keys[0]) == 1

    @cached_property
    def nodes(self) -> list[Indexes]:
        """Nodes by row and cell; as wide as numpy indexes with, which it would widen to."""
        return [self.packing.nodes(row).astype(np.intp) for row in self.keys]


@dataclass(frozen=True, eq=False)
class Placement:
    """All replicas of all ranges.

    Attributes:
        ring: whose ranges.
        layers: what they were put together from.

    """

    ring: TokenRing
    layers: tuple[Layer, ...]

    @property
    def width(self) -> int:
        """Replicas of a range; the same for all."""
        return sum(layer.width for layer in self.layers)

    @cached_property
    def _packed(self) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
        return _put_together(self)

    @property
    def replicas(self) -> NDArray[np.int32]:
        """Node numbers: row ``k`` is the ``k``-th replica, column ``i`` is range ``i``."""
        return self._packed[0]

    @property
    def transient(self) -> NDArray[np.bool_] | None:
        """In the shape of ``replicas``, which are transient; None where none is."""
        return self._packed[1]


def place(ring: TokenRing, replication: Replication) -> Placement:
    """Place every range of ``ring``.

    An empty ring and LocalStrategy have no replicas; data centres without nodes are skipped,
    as Cassandra does.

    Raises:
        TooLargeError: where ranges times replicas go beyond `MAX_CELLS`.

    """
    return Planner(ring).place(replication)


class Planner:
    """Places one ring under several replications, sharing what they have in common."""

    def __init__(self, ring: TokenRing) -> None:
        self.ring = ring
        self._packing = Packing.of(ring)
        self._subrings: dict[int | None, SubRing] = {}

    def place(self, replication: Replication) -> Placement:
        """Place every range; as `place`."""
        return Placement(self.ring, self._layers(replication))

    def _layers(self, replication: Replication) -> tuple[Layer, ...]:
        if not len(self.ring.tokens):
            return ()
        match replication:
            case Simple(factor):
                return _present([self._simple(factor)])
            case Topology(factors):
                numbers = {dc: number for number, dc in enumerate(self.ring.dcs)}
                return _present(
                    [
                        self._data_centre(numbers[dc], factor)
                        for dc, factor in factors
                        if dc in numbers
                    ]
                )
            case Everywhere():
                return (self._everywhere(),)
            case Local():
                return ()

    def _subring(self, dc: int | None) -> SubRing:
        if dc not in self._subrings:
            self._subrings[dc] = SubRing(self.ring, dc, self._packing)
        return self._subrings[dc]

    def _simple(self, factor: Factor) -> Layer | None:
        """Source: ``SimpleStrategy.calculateNaturalReplicas``."""
        whole = self._subring(None)
        count = min(factor.replicas, whole.nodes)
        _check_size(count, whole.length)
        if count == 0:
            return None
        full = min(count, factor.replicas - factor.transient)
        return self._layer(None, whole.distinct_nodes(count), None, full)

    def _data_centre(self, dc: int, factor: Factor) -> Layer | None:
        """Source: ``NetworkTopologyStrategy.DatacenterEndpoints``.

        A node of a new rack is always taken; one of a known rack only while the factor
        leaves room for it besides one replica a rack.
        """
        ring = self.ring
        member = ring.member & (ring.dc == dc)
        left = min(factor.replicas, int(member.sum()))
        here = self._subring(dc)
        if left == 0 or here.length == 0:
            return None
        _check_size(left, here.length)
        room = max(0, factor.replicas - len(np.unique(ring.rack[member])))
        racks = here.distinct_racks(min(left, len(here.racks)))
        repeats = here.rack_repeats(min(room, here.nodes - len(here.racks)))
        rows = merged(racks, repeats)[:left]
        fewer = max(factor.transient - (factor.replicas - left), 0)
        return self._layer(dc, rows, here, min(len(rows), left - fewer))

    def _everywhere(self) -> Layer:
        """Every node, in the order in which the ring first meets them."""
        _, first = np.unique(self.ring.owner, return_index=True)
        keys = np.sort(self._subring(None).keys[first])
        cell = np.zeros(len(self.ring.tokens), np.intp)
        rows = tuple(keys[k : k + 1] for k in range(len(keys)))
        return Layer(None, rows, cell, len(rows), self._packing)

    def _layer(
        self, dc: int | None, rows: list[Column], here: SubRing | None, full: int
    ) -> Layer:
        packing = self._packing
        if here is not None:
            # Ranges beyond the last token of the data centre begin a second lap.
            rows = [np.append(row, row[0] + packing.dtype.type(packing.lap)) for row in rows]
        rows = [row if k < full else row | 1 for k, row in enumerate(rows)]
        return Layer(dc, tuple(rows), here.cell if here else None, full, packing)


def _present(layers: list[Layer | None]) -> tuple[Layer, ...]:
    return tuple(layer for layer in layers if layer is not None)


def _check_size(count: int, ranges: int) -> None:
    if count * ranges > MAX_CELLS:
        raise TooLargeError(f"{count} replicas of {ranges} ranges are too many to lay out")


def _put_together(
    placement: Placement,
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
    """Merge the layers' rows in the order of the walk, block by block."""
    ranges = len(placement.ring.tokens)
    layers = placement.layers
    has_transient = any(layer.full < layer.width for layer in layers)
    if len(layers) == 1 and layers[0].is_uniform:
        layer = layers[0]
        nodes = np.array(layer.nodes, np.int32)
        return np.broadcast_to(nodes, (layer.width, ranges)), None
    nodes = np.empty((placement.width, ranges), np.int32)
    transient = np.empty((placement.width, ranges), np.bool_) if has_transient else None
    for start in range(0, ranges, BLOCK):
        block = slice(start, start + BLOCK)
        rows: list[Column] = []
        for layer in layers:
            rows = merged(rows, _rows_of(layer, block))
        for k, row in enumerate(rows):
            nodes[k, block] = layers[0].packing.nodes(row)
            if transient is not None:
                transient[k, block] = row & 1
    nodes.flags.writeable = False
    return nodes, transient


def _rows_of(layer: Layer, block: slice) -> list[Column]:
    if layer.cell is None:
        return [row[block] for row in layer.keys]
    cells = layer.cell[block]
    return [row.take(cells) for row in layer.keys]
