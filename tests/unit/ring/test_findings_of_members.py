"""What is found about who is who, and about what is written in Kubernetes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ring.finding import Severity
from ring.objects import EntryState, StatefulSet, Turn
from ring.reading import Reading
from ring.words import Disk, DiskState, PeerState, Process
from tests.unit.ring.found import found, kinds, only
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import RING, World

GATE = "ring gate -n shop --service cassandra"
WANTED = {"cassandra": StatefulSet(name="cassandra", replicas=4)}
OTHER_RING = "0e0c0000-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("nodes", "racks"), [(1, "a"), (3, "a"), (3, "abc"), (6, "abc"), (30, "abc"), (10, "abcde")]
)
def test_nothing_is_found_about_a_healthy_ring(nodes: int, racks: str) -> None:
    world = World(nodes, racks)
    if nodes == 1:
        world.keyspaces = {"shop": {"class": "SimpleStrategy", "replication_factor": "1"}}

    assert found(world) == []


def test_a_pod_that_waits_for_its_turn_is_worth_knowing_and_no_more() -> None:
    world = World(4)
    seat = world.seats[3]
    seat.mode, seat.disk = "STARTING", Disk(DiskState.EMPTY)
    seat.entry = replace(seat.entry, host_id=None, state=EntryState.JOINING)
    world.strangers((3,), (0, 1, 2))
    finding = only(world, "pod-without-member")
    assert (finding.severity, finding.evidence["pod"]) == (Severity.WARNING, "cassandra-3")

    world.turn = Turn("cassandra-2", "pod-2")
    assert only(world, "pod-without-member").severity is Severity.INFO


def test_nothing_is_found_about_a_node_on_its_way_in_or_out() -> None:
    world = World(6)
    coming, going = world.seats[4], world.seats[5]
    coming.mode, world.states[4] = "JOINING", PeerState.JOINING
    coming.disk, coming.row = Disk(DiskState.JOINING, RING), replace(coming.row, tokens=())
    coming.entry = replace(coming.entry, host_id=None, state=EntryState.JOINING)
    going.mode, world.states[5] = "LEAVING", PeerState.LEAVING
    world.turn = Turn("cassandra-4", "pod-4")

    assert found(world) == []


def test_a_decommissioned_pod_is_found_as_no_member() -> None:
    world = World(4)
    seat = world.seats[3]
    seat.mode, seat.disk = "DECOMMISSIONED", Disk(DiskState.LEFT, RING, host(3))
    seat.entry = replace(seat.entry, state=EntryState.LEFT)
    world.strangers((3,), (0, 1, 2))

    assert only(world, "pod-without-member").evidence["disk"] == "left"


def test_a_member_that_was_scaled_away_is_a_ghost_with_a_way_out() -> None:
    world = World(4)
    world.gone.add(3)
    world.unseen(3)
    world.stateful_set = replace(world.stateful_set, replicas=3)
    finding = only(world, "member-without-pod")

    assert finding.evidence["wanted"] is False
    (command,) = finding.commands
    assert command.startswith("kubectl -n shop exec cassandra-0 -c cassandra -- nodetool")
    assert command.endswith(f"removenode {host(3)}")


def test_a_member_whose_pod_is_to_come_again_is_not_to_be_removed() -> None:
    world = World(4)
    world.gone.add(3)
    world.unseen(3)
    finding = only(world, "member-without-pod")

    assert finding.severity is Severity.INFO
    assert "removenode" not in " ".join(finding.commands)


def test_a_member_that_runs_without_a_pod_is_not_to_be_removed() -> None:
    world = World(4)
    world.gone.add(3)
    world.stateful_set = replace(world.stateful_set, replicas=3)
    finding = only(world, "member-without-pod")

    assert "runs at 10.0.0.3" in finding.what
    assert "removenode" not in " ".join(finding.commands)


def test_a_member_of_which_nobody_can_tell_whether_it_runs_is_not_to_be_removed() -> None:
    world = World(4)
    world.gone.add(3)
    world.stateful_set = replace(world.stateful_set, replicas=3)
    world.sees |= {(0, 3): None, (1, 3): None, (2, 3): None}
    finding = only(world, "member-without-pod")

    assert finding.evidence["state"] == "?N"
    assert "removenode" not in " ".join(finding.commands)


def silent(world: World) -> None:
    """Let the pod be there after all: its sidecar says nothing, and no entry names it."""
    world.gone.clear()
    world.seats[3].heard = False


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (lambda _: None, {"ledger": Reading(None, None, "configmaps is forbidden")}),
        (silent, {"ledger": Reading({}, 1.0)}),
        (lambda _: None, {"stateful_sets": Reading(None, None, "forbidden")}),
        (lambda _: None, {"stateful_sets": Reading({}, 1.0)}),
        (
            lambda _: None,
            {"ledger": Reading({}, 1.0), "stateful_sets": Reading(WANTED, 1.0)},
        ),
    ],
)
def test_a_member_that_a_pod_may_be_is_not_to_be_removed(
    change: Callable[[World], None], stale: dict[str, Reading[object]]
) -> None:
    world = World(4)
    world.gone.add(3)
    world.unseen(3)
    world.stateful_set = replace(world.stateful_set, replicas=3)
    world.stale = stale
    change(world)
    finding = only(world, "member-without-pod")

    assert "removenode" not in " ".join(finding.commands)
    assert "Remove nothing" in finding.advice


def test_a_member_of_a_data_centre_elsewhere_needs_no_pod_here() -> None:
    world = World(3)
    world.ghosts.append(replace(World(4).seats[3].row, dc="elsewhere"))

    assert "member-without-pod" not in kinds(world)


def lost(world: World) -> None:
    seat = world.seats[2]
    world.unseen(2)
    seat.mode, seat.disk = "STARTING", Disk(DiskState.EMPTY)
    seat.process = Process.STARTING


def test_a_lost_disk_is_critical_until_its_replacement_has_begun() -> None:
    world = World(4)
    lost(world)
    finding = only(world, "lost-disk")
    assert (finding.severity, finding.evidence["replacing"]) == (Severity.CRITICAL, False)

    world.turn = Turn("cassandra-2", "pod-2")
    seat = world.seats[2]
    seat.entry = replace(seat.entry, state=EntryState.JOINING)
    assert only(world, "lost-disk").severity is Severity.WARNING


def test_a_disk_whose_claim_is_lost_is_found_though_no_sidecar_runs() -> None:
    world = World(4)
    world.down(2)
    world.seats[2].heard = False
    world.seats[2].claim = replace(world.seats[2].claim, phase="Lost")

    assert only(world, "lost-disk").evidence["how"] == "its volume is lost"


def test_a_host_that_is_being_replaced_is_no_ghost() -> None:
    world = World(4)
    seat = world.seats[2]
    world.ghosts.append(seat.row)
    seat.entry = replace(seat.entry, state=EntryState.JOINING)
    seat.mode, world.states[2] = "JOINING", PeerState.JOINING
    seat.row = replace(seat.row, host_id=host(8), tokens=())
    seat.disk = Disk(DiskState.JOINING, RING, host(8))

    assert kinds(world) == ["member-down", "lost-disk"]


def test_an_address_that_the_ring_knows_for_another_member_is_found() -> None:
    world = World(4)
    for one, other in ((1, 2), (2, 1)):
        seat = world.seats[one]
        world.addresses[one] = f"10.0.0.{one}"
        world.down(one)
        seat.pod = replace(seat.pod, address=f"10.0.0.{other}")
    pairs = {
        (each.evidence["pod"], each.evidence["knownPod"])
        for each in found(world)
        if each.kind == "address-swap"
    }

    assert pairs == {("cassandra-1", "cassandra-2"), ("cassandra-2", "cassandra-1")}


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("10.0.0.9", "kubectl -n shop describe pod cassandra-2"),
        ("10.0.0.1", f"{GATE} cassandra-1 && kubectl -n shop delete pod cassandra-1"),
    ],
    ids=["it can", "it cannot either"],
)
def test_whose_address_was_taken_starts_first_if_it_can(address: str, command: str) -> None:
    world = World(4)
    for number, now in ((1, "10.0.0.2"), (2, address)):
        world.addresses[number] = f"10.0.0.{number}"
        world.down(number)
        world.seats[number].pod = replace(world.seats[number].pod, address=now)
    (finding,) = [
        each
        for each in found(world)
        if each.kind == "address-swap" and each.evidence["pod"] == "cassandra-1"
    ]

    assert finding.commands == (command,)


def test_two_disks_of_one_member_are_found() -> None:
    world = World(3)
    seat = world.seats[2]
    world.down(2)
    seat.disk = replace(seat.disk, host_id=host(1))
    seat.speaks = False
    seat.row = replace(seat.row, host_id=host(1))

    assert only(world, "host-id-twice").evidence["pods"] == ["cassandra-1", "cassandra-2"]


def test_a_record_that_is_gone_is_missed_where_disks_carry_a_ring() -> None:
    world = World(3)
    world.record = None

    assert kinds(world) == ["record-missing"]


def test_a_disk_of_another_ring_is_found() -> None:
    world = World(3)
    world.seats[2].disk = replace(world.seats[2].disk, ring_id=OTHER_RING)

    finding = only(world, "record-and-disk-disagree")
    assert finding.evidence["disks"] == {"cassandra-2": OTHER_RING}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"host_id": host(8)}, "the entry says 00000000-0000-0000-0000-000000000009"),
        ({"state": EntryState.LEFT}, "the entry says left"),
    ],
    ids=str,
)
def test_an_entry_that_its_member_contradicts_is_found(
    change: dict[str, object], told: str
) -> None:
    world = World(3)
    seat = world.seats[1]
    seat.entry = replace(seat.entry, **change)  # type: ignore[arg-type]

    assert told in only(world, "ledger-and-ring-disagree").what


def test_a_member_by_the_ledger_that_nobody_knows_is_found() -> None:
    world = World(3)
    world.down(2)
    world.strangers((2,), (0, 1))

    assert "no running member knows it" in only(world, "ledger-and-ring-disagree").what


def test_a_ring_that_is_being_adopted_has_no_entries_to_be_missed() -> None:
    world = World(3)
    world.record = None
    for seat in world.seats:
        seat.disk = Disk(DiskState.UNMARKED)
    world.stale["ledger"] = Reading({}, 1.0)

    assert found(world) == []


def test_a_disk_says_sooner_than_an_entry_which_pod_a_member_is() -> None:
    world = World(3)
    first, last = world.seats[0], world.seats[2]
    first.heard, first.entry = False, replace(first.entry, host_id=last.host)
    world.down(2)

    assert world.snapshot().by_host[last.host].pod == "cassandra-2"
