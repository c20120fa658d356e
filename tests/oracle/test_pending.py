"""Our pending replicas are Cassandra's while nodes join, leave, move and replace."""

import random
from collections import Counter

import pytest

from ring.pending import Pending, pending_replicas
from ring.placement import Planner
from ring.tokens import token_ring
from tests.oracle.coverage import WAYS, states, unmet
from tests.oracle.oracle import Oracle
from tests.oracle.topologies import few_tokens, on_the_move, random_keyspaces, random_nodes

TOPOLOGIES = 500


def as_sets(pending: Pending) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in pending.segments.tokens]
    for segment, node in zip(pending.segment.tolist(), pending.node.tolist(), strict=True):
        found[segment].add(node)
    return found


@pytest.mark.timeout(300)
def test_pending_replicas_of_every_segment(cassandra: Oracle, seed: int) -> None:
    rng = random.Random(seed + 1)  # noqa: S311 -- has to repeat
    total = compared = 0
    seen: Counter[str] = Counter()
    for number in range(TOPOLOGIES):
        settled = few_tokens(random_nodes(rng))
        nodes = on_the_move(rng, settled)
        seen.update(states(nodes))
        keyspaces = random_keyspaces(rng, settled)
        cassandra.load(nodes, keyspaces)
        planner = Planner(token_ring(nodes))
        for keyspace in keyspaces:
            now = planner.place(keyspace.replication)
            ours = pending_replicas(nodes, now, keyspace.replication)
            theirs = cassandra.pending(keyspace.name, ours.segments.tokens.tolist())

            known = [
                (a, b) for a, b in zip(theirs, as_sets(ours), strict=True) if a is not None
            ]
            total, compared = total + len(theirs), compared + len(known)
            assert [a for a, _ in known] == [b for _, b in known], (
                f"topology {number} of seed {seed}, {keyspace}, {nodes}"
            )
    assert compared > 0.95 * total
    assert unmet(seen, WAYS) == [], f"seed {seed} draws too little"
