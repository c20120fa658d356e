"""A ring begins, and something goes wrong before it has a member."""

import shutil
from pathlib import Path

from seedprovider.decision import Rule
from tests.integration.conftest import Stage
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    PAUSE,
    delete_entry,
    delete_record,
    entry,
    events,
    founded,
    hosts,
    known,
    record,
    restarted,
    until_recorded,
    until_told,
    until_written,
)

APPROVE = "cassandra-k8s-ring.io/approve-founding"


@provokes(Rule.FOUNDER_TAKEOVER)
async def test_a_founder_whose_volume_is_lost_before_it_ever_was_normal_is_succeeded(
    stage: Stage,
) -> None:
    async with stage(2) as ring:
        ring.start(0)
        first = await until_recorded(ring, ["founded"])
        await ring.lose(0)
        assert not entry(ring, 0).get("hostId")
        await ring.replace_volume(0)
        ring.start(1)
        await ring.wait_until_whole()
        second = record(ring)
        assert second
        assert (first["founder"], second["founder"]) == ("cassandra-0", "cassandra-1")
        assert first["ringId"] != second["ringId"]
        assert founded(ring, 1)

        ring.start(0)
        await ring.wait_until_whole()
        assert record(ring) == second
        assert not founded(ring, 0)


async def test_a_pod_0_that_never_gets_an_address_keeps_nobody_from_founding_and_joins_later(
    stage: Stage,
) -> None:
    async with stage(2) as ring:
        ring.leave_pending(0)
        ring.start(1)
        await ring.wait_until_whole()
        await write(ring, "without 0", replicas=1, through=1)
        before = await hosts(ring)
        ring.start(0)
        await ring.wait_until_whole()
        found = record(ring)

        assert found
        assert found["founder"] == "cassandra-1"
        assert not founded(ring, 0)
        assert {**await hosts(ring), **before} == await hosts(ring)
        assert await read(ring, 0, replicas=1) == {"without 0"}


@provokes(Rule.PAUSED)
async def test_a_pause_lets_nobody_in_and_serves_members_until_it_is_over(stage: Stage) -> None:
    async with stage(2) as ring:
        ring.cluster.annotate(PAUSE, "storage is being moved")
        ring.start(0)
        told = await until_told(ring, 0, Rule.PAUSED)
        assert "storage is being moved" in told.reason
        assert record(ring) is None
        ring.cluster.annotate(PAUSE, None)
        await ring.wait_until_whole()
        await write(ring, "paused", replicas=1)

        ring.cluster.annotate(PAUSE, "again")
        ring.start(1)
        await until_told(ring, 1, Rule.PAUSED)
        await restarted(ring, 0)
        assert await read(ring, 0, replicas=1) == {"paused"}
        assert await until_told(ring, 1, Rule.PAUSED)
        assert not entry(ring, 1)

        ring.cluster.annotate(PAUSE, None)
        await ring.wait_until_whole()
        assert await read(ring, 1, replicas=1) == {"paused"}
        assert ("cassandra-1", "AdmissionPaused") in [event[:2] for event in events(ring)]


@provokes(Rule.FOUND_WAIT)
async def test_a_pod_waits_for_a_lower_one_that_does_not_ask_yet_to_found_the_ring(
    stage: Stage,
) -> None:
    async with stage(2) as ring:
        ring.cluster.annotate(PAUSE, "until both are there")
        ring.start(0, 1)
        await until_told(ring, 0, Rule.PAUSED)
        await until_told(ring, 1, Rule.PAUSED)
        ring.pod(0).node.freeze()
        try:
            ring.cluster.annotate(PAUSE, None)
            told = await until_told(ring, 1, Rule.FOUND_WAIT)
            assert "cassandra-0" in told.reason
            assert record(ring) is None
        finally:
            ring.pod(0).node.thaw()
        await ring.wait_until_whole()
        assert founded(ring, 0)
        assert not founded(ring, 1)


async def test_an_operator_may_approve_founding_over_a_disk_that_is_given_up(
    stage: Stage,
) -> None:
    async with stage(2) as ring:
        ring.start(1)
        await ring.wait_until_whole()
        await until_written(ring)
        old = record(ring)
        await ring.stop(1)
        delete_record(ring)
        delete_entry(ring, 1)
        ring.start(0)
        told = await until_told(ring, 0, Rule.FOUND_BLOCKED)
        assert "cassandra-1" in told.reason
        ring.cluster.annotate(APPROVE, "cassandra-1")
        await until_told(ring, 0, Rule.FOUND_BLOCKED)

        ring.cluster.annotate(APPROVE, "cassandra-0")
        await ring.wait_until_whole()
        new = record(ring)
        assert old
        assert new
        assert (new["how"], new["founder"]) == ("founded", "cassandra-0")
        assert new["ringId"] != old["ringId"]

        ring.start(1)
        refused = await until_told(ring, 1, Rule.DISK_FOREIGN)
        assert old["ringId"] in refused.reason
        assert new["ringId"] in refused.reason
        assert (await known(ring))["cassandra-1"].mode in {None, "STARTING"}


@provokes(Rule.DISK_FOREIGN)
async def test_the_only_disk_of_a_ring_put_back_while_another_is_founded_is_told_how_to_go_on(
    stage: Stage, tmp_path: Path
) -> None:
    async with stage(2) as ring:
        ring.start(0)
        await ring.wait_until_whole()
        await write(ring, "only disk", replicas=1)
        await until_written(ring)
        old, before = record(ring), await hosts(ring)
        await ring.stop(0)
        shutil.copytree(ring.disks.of("cassandra-0"), tmp_path / "lost")
        await ring.replace_volume(0)
        delete_record(ring)  # as whoever gives up all data is advised to
        delete_entry(ring, 0)
        ring.start(1)
        new = await until_recorded(ring, ["founded"])
        await ring.lose(1)

        await ring.insert_disk(0, tmp_path / "lost")
        ring.start(0)
        told = await until_told(ring, 0, Rule.DISK_FOREIGN)
        assert old
        assert new["ringId"] != old["ringId"]
        assert "delete the ring record to go on" in told.reason
        delete_record(ring)
        ring.start(1)  # nobody could know otherwise that there is nothing on its disk
        after = await until_recorded(ring, ["founded", "rebuilt"])
        await ring.wait_until_whole()
        assert (after["how"], after["ringId"]) == ("rebuilt", old["ringId"])
        assert {**await hosts(ring), **before} == await hosts(ring)
        assert await read(ring, 1, replicas=1) == {"only disk"}


@provokes(Rule.FOUND_BLOCKED)
async def test_a_record_deleted_while_its_founder_is_on_its_way_lets_nobody_found_beside_it(
    stage: Stage,
) -> None:
    async with stage(2) as ring:
        ring.start(0, 1)
        await until_told(ring, 0, Rule.FOUNDER)
        founder = ring.pod(0).node
        founder.freeze()  # its way takes two seconds, in which the other may not ask
        try:
            first = record(ring)
            delete_record(ring)
            told = await until_told(ring, 1, Rule.FOUND_BLOCKED)
        finally:
            founder.thaw()
        after = await until_recorded(ring, ["founded", "rebuilt"])
        await ring.wait_until_whole()
        await write(ring, "one ring", replicas=1)

        assert first
        assert f"its way into ring {first['ringId']}" in told.reason
        assert (after["how"], after["ringId"]) == ("rebuilt", first["ringId"])
        assert not founded(ring, 1)
        assert await read(ring, 1, replicas=1) == {"one ring"}
