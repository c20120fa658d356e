"""Who may be stopped: each node, whole racks, several together."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.comparing import compare
from ring.health import Assessor, judged_at
from ring.levels import Check, Level, Operation
from ring.model import Everywhere, Factor, Keyspace, Liveness, RingState, Simple
from ring.standing import standing
from ring.stopping import stop_each
from ring.verdicts import change, checks_asked, each_stopped, most_stopped
from ring.whatif import stopped
from ring.whatif_options import Change, changed
from tests.unit.ring.rings import THREE, six
from tests.unit.ring.strategies import host, states

DOWN, UNKNOWN = Liveness.DOWN, Liveness.UNKNOWN

Answer = Callable[[RingState, list[Level]], dict[str, Any]]


@given(states(moving=True), st.lists(st.sampled_from(list(Level)), max_size=2))
def test_the_verdict_on_each_node_is_that_on_stopping_it(
    state: RingState, levels: list[Level]
) -> None:
    answer = each_stopped(state, levels)
    verdicts = []
    for one in state.nodes:
        after = changed(state, Change(stop=(str(one.host_id),)))
        alone = change(state, after, compare(state, after), levels)
        blockers = [name for name, each in alone["keyspaces"].items() if not each["safe"]]
        verdicts.append(alone["safe"])

        found = answer["nodes"][str(one.host_id)]
        assert found == {"safe": alone["safe"], "keyspaces": blockers}
        assert answer["lostBefore"] == {
            name: each["lostBefore"]
            for name, each in alone["keyspaces"].items()
            if each["lostBefore"]
        }

    assert answer["safe"] == all(verdicts)


def test_an_unknown_node_that_may_be_holding_a_quorum_up_may_not_be_stopped() -> None:
    state = six(seen={0: DOWN, 1: UNKNOWN})

    answer = each_stopped(state, [])

    assert answer["unknown"] == [str(host(1))]
    assert not answer["nodes"][str(host(1))]["safe"]
    assert host(1) not in standing(Assessor(state.nodes), *asked(state)).nodes


@pytest.mark.parametrize("answer", [each_stopped, most_stopped])
def test_what_is_lost_already_is_told_and_held_against_nobody(answer: Answer) -> None:
    state = six(keyspace=Keyspace("shop", Simple(Factor(1))), seen={0: DOWN})
    found = answer(state, [Level.ONE])

    assert [each["operation"] for each in found["lostBefore"]["shop"]] == ["read", "write"]
    assert answer(six(), [Level.ONE])["lostBefore"] == {}


def asked(state: RingState) -> tuple[tuple[Keyspace, ...], dict[str, tuple[Check, ...]]]:
    return state.keyspaces, {each.name: judged_at(each, state.dcs) for each in state.keyspaces}


@given(states(moving=True))
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
                for lost, was, now in (
                    (table.worst, early.worst, late.worst),
                    (table.best, early.best, late.best),
                ):
                    assert (lost[n, c] > 0) == (now.failing > was.failing)
                    assert lost[n, c] == pytest.approx(was.share - now.share)


def test_any_whole_rack_may_be_down_where_racks_equal_the_factor() -> None:
    state = six()
    assessor = Assessor(state.nodes)
    found = standing(assessor, state.keyspaces, {"shop": judged_at(THREE, ["dc1"])})

    assert found.nodes == {each.host_id for each in state.nodes}
    assert found.racks == {("dc1", "a"), ("dc1", "b"), ("dc1", "c")}
    assert len(found.together) == 2


@given(states(moving=True), st.lists(st.sampled_from(list(Level)), max_size=2))
def test_all_of_the_set_that_may_be_down_together_may_be_and_nobody_more(
    state: RingState, levels: list[Level]
) -> None:
    assessor = Assessor(state.nodes)
    health = assessor.health(state.keyspaces)
    wanted = {
        each.name: checks_asked(each, health[each.name].by_check, state.dcs, levels)
        for each in state.keyspaces
    }
    found = standing(assessor, state.keyspaces, wanted)

    def loses(hosts: frozenset[object]) -> bool:
        after = assessor.health(state.keyspaces, stopped(state, hosts).nodes)  # type: ignore[arg-type]
        return any(
            late.worst.failing > early.worst.failing or late.best.failing > early.best.failing
            for name, one in health.items()
            for check in wanted[name]
            for early, late in [(one.by_check[check], after[name].by_check[check])]
        )

    assert not loses(frozenset(found.together))
    for rack in {(each.dc, each.rack) for each in state.nodes}:
        hosts = frozenset(n.host_id for n in state.nodes if (n.dc, n.rack) == rack)
        assert (rack in found.racks) != loses(hosts)
    for one in state.nodes:
        if one.host_id not in found.together:
            assert loses(frozenset({*found.together, one.host_id}))


def test_everywhere_all_but_one_may_be_down_for_one() -> None:
    state = six(keyspace=Keyspace("all", Everywhere()))
    asked = {"all": (Check(Level.ONE, Operation.READ),)}
    found = standing(Assessor(state.nodes), state.keyspaces, asked)

    assert len(found.together) == 5
