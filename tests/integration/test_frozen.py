from localring.cql import answers_cql
from localring.pod import LocalPod
from localring.ring import LocalRing
from localring.waiting import Missing

PATIENCE = 60.0  # seconds


async def test_a_frozen_cassandra_is_unready_and_neither_restarted_nor_in_the_way_of_others(
    ring: LocalRing,
) -> None:
    for ordinal in ring.pods:
        await ring.wait_until_ready(ordinal)
    frozen, other = ring.pod(1), ring.pod(2)
    incarnation = (pid_of(frozen), frozen.cassandra.restarts)
    frozen.node.freeze()
    try:
        await ring.wait_until("an unready pod", unready(frozen), PATIENCE)
        assert ring.pod(0).ready
        assert other.ready

        await other.cassandra.kill()

        async def missing() -> str | None:
            # Not the last heartbeat: that may still be of the process that was killed.
            return None if await answers_cql(other.address) else "does not serve CQL yet"

        await ring.wait_until("a start beside a frozen node", missing, PATIENCE)
        told = await other.client.explain(other.name)
        assert told
        assert str(ring.pod(0).address) in told.seeds  # which can answer; two others are named
    finally:
        frozen.node.thaw()
    await ring.wait_until_whole()
    await ring.wait_until_ready(1)

    assert (pid_of(frozen), frozen.cassandra.restarts) == incarnation


def pid_of(pod: LocalPod) -> int:
    return pod.cassandra.process.pid


def unready(pod: LocalPod) -> Missing:
    async def missing() -> str | None:
        return "still ready" if pod.ready else None

    return missing
