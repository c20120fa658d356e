"""One real ring of three pods for most tests of this folder: each start costs seconds."""

import re
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
import pytest_asyncio

from localring.diagnosis import diagnosis
from localring.kit import Kit
from localring.options import Options
from localring.prepare import prepare
from localring.report import Report, missing_from_ring
from localring.ring import LocalRing
from tests.integration.asked import Asked
from tests.integration.decided import Decided
from tests.integration.helpers import until_written
from tests.integration.replaying import Witnesses

PODS = (0, 1, 2)
PER_SLICE = 2  # endpoints, so that every test meets a view made of several slices
RING_PATIENCE = 180.0  # seconds
Looks = list[dict[str, Report | None]]

STAMP = r"^INFO +\[main\] (\S+ \S+) .*"
FIRST = re.compile(STAMP + "JOINING: waiting for ring information", re.MULTILINE)
LAST = re.compile(STAMP + "state jump to NORMAL", re.MULTILINE)
FAILED = pytest.StashKey[bool]()
PASSED = pytest.StashKey[bool]()
LAST_MODULE = "test_rows"
WITNESSES = Witnesses()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and put them on the ring's event loop.

    What looks back at all of them comes last.
    """
    items.sort(key=lambda item: item.path.stem == LAST_MODULE)
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.cassandra)
            item.add_marker(pytest.mark.timeout(600))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure for the fixture that has the ring, and what passed for the end."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture(scope="session", autouse=True)
def witnesses() -> Iterator[Witnesses]:
    """Have every ring of the session held against the model of the seed protocol."""
    LocalRing.observers.append(WITNESSES)
    yield WITNESSES
    LocalRing.observers.remove(WITNESSES)


@pytest.fixture(scope="session", autouse=True)
def decided() -> Iterator[Decided]:
    """Remember by which rules the sidecars of all rings decided."""
    observer = Decided()
    LocalRing.observers.append(observer)
    yield observer
    LocalRing.observers.remove(observer)


@pytest.fixture(scope="session", autouse=True)
def rights() -> Iterator[None]:
    """Have nobody ask the API server of any ring for what the manifests do not grant."""
    observer = Asked()
    LocalRing.observers.append(observer)
    yield
    LocalRing.observers.remove(observer)
    assert observer.refused == set()


@pytest.fixture(autouse=True)
def replayed(witnesses: Witnesses) -> Iterator[None]:
    """Hold what the test did against the model: each test is one of the model, too."""
    yield
    witnesses.catch_up()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of what went on the model was held against."""
    if WITNESSES.seen:
        terminalreporter.section("held against the model of the seed protocol")
        terminalreporter.write_line(WITNESSES.summary())


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
    options = Options(endpoints_per_slice=PER_SLICE)
    async with LocalRing(kit, options, print) as ring:
        ring.cluster.scale(len(PODS))
        ring.start(*PODS)
        try:
            looks = await watched_until_whole(ring)
        except Exception:
            print(await diagnosis(ring))  # noqa: T201 - pytest shows it with the failure
            raise
        logs = {pod.name: pod.node.settings.log.read_text() for pod in ring.pods.values()}
        yield ring, Birth(looks, logs)


Stage = Callable[[int], AbstractAsyncContextManager[LocalRing]]


@pytest.fixture
def stage(kit: Kit) -> Stage:
    """Give what sets up a ring of a test's own, for so many pods; none is started."""

    @asynccontextmanager
    async def staged(replicas: int) -> AsyncIterator[LocalRing]:
        async with LocalRing(kit, Options(), print) as ring:
            ring.cluster.scale(replicas)
            try:
                yield ring
            except Exception:
                print(await diagnosis(ring))  # noqa: T201 - likewise
                raise

    return staged


@pytest_asyncio.fixture(loop_scope="session")
async def birth(born: tuple[LocalRing, Birth]) -> Birth:
    return born[1]


@pytest_asyncio.fixture(loop_scope="session")
async def ring(
    born: tuple[LocalRing, Birth], request: pytest.FixtureRequest
) -> AsyncIterator[LocalRing]:
    """Give the ring, whole, whatever the test before did to it."""
    ring = born[0]
    try:
        await make_whole(ring)
    except Exception:
        print(await diagnosis(ring))  # noqa: T201 - likewise
        raise
    yield ring
    if request.node.stash.get(FAILED, False):
        print(await diagnosis(ring))  # noqa: T201 - likewise


async def make_whole(ring: LocalRing) -> None:
    """Bring back what is missing, and wait until Kubernetes knows all of the ring."""
    if not ring.api.accepting:
        await ring.api.accept()
    ring.heal()
    ring.start(*(ordinal for ordinal in PODS if ordinal not in ring.pods))
    await ring.wait_until_whole()
    await until_written(ring)


async def watched_until_whole(ring: LocalRing) -> Looks:
    """Wait until all running pods are one ring; give every look that was taken."""
    looks: Looks = []

    async def missing() -> str | None:
        looks.append(await ring.reports())
        return missing_from_ring(looks[-1])

    await ring.wait_until("one whole ring", missing, RING_PATIENCE)
    return looks


def joining(log: str) -> tuple[datetime, datetime]:
    """Return when a node began to join and when it was NORMAL, by its own log."""
    return moment(FIRST.search(log)), moment(LAST.search(log))


def moment(found: re.Match[str] | None) -> datetime:
    assert found is not None
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007 -- same clock


def most_at_once(looks: Looks) -> int:
    """Return how many were seen joining in the fullest look."""
    return max(
        sum(report is not None and report.mode == "JOINING" for report in look.values())
        for look in looks
    )
