"""Disks whose marks are lost, damaged, not written yet, or cannot be read."""

from localring.apiserver import Fault, Kind
from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.conftest import PODS
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    PATIENCE,
    events,
    founded,
    hosts,
    known,
    mark,
    mark_file,
    record,
    until_marked,
    until_told,
)

NO_CLAIMS = Fault(kind=Kind.FORBID, resource="persistentvolumeclaims")


@provokes(Rule.VOLUME_UNKNOWN, Rule.UNMARKED_MEMBER)
async def test_a_disk_that_lost_its_mark_is_known_by_its_volume_and_marked_again(
    ring: LocalRing,
) -> None:
    await write(ring, "unmarked")
    before = await hosts(ring)
    await ring.stop(2)
    lost = mark(ring, 2)
    mark_file(ring, 2).unlink()
    with ring.api.faults.active(NO_CLAIMS):
        ring.start(2)
        unsure = await until_told(ring, 2, Rule.VOLUME_UNKNOWN)
    await until_told(ring, 2, Rule.UNMARKED_MEMBER)
    await ring.wait_until_whole()

    async def missing() -> str | None:
        return None if mark_file(ring, 2).exists() else "no mark yet"

    await ring.wait_until("a mark on the disk", missing, PATIENCE)
    found = mark(ring, 2)

    assert "cassandra-2" in unsure.reason
    assert (found["state"], found["ring-id"]) == ("member", lost["ring-id"])
    assert (found["host-id"], found["pvc-uid"]) == (lost["host-id"], lost["pvc-uid"])
    assert await hosts(ring) == before
    assert await read(ring, 2) == {"unmarked"}


@provokes(Rule.UNMARKED_STRANGER, Rule.DISK_UNKNOWN)
async def test_data_without_a_mark_on_a_volume_that_nobody_knows_stays_out_until_it_is_told(
    ring: LocalRing,
) -> None:
    await write(ring, "stranger")
    before = await hosts(ring)
    await ring.stop(2)
    kept = mark_file(ring, 2).read_text()
    mark_file(ring, 2).unlink()
    ring.replace_claim(2)
    ring.start(2)
    await until_told(ring, 2, Rule.UNMARKED_STRANGER)
    await ring.lose(2)

    halved = [line for line in kept.splitlines(keepends=True) if "host-id" not in line]
    mark_file(ring, 2).write_text("".join(halved))
    ring.start(2)
    told = await until_told(ring, 2, Rule.DISK_UNKNOWN)
    assert "names no ring or no host ID" in told.reason
    assert (await known(ring))["cassandra-2"].mode in {None, "STARTING"}
    await ring.lose(2)

    mark_file(ring, 2).write_text(kept)
    ring.start(2)
    await ring.wait_until_whole()

    async def missing() -> str | None:
        told_of = ("cassandra-2", "VolumeChanged") in [event[:2] for event in events(ring)]
        return None if told_of else "no Event about the other volume"

    await ring.wait_until("an Event that asks for a repair", missing, PATIENCE)
    assert await hosts(ring) == before
    assert await read(ring, 2) == {"stranger"}


@provokes(Rule.DISK_UNKNOWN)
async def test_a_member_whose_sidecar_cannot_read_its_disk_waits_and_starts_once_it_can(
    ring: LocalRing,
) -> None:
    await write(ring, "unreadable")
    before = await hosts(ring)
    await ring.stop(2)
    ring.start(2)
    ring.pod(2).mount.lose()
    told = await until_told(ring, 2, Rule.DISK_UNKNOWN)
    assert "mount" in told.reason
    assert (await known(ring))["cassandra-2"].mode in {None, "STARTING"}
    ring.pod(2).mount.mend()
    await ring.wait_until_whole()

    assert await hosts(ring) == before
    assert await read(ring, 2) == {"unreadable"}


async def test_a_node_that_died_after_it_was_normal_and_before_its_mark_said_so_is_a_member(
    ring: LocalRing,
) -> None:
    await write(ring, "no mark yet")
    before = (await hosts(ring))["cassandra-2"]
    await ring.stop(2)
    await ring.wipe(2)
    ring.start(2)
    await until_told(ring, 2, Rule.REPLACE)
    ring.pod(2).sidecar.process.freeze()  # whose answer the mark waits for
    new = await until_normal_beside(ring, 0, before)
    await ring.lose(*PODS)
    assert (mark(ring, 2)["state"], mark(ring, 2)["host-id"]) == ("joining", new)
    ring.start(*PODS)
    await ring.wait_until_whole()
    await until_marked(ring, 2)

    assert not founded(ring, 2)
    assert (await hosts(ring))["cassandra-2"] == new
    assert await read(ring, 2) == {"no mark yet"}


@provokes(Rule.UNMARKED_MEMBER)
async def test_members_whose_marks_are_all_lost_start_together_and_are_marked_again(
    ring: LocalRing,
) -> None:
    await write(ring, "no marks")
    before, ring_id = await hosts(ring), record(ring)
    await ring.stop(*PODS)
    for ordinal in PODS:
        mark_file(ring, ordinal).unlink()
    ring.start(*PODS)
    for ordinal in PODS:
        await until_told(ring, ordinal, Rule.UNMARKED_MEMBER)
    await ring.wait_until_whole()
    for ordinal in PODS:
        await until_marked(ring, ordinal)

    assert record(ring) == ring_id
    assert await hosts(ring) == before
    assert await read(ring, 1) == {"no marks"}


async def until_normal_beside(ring: LocalRing, asked: int, lost: str | None) -> str:
    """Wait until a pod has a host in its ring that no sidecar tells of; give its ID."""
    known_hosts = {lost, *[host for name, host in (await hosts(ring)).items() if host]}
    found: list[str] = []

    async def missing() -> str | None:
        report = await ring.report(asked)
        peers = report.peers.items() if report else ()
        new = [host for host, peer in peers if peer.state == "normal"]
        found.extend(host for host in new if host not in known_hosts)
        return None if found else f"only {new}"

    await ring.wait_until("a new host that is NORMAL", missing, PATIENCE)
    return found[0]
