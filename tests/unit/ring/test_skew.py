"""Whether luck explains a ring, and tokens that make it more even."""

import numpy as np
import pytest

from ring.errors import InputError
from ring.model import MIN_TOKEN, RING_SIZE, Factor, Topology
from ring.placement import Planner
from ring.skew import Skew, skew, suggest
from ring.tokens import TokenRing, token_ring
from tests.unit.ring.strategies import node

THREE = Topology((("dc1", Factor(3)),))


def judged(ring: TokenRing) -> Skew:
    placement = Planner(ring).place(THREE)
    (found,) = skew(placement, THREE, np.random.default_rng(7), rounds=60)
    return found


def drawn(seed: int) -> TokenRing:
    rng = np.random.default_rng(seed)
    bounds = np.iinfo(np.int64)
    tokens = rng.integers(bounds.min, bounds.max, (9, 16), endpoint=True)
    return token_ring(
        [node(n, *own, rack=f"r{n % 3}") for n, own in enumerate(tokens.tolist())]
    )


def test_most_random_rings_are_explained_by_luck() -> None:
    found = [judged(drawn(seed)) for seed in range(10)]

    assert sum(each.explained for each in found) >= 6
    assert all(each.lowest < 1 < each.highest for each in found)


def test_one_node_that_holds_nearly_everything_is_not_luck() -> None:
    crowded = [node(n, *range(n * 16, n * 16 + 16), rack=f"r{n % 3}") for n in range(9)]

    assert not judged(token_ring(crowded)).explained


def test_a_ring_that_is_more_even_than_chance_is_no_fault() -> None:
    step = RING_SIZE // 144
    even = [
        node(n, *(MIN_TOKEN + (i * 9 + n) * step for i in range(16)), rack=f"r{n % 3}")
        for n in range(9)
    ]

    assert judged(token_ring(even)).explained


def test_the_next_node_gets_an_even_share_of_its_racks_ring() -> None:
    ring = drawn(1)
    peers = [0, 3, 6]
    found = suggest(ring, peers, 16)

    assert len(set(found.tokens)) == 16
    assert not set(found.tokens) & set(ring.tokens.tolist())
    assert found.share == pytest.approx(found.even)
    assert found.even == 0.25


def test_suggested_tokens_take_from_the_fullest_first() -> None:
    ring = token_ring([node(0, 0), node(1, RING_SIZE // 10)])  # the first one owns 90 %
    (token,) = suggest(ring, [0, 1], 1).tokens

    assert not 0 < token <= RING_SIZE // 10


def test_a_rack_without_nodes_gets_tokens_all_around() -> None:
    found = suggest(drawn(1), [], 4)

    assert np.diff(found.tokens) == pytest.approx(RING_SIZE / 4)


@pytest.mark.parametrize("count", [0, -1, 1537])
def test_numbers_of_tokens_that_cassandra_refuses_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="from 1 to 1536"):
        suggest(drawn(1), [], count)
