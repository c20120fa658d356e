"""Which nodes hold which range."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from ring.errors import TooLargeError
from ring.model import Everywhere, Factor, Local, Node, Replication, Simple, Topology
from ring.placement import Placement, Planner, place
from ring.tokens import token_ring
from tests.unit.ring.strategies import node, nodes, replications


def placed(ring: Sequence[Node], replication: Replication) -> list[list[int]]:
    return place(token_ring(ring), replication).replicas.T.tolist()


def one_by_one(ring: Sequence[Node], replication: Replication) -> list[list[tuple[int, bool]]]:
    """Walk for every token as Cassandra's source has it, without any cleverness."""
    owners = sorted((token, n) for n, node in enumerate(ring) for token in node.tokens)
    order = [n for _, n in owners]
    walk = _simple if isinstance(replication, Simple) else _by_racks
    return [walk(ring, order[i:] + order[:i], replication) for i in range(len(order))]


def _simple(_: Sequence[Node], order: list[int], how: Simple) -> list[tuple[int, bool]]:
    full = how.factor.replicas - how.factor.transient
    distinct = list(dict.fromkeys(order))[: how.factor.replicas]
    return [(n, k >= full) for k, n in enumerate(distinct)]


def _by_racks(ring: Sequence[Node], order: list[int], how: Topology) -> list[tuple[int, bool]]:
    left, room, transient = {}, {}, {}
    for dc, factor in how.factors:
        members = [n for n in set(order) if ring[n].dc == dc]
        left[dc] = min(factor.replicas, len(members))
        room[dc] = factor.replicas - len({ring[n].rack for n in members})
        transient[dc] = max(factor.transient - (factor.replicas - left[dc]), 0)
    chosen: dict[int, bool] = {}
    racks = set()
    for n in order:
        dc, place = ring[n].dc, (ring[n].dc, ring[n].rack)
        if not left.get(dc) or n in chosen or (place in racks and room[dc] <= 0):
            continue
        room[dc] -= place in racks
        chosen[n] = left[dc] <= transient[dc]
        left[dc] -= 1
        racks.add(place)
    return list(chosen.items())


def with_transience(placement: Placement) -> list[list[tuple[int, bool]]]:
    rows = placement.replicas.T.tolist()
    flags = placement.transient
    odd = flags.T.tolist() if flags is not None else [[False] * len(row) for row in rows]
    return [list(zip(a, b, strict=True)) for a, b in zip(rows, odd, strict=True)]


@given(nodes(), replications())
def test_all_at_once_is_the_same_as_one_walk_after_the_other(
    ring: tuple[Node, ...], replication: Replication
) -> None:
    assert with_transience(place(token_ring(ring), replication)) == one_by_one(
        ring, replication
    )


def test_a_simple_keyspace_takes_the_next_nodes_and_ignores_racks() -> None:
    ring = [node(0, 10), node(1, 20), node(2, 30, rack="r2")]

    assert placed(ring, Simple(Factor(2))) == [[0, 1], [1, 2], [2, 0]]


def test_a_second_node_of_a_rack_waits_until_every_rack_has_one() -> None:
    ring = [node(0, 10), node(1, 20), node(2, 30, rack="r2")]

    assert placed(ring, Topology((("dc1", Factor(2)),))) == [[0, 2], [1, 2], [2, 0]]


def test_data_centres_are_filled_side_by_side_in_the_order_of_the_walk() -> None:
    ring = [node(0, 10), node(1, 20, dc="dc2"), node(2, 30), node(3, 40, dc="dc2")]
    both = Topology((("dc1", Factor(2)), ("dc2", Factor(1))))

    assert placed(ring, both) == [[0, 1, 2], [1, 2, 0], [2, 3, 0], [3, 0, 2]]


def test_a_data_centre_without_nodes_gets_nothing() -> None:
    assert placed([node(0, 10)], Topology((("dc1", Factor(1)), ("gone", Factor(3))))) == [[0]]


def test_the_last_replicas_of_a_data_centre_are_the_transient_ones() -> None:
    ring = [node(0, 10), node(1, 20), node(2, 30)]
    placement = place(token_ring(ring), Topology((("dc1", Factor(3, 1)),)))

    assert with_transience(placement)[1] == [(1, False), (2, False), (0, True)]


def test_everywhere_puts_all_nodes_on_every_range() -> None:
    assert placed([node(0, 10, 30), node(1, 20)], Everywhere()) == [[0, 1]] * 3


def test_local_places_nothing() -> None:
    assert place(token_ring([node(0, 10)]), Local()).width == 0


def test_more_replicas_than_memory_is_an_error_not_a_crash() -> None:
    ring = token_ring([node(n, *range(n * 40, n * 40 + 40)) for n in range(2000)])

    with pytest.raises(TooLargeError, match="too many"):
        place(ring, Simple(Factor(2000)))


@given(nodes(), replications())
def test_rings_too_large_for_32_bits_are_placed_the_same(
    ring: tuple[Node, ...], replication: Replication
) -> None:
    tokens = token_ring(ring)
    wide = Planner(tokens)
    wide._packing = replace(wide._packing, dtype=np.dtype(np.int64))

    assert (wide.place(replication).replicas == place(tokens, replication).replicas).all()


def test_racks_beyond_those_with_a_column_each_are_walked() -> None:
    ring = [node(n, 10 * n, 10 * n + 5, rack=f"r{n % 20}") for n in range(40)]
    three = Topology((("dc1", Factor(3)),))

    assert with_transience(place(token_ring(ring), three)) == one_by_one(ring, three)
