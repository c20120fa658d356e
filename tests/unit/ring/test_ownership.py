"""Shares of the ring, exact ones and Cassandra's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import plain
from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    RING_SIZE,
    Everywhere,
    Factor,
    Node,
    Replication,
    Simple,
    Topology,
)
from ring.ownership import (
    effective_shares,
    effective_widths,
    primary_shares,
    primary_widths,
    shortest,
)
from ring.placement import place
from ring.tokens import token_ring
from tests.unit.ring.strategies import node, nodes, replications, tokens


@given(nodes())
def test_primary_widths_add_up_to_the_whole_ring(ring: tuple[Node, ...]) -> None:
    assert sum(primary_widths(token_ring(ring))) == RING_SIZE


@given(nodes(), replications())
def test_effective_widths_add_up_to_one_ring_for_each_replica(
    ring: tuple[Node, ...], replication: Replication
) -> None:
    placement = place(token_ring(ring), replication)

    assert sum(effective_widths(placement)) == placement.width * RING_SIZE


@given(nodes(), replications())
def test_shares_differ_from_exact_widths_by_no_more_than_cassandras_rounding(
    ring: tuple[Node, ...], replication: Replication
) -> None:
    extremes = {MIN_TOKEN, MAX_TOKEN}
    if extremes <= {token for each in ring for token in each.tokens}:
        return  # there Cassandra takes one token for the whole ring, see the test below
    placement = place(token_ring(ring), replication)
    exact = np.array(effective_widths(placement)) / RING_SIZE

    assert effective_shares(placement) == pytest.approx(exact, abs=1e-6 * 31)


@given(nodes(), st.lists(tokens, min_size=1, max_size=5, unique=True))
def test_a_newcomer_never_gives_another_node_more(
    ring: tuple[Node, ...], own: list[int]
) -> None:
    taken = {token for each in ring for token in each.tokens}
    fresh = tuple(token for token in own if token not in taken)
    newcomer = Node(host_id=node(99).host_id, dc="dc1", rack="r1", tokens=fresh)
    before = primary_widths(token_ring(ring))
    after = primary_widths(token_ring([*ring, newcomer]))

    assert all(late <= early for early, late in zip(before, after, strict=False))


def test_one_token_is_the_whole_ring() -> None:
    assert primary_shares(token_ring([node(0, 42)])).tolist() == [1.0]


def test_cassandras_slip_at_the_two_ends_of_the_ring_is_kept() -> None:
    ring = token_ring([node(0, MIN_TOKEN), node(1, MAX_TOKEN)])

    # One token wide is (MIN, of the range that wraps) and minus one modulo 2^64 - 2.
    assert primary_shares(ring).tolist() == [1.0, 0.0]


def test_shares_are_told_as_the_shortest_decimals() -> None:
    ring = token_ring([node(n, MIN_TOKEN + 1 + n * (RING_SIZE // 3)) for n in range(3)])

    assert shortest(primary_shares(ring)) == [0.333333] * 3


@pytest.mark.parametrize(
    ("share", "text"), [(0.333333, "33.3%"), (1.0, "100.0%"), (0.0005, "0.1%"), (3.0, "300.0%")]
)
def test_shares_are_printed_as_nodetool_prints_them(share: float, text: str) -> None:
    assert plain.share(share) == text


def test_nodes_of_an_even_ring_own_the_same() -> None:
    step = RING_SIZE // 4
    ring = token_ring([node(n, MIN_TOKEN + n * step) for n in range(4)])
    placement = place(ring, Topology((("dc1", Factor(2)),)))

    assert effective_widths(placement) == [2 * step] * 4


@given(nodes())
def test_everywhere_every_owner_holds_the_whole_ring(ring: tuple[Node, ...]) -> None:
    placement = place(token_ring(ring), Everywhere())
    row_by_row = place(token_ring(ring), Simple(Factor(placement.width)))

    assert effective_widths(placement) == [RING_SIZE] * len(ring)
    assert effective_shares(placement).tolist() == effective_shares(row_by_row).tolist()
