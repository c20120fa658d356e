"""Our replicas and shares are Cassandra's, on rings drawn afresh in every run."""

import random
from collections import Counter

import pytest

from ring import plain
from ring.ownership import effective_shares, primary_shares, shortest
from ring.placement import Placement, Planner
from ring.tokens import token_ring
from tests.oracle.coverage import REPLICATIONS, SHAPES, replications, shapes, unmet
from tests.oracle.oracle import Oracle, Ranges
from tests.oracle.topologies import random_keyspaces, random_nodes

TOPOLOGIES = 600


def as_ranges(placement: Placement) -> Ranges:
    tokens = placement.ring.tokens.tolist()
    nodes = placement.replicas.T.tolist()
    if placement.transient is None:
        flags = [[False] * placement.width] * len(tokens)
    else:
        flags = placement.transient.T.tolist()
    pairs = [list(zip(a, b, strict=True)) for a, b in zip(nodes, flags, strict=True)]
    return list(zip(tokens, pairs, strict=True))


@pytest.mark.timeout(300)
def test_every_replica_list_in_order_and_every_share_to_the_digit(
    cassandra: Oracle, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 -- has to repeat
    seen: Counter[str] = Counter()
    for number in range(TOPOLOGIES):
        nodes = random_nodes(rng)
        keyspaces = random_keyspaces(rng, nodes)
        seen.update(shapes(nodes))
        seen.update(replications(nodes, keyspaces))
        cassandra.load(nodes, keyspaces)
        planner = Planner(token_ring(nodes))
        which = f"topology {number} of seed {seed}"

        theirs = {n: float(share) for n, (share, _) in cassandra.shares(None).items()}
        ours = dict(enumerate(shortest(primary_shares(planner.ring))))
        assert theirs == ours, which

        for keyspace in keyspaces:
            placement = planner.place(keyspace.replication)
            assert cassandra.replicas(keyspace.name) == as_ranges(placement), which

            shares = effective_shares(placement)
            answer = cassandra.shares(keyspace.name)
            assert [float(answer[n][0]) for n in range(len(nodes))] == shortest(shares), which
            assert [answer[n][1] for n in range(len(nodes))] == [
                plain.share(share) for share in shares
            ], which
    assert unmet(seen, SHAPES | REPLICATIONS) == [], f"seed {seed} draws too little"
