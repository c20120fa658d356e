"""Which pod is which member, and what the ring is that follows."""

from dataclasses import replace

import pytest

from ring.health import Assessor
from ring.model import HostId, Liveness, Mode
from ring.objects import EntryState, Machine
from ring.reading import Reading
from ring.ringfile import dump, parse
from ring.snapshot import take
from ring.words import Disk, DiskState, PeerState, Row
from tests.unit.ring.rings import QUORUM
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World


def joining(world: World, number: int, new: HostId) -> None:
    """Let a pod be on its way in on a new disk, as the host that it is given."""
    seat = world.seats[number]
    seat.mode, world.states[number] = "JOINING", PeerState.JOINING
    seat.row = replace(seat.row, host_id=new, tokens=())
    seat.disk = Disk(DiskState.JOINING, seat.disk.ring_id, new)


def test_a_member_is_known_from_its_pod_to_its_zone() -> None:
    world = World(3)
    member = world.snapshot().members[1]

    assert (member.host_id, member.pod, member.ordinal) == (host(1), "cassandra-1", 1)
    assert (member.pvc_uid, member.machine, member.zone) == ("pvc-1", "worker-1", "b")
    assert (member.dc, member.rack, member.state) == ("dc1", "b", "UN")
    assert member.tokens == world.seats[1].row.tokens
    assert member.addresses[0].address == member.address == "10.0.0.1"


def test_members_are_in_the_order_of_their_ordinals_as_numbers() -> None:
    assert [each.ordinal for each in World(12).snapshot().members] == list(range(12))


def test_a_pod_that_is_gone_keeps_its_member() -> None:
    world = World(3)
    world.gone.add(2)
    world.unseen(2)
    member = world.snapshot().by_host[host(2)]

    assert (member.pod, member.exists, member.state) == ("cassandra-2", False, "DN")


def test_pods_that_cannot_be_read_are_not_gone() -> None:
    world = World(3)
    world.gone.add(2)
    world.stale["pods"] = Reading(None, None, "403 Forbidden")
    snapshot = world.snapshot()

    assert snapshot.pods is None
    assert snapshot.by_host[host(2)].exists is None
    assert snapshot.by_host[host(2)].runs is None


def test_the_word_of_a_pod_that_was_replaced_by_another_of_its_name_does_not_count() -> None:
    world = World(3)
    observed = world.observed()
    pods = dict(observed.pods.value or {})
    pods["cassandra-1"] = replace(pods["cassandra-1"], uid="another")
    member = take(replace(observed, pods=Reading(pods, 1.0))).by_host[host(1)]

    assert not member.heard
    assert member.pod == "cassandra-1"


def test_a_member_without_a_ledger_entry_is_known_by_its_own_word() -> None:
    world = World(3)
    world.stale["ledger"] = Reading(None, None, "timed out")

    assert [each.pod for each in world.snapshot().members] == [s.name for s in world.seats]


def test_members_that_nobody_can_be_asked_about_come_from_the_ledger() -> None:
    world = World(3)
    for seat in world.seats:
        seat.heard = False
    snapshot = world.snapshot()

    assert [each.host_id for each in snapshot.members] == [host(n) for n in range(3)]
    assert {each.liveness for each in snapshot.members} == {Liveness.UNKNOWN}
    assert not snapshot.is_certain


def test_a_host_that_left_is_no_member() -> None:
    world = World(3)
    seat = world.seats[2]
    world.down(2)
    world.strangers((2,), (0, 1))
    seat.entry = replace(seat.entry, state=EntryState.LEFT)

    assert host(2) not in world.snapshot().by_host


def test_a_row_of_a_peer_that_gossip_has_forgotten_is_no_member() -> None:
    world = World(3)
    world.ghosts.append(Row(host_id=host(9), address="10.0.0.9", dc="dc1", rack="a"))
    gossip = {
        name: replace(reading, value=replace(reading.value, heartbeat=None))
        for name, reading in world.observed().sidecars.items()
        if reading.value
    }
    assert host(9) in world.snapshot().by_host

    world.ghosts.clear()
    observed = world.observed()
    rows = Row(host_id=host(9), address="10.0.0.9", dc="dc1", rack="a", tokens=(5,))
    facts = {
        address: replace(reading, value=replace(reading.value, peers=(rows,)))
        for address, reading in observed.facts.items()
        if reading.value
    }
    assert host(9) not in take(replace(observed, facts=facts)).by_host
    assert host(9) in take(replace(observed, facts=facts, sidecars=gossip)).by_host


def test_a_replacement_on_its_way_names_whom_it_replaces_and_takes_the_tokens() -> None:
    world = World(4)
    old = world.seats[3]
    world.ghosts.append(replace(old.row))
    old.entry = replace(old.entry, state=EntryState.JOINING)
    joining(world, 3, host(7))
    snapshot = world.snapshot()
    member = snapshot.by_host[host(7)]
    node = next(node for node in snapshot.ring.nodes if node.host_id == host(7))

    assert (member.state, member.replaces, member.pod) == ("UJ", host(3), "cassandra-3")
    assert node.tokens == snapshot.by_host[host(3)].tokens
    assert snapshot.pending == (member,)
    assert snapshot.unplaced == ()
    assert parse(dump(snapshot.ring)) == snapshot.ring

    world.seats[3].mode = "NORMAL"
    world.seats[3].row = replace(old.row, host_id=host(7))
    assert world.snapshot().by_host[host(7)].replaces is None


@pytest.mark.parametrize(
    ("mode", "state", "letter"),
    [("LEAVING", PeerState.LEAVING, Mode.LEAVING), ("MOVING", PeerState.MOVING, Mode.MOVING)],
)
def test_what_a_silent_node_is_doing_the_others_tell(
    mode: str, state: PeerState, letter: Mode
) -> None:
    world = World(3)
    world.seats[1].mode, world.states[1] = mode, state
    assert world.snapshot().by_host[host(1)].mode is letter

    world.seats[1].heard = False
    assert world.snapshot().by_host[host(1)].mode is letter


def test_who_disagrees_is_named() -> None:
    world = World(4)
    world.unseen(3, by=(1,))

    assert world.snapshot().dissenters(3) == (host(1),)
    assert world.snapshot().dissenters(2) == ()


def test_a_state_that_is_unknown_stays_so_in_the_ring() -> None:
    world = World(3)
    world.seats[2].heard = False
    world.unseen(2, by=(0,))
    snapshot = world.snapshot()

    assert [node.state for node in snapshot.ring.nodes] == ["UN", "UN", "?N"]
    check = Assessor(snapshot.ring.nodes).health(snapshot.ring.keyspaces)["shop"]
    assert check.by_check[QUORUM].certain


def test_a_token_that_two_members_claim_goes_to_the_one_that_is_up() -> None:
    world = World(3)
    world.seats[0].row = replace(world.seats[0].row, tokens=world.seats[1].row.tokens)
    world.down(0)
    snapshot = world.snapshot()

    assert set(snapshot.token_claims.values()) == {(host(1), host(0))}
    assert [len(node.tokens) for node in snapshot.ring.nodes] == [0, 4, 4]
    assert Assessor(snapshot.ring.nodes).health(snapshot.ring.keyspaces)


def test_members_whose_place_nobody_tells_are_not_reckoned_with() -> None:
    world = World(3)
    world.ghosts.append(Row(host_id=host(9), address="10.0.0.9"))
    snapshot = world.snapshot()

    assert [each.host_id for each in snapshot.unplaced] == [host(9)]
    assert host(9) not in {node.host_id for node in snapshot.ring.nodes}


def test_a_keyspace_that_cannot_be_read_hides_no_other() -> None:
    world = World(3)
    world.keyspaces["odd"] = {"class": "com.example.Strategy"}
    found = world.snapshot().keyspaces

    assert [each.name for each in found.read] == ["shop", "system_auth"]
    assert [name for name, _ in found.unreadable] == ["odd"]


def test_a_machine_that_is_not_ready_says_nothing_of_a_node_that_speaks() -> None:
    world = World(3)
    world.machines["worker-1"] = Machine(name="worker-1", zone="b", ready=None)
    world.seats[1].speaks = False

    assert world.snapshot().by_host[host(1)].runs is None
