import shutil
from pathlib import Path

from localring.kit import Kit
from localring.options import Options
from localring.report import Report
from localring.ring import LocalRing

PATIENCE = 120.0  # seconds


async def disk_of_another_ring(kit: Kit, target: Path) -> str:
    """Found a ring of one pod, stop it, and copy its disk; give the ring's ID."""
    async with LocalRing(kit, Options(), print) as other:
        other.cluster.scale(1)
        other.start(0)
        await other.wait_until_whole()
        report = await other.report(0)
        await other.stop(0)
        shutil.copytree(other.disks.of("cassandra-0"), target)
    return str(report and report.ring_id)


async def test_a_disk_of_another_ring_is_refused(
    ring: LocalRing, kit: Kit, tmp_path: Path
) -> None:
    foreign = await disk_of_another_ring(kit, tmp_path / "foreign")
    await ring.stop(2)
    own = tmp_path / "own"
    shutil.copytree(ring.disks.of("cassandra-2"), own)
    await ring.insert_disk(2, tmp_path / "foreign")
    ring.start(2)
    pod = ring.pod(2)

    async def missing() -> str | None:
        told = await pod.client.explain(pod.name)
        return None if told and told.outcome == "refused" else f"told {told}"

    try:
        await ring.wait_until("a refusal", missing, PATIENCE)
        report, told = await ring.report(2), await pod.client.explain(pod.name)
        assert report
        assert told
        assert report.mode in {None, "STARTING"}
        assert str(report.ring_id) in told.reason
        assert foreign in told.reason
        assert len(seen_by(await ring.report(0))) == 2
    finally:
        await ring.lose(2)
        await ring.insert_disk(2, own)


async def test_a_wiped_node_comes_back_as_a_replacement_and_never_sees_itself(
    ring: LocalRing,
) -> None:
    before = await ring.report(2)
    assert before
    await ring.stop(2)
    await ring.wipe(2)
    ring.start(2)
    pod, own_seeds, replaced = ring.pod(2), list[frozenset[str]](), set[str | None]()

    async def missing() -> str | None:
        told = await pod.client.explain(pod.name)
        report = await ring.report(2)
        if told and (report is None or report.mode != "NORMAL"):
            own_seeds.append(told.seeds)
            replaced.add(told.replace)
        remembering = [
            name
            for name, each in (await ring.reports()).items()
            if each and before.host_id in each.peers
        ]
        left = f"the lost host is still known to {remembering}" if remembering else None
        return await ring.missing() or left

    await ring.wait_until("a replaced node", missing, PATIENCE)
    after = await ring.report(2)

    assert after
    assert after.host_id != before.host_id
    assert after.ring_id == before.ring_id
    assert before.address in replaced
    assert str(pod.address) not in frozenset().union(*own_seeds)


def seen_by(report: Report | None) -> set[str]:
    return set(report.peers) if report else set()
