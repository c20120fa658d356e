from localring.ring import LocalRing
from tests.integration.conftest import PODS, joining, most_at_once, watched_until_whole

NEW = (3, 4)
PATIENCE = 60.0  # seconds


async def test_two_pods_more_at_once_join_one_after_the_other_and_can_leave_again(
    ring: LocalRing,
) -> None:
    before = await hosts(ring)
    await ring.scale(len(PODS) + len(NEW))
    looks = await watched_until_whole(ring)
    logs = [ring.pod(ordinal).node.settings.log.read_text() for ordinal in NEW]
    first, second = sorted(map(joining, logs))

    assert most_at_once(looks) == 1
    assert first[1] < second[0]

    for ordinal in reversed(NEW):
        await ring.pod(ordinal).node.nodetool("decommission")
    await ring.wait_until("a ledger without them", lambda: still_there(ring), PATIENCE)
    await ring.scale(len(PODS))
    await ring.wait_until_whole()

    assert await hosts(ring) == before


async def hosts(ring: LocalRing) -> dict[str, str | None]:
    return {name: report and report.host_id for name, report in (await ring.reports()).items()}


async def still_there(ring: LocalRing) -> str | None:
    states = {
        ordinal: ring.api.store.get("configmaps", f"cassandra-{ordinal}-member", "default")
        for ordinal in NEW
    }
    late = [str(n) for n, entry in states.items() if entry["data"]["state"] != "left"]
    return f"still members: {', '.join(late)}" if late else None
