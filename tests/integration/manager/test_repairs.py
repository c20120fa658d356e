"""A repair that is due after a volume came back from elsewhere, and is seen to be done."""

from localring.cql import connect
from localring.ring import LocalRing
from ring.finding import Kind
from ring.judged import Judged
from tests.integration.manager.conftest import is_whole, watched

TABLE = "CREATE TABLE mended.rows (id int PRIMARY KEY)"
KEYSPACE = (
    "CREATE KEYSPACE mended WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}"
)


def due(judged: Judged) -> bool:
    return Kind.REPAIR_DUE in {each.kind for each in judged.found}


async def test_a_repair_is_due_for_a_restored_volume_until_cassandra_has_done_it(
    ring: LocalRing,
) -> None:
    async with connect(ring.pod(0).address) as session:
        for statement in (KEYSPACE, TABLE):
            await session.execute(statement)
            await session.agree_on_schema()
    async with watched(ring, upkeep_period=2.0) as manager:
        await manager.until("a picture of the whole ring", is_whole)
        await ring.stop(2)
        ring.replace_claim(2)
        ring.start(2)
        await manager.until("a repair that is due", due, 120)
        await manager.until("the whole ring again", is_whole)
        gate = await manager.get("/v1/gate?pod=cassandra-1&keyspace=mended")
        assert [each["code"] for each in gate["warnings"]].count("repair-due") == 1
        await ring.pod(2).node.nodetool("repair", "-full", "mended")
        await manager.until("a repair that was done", lambda judged: not due(judged))
    async with connect(ring.pod(0).address) as session:
        await session.execute("DROP KEYSPACE mended")
