"""The ring record is lost: the disks' marks say which ring it was."""

from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    delete_record,
    founded,
    hosts,
    known,
    record,
    ring_ids,
    until_recorded,
    until_told,
)


@provokes(Rule.REBUILD)
async def test_a_record_deleted_by_hand_while_members_live_is_rebuilt_from_the_marks(
    ring: LocalRing,
) -> None:
    await write(ring, "record deleted")
    before, ring_id = await hosts(ring), record(ring)
    delete_record(ring)
    after = await until_recorded(ring, ["rebuilt"])
    await ring.wait_until_whole()

    assert ring_id
    assert after["ringId"] == ring_id["ringId"]
    assert await hosts(ring) == before
    assert await read(ring, 1) == {"record deleted"}


async def test_a_record_deleted_while_all_are_down_is_rebuilt_and_nobody_founds(
    ring: LocalRing,
) -> None:
    await write(ring, "no record")
    before, ring_id = await hosts(ring), record(ring)
    await ring.stop(0, 1, 2)
    delete_record(ring)
    ring.start(0, 1, 2)
    after = await until_recorded(ring, ["founded", "rebuilt"])
    await ring.wait_until_whole()

    assert ring_id
    assert (after["how"], after["ringId"]) == ("rebuilt", ring_id["ringId"])
    assert await hosts(ring) == before
    assert await read(ring, 1) == {"no record"}


@provokes(Rule.FOUND_BLOCKED, Rule.REBUILD_BLOCKED)
async def test_pod_0_wiped_together_with_a_lost_record_founds_nothing_and_gets_its_place_back(
    ring: LocalRing,
) -> None:
    await write(ring, "no record, no disk")
    before, ring_id = await known(ring), await ring_ids(ring)
    await ring.stop(0, 1, 2)
    await ring.wipe(0)
    delete_record(ring)
    ring.start(0)
    blocked = await until_told(ring, 0, Rule.FOUND_BLOCKED)
    ring.start(1)
    unsure = await until_told(ring, 0, Rule.REBUILD_BLOCKED)
    assert record(ring) is None
    ring.start(2)
    await ring.wait_until_whole()
    after = await known(ring)

    assert "cassandra-1" in blocked.reason
    assert "cassandra-2" in unsure.reason
    assert not founded(ring, 0)
    assert await ring_ids(ring) == ring_id
    assert after["cassandra-0"].host_id != before["cassandra-0"].host_id
    assert after["cassandra-1"].host_id == before["cassandra-1"].host_id
    assert before["cassandra-0"].host_id not in after["cassandra-1"].peers
    assert await read(ring, 0) == {"no record, no disk"}
