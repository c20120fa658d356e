"""Arcs show exactly the pieces of the ring that health and what-if speak of."""

from collections.abc import Iterable

from hypothesis import assume, given
from hypothesis import strategies as st

from ring.arcs import Arc, Weak, weak
from ring.comparing import compare
from ring.health import Assessor
from ring.levels import Level
from ring.model import RING_SIZE, Liveness, Mode, RingState
from ring.verdicts import checks_asked
from ring.whatif import removed, stopped
from tests.unit.ring.rings import STEP, six
from tests.unit.ring.strategies import host, states


def covers(arc: Arc, token: int) -> bool:
    width = (arc.to - arc.after) % RING_SIZE or RING_SIZE
    return (arc.to - token) % RING_SIZE < width


def by_keyspace(found: Iterable[Weak]) -> dict[str, tuple[Arc, ...]]:
    return {name: each.arcs for each in found for name in each.keyspaces}


@given(states(moving=True))
def test_arcs_without_margin_are_the_ranges_that_the_deciding_checks_fail_for(
    state: RingState,
) -> None:
    shown = by_keyspace(weak(state, state))
    answers = Assessor(state.nodes).health(state.keyspaces)
    for keyspace in state.keyspaces:
        if not (health := answers.get(keyspace.name)):
            continue
        decide = checks_asked(keyspace, health.by_check, state.dcs, ())
        ends = health.profile.segments.tokens
        failing = {int(ends[n]) for check in decide for n in health.at_margin(check, -1)}
        tight = {int(ends[n]) for check in decide for n in health.at_margin(check, 0)}
        for token in ends.tolist():
            margins = [a.margin for a in shown.get(keyspace.name, ()) if covers(a, token)]
            assert len(margins) == (token in tight)
            assert any(margin < 0 for margin in margins) == (token in failing)


@given(states(moving=True), st.data())
def test_something_is_newly_lost_just_where_the_what_if_says_that_a_deciding_check_is(
    before: RingState, data: st.DataObject
) -> None:
    hosts = [each.host_id for each in before.nodes]
    change = data.draw(st.sampled_from([stopped, removed]))
    after = change(before, data.draw(st.sets(st.sampled_from(hosts))))
    assume(any(each.tokens and each.mode is not Mode.JOINING for each in after.nodes))
    shown = by_keyspace(weak(before, after))
    changes = compare(before, after)
    for keyspace in before.keyspaces:
        if not (found := changes.get(keyspace.name)):
            continue
        decide = checks_asked(keyspace, [one.check for one in found.changes], before.dcs, ())
        lost = any(one.is_loss for one in found.changes if one.check in decide)
        assert any(arc.newly for arc in shown.get(keyspace.name, ())) == lost


@given(states(moving=True))
def test_nothing_is_newly_lost_without_a_change(state: RingState) -> None:
    assert not any(arc.newly for each in weak(state, state) for arc in each.arcs)


def test_neighbours_that_stand_alike_are_one_arc_around_the_end_of_the_ring() -> None:
    ring = six()  # racks a, b, c twice: three replicas of each range
    one, two = (stopped(ring, {host(n) for n in range(count)}) for count in (1, 2))

    assert weak(ring, ring)[0].arcs == ()
    # Node 0 holds the ranges that end at its own token and at the two before it.
    assert weak(ring, one)[0].arcs == (Arc(3 * STEP - 3 * STEP, -3 * STEP, 0, newly=False),)
    assert [arc for arc in weak(ring, two)[0].arcs if arc.margin < 0] == [
        Arc(STEP, -3 * STEP, -1, newly=True)
    ]


def test_what_was_lost_before_is_not_newly_lost() -> None:
    before = six(seen={0: Liveness.DOWN, 1: Liveness.DOWN})
    after = stopped(before, {host(2)})

    assert {arc.newly for arc in weak(before, before)[0].arcs} == {False}
    assert any(arc.newly for arc in weak(before, after)[0].arcs)
    assert any(arc.margin < 0 and not arc.newly for arc in weak(before, after)[0].arcs)


def test_the_whole_ring_is_one_arc_with_one_end() -> None:
    ring = six("a")

    assert weak(ring, stopped(ring, {host(0)}))[0].arcs[0].after == -3 * STEP
    assert weak(ring, stopped(ring, {host(0)}))[0].arcs[0].to == -3 * STEP


def test_levels_that_are_named_decide() -> None:
    ring = six()
    down = stopped(ring, {host(0)})

    assert any(arc.newly for arc in weak(ring, down, [Level.ALL])[0].arcs)
    assert not any(arc.newly for arc in weak(ring, down, [Level.ONE])[0].arcs)
