"""Disks that are not what their pods had: another's, an old one, an empty one."""

import shutil
from pathlib import Path

from localring.cql import connect
from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.conftest import PODS, Stage, most_at_once, watched_until_whole
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    PATIENCE,
    entry,
    founded,
    hosts,
    known,
    ring_ids,
    until_told,
    until_written,
)

SYSTEM = ("system_auth", "system_distributed", "system_traces")


async def disk_of_another_ring(stage: Stage, target: Path) -> str | None:
    """Found a ring of one pod, stop it, and copy its disk; give the ring's ID."""
    async with stage(1) as other:
        other.start(0)
        await other.wait_until_whole()
        (ring_id,) = await ring_ids(other)
        await other.stop(0)
        shutil.copytree(other.disks.of("cassandra-0"), target)
    return ring_id


@provokes(Rule.DISK_FOREIGN, Rule.MEMBER_IN_DOUBT)
async def test_a_disk_of_another_ring_is_refused_but_not_by_a_record_that_is_only_remembered(
    ring: LocalRing, stage: Stage, tmp_path: Path
) -> None:
    foreign = await disk_of_another_ring(stage, tmp_path / "foreign")
    await write(ring, "own disk")
    (own,) = await ring_ids(ring)
    await ring.stop(2)
    shutil.copytree(ring.disks.of("cassandra-2"), tmp_path / "own")
    await ring.insert_disk(2, tmp_path / "foreign")
    ring.start(2)
    try:
        told = await until_told(ring, 2, Rule.DISK_FOREIGN)
        reports = await known(ring)
        assert told.outcome == "refused"
        assert str(own) in told.reason
        assert str(foreign) in told.reason
        assert reports["cassandra-2"].mode in {None, "STARTING"}
        assert len(reports["cassandra-0"].peers) == 2
        await ring.api.refuse()
        doubtful = await until_told(ring, 2, Rule.MEMBER_IN_DOUBT)
        assert str(foreign) in doubtful.reason
        assert "empty" not in doubtful.reason
        await ring.api.accept()
        await until_told(ring, 2, Rule.DISK_FOREIGN)
    finally:
        await ring.lose(2)
        await ring.insert_disk(2, tmp_path / "own")
    ring.start(2)
    await ring.wait_until_whole()
    assert await read(ring, 2) == {"own disk"}


@provokes(Rule.REPLACE, Rule.MEMBER_REPLACED, Rule.MEMBER_IN_DOUBT)
async def test_a_wiped_node_takes_its_place_again_never_sees_itself_and_its_old_disk_stays_out(
    ring: LocalRing, tmp_path: Path
) -> None:
    await write(ring, "wiped")
    before = (await known(ring))["cassandra-2"]
    await ring.stop(2)
    shutil.copytree(ring.disks.of("cassandra-2"), tmp_path / "old")
    await ring.wipe(2)
    ring.start(2)
    told, own = await until_told(ring, 2, Rule.REPLACE), str(ring.pod(2).address)
    await ring.wait_until_whole()
    await until_forgotten(ring, str(before.host_id))
    after = (await known(ring))["cassandra-2"]

    assert told.replace == before.address
    assert own not in told.seeds
    assert not founded(ring, 2)
    assert after.host_id != before.host_id
    assert after.ring_id == before.ring_id
    assert await read(ring, 2) == {"wiped"}

    await until_written(ring)
    await ring.stop(2)
    shutil.copytree(ring.disks.of("cassandra-2"), tmp_path / "new")
    await ring.insert_disk(2, tmp_path / "old")
    ring.start(2)
    try:
        replaced = await until_told(ring, 2, Rule.MEMBER_REPLACED)
        assert str(before.host_id) in replaced.reason
        assert str(after.host_id) in replaced.reason
        await ring.api.refuse()
        doubtful = await until_told(ring, 2, Rule.MEMBER_IN_DOUBT)
        assert "empty" not in doubtful.reason
        await ring.api.accept()
        await until_told(ring, 2, Rule.MEMBER_REPLACED)
    finally:
        await ring.lose(2)
        await ring.insert_disk(2, tmp_path / "new")


@provokes(Rule.MEMBER_REMOVED, Rule.JOIN)
async def test_a_host_removed_from_the_ring_while_its_pod_was_off_stays_out_until_it_is_emptied(
    ring: LocalRing,
) -> None:
    await write(ring, "removed")
    before = (await known(ring))["cassandra-2"]
    await ring.stop(2)
    await ring.remove_host(str(before.host_id), through=0)

    async def missing() -> str | None:
        state = entry(ring, 2)["state"]
        return None if state == "left" else f"cassandra-2 is {state}"

    await ring.wait_until("a ledger without the removed host", missing, PATIENCE)
    ring.start(2)
    told = await until_told(ring, 2, Rule.MEMBER_REMOVED)
    await ring.lose(2)
    await ring.wipe(2)
    ring.start(2)
    joined = await until_told(ring, 2, Rule.JOIN)
    await ring.wait_until_whole()

    assert str(before.host_id) in told.reason
    assert joined.replace is None
    assert (await hosts(ring))["cassandra-2"] != before.host_id
    assert await read(ring, 2) == {"removed"}


@provokes(Rule.REPLACE_WAIT)
async def test_two_disks_lost_at_once_come_back_one_after_the_other(ring: LocalRing) -> None:
    await replicate_everything(ring)
    await write(ring, "two lost")
    before = await known(ring)
    await ring.stop(1, 2)
    await ring.wipe(1)
    await ring.wipe(2)
    ring.start(1, 2)
    looks = await watched_until_whole(ring)
    after = await known(ring)

    assert most_at_once(looks) == 1
    assert after["cassandra-0"].host_id == before["cassandra-0"].host_id
    for name in ("cassandra-1", "cassandra-2"):
        assert after[name].host_id != before[name].host_id
        assert before[name].host_id not in after["cassandra-0"].peers
    assert await read(ring, 1) == {"two lost"}
    assert await read(ring, 2) == {"two lost"}


@provokes(Rule.REPLACE_CLOSED)
async def test_a_lost_disk_whose_old_address_another_pod_uses_now_comes_in_as_a_new_member(
    ring: LocalRing,
) -> None:
    await write(ring, "address taken")
    before, taken = await known(ring), ring.pod(1).address
    await ring.stop(0, 1, 2)
    await ring.wipe(1)
    ring.start(0)
    ring.start(2, address=taken)
    await ring.wait_until_whole()
    ring.start(1)
    told = await until_told(ring, 1, Rule.JOIN)
    await ring.wait_until_whole()
    after = await known(ring)

    assert told.replace is None
    assert after["cassandra-2"].host_id == before["cassandra-2"].host_id
    assert after["cassandra-2"].address == before["cassandra-1"].address
    assert after["cassandra-1"].host_id != before["cassandra-1"].host_id
    assert len(after["cassandra-0"].peers) == len(PODS) - 1
    assert await read(ring, 1) == {"address taken"}


async def test_two_data_directories_emptied_under_their_nodes_fill_again_in_pods_made_anew(
    ring: LocalRing,
) -> None:
    await replicate_everything(ring)
    await write(ring, "two emptied")
    before = await known(ring)
    await ring.empty(1, 2)
    for ordinal in (1, 2):
        await until_told(ring, ordinal, Rule.REPLACE_WAIT)
    await ring.lose(1, 2)  # as is advised: a replacement at its own address may hear nobody
    ring.start(1, 2)
    looks = await watched_until_whole(ring)
    after = await known(ring)

    assert most_at_once(looks) == 1
    assert {each.ring_id for each in after.values()} == {before["cassandra-0"].ring_id}
    assert after["cassandra-0"].host_id == before["cassandra-0"].host_id
    for ordinal in (1, 2):
        assert not founded(ring, ordinal)
        assert await read(ring, ordinal) == {"two emptied"}


async def replicate_everything(ring: LocalRing) -> None:
    """Give Cassandra's own keyspaces three replicas, as for every ring that has data."""
    async with connect(ring.pod(0).address) as session:
        for keyspace in SYSTEM:
            replication = "{'class': 'NetworkTopologyStrategy', 'dc1': 3}"
            await session.execute(f"ALTER KEYSPACE {keyspace} WITH replication = {replication}")
            await session.agree_on_schema()


async def until_forgotten(ring: LocalRing, host: str) -> None:
    """Wait until no node has a host in its ring any more."""

    async def missing() -> str | None:
        remembering = [name for name, it in (await known(ring)).items() if host in it.peers]
        return f"{host} is still known to {remembering}" if remembering else None

    await ring.wait_until("a ring without the lost host", missing, PATIENCE)
