"""What levels can be had, in the worst and in the best case."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.behind import Weak, behind
from ring.errors import InputError
from ring.health import Assessor, CheckHealth, judged_at
from ring.levels import Check, Level, Operation
from ring.model import (
    RING_SIZE,
    Factor,
    Keyspace,
    Liveness,
    Mode,
    Node,
    Replication,
    RingState,
    Simple,
    Topology,
)
from ring.verdicts import each_stopped
from ring.verdicts import health as verdict
from tests.unit.ring.strategies import node, states

QUORUM = Check(Level.QUORUM, Operation.READ)
THREE = Topology((("dc1", Factor(3)),))
STEP = RING_SIZE // 4


def four(*liveness: Liveness) -> list[Node]:
    """Return four nodes, each with a quarter of the ring."""
    return [node(n, n * STEP - 2 * STEP, liveness=each) for n, each in enumerate(liveness)]


def answer(ring: list[Node], replication: Replication, check: Check) -> CheckHealth:
    return Assessor(ring).health([Keyspace("ks", replication)])["ks"].by_check[check]


UP, DOWN, UNKNOWN = Liveness.UP, Liveness.DOWN, Liveness.UNKNOWN


def test_all_up_is_all_satisfiable_with_the_spare_replicas_as_margin() -> None:
    found = answer(four(UP, UP, UP, UP), THREE, QUORUM)

    assert (found.worst.share, found.worst.margin, found.worst.failing) == (1.0, 1, 0)


def test_two_down_lose_the_ranges_that_they_share() -> None:
    found = answer(four(DOWN, DOWN, UP, UP), THREE, QUORUM)

    assert found.worst.share == 0.5
    assert (found.worst.margin, found.worst.failing) == (-1, 2)


@pytest.mark.parametrize("mode", [Mode.JOINING, Mode.MOVING])
def test_writes_may_wait_anywhere_for_who_goes_where_nobody_told(mode: Mode) -> None:
    own = () if mode is Mode.JOINING else (5,)
    write = Check(Level.QUORUM, Operation.WRITE)
    ring = [*four(DOWN, UP, UP, UP), replace(node(4, *own, liveness=UP), mode=mode)]
    lost = [*ring[:4], ring[4].as_liveness(DOWN)]

    there, gone = answer(ring, THREE, write), answer(lost, THREE, write)
    assert there.certain
    assert gone.worst.margin == answer(lost, THREE, QUORUM).worst.margin - 1
    assert gone.best.margin == answer(lost, THREE, QUORUM).best.margin
    assert "nobody told" in verdict(RingState(tuple(ring), ()), [])["remarks"][0]["problem"]


def test_an_unknown_node_is_down_in_the_worst_case_and_up_in_the_best() -> None:
    found = answer(four(DOWN, UNKNOWN, UP, UP), THREE, QUORUM)

    assert (found.worst.share, found.best.share) == (0.5, 1.0)
    assert not found.certain


def test_quorums_are_of_the_factor_as_configured_even_where_nodes_are_too_few() -> None:
    found = answer(four(UP, UP, UP, UP)[:2], Simple(Factor(5)), QUORUM)

    assert (found.worst.share, found.worst.margin) == (0.0, -1)


def test_a_data_centre_without_nodes_still_counts_for_quorum() -> None:
    gone = Topology((("dc1", Factor(3)), ("gone", Factor(3))))
    found = answer(four(UP, UP, UP, UP), gone, QUORUM)

    assert found.worst.margin == -1


def test_writes_wait_for_joining_nodes_too() -> None:
    joining = node(9, 1, mode=Mode.JOINING, liveness=DOWN)
    ring = [*four(UP, UP, UP, UP), joining]
    reads = answer(ring, THREE, QUORUM).worst
    writes = answer(ring, THREE, Check(Level.QUORUM, Operation.WRITE)).worst

    assert (reads.margin, writes.margin) == (1, 0)


def test_two_pending_replicas_stop_the_first_paxos_but_not_the_second() -> None:
    joining = [node(9, 1, mode=Mode.JOINING), node(10, 2, mode=Mode.JOINING)]
    ring = [*four(UP, UP, UP, UP), *joining]

    assert answer(ring, THREE, Check(Level.SERIAL, Operation.PAXOS_V1)).worst.failing
    assert not answer(ring, THREE, Check(Level.SERIAL, Operation.PAXOS_V2)).worst.failing


def test_the_nodes_behind_the_worst_margin_are_named() -> None:
    ring = four(DOWN, DOWN, UP, UP)
    health = Assessor(ring).health([Keyspace("ks", THREE)])["ks"]

    found = behind(health, ring, QUORUM)

    # Both are replicas of the ranges that end at -2 and at 1 steps, one of each other.
    weak = Weak(2, (-2 * STEP, STEP))
    assert found.nodes == {ring[0].host_id: weak, ring[1].host_id: weak}
    assert [each.token for each in found.examples] == [-2 * STEP, STEP]
    assert found.examples[0].replicas == tuple(each.host_id for each in ring[:3])


def test_of_many_ranges_behind_a_margin_some_are_listed_and_all_are_counted() -> None:
    ring = [node(0, *range(100), liveness=DOWN), node(1, *range(100, 200))]
    health = Assessor(ring).health([Keyspace("ks", Simple(Factor(2)))])["ks"]

    assert behind(health, ring, QUORUM).nodes == {ring[0].host_id: Weak(200, (0, 1, 2, 3, 4))}


def test_a_node_elsewhere_is_not_behind_what_is_asked_of_one_data_centre() -> None:
    ring = [node(0, 0, liveness=DOWN), node(1, 9, dc="dc2", liveness=DOWN)]
    both = Topology((("dc1", Factor(1)), ("dc2", Factor(1))))
    health = Assessor(ring).health([Keyspace("ks", both)])["ks"]
    local = Check(Level.LOCAL_QUORUM, Operation.READ, "dc2")

    assert set(behind(health, ring, local).nodes) == {ring[1].host_id}
    assert set(behind(health, ring, QUORUM).nodes) == {each.host_id for each in ring}


def test_a_joining_node_that_is_down_is_behind_what_writes_lack() -> None:
    ring = [*four(UP, UP, UP, UP), node(9, 1, mode=Mode.JOINING, liveness=DOWN)]
    health = Assessor(ring).health([Keyspace("ks", THREE)])["ks"]
    write = Check(Level.QUORUM, Operation.WRITE)

    assert behind(health, ring, QUORUM).nodes == {}
    (weak,) = behind(health, ring, write).nodes.items()
    assert weak[0] == ring[-1].host_id
    assert all(each.pending == (weak[0],) for each in behind(health, ring, write).examples)


@pytest.mark.parametrize(
    "nowhere",
    [Simple(Factor(0)), Topology((("dc1", Factor(0)),)), Topology((("gone", Factor(3)),))],
    ids=str,
)
@pytest.mark.parametrize("levels", [[], *([each] for each in Level)], ids=str)
def test_a_keyspace_without_a_replica_anywhere_serves_nothing(
    nowhere: Replication, levels: list[Level]
) -> None:
    ring = tuple(four(UP, UP, UP, UP))
    state = RingState(ring, (Keyspace("ks", nowhere),))

    (found,) = Assessor(ring).health(state.keyspaces).values()

    assert {each.check.level for each in found.checks} == set(Level)
    assert all(each.best.satisfiable == 0 for each in found.checks)
    assert not verdict(state, levels)["healthy"]
    assert each_stopped(state, levels)["lostBefore"] != {}


def test_equal_replications_share_one_answer() -> None:
    several = [Keyspace("a", THREE), Keyspace("b", THREE)]
    answers = Assessor(four(UP, UP, UP, UP)).health(several)

    assert answers["a"] is answers["b"]


def test_cassandras_own_keyspaces_are_judged_at_one_the_others_at_quorums() -> None:
    assert {c.level for c in judged_at(Keyspace("system_auth", THREE), ["dc1"])} == {Level.ONE}
    assert {c.level for c in judged_at(Keyspace("shop", THREE), ["dc1"])} == {
        Level.QUORUM,
        Level.LOCAL_QUORUM,
    }


def test_a_ring_without_tokens_cannot_be_judged() -> None:
    with pytest.raises(InputError, match="no node owns a token"):
        Assessor([node(0)])


@given(states(moving=True), st.data())
def test_one_more_node_alive_never_makes_anything_worse(
    state: RingState, data: st.DataObject
) -> None:
    assessor = Assessor(state.nodes)
    n = data.draw(st.integers(0, len(state.nodes) - 1))
    revived = list(state.nodes)
    revived[n] = replace(revived[n], liveness=UP)
    before = assessor.health(state.keyspaces)
    after = assessor.health(state.keyspaces, revived)

    for name, health in before.items():
        for early, late in zip(health.checks, after[name].checks, strict=True):
            assert late.worst.satisfiable >= early.worst.satisfiable
            assert late.worst.margin >= early.worst.margin
            assert late.best.margin >= early.best.margin


@given(states(moving=True))
def test_the_worst_case_is_never_better_than_the_best(state: RingState) -> None:
    for health in Assessor(state.nodes).health(state.keyspaces).values():
        for each in health.checks:
            assert each.worst.satisfiable <= each.best.satisfiable
            assert each.worst.margin <= each.best.margin
            assert (each.worst.margin < 0) == (each.worst.share < 1)
