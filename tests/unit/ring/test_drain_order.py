"""In what order pods may stop: racks together where that is safe."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from ring.drain_order import DrainOrder, as_json, drain_order
from ring.finding import Case
from ring.findings import findings
from ring.gate import decide
from ring.levels import Level
from ring.model import HostId, Liveness
from ring.snapshot import RingSnapshot
from ring.stopping_pods import named
from ring.words import Disk, DiskState, PeerState
from tests.unit.ring.schema import faults
from tests.unit.ring.strategies import host
from tests.unit.ring.test_gate import LOCAL_ONE
from tests.unit.ring.troubles import Trouble, troubled, troubles
from tests.unit.ring.worlds import RING, World

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "schemas" / "drain-order.json").read_text()
)


def order(world: World, *levels: Level) -> DrainOrder:
    return ordered(world.snapshot(), *levels)


def ordered(snapshot: RingSnapshot, *levels: Level) -> DrainOrder:
    found = drain_order(snapshot, findings(Case(snapshot=snapshot)), levels)
    assert list(faults(SCHEMA, json.loads(json.dumps(as_json(found))))) == []
    return found


def steps(found: DrainOrder) -> list[tuple[str, ...]]:
    return [step.pods for step in found.steps]


def test_racks_go_together_where_each_holds_one_replica() -> None:
    found = order(World(6))

    assert found.safe
    assert steps(found) == [
        ("cassandra-0", "cassandra-3"),
        ("cassandra-1", "cassandra-4"),
        ("cassandra-2", "cassandra-5"),
    ]
    assert [step.rack for step in found.steps] == ["a", "b", "c"]


def test_pods_of_one_rack_go_one_by_one_from_the_highest_ordinal() -> None:
    found = order(World(4, "a"))

    assert found.safe
    assert steps(found) == [(f"cassandra-{n}",) for n in (3, 2, 1, 0)]
    ((place, losses),) = found.apart.items()
    assert place == ("dc1", "a")
    assert losses[0].share == 1.0


def test_the_rack_in_which_somebody_is_down_goes_first_and_the_rest_is_not_safe() -> None:
    world = World(6)
    world.down(5)
    found = order(world)

    assert steps(found)[0] == ("cassandra-2", "cassandra-5")
    assert [step.safe for step in found.steps] == [True, *[False] * 4]
    assert {loss.keyspace for loss in found.steps[1].losses} == {"shop"}


def test_levels_can_be_named() -> None:
    assert not order(World(6), Level.ALL).safe
    assert order(World(6), Level.ONE).safe


def test_a_keyspace_with_one_replica_lets_no_pod_stop_and_says_how_much_is_lost() -> None:
    world = World(3)
    world.keyspaces["scratch"] = LOCAL_ONE
    found = order(world)

    assert not found.safe
    assert {loss.keyspace for step in found.steps for loss in step.losses} == {"scratch"}
    assert {round(loss.share, 3) for step in found.steps for loss in step.losses} == {0.333}


def test_pods_that_are_no_member_go_first_and_are_safe_if_their_disk_holds_nothing() -> None:
    world = World(4)
    seat = world.seats[3]
    seat.mode, seat.speaks, seat.disk = "STARTING", False, Disk(DiskState.EMPTY)
    seat.entry = replace(seat.entry, host_id=None)
    world.strangers((3,), (0, 1, 2))

    assert steps(order(world))[0] == ("cassandra-3",)
    assert order(world).safe
    seat.disk = Disk(DiskState.UNMARKED, RING)
    assert not order(world).safe


def test_nothing_is_safe_while_no_keyspace_or_no_token_is_known() -> None:
    world = World(3)
    world.keyspaces = {}
    assert not any(step.safe for step in order(world).steps)

    world = World(3)
    for seat in world.seats:
        seat.row = replace(seat.row, tokens=())
    found = order(world)
    assert len(found.steps) == 3
    assert not any(step.safe for step in found.steps)


def test_a_member_whose_tokens_are_unknown_is_in_no_safe_step() -> None:
    world = World(6)
    seat = world.seats[5]
    seat.row = replace(seat.row, tokens=())
    found = order(world)

    unsafe = [pod for step in found.steps if not step.safe for pod in step.pods]
    assert "cassandra-5" in unsafe


def test_a_member_on_its_way_in_is_in_no_step_and_nothing_is_safe_until_it_is_there() -> None:
    world = World(6)
    world.seats[5].mode, world.states[5] = "JOINING", PeerState.JOINING
    found = order(world)

    assert sorted(pod for step in steps(found) for pod in step) == [
        f"cassandra-{n}" for n in range(5)
    ]
    assert [each.code for each in found.reasons] == ["change-under-way"]
    assert not any(step.safe for step in found.steps)


@pytest.mark.parametrize("source", ["pods", "record", "ledger", "turn", "facts"])
def test_nothing_is_safe_on_what_was_read_long_ago(source: str) -> None:
    world = World(6)
    read = getattr(world.observed(), source)
    world.stale[source] = (
        {address: replace(each, age=36000.0) for address, each in read.items()}  # type: ignore[assignment]
        if source == "facts"
        else replace(read, age=36000.0)
    )
    found = order(world)

    assert len(found.steps) >= 3
    assert not any(step.safe for step in found.steps)


@settings(max_examples=100)
@given(troubles())
def test_every_pod_is_in_one_step_of_one_rack_and_the_gate_agrees_on_what_is_lost(
    found: list[Trouble],
) -> None:
    snapshot = troubled(found, 3).snapshot()
    answer = ordered(snapshot)
    pods = [pod for step in answer.steps for pod in step.pods]
    members = {each.pod for each in snapshot.members if each.pod and each.exists is not False}

    assert len(pods) == len(set(pods))
    assert set(pods) == members | set(snapshot.pods or {})
    for step in answer.steps:
        assert {_place(snapshot, each) for each in step.hosts} <= {(step.dc, step.rack)}
        gate = decide(snapshot, findings(Case(snapshot=snapshot)), named(snapshot, step.pods))
        lost = {each.evidence.get("keyspace") for each in gate.reasons} - {None}
        assert gate.idle or lost == {loss.keyspace for loss in step.losses}
        assert gate.allowed or not step.safe


def _place(snapshot: RingSnapshot, member: HostId) -> tuple[str, str]:
    return snapshot.by_host[member].dc, snapshot.by_host[member].rack


def test_what_is_down_already_is_safe_to_stop() -> None:
    world = World(3)
    world.down(1)
    found = order(world)

    assert [step.pods for step in found.steps if step.safe] == [("cassandra-1",)]
    assert world.snapshot().by_host[host(1)].liveness is Liveness.DOWN
