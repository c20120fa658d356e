"""Disks whose marks are lost or damaged."""

from localring.apiserver import Fault, Kind
from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    PATIENCE,
    events,
    hosts,
    known,
    mark,
    mark_file,
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
