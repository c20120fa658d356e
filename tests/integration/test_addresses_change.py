"""Members that come back under other addresses."""

from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import known, until_mode


def processes(ring: LocalRing) -> dict[str, int]:
    return {pod.name: pod.cassandra.process.pid for pod in ring.pods.values()}


@provokes(Rule.MEMBER_CONFIRMED)
async def test_a_pod_on_another_address_is_the_same_member_and_seeds_follow_without_a_restart(
    ring: LocalRing,
) -> None:
    await write(ring, "moved")
    before, pids = await known(ring), processes(ring)
    await ring.stop(1)
    ring.start(1)
    await ring.wait_until_whole()
    old, new = before["cassandra-1"].address, str(ring.pod(1).address)

    async def missing() -> str | None:
        reports = await known(ring)
        held = {name: reports[name].seeds for name in ("cassandra-0", "cassandra-2")}
        late = [name for name, seeds in held.items() if new not in seeds or old in seeds]
        return f"seeds of {late} have not followed" if late else None

    await ring.wait_until("seeds that follow", missing, 60)

    assert (await known(ring))["cassandra-1"].host_id == before["cassandra-1"].host_id
    assert {**processes(ring), "cassandra-1": 0} == {**pids, "cassandra-1": 0}
    assert await read(ring, 1) == {"moved"}


@provokes(Rule.MEMBER_COLD_START)
async def test_slices_that_still_name_dead_addresses_after_a_reboot_of_everything_split_no_ring(
    ring: LocalRing,
) -> None:
    await write(ring, "all moved")
    before = await known(ring)
    with ring.cluster.slices_held():
        await ring.stop(0, 1, 2)
        ring.start(0, 1, 2)
        for ordinal in (0, 1, 2):  # each for itself: nobody can know where the others are
            await until_mode(ring, ordinal, "NORMAL")
    await ring.wait_until_whole()
    after = await known(ring)

    assert {r.ring_id for r in after.values()} == {r.ring_id for r in before.values()}
    assert {n: r.host_id for n, r in after.items()} == {n: r.host_id for n, r in before.items()}
    assert not {r.address for r in after.values()} & {r.address for r in before.values()}
    assert await read(ring, 2) == {"all moved"}


async def test_a_member_whose_address_another_took_over_while_all_were_down_comes_back(
    ring: LocalRing,
) -> None:
    await write(ring, "taken over")
    before, taken = await known(ring), ring.pod(2).address
    await ring.stop(0, 1, 2)
    ring.start(0)
    ring.start(1, address=taken)
    await ring.wait_until_whole()
    ring.start(2)
    await ring.wait_until_whole()
    after = await known(ring)

    assert {n: r.host_id for n, r in after.items()} == {n: r.host_id for n, r in before.items()}
    assert await read(ring, 2) == {"taken over"}
