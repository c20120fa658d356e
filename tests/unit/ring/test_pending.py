"""Who gets writes besides, while nodes come and go."""

from collections.abc import Sequence

from ring.model import Factor, Mode, Node, Replication, Simple, Topology
from ring.pending import pending_replicas, settled
from ring.placement import place
from ring.tokens import token_ring
from tests.unit.ring.strategies import node

TWO = Simple(Factor(2))


def pending(ring: Sequence[Node], replication: Replication = TWO) -> dict[int, set[int]]:
    """Return pending nodes by the token that ends the segment."""
    found = pending_replicas(ring, place(token_ring(ring), replication), replication)
    by_token: dict[int, set[int]] = {}
    ends = found.segments.tokens[found.segment].tolist()
    for token, n in zip(ends, found.node.tolist(), strict=True):
        by_token.setdefault(token, set()).add(n)
    return by_token


def test_nobody_is_pending_on_a_settled_ring() -> None:
    ring = [node(0, 0), node(1, 10), node(2, 20)]

    assert settled(ring)
    assert pending(ring) == {}


def test_a_joining_node_is_pending_for_all_that_it_will_hold() -> None:
    ring = [node(0, 0), node(1, 10), node(2, 20), node(3, 15, mode=Mode.JOINING)]

    assert pending(ring) == {10: {3}, 15: {3}}


def test_whoever_follows_a_leaving_node_is_pending_for_its_ranges() -> None:
    ring = [node(0, 0), node(1, 10, mode=Mode.LEAVING), node(2, 20)]

    assert pending(ring) == {0: {2}, 10: {0}}


def test_joining_nodes_do_not_see_each_other() -> None:
    joining = [node(n, 10 + n, mode=Mode.JOINING) for n in (3, 4)]
    ring = [node(0, 0), node(1, 10), node(2, 20), *joining]

    assert pending(ring)[13] == {3, 4}


def test_a_replacement_is_pending_for_all_that_the_dead_node_holds() -> None:
    dead = node(1, 10)
    new = node(3, 10, mode=Mode.JOINING, replaces=dead.host_id)

    assert pending([node(0, 0), dead, node(2, 20), new]) == {0: {3}, 10: {3}}


def test_a_moving_node_is_pending_where_it_goes_and_others_where_it_was() -> None:
    ring = [node(0, 0), node(1, 10, mode=Mode.MOVING, moving_to=25), node(2, 20)]

    assert pending(ring, Simple(Factor(1))) == {10: {2}, 25: {1}}


def test_a_data_centre_that_is_not_replicated_to_has_nothing_pending() -> None:
    ring = [node(0, 0), node(1, 10), node(2, 15, dc="dc2", mode=Mode.JOINING)]

    assert pending(ring, Topology((("dc1", Factor(1)),))) == {}
