"""The node beside us: heartbeats merged, its process judged, its disk read."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seedprovider.model import Disk, DiskState, Endpoint, Heartbeat, Peer, PeerState, Process
from seedprovider.node import Received
from seedprovider.own import (
    BEAT_FRESH_SECONDS,
    DISK_FRESH_SECONDS,
    STOPPED_AFTER_SECONDS,
    OwnNode,
)
from tests.fakes.situations import RING, host

HOST = "127.50.1.1"
PEERS = (Peer(host(1), "10.0.0.2", up=True, state=PeerState.NORMAL),)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def beat(hash_: str | None = None, **more: Any) -> Received:  # noqa: ANN401 -- any field
    plain = Heartbeat(mode="NORMAL", host_id=host(0), disk=Disk(DiskState.MEMBER))
    return Received(replace(plain, **more), hash_, {})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage() -> Iterator[socket.socket]:
    """Hold a port that refuses connections until somebody calls `listen`."""
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        yield holder


@pytest.fixture
def own(tmp_path: Path, clock: Clock, storage: socket.socket) -> OwnNode:
    endpoint = Endpoint("cassandra-0", "uid-0", HOST)
    port = storage.getsockname()[1]
    return OwnNode(endpoint, data_dir=tmp_path, storage_port=port, clock=clock)


# -- heartbeats --------------------------------------------------------------------------------


def test_peers_left_out_are_those_of_the_same_hash(own: OwnNode) -> None:
    assert own.hear(beat("h1", peers=PEERS)) is False
    assert own.hear(beat("h1")) is False
    assert own.beat is not None
    assert own.beat.peers == PEERS


def test_peers_of_another_hash_are_unknown_and_asked_for(own: OwnNode) -> None:
    own.hear(beat("h1", peers=PEERS))

    assert own.hear(beat("h2")) is True
    assert own.beat is not None
    assert own.beat.peers is None


def test_peers_are_asked_for_until_they_come(own: OwnNode) -> None:
    assert [own.hear(beat("h1")), own.hear(beat("h1"))] == [True, True]
    assert own.hear(beat("h1", peers=PEERS)) is False


def test_a_node_that_knows_no_peers_yet_is_not_asked_for_them(own: OwnNode) -> None:
    assert own.hear(beat()) is False


def test_a_node_that_started_again_does_not_keep_the_peers_of_its_last_life(
    own: OwnNode,
) -> None:
    own.hear(beat("h1", peers=PEERS))
    own.hear(beat(mode="STARTING"))

    assert own.beat is not None
    assert own.beat.peers is None


def test_only_what_differs_is_a_change(own: OwnNode) -> None:
    own.hear(beat("h1", peers=PEERS))
    before = own.revision
    own.hear(beat("h1"))

    assert own.revision == before
    own.hear(beat("h1", mode="LEAVING"))
    assert own.revision == before + 1


def test_the_broadcast_address_is_the_pods_until_the_node_says_another(own: OwnNode) -> None:
    assert own.address == HOST
    own.hear(beat(address="10.9.0.1"))
    assert own.address == "10.9.0.1"
    own.hear(beat(address=None))
    assert own.address == HOST


def test_a_heartbeat_ages_and_stays_though_it_is_no_longer_fresh(
    own: OwnNode, clock: Clock
) -> None:
    assert (own.beat, own.beat_age, own.fresh_beat) == (None, None, None)
    own.hear(beat())
    clock.now += BEAT_FRESH_SECONDS
    assert (own.beat_age, own.fresh_beat) == (BEAT_FRESH_SECONDS, own.beat)
    clock.now += 0.001
    assert own.fresh_beat is None
    assert own.beat is not None


# -- the process -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["NORMAL", "JOINING", "LEAVING", "DRAINED", "DECOMMISSIONED"])
def test_a_node_that_beats_is_there(own: OwnNode, mode: str) -> None:
    own.hear(beat(mode=mode))

    assert own.process is Process.ANSWERING


def test_a_node_that_beats_while_it_starts_is_starting(own: OwnNode) -> None:
    own.asked()
    own.hear(beat(mode="STARTING"))

    assert own.process is Process.STARTING


async def test_a_node_that_starts_on_a_blank_disk_and_never_asked_may_be_on_its_way_already(
    own: OwnNode,
) -> None:
    blank = beat(mode="STARTING", disk=Disk(DiskState.EMPTY))
    await own.look_at_disk()
    own.hear(blank)
    assert own.process is Process.UNKNOWN

    own.asked()
    own.hear(blank)
    assert own.process is Process.STARTING


async def test_a_node_that_starts_on_a_disk_whose_mark_names_its_ring_is_starting(
    own: OwnNode, tmp_path: Path
) -> None:
    text = f"version=1\nstate=joining\nring-id={RING}\n"
    (tmp_path / "cassandra-ring.mark").write_text(text)
    await own.look_at_disk()
    own.hear(beat(mode="STARTING", disk=Disk(DiskState.EMPTY, RING)))

    assert own.process is Process.STARTING


def test_before_anybody_looked_nothing_is_known(own: OwnNode, clock: Clock) -> None:
    clock.now += 3600

    assert own.process is Process.UNKNOWN


async def test_a_closed_port_is_no_proof_in_the_first_seconds(
    own: OwnNode, clock: Clock
) -> None:
    await own.probe()
    assert own.process is Process.UNKNOWN
    clock.now += STOPPED_AFTER_SECONDS - 0.001
    assert own.process is Process.UNKNOWN
    clock.now += 0.001
    assert own.process is Process.STOPPED


async def test_silence_counts_from_the_last_heartbeat(own: OwnNode, clock: Clock) -> None:
    clock.now += 3600
    own.hear(beat())
    clock.now += STOPPED_AFTER_SECONDS - 0.001
    await own.probe()
    assert own.process is Process.UNKNOWN
    clock.now += 0.001
    assert own.process is Process.STOPPED


async def test_an_open_port_is_a_process_however_long_it_is_silent(
    own: OwnNode, clock: Clock, storage: socket.socket
) -> None:
    storage.listen()
    clock.now += 3600
    await own.probe()

    assert own.process is Process.ANSWERING


async def test_a_heartbeat_makes_an_older_probe_void(own: OwnNode, clock: Clock) -> None:
    await own.probe()
    own.hear(beat())
    await own.probe()
    clock.now += STOPPED_AFTER_SECONDS

    assert own.process is Process.UNKNOWN


async def test_an_address_that_does_not_answer_is_not_a_closed_port(
    tmp_path: Path, clock: Clock
) -> None:
    endpoint = Endpoint("cassandra-0", "uid-0", "fe80::1")  # link-local: no zone, no way there
    own = OwnNode(endpoint, data_dir=tmp_path, storage_port=7000, clock=clock)
    clock.now += 3600
    await own.probe()

    assert own.process is Process.UNKNOWN


# -- the disk ----------------------------------------------------------------------------------


async def test_the_disk_is_read_anew_after_half_a_second_and_not_before(
    own: OwnNode, clock: Clock, tmp_path: Path
) -> None:
    assert await own.look_at_disk() == Disk(DiskState.EMPTY)
    before = own.revision
    table = tmp_path / "system" / "local-1"
    table.mkdir(parents=True)
    (table / "nb-1-big-Data.db").touch()
    clock.now += DISK_FRESH_SECONDS

    assert await own.look_at_disk() == Disk(DiskState.EMPTY)
    clock.now += 0.001
    assert await own.look_at_disk() == Disk(DiskState.UNMARKED)
    assert own.revision == before + 1


async def test_our_own_report_says_what_others_would_be_told(
    own: OwnNode, clock: Clock
) -> None:
    await own.look_at_disk()
    own.pvc_uid = "pvc-0"
    own.hear(beat("h1", peers=PEERS))
    clock.now += 2
    report = own.report(RING)

    assert (report.pod, report.pod_uid, report.address) == ("cassandra-0", "uid-0", HOST)
    assert (report.pvc_uid, report.ring_id) == ("pvc-0", RING)
    assert (report.disk, report.process) == (Disk(DiskState.EMPTY), Process.ANSWERING)
    assert (report.heartbeat, report.heartbeat_age, report.received) == (own.beat, 2, clock.now)


async def test_others_are_told_of_a_promised_ring_while_the_disk_is_blank(
    own: OwnNode, tmp_path: Path, clock: Clock
) -> None:
    own.promise(RING)
    await own.look_at_disk()
    assert own.shown_disk() == own.report(None).disk == Disk(DiskState.EMPTY, RING)
    assert own.disk() == Disk(DiskState.EMPTY)

    table = tmp_path / "system" / "local-1"
    table.mkdir(parents=True)
    (table / "nb-1-big-Data.db").touch()
    clock.now += DISK_FRESH_SECONDS + 0.001
    await own.look_at_disk()
    assert own.shown_disk() == Disk(DiskState.UNMARKED)


async def test_a_mark_of_an_earlier_start_says_nothing_of_a_node_that_asks(
    own: OwnNode, tmp_path: Path
) -> None:
    (tmp_path / "cassandra-ring.mark").write_text(f"version=1\nstate=joining\nring-id={RING}\n")
    await own.look_at_disk()
    assert own.shown_disk() == Disk(DiskState.EMPTY, RING)

    own.promise(None)
    assert own.shown_disk() == Disk(DiskState.EMPTY)
