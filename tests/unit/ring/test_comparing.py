"""What changes do to health and to data: range by range, in the worst and in the best case."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.comparing import compare
from ring.levels import Check, Level, Operation
from ring.model import (
    RING_SIZE,
    Everywhere,
    Factor,
    HostId,
    Keyspace,
    Liveness,
    Replication,
    RingState,
    Simple,
    Topology,
)
from ring.placement import place
from ring.tokens import token_ring
from ring.transfer import DataLoss
from ring.verdicts import change as verdict
from ring.whatif import added, altered, in_rack, named, removed, stopped
from tests.unit.ring.rings import QUORUM, STEP, six
from tests.unit.ring.strategies import host, node, replications, states

UP, DOWN, UNKNOWN = Liveness.UP, Liveness.DOWN, Liveness.UNKNOWN
WRITE = Check(Level.QUORUM, Operation.WRITE)
ONE = Keyspace("one", Simple(Factor(1)))


@given(states(moving=True))
def test_no_change_makes_nothing_worse_and_moves_nothing(state: RingState) -> None:
    for change in compare(state, state).values():
        assert change.worse == ()
        assert change.gains == {}


def test_stopping_a_rack_of_three_keeps_the_quorum_and_costs_the_margin() -> None:
    state = six()
    (change,) = compare(state, stopped(state, in_rack(state, "dc1", "a"))).values()
    (quorum,) = [each for each in change.changes if each.check == QUORUM]

    assert quorum.is_worse
    assert not quorum.is_loss
    assert quorum.after.worst.margin == 0


def test_stopping_two_racks_of_three_loses_the_quorum_everywhere() -> None:
    state = six()
    hosts = in_rack(state, "dc1", "a") | in_rack(state, "dc1", "b")
    (change,) = compare(state, stopped(state, hosts)).values()
    (quorum,) = [each for each in change.changes if each.check == QUORUM]

    assert quorum.is_loss
    assert quorum.after.worst.share == 0


def test_a_new_node_is_sent_what_it_will_hold_and_nobody_else_anything() -> None:
    state = six(keyspace=Keyspace("one", Simple(Factor(1))))
    newcomer = node(9, STEP // 2 - 3 * STEP)
    (change,) = compare(state, added(state, [newcomer])).values()

    assert change.gains == {newcomer.host_id: STEP // 2}


def test_what_a_node_held_goes_to_others_when_it_is_removed() -> None:
    state = six(keyspace=Keyspace("one", Simple(Factor(1))))
    (change,) = compare(state, removed(state, named(state, "10.0.0.2"))).values()

    assert change.gains == {state.nodes[3].host_id: STEP}


def test_a_higher_factor_copies_one_ring_a_replica() -> None:
    state = six()
    change = compare(state, altered(state, "shop", Topology((("dc1", Factor(5)),))))["shop"]

    assert change.moved == 2


def test_taking_a_data_centre_out_of_the_replication_is_a_loss_there() -> None:
    state = six()
    change = compare(state, altered(state, "shop", Topology((("dc2", Factor(3)),))))["shop"]
    lost = {each.check for each in change.worse if each.is_loss}

    assert Check(Level.LOCAL_QUORUM, Operation.READ, "dc1") in lost


def test_a_node_that_is_down_already_changes_nothing() -> None:
    state = six()
    nodes = (replace(state.nodes[0], liveness=Liveness.DOWN), *state.nodes[1:])
    down = replace(state, nodes=nodes)

    assert compare(down, stopped(down, {nodes[0].host_id}))["shop"].worse == ()


def test_a_newcomer_copies_everything_where_everyone_holds_everything() -> None:
    state = six(keyspace=Keyspace("all", Everywhere()))
    newcomer = node(9, 5)
    (change,) = compare(state, added(state, [newcomer])).values()

    assert change.gains == {newcomer.host_id: RING_SIZE}


@st.composite
def changes(draw: st.DrawFn) -> tuple[RingState, RingState]:
    """Return a ring and what became of it: nodes gone, new, seen otherwise, replicated anew."""
    before = draw(states())
    after = [
        each.as_liveness(draw(st.sampled_from(list(Liveness))))
        for each in before.nodes
        if draw(st.integers(0, 3))
    ]
    taken = {token for each in before.nodes for token in each.tokens}
    fresh = draw(st.sets(st.integers(-40, 40), max_size=3)) - taken
    if fresh or not after:
        after.append(node(90, *(fresh or {41}), rack="r2"))
    keyspaces = tuple(
        replace(each, replication=draw(st.just(each.replication) | replications()))
        for each in before.keyspaces
    )
    return before, RingState(tuple(after), keyspaces)


def quorums(
    state: RingState, replication: Replication, tokens: list[int], *, best: bool
) -> list[bool]:
    """Say, counting one by one, which tokens' ranges have a quorum alive."""
    alive = (UP, UNKNOWN) if best else (UP,)
    if isinstance(replication, Simple):
        total = replication.factor.replicas
    else:
        assert isinstance(replication, Topology)
        total = sum(factor.replicas for _, factor in replication.factors)
    found = []
    for replicas in holders(state, replication, tokens):
        living = [n for n in replicas if state.nodes[n].liveness in alive]
        found.append(len(living) >= total // 2 + 1)
    return found


def holders(
    state: RingState, replication: Replication, tokens: list[int], *, full: bool = False
) -> list[list[int]]:
    placement = place(token_ring(state.nodes), replication)
    ends = placement.ring.tokens.tolist()
    found = []
    for token in tokens:
        at = next((i for i, end in enumerate(ends) if token <= end), 0)
        flags = placement.transient
        found.append(
            [
                n
                for k, n in enumerate(placement.replicas[:, at].tolist())
                if not (full and flags is not None and flags[k, at])
            ]
        )
    return found


@given(changes())
def test_any_range_that_is_lost_is_a_loss_whatever_others_win(
    rings: tuple[RingState, RingState],
) -> None:
    before, after = rings
    tokens = sorted({t for state in rings for each in state.nodes for t in each.tokens})
    was = {each.name: each.replication for each in before.keyspaces}
    for keyspace in after.keyspaces:
        found = compare(before, after)[keyspace.name]
        (write,) = [each for each in found.changes if each.check == WRITE]
        for best, lost in ((False, write.lost_worst), (True, write.lost_best)):
            early = quorums(before, was[keyspace.name], tokens, best=best)
            late = quorums(after, keyspace.replication, tokens, best=best)
            gone = [a and not b for a, b in zip(early, late, strict=True)]
            widths = [
                (t - tokens[i - 1]) % RING_SIZE or RING_SIZE for i, t in enumerate(tokens)
            ]

            assert lost == sum(w for w, g in zip(widths, gone, strict=True) if g)


def test_what_one_range_wins_is_no_comfort_for_what_another_loses() -> None:
    state = six(seen={0: DOWN})
    revived = replace(state, nodes=(state.nodes[0].as_liveness(UP), *state.nodes[1:]))
    after = stopped(revived, {host(3)})
    one = Keyspace("shop", Simple(Factor(1)))
    before, after = replace(state, keyspaces=(one,)), replace(after, keyspaces=(one,))
    (quorum,) = [c for c in compare(before, after)["shop"].changes if c.check == QUORUM]

    assert quorum.after.worst.satisfiable >= quorum.before.worst.satisfiable
    assert (quorum.is_loss, quorum.lost_worst) == (True, STEP)


def lost(before: RingState, *gone: int, handing_over: tuple[HostId, ...] = ()) -> DataLoss:
    after = removed(before, {host(n) for n in gone})
    (found,) = compare(before, after, handing_over).values()
    return found.data_loss


def test_what_nobody_else_held_is_lost_with_its_node() -> None:
    found = lost(six(keyspace=ONE), 2)

    assert (found.worst.tokens, found.worst.ranges) == (STEP, 1)
    assert found.worst == found.best
    assert found.examples == ((-STEP, (host(2),)),)


def test_what_another_holds_is_not_lost() -> None:
    assert lost(six(), 2) == DataLoss()


def test_what_only_a_node_that_is_down_holds_besides_nobody_can_copy() -> None:
    found = lost(six(seen={3: DOWN, 4: DOWN}), 2)

    assert found.best.ranges == found.worst.ranges == 1
    assert [hosts for _, hosts in found.examples] == [(host(2), host(3), host(4))]


def test_what_an_unknown_node_may_hold_is_possibly_lost_and_not_for_certain() -> None:
    found = lost(six(seen={3: DOWN, 4: UNKNOWN}), 2)

    assert (found.worst.ranges, found.best.ranges) == (1, 0)


def test_who_hands_over_first_loses_nothing_while_it_is_up() -> None:
    alone = six(keyspace=ONE)
    unknown = six(keyspace=ONE, seen={2: UNKNOWN})

    assert lost(alone, 2, handing_over=(host(2),)) == DataLoss()
    found = lost(unknown, 2, handing_over=(host(2),))
    assert (found.worst.ranges, found.best.ranges) == (1, 0)


def test_nothing_is_lost_of_a_range_that_loses_no_replica_though_all_are_down() -> None:
    assert lost(six(keyspace=ONE, seen={1: DOWN}), 2).worst.ranges == 1


def test_a_transient_replica_is_nobody_to_copy_from() -> None:
    keyspace = Keyspace("shop", Topology((("dc1", Factor(3, 2)),)))

    assert lost(six(keyspace=keyspace), 2).worst.tokens == STEP


@given(changes())
def test_lost_is_what_loses_a_holder_and_keeps_none_that_is_up(
    rings: tuple[RingState, RingState],
) -> None:
    before, after = rings
    later = {each.host_id: each.liveness for each in after.nodes}
    tokens = token_ring(before.nodes).tokens.tolist()
    for keyspace in before.keyspaces:
        found = compare(before, after)[keyspace.name].data_loss
        for extent, alive in ((found.worst, (UP,)), (found.best, (UP, UNKNOWN))):
            expected = 0
            for own in holders(before, keyspace.replication, tokens, full=True):
                seen = [later.get(before.nodes[n].host_id) for n in own]
                expected += None in seen and not any(each in alive for each in seen)

            assert extent.ranges == expected


def judged(state: RingState, after: RingState) -> bool:
    answer = verdict(state, after, compare(state, after), [])
    return bool(answer["safe"])


def test_a_change_that_loses_data_is_unsafe() -> None:
    state = six(keyspace=ONE)
    after = removed(state, named(state, "10.0.0.2"))

    assert not judged(state, after)
    assert judged(six(), removed(six(), named(six(), "10.0.0.2")))


@pytest.mark.parametrize(
    "nowhere", [Topology((("dc1", Factor(0)),)), Simple(Factor(0))], ids=str
)
@pytest.mark.parametrize("seen", [UP, DOWN])
def test_to_replicate_nowhere_is_unsafe_even_where_everything_is_down(
    nowhere: Replication, seen: Liveness
) -> None:
    state = six(seen=dict.fromkeys(range(6), seen))

    assert not judged(state, altered(state, "shop", nowhere))


def test_health_after_a_change_is_told_beside_what_the_change_loses() -> None:
    state = six(seen={0: DOWN, 1: DOWN})
    after = stopped(state, {host(0)})
    answer = verdict(state, after, compare(state, after), [])
    shop = answer["keyspaces"]["shop"]

    assert (answer["safe"], answer["healthy"]) == (True, False)
    assert {each["level"] for each in shop["lostBefore"]} == {"QUORUM", "LOCAL_QUORUM"}
    assert {each["level"] for each in shop["after"]} == {str(level) for level in Level}
