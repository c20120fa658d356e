"""What we call satisfiable is what Cassandra's own coordinators would let through."""

import random
from collections import Counter

import pytest

from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Level, Operation, margins
from ring.model import Keyspace, Liveness, Node, Simple, Topology
from tests.oracle.coverage import REPLICATIONS, STATES, WAYS, replications, states, unmet
from tests.oracle.oracle import Oracle
from tests.oracle.topologies import (
    few_tokens,
    on_the_move,
    random_keyspaces,
    random_nodes,
    seen_differently,
)

TOPOLOGIES = 300  # settled, and as many on the move
TWO_PENDING = "two replicas pending for one range"


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


def comparable(check: Check, dc: str, total: int, *, transient: bool, pending: bool) -> bool:
    """We are stricter twice, about writes; see `levels`.

    One at EACH_QUORUM waits for pending replicas.  One that needs nobody, because there is no
    replica, is let through by Cassandra, and kept nowhere.  Lightweight transactions refuse
    transient replicas altogether.
    """
    if check.level.is_serial and transient:
        return False
    if check.operation is Operation.WRITE:
        if check.level is Level.EACH_QUORUM and (pending or not total):
            return False
        if check.level is Level.ALL and not total:
            return False
    return check.dc in (None, dc)


def disagreements(
    health: ReplicationHealth,
    dc: str,
    theirs: list[set[str]],
    seen: Counter[str],
    *,
    best: bool,
    transient: bool,
) -> list[tuple[str, list[int]]]:
    profile = health.profile
    tally = profile.best if best else profile.worst
    found = []
    for check in (each.check for each in health.checks):
        pending = bool(tally.pending.any())
        total = health.demand.total
        if not comparable(check, dc, total, transient=transient, pending=pending):
            continue
        ours = (margins(check, health.demand, tally) >= 0)[profile.kind].tolist()
        name = f"{check.level} {check.operation}"
        for can in theirs:
            seen[f"{name}: {'can' if name in can else 'cannot'}"] += 1
        wrong = [i for i, can in enumerate(theirs) if (name in can) != ours[i]]
        if wrong:
            found.append((name, wrong))
    return found


def outcomes() -> set[str]:
    """Return what every level has to have been found: possible, and impossible."""
    found = set()
    for level in Level:
        operations = (Operation.PAXOS_V1, Operation.PAXOS_V2)
        if not level.is_serial:
            operations = (Operation.READ, Operation.WRITE)
        found |= {f"{level} {each}: {can}" for each in operations for can in ("can", "cannot")}
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moving", [False, True], ids=["settled", "on the move"])
def test_every_level_in_the_worst_and_in_the_best_case(
    cassandra: Oracle, seed: int, *, moving: bool
) -> None:
    rng = random.Random(seed + 2 + moving)  # noqa: S311 -- has to repeat
    compared = 0
    seen: Counter[str] = Counter()
    for number in range(TOPOLOGIES):
        settled = few_tokens(random_nodes(rng))
        nodes = seen_differently(rng, on_the_move(rng, settled) if moving else settled)
        keyspaces = random_keyspaces(rng, settled)
        seen.update(states(nodes))
        seen.update(replications(settled, keyspaces))
        cassandra.load(nodes, keyspaces)
        answers = Assessor(nodes).health(keyspaces)
        dc = rng.choice(settled).dc
        for keyspace in keyspaces:
            health = answers[keyspace.name]
            seen[TWO_PENDING] += bool((health.profile.worst.pending.sum(axis=1) > 1).any())
            for best in (False, True):
                tokens = health.profile.segments.tokens.tolist()
                theirs = cassandra.able(keyspace.name, dc, tokens, alive(nodes, best=best))
                if theirs is None:
                    continue
                compared += 1
                wrong = disagreements(
                    health, dc, theirs, seen, best=best, transient=has_transient(keyspace)
                )
                assert wrong == [], (
                    f"topology {number} of seed {seed}, {keyspace} from {dc}: {nodes}"
                )
    assert compared > TOPOLOGIES
    wanted = REPLICATIONS | STATES | ({*WAYS, TWO_PENDING} if moving else set()) | outcomes()
    assert unmet(seen, wanted) == [], f"seed {seed} draws too little"
