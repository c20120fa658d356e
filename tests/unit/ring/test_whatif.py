"""What changes do: to health, to the data that has to move, and who may be stopped."""

from dataclasses import replace

import pytest
from hypothesis import given

from ring.errors import InputError, UnknownNodeError
from ring.health import Assessor, judged_at
from ring.levels import Check, Level, Operation
from ring.model import (
    RING_SIZE,
    Everywhere,
    Factor,
    Keyspace,
    Liveness,
    RingState,
    Simple,
    Topology,
)
from ring.standing import standing
from ring.stopping import stop_each
from ring.whatif import added, altered, compare, in_rack, named, removed, stopped
from ring.whatif_options import Change, changed
from tests.unit.ring.strategies import node, states

STEP = RING_SIZE // 6
THREE = Keyspace("shop", Topology((("dc1", Factor(3)),)))
QUORUM = Check(Level.QUORUM, Operation.READ)


def six(*racks: str, keyspace: Keyspace = THREE) -> RingState:
    """Return six nodes with a sixth of the ring each."""
    nodes = [
        node(n, n * STEP - 3 * STEP, rack=rack, kubernetes_node=f"worker-{n % 2}")
        for n, rack in enumerate(racks or "abcabc")
    ]
    return RingState(tuple(nodes), (keyspace,))


@given(states(moving=True))
def test_no_change_makes_nothing_worse_and_moves_nothing(state: RingState) -> None:
    for change in compare(state, state):
        assert change.worse == ()
        assert change.gains == {}


@given(states())
def test_the_table_of_all_nodes_says_what_stopping_each_would_do(state: RingState) -> None:
    assessor = Assessor(state.nodes)
    before = assessor.health(state.keyspaces)
    for n, one in enumerate(state.nodes):
        after = assessor.health(state.keyspaces, stopped(state, {one.host_id}).nodes)
        for name, health in before.items():
            table = stop_each(state.nodes, health)
            for c, (early, late) in enumerate(
                zip(health.checks, after[name].checks, strict=True)
            ):
                assert table.margin[n, c] == late.worst.margin
                assert (table.lost[n, c] > 0) == (late.worst.failing > early.worst.failing)
                assert table.lost[n, c] == pytest.approx(early.worst.share - late.worst.share)


def test_stopping_a_rack_of_three_keeps_the_quorum_and_costs_the_margin() -> None:
    state = six()
    (change,) = compare(state, stopped(state, in_rack(state, "dc1", "a")))
    (quorum,) = [each for each in change.changes if each.check == QUORUM]

    assert quorum.is_worse
    assert not quorum.is_loss
    assert quorum.after.worst.margin == 0


def test_stopping_two_racks_of_three_loses_the_quorum_everywhere() -> None:
    state = six()
    hosts = in_rack(state, "dc1", "a") | in_rack(state, "dc1", "b")
    (change,) = compare(state, stopped(state, hosts))
    (quorum,) = [each for each in change.changes if each.check == QUORUM]

    assert quorum.is_loss
    assert quorum.after.worst.share == 0


def test_a_new_node_is_sent_what_it_will_hold_and_nobody_else_anything() -> None:
    state = six(keyspace=Keyspace("one", Simple(Factor(1))))
    newcomer = node(9, STEP // 2 - 3 * STEP)
    (change,) = compare(state, added(state, [newcomer]))

    assert change.gains == {newcomer.host_id: STEP // 2}


def test_what_a_node_held_goes_to_others_when_it_is_removed() -> None:
    state = six(keyspace=Keyspace("one", Simple(Factor(1))))
    (change,) = compare(state, removed(state, named(state, "10.0.0.2")))

    assert change.gains == {state.nodes[3].host_id: STEP}


def test_a_higher_factor_copies_one_ring_a_replica() -> None:
    state = six()
    (change,) = compare(state, altered(state, "shop", Topology((("dc1", Factor(5)),))))

    assert change.moved == 2


def test_taking_a_data_centre_out_of_the_replication_is_a_loss_there() -> None:
    state = six()
    (change,) = compare(state, altered(state, "shop", Topology((("dc2", Factor(3)),))))
    lost = {each.check for each in change.worse if each.is_loss}

    assert Check(Level.LOCAL_QUORUM, Operation.READ, "dc1") in lost


def test_any_whole_rack_may_be_down_where_racks_equal_the_factor() -> None:
    state = six()
    assessor = Assessor(state.nodes)
    found = standing(assessor, state.keyspaces, {"shop": judged_at(THREE, ["dc1"])})

    assert found.nodes == {each.host_id for each in state.nodes}
    assert found.racks == {("dc1", "a"), ("dc1", "b"), ("dc1", "c")}
    assert len(found.together) == 2


@given(states())
def test_all_of_the_set_that_may_be_down_together_may_be_and_nobody_more(
    state: RingState,
) -> None:
    assessor = Assessor(state.nodes)
    health = assessor.health(state.keyspaces)
    asked = {each.name: judged_at(each, state.dcs) for each in state.keyspaces}
    found = standing(assessor, state.keyspaces, asked)

    def loses(hosts: frozenset[object]) -> bool:
        after = assessor.health(state.keyspaces, stopped(state, hosts).nodes)  # type: ignore[arg-type]
        return any(
            after[name].by_check[check].worst.failing > one.by_check[check].worst.failing
            for name, one in health.items()
            for check in asked[name]
            if check in one.by_check
        )

    assert not loses(frozenset(found.together))
    for rack in {(each.dc, each.rack) for each in state.nodes}:
        hosts = frozenset(n.host_id for n in state.nodes if (n.dc, n.rack) == rack)
        assert (rack in found.racks) != loses(hosts)
    for one in state.nodes:
        if one.host_id not in found.together:
            assert loses(frozenset({*found.together, one.host_id}))


def test_draining_a_machine_stops_all_that_run_on_it() -> None:
    after = changed(six(), Change(drain=("worker-1",)))

    assert [each.liveness for each in after.nodes] == [Liveness.UP, Liveness.DOWN] * 3


def test_words_that_name_nothing_are_refused() -> None:
    for change in (
        Change(stop=("10.9.9.9",)),
        Change(drain=("worker-9",)),
        Change(stop_rack=("dc1/z",)),
        Change(lose_dc=("dc9",)),
        Change(alter=("other=SimpleStrategy,replication_factor:1",)),
    ):
        with pytest.raises(UnknownNodeError):
            changed(six(), change)


def test_words_that_are_not_formed_well_are_refused() -> None:
    for change in (
        Change(stop_rack=("dc1",)),
        Change(add=("dc1",)),
        Change(add=("dc1/a=many",)),
        Change(add=(f"dc1/a={-3 * STEP}",)),
        Change(alter=("shop",)),
        Change(alter=("shop=SimpleStrategy,three",)),
        Change(remove=tuple(f"10.0.0.{n}" for n in range(6))),
    ):
        with pytest.raises(InputError):
            changed(six(), change)


def test_an_added_node_gets_tokens_that_nobody_has() -> None:
    after = changed(six(), Change(add=("dc1/a", "dc1/b")))
    tokens = [token for each in after.nodes for token in each.tokens]

    assert len(set(tokens)) == len(tokens) == 8


def test_a_node_that_is_down_already_changes_nothing() -> None:
    state = six()
    nodes = (replace(state.nodes[0], liveness=Liveness.DOWN), *state.nodes[1:])
    down = replace(state, nodes=nodes)

    assert compare(down, stopped(down, {nodes[0].host_id}))[0].worse == ()


def test_a_newcomer_copies_everything_where_everyone_holds_everything() -> None:
    state = six(keyspace=Keyspace("all", Everywhere()))
    newcomer = node(9, 5)
    (change,) = compare(state, added(state, [newcomer]))

    assert change.gains == {newcomer.host_id: RING_SIZE}


def test_everywhere_all_but_one_may_be_down_for_one() -> None:
    state = six(keyspace=Keyspace("all", Everywhere()))
    asked = {"all": (Check(Level.ONE, Operation.READ),)}
    found = standing(Assessor(state.nodes), state.keyspaces, asked)

    assert len(found.together) == 5
