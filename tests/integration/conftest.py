"""One real ring of three pods for all tests of this folder: each start costs seconds."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from localring.kit import Kit
from localring.options import Options
from localring.prepare import prepare
from localring.report import Report, missing_from_ring
from localring.ring import LocalRing

PODS = (0, 1, 2)
Looks = list[dict[str, Report | None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and put them on the ring's event loop."""
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.cassandra)
            item.add_marker(pytest.mark.timeout(300))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass(frozen=True, slots=True)
class Birth:
    """How the ring came to be.

    Attributes:
        looks: what all sidecars said, every quarter of a second.
        logs: Cassandra's log of each pod's first start, by pod.

    """

    looks: Looks
    logs: dict[str, str]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kit() -> Kit:
    return await prepare(print)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def born(kit: Kit) -> AsyncIterator[tuple[LocalRing, Birth]]:
    looks: Looks = []
    async with LocalRing(kit, Options(), print) as ring:
        ring.cluster.scale(len(PODS))
        ring.start(*PODS)

        async def missing() -> str | None:
            looks.append(await ring.reports())
            return missing_from_ring(looks[-1])

        await ring.wait_until("the first ring", missing, 180)
        logs = {pod.name: pod.node.settings.log.read_text() for pod in ring.pods.values()}
        yield ring, Birth(looks, logs)


@pytest_asyncio.fixture(loop_scope="session")
async def birth(born: tuple[LocalRing, Birth]) -> Birth:
    return born[1]


@pytest_asyncio.fixture(loop_scope="session")
async def ring(born: tuple[LocalRing, Birth]) -> LocalRing:
    """Return the ring, whole, whatever the test before did to it."""
    ring = born[0]
    if not ring.api.accepting:
        await ring.api.accept()
    ring.start(*(ordinal for ordinal in PODS if ordinal not in ring.pods))
    await ring.wait_until_whole()

    async def missing() -> str | None:
        return unwritten(ring, await ring.reports())

    await ring.wait_until("a ledger that names every host ID", missing, 30)
    return ring


def unwritten(ring: LocalRing, reports: dict[str, Report | None]) -> str | None:
    """Say which pod's host ID the ledger does not have yet."""
    entries = {
        body["data"]["pod"]: body["data"]["hostId"]
        for body in ring.api.store.list("configmaps", "default")
        if body["metadata"]["name"].endswith("-member")
    }
    late = [name for name, it in reports.items() if it and entries.get(name) != it.host_id]
    return f"not in the ledger: {', '.join(late)}" if late else None
