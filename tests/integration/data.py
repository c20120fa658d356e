"""Rows that are written before something happens to a ring, and read back after it."""

from localring.cql import CqlError, Session, connect
from localring.ring import LocalRing
from localring.waiting import wait_until

UNAVAILABLE = 0x1000  # error code: the coordinator sees too few replicas up
PATIENCE = 60.0  # seconds until gossip has told a coordinator of all that serve
ROWS = 40  # enough that every range of a small ring holds some
TABLE = "CREATE TABLE IF NOT EXISTS {}.words (id int PRIMARY KEY, word text)"
KEYSPACE = (
    "CREATE KEYSPACE IF NOT EXISTS {} WITH replication = "
    "{{'class': 'NetworkTopologyStrategy', 'dc1': {}}}"
)
INSERT = "INSERT INTO {}.words (id, word) VALUES ({}, '{}')"
SELECT = "SELECT id, word FROM {}.words"


async def write(ring: LocalRing, word: str, *, replicas: int = 3, through: int = 0) -> None:
    """Write `word` to `ROWS` rows, to all replicas of each.

    A node serves a moment before the others see it up; the write waits for that.
    """
    async with connect(ring.pod(through).address) as session:
        await make_table(session, replicas)

        async def missing() -> str | None:
            try:
                for row in range(ROWS):
                    await session.execute(INSERT.format(_keyspace(replicas), row, word), "ALL")
            except CqlError as error:
                if error.code != UNAVAILABLE:
                    raise
                return str(error)
            return None

        await wait_until("all replicas up", missing, patience=PATIENCE)


async def read(ring: LocalRing, ordinal: int, *, replicas: int = 3) -> set[str]:
    """Read all rows at QUORUM through a pod; give the words found, a lost row as one more."""
    async with connect(ring.pod(ordinal).address) as session:
        rows = await session.execute(SELECT.format(_keyspace(replicas)), "QUORUM")
    found = {row["id"]: row["word"] for row in rows}
    return {found.get(row, f"row {row} is lost") for row in range(ROWS)}


async def make_table(session: Session, replicas: int) -> None:
    await session.execute(KEYSPACE.format(_keyspace(replicas), replicas))
    await session.execute(TABLE.format(_keyspace(replicas)))
    await session.agree_on_schema()


def _keyspace(replicas: int) -> str:
    return f"kept{replicas}"
