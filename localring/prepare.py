"""Gets the kit ready: finds Java, fetches the jars, makes class-data archives; each once."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from localring.addresses import claimed_range
from localring.archive import DUMPABLE, NO_ARCHIVE, Archive, archive_folder
from localring.cache import Tell, cache_folder, made_once
from localring.cassandra import CassandraNode
from localring.cutting import make_agent
from localring.errors import StageError
from localring.jars import fetch_jars
from localring.java import find_java
from localring.kit import Kit
from localring.settings import CQL_PORT, JMX_PORT, STORAGE_PORT, NodeSettings, fixed_seeds

DUMP_GRACE = 90.0  # seconds; the dump at exit takes 4 on an idle machine


async def prepare(tell: Tell, folder: Path | None = None) -> Kit:
    """Return what nodes are started from; quick when it was done before.

    Args:
        tell: called with a line of progress now and then.
        folder: where jars and archives are kept; the user's cache folder by default.

    Raises:
        StageError: Java, Maven or the network are not there; the text says which and why.

    """
    folder = cache_folder() if folder is None else folder
    java = await find_java()
    jars = await fetch_jars(folder, tell)
    agent = await make_agent(folder, java, jars, tell)
    kit = Kit(java, jars, agent, NO_ARCHIVE)
    if java.release < DUMPABLE:
        tell(f"Java {java.release} makes no class-data archive: starting is slower without")
        return kit

    async def dump(draft: Path) -> None:
        tell("making the class-data archive, once")
        await _dump_archives(kit, draft)

    try:
        home = await made_once(archive_folder(folder, java, jars), dump, tell)
    except StageError as error:
        tell(f"no class-data archive, so starting is slower: {error}")
        return kit
    return replace(kit, archive=Archive(home))


async def _dump_archives(kit: Kit, draft: Path) -> None:
    """Run one node and one nodetool; both write what they loaded when they end."""
    work = draft / "work"
    with claimed_range((STORAGE_PORT, CQL_PORT, JMX_PORT)) as addresses:
        address = addresses.host(1)
        settings = NodeSettings(
            name="class-data archive",
            address=address,
            disk=work / "disk",
            work=work,
            seeds=fixed_seeds(address),
        )
        dumping = replace(kit, archive=Archive(draft, dump=True))
        node = CassandraNode(dumping, settings)
        try:
            await node.start()
            await node.wait_for_cql()
            await node.nodetool("status")
            await node.stop(DUMP_GRACE)
        finally:
            await node.kill()
    for name in ("cassandra.jsa", "nodetool.jsa"):
        if not (draft / name).is_file():
            raise StageError(f"Java wrote no {name}:\n{node.process.tail()}")
    await asyncio.to_thread(shutil.rmtree, work)
