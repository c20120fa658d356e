"""What we call satisfiable is what Cassandra's own coordinators would let through."""

import random

import pytest

from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Level, Operation, margins
from ring.model import Keyspace, Liveness, Node, Simple, Topology
from tests.oracle.oracle import Oracle
from tests.oracle.topologies import (
    few_tokens,
    on_the_move,
    random_keyspaces,
    random_nodes,
    seen_differently,
)

TOPOLOGIES = 200


def alive(nodes: list[Node], *, best: bool) -> list[int]:
    up = {Liveness.UP, Liveness.UNKNOWN} if best else {Liveness.UP}
    return [n for n, node in enumerate(nodes) if node.liveness in up]


def has_transient(keyspace: Keyspace) -> bool:
    match keyspace.replication:
        case Simple(factor):
            return factor.transient > 0
        case Topology(factors):
            return any(factor.transient for _, factor in factors)
        case _:
            return False


def comparable(check: Check, dc: str, *, transient: bool, pending: bool) -> bool:
    """We are stricter once: a write at EACH_QUORUM waits for pending replicas, see `levels`.

    Lightweight transactions refuse transient replicas altogether.
    """
    if check.level.is_serial and transient:
        return False
    if pending and (check.level, check.operation) == (Level.EACH_QUORUM, Operation.WRITE):
        return False
    return check.dc in (None, dc)


def disagreements(
    health: ReplicationHealth,
    dc: str,
    theirs: list[set[str]],
    *,
    best: bool,
    transient: bool,
) -> list[tuple[str, list[int]]]:
    profile = health.profile
    tally = profile.best if best else profile.worst
    found = []
    for check in (each.check for each in health.checks):
        pending = bool(tally.pending.any())
        if not comparable(check, dc, transient=transient, pending=pending):
            continue
        ours = (margins(check, health.demand, tally) >= 0)[profile.kind].tolist()
        name = f"{check.level} {check.operation}"
        wrong = [i for i, can in enumerate(theirs) if (name in can) != ours[i]]
        if wrong:
            found.append((name, wrong))
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moving", [False, True], ids=["settled", "on the move"])
def test_every_level_in_the_worst_and_in_the_best_case(
    cassandra: Oracle, seed: int, *, moving: bool
) -> None:
    rng = random.Random(seed + 2 + moving)  # noqa: S311 -- has to repeat
    compared = 0
    for number in range(TOPOLOGIES):
        settled = few_tokens(random_nodes(rng))
        nodes = seen_differently(rng, on_the_move(rng, settled) if moving else settled)
        keyspaces = random_keyspaces(rng, settled)
        cassandra.load(nodes, keyspaces)
        answers = Assessor(nodes).health(keyspaces)
        dc = rng.choice(settled).dc
        for keyspace in keyspaces:
            if keyspace.name not in answers:
                continue
            health = answers[keyspace.name]
            for best in (False, True):
                tokens = health.profile.segments.tokens.tolist()
                theirs = cassandra.able(keyspace.name, dc, tokens, alive(nodes, best=best))
                if theirs is None:
                    continue
                compared += 1

                wrong = disagreements(
                    health, dc, theirs, best=best, transient=has_transient(keyspace)
                )
                assert wrong == [], (
                    f"topology {number} of seed {seed}, {keyspace} from {dc}: {nodes}"
                )
    assert compared > TOPOLOGIES
