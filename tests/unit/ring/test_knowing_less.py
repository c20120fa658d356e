"""What is unknown never makes it yes: gate and order of stopping while sources are silent."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ring.gate import GateAnswer
from ring.levels import Check
from ring.model import Liveness
from ring.obstacles import BLOCKING
from ring.reading import Reading
from ring.snapshot import take
from ring.stopping_pods import named
from tests.unit.ring.strategies import host
from tests.unit.ring.test_drain_order import ordered
from tests.unit.ring.test_gate import ask, codes, judged, strange_keyspace
from tests.unit.ring.troubles import Trouble, less, losses, troubled, troubles, unreachable
from tests.unit.ring.worlds import World


def telling_alone(answer: GateAnswer) -> set[str]:
    """Return reasons other than views that contradict: these only those who speak can tell."""
    return set(codes(answer)) - BLOCKING


@settings(max_examples=300)
@given(troubles(), losses(), st.sets(st.integers(0, 5), min_size=1, max_size=3))
def test_to_know_less_turns_no_no_into_a_yes(
    found: list[Trouble], lost: list[tuple[str, bool]], numbers: set[int]
) -> None:
    whole = troubled(found, 3).observed()
    known, blinder = take(whole), take(less(whole, lost))
    pods = [f"cassandra-{n}" for n in numbers]
    if not all(pod in each.who.by_pod for each in (known, blinder) for pod in pods):
        return
    more, fewer = judged(known, named(known, pods)), judged(blinder, named(blinder, pods))

    if "network-cut" in codes(more):
        return  # who runs on its own side of it tells so, or nobody does
    if fewer.allowed:
        assert telling_alone(more) == set()
        assert more.idle or not fewer.idle
    if fewer.margins and "kubernetes-stale" not in codes(fewer):
        assert fails(more) <= fails(fewer)


def fails(answer: GateAnswer) -> set[tuple[str, Check]]:
    return {
        (each.keyspace, each.after.check) for each in answer.margins if each.after.worst.failing
    }


@settings(max_examples=100)
@given(troubles(), losses())
def test_to_know_less_makes_no_step_safe(
    found: list[Trouble], lost: list[tuple[str, bool]]
) -> None:
    whole = troubled(found, 3).observed()
    known, blinder = take(whole), take(less(whole, lost))

    for step in ordered(blinder).steps:
        if step.safe and all(pod in known.who.by_pod for pod in step.pods):
            more = judged(known, named(known, step.pods))
            assert telling_alone(more) == set() or "network-cut" in codes(more)


def test_a_ring_that_nobody_reaches_may_not_be_stopped() -> None:
    world = World(3)
    unreachable(world, 0, 1, 2)
    answer = ask(world, "cassandra-0", "cassandra-1", "cassandra-2")

    assert (answer.allowed, answer.idle) == (False, False)
    assert "nobody-heard" in codes(answer)


def test_the_side_of_a_cut_that_is_not_reached_may_not_be_stopped() -> None:
    world = World(3)
    world.cut((0,), (1, 2))
    unreachable(world, 1, 2)
    answer = ask(world, "cassandra-1", "cassandra-2")

    assert (answer.allowed, answer.idle) == (False, False)


def test_half_a_ring_that_is_not_reached_may_not_be_stopped() -> None:
    world = World(4, "a")
    world.cut((0, 1), (2, 3))
    unreachable(world, 2, 3)

    assert not ask(world, "cassandra-2").idle


def test_a_pod_that_ended_by_what_was_read_long_ago_is_not_known_to_have() -> None:
    world = World(3)
    for seat in world.seats:
        seat.heard = False
        seat.pod = replace(seat.pod, phase="Failed")
    assert {each.liveness for each in world.snapshot().members} == {Liveness.DOWN}

    world.stale["pods"] = Reading(world.observed().pods.value, 36000.0, "forbidden")
    assert {each.liveness for each in world.snapshot().members} == {Liveness.UNKNOWN}
    assert not ask(world, "cassandra-0").allowed


def test_a_member_that_is_seen_up_and_not_heard_is_counted_as_down() -> None:
    world = World(3)
    world.seats[2].heard = False
    answer = ask(world, "cassandra-1")

    assert world.snapshot().by_host[host(2)].liveness is Liveness.UP
    assert answer.unknown == (host(2),)
    assert codes(answer) == ["level-lost"]


def test_keyspaces_that_cannot_be_read_do_not_keep_what_is_down() -> None:
    world = World(3)
    world.down(0)
    strange_keyspace(world)

    assert ask(world, "cassandra-0").allowed
