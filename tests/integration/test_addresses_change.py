from localring.cql import connect
from localring.report import Report
from localring.ring import LocalRing

KEYSPACE = (
    "CREATE KEYSPACE IF NOT EXISTS kept WITH replication = "
    "{'class': 'NetworkTopologyStrategy', 'dc1': 3}"
)
TABLE = "CREATE TABLE IF NOT EXISTS kept.words (id int PRIMARY KEY, word text)"


async def write(ring: LocalRing, word: str) -> None:
    async with connect(ring.pod(0).address) as session:
        await session.execute(KEYSPACE)
        await session.execute(TABLE)
        await session.agree_on_schema()
        statement = "INSERT INTO kept.words (id, word) VALUES (1, '%s')"
        await session.execute(statement % word, "ALL")


async def read(ring: LocalRing, ordinal: int) -> str:
    async with connect(ring.pod(ordinal).address) as session:
        rows = await session.execute("SELECT word FROM kept.words WHERE id = 1", "ALL")
    return str(rows[0]["word"])


def known(reports: dict[str, Report | None]) -> dict[str, Report]:
    return {name: report for name, report in reports.items() if report}


def processes(ring: LocalRing) -> dict[str, int]:
    return {pod.name: pod.cassandra.process.pid for pod in ring.pods.values()}


async def test_a_pod_on_another_address_is_the_same_member_and_seeds_follow_without_a_restart(
    ring: LocalRing,
) -> None:
    await write(ring, "moved")
    before, pids = known(await ring.reports()), processes(ring)
    await ring.stop(1)
    ring.start(1)
    await ring.wait_until_whole()
    old, new = before["cassandra-1"].address, str(ring.pod(1).address)

    async def missing() -> str | None:
        reports = known(await ring.reports())
        held = {name: reports[name].seeds for name in ("cassandra-0", "cassandra-2")}
        late = [name for name, seeds in held.items() if new not in seeds or old in seeds]
        return f"seeds of {late} have not followed" if late else None

    await ring.wait_until("seeds that follow", missing, 60)

    assert known(await ring.reports())["cassandra-1"].host_id == before["cassandra-1"].host_id
    assert {**processes(ring), "cassandra-1": 0} == {**pids, "cassandra-1": 0}
    assert await read(ring, 1) == "moved"


async def test_a_ring_that_was_stopped_whole_comes_back_with_all_addresses_changed(
    ring: LocalRing,
) -> None:
    await write(ring, "all moved")
    before = known(await ring.reports())
    await ring.stop(0, 1, 2)
    ring.start(0, 1, 2)
    await ring.wait_until_whole()
    after = known(await ring.reports())

    assert {r.ring_id for r in after.values()} == {r.ring_id for r in before.values()}
    assert {n: r.host_id for n, r in after.items()} == {n: r.host_id for n, r in before.items()}
    assert not {r.address for r in after.values()} & {r.address for r in before.values()}
    assert await read(ring, 2) == "all moved"


async def test_a_member_whose_address_another_took_over_while_all_were_down_comes_back(
    ring: LocalRing,
) -> None:
    await write(ring, "taken over")
    before, taken = known(await ring.reports()), ring.pod(2).address
    await ring.stop(0, 1, 2)
    ring.start(0)
    ring.start(1, address=taken)
    await ring.wait_until_whole()
    ring.start(2)
    await ring.wait_until_whole()
    after = known(await ring.reports())

    assert {n: r.host_id for n, r in after.items()} == {n: r.host_id for n, r in before.items()}
    assert await read(ring, 2) == "taken over"
