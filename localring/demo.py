"""The demo: a ring is born of pods started at once, and one of its members moves.

Everything it claims is checked while it runs, and shown.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from uuid import uuid4

from localring.checks import Check, check_birth, check_move
from localring.cql import CqlError, connect
from localring.diagnosis import diagnosis
from localring.errors import StageError, WaitTimeoutError
from localring.looking import how_to_look_around
from localring.options import Options
from localring.prepare import prepare
from localring.report import NORMAL, Report, missing_from_ring, missing_from_seeds
from localring.ring import RING_PATIENCE, LocalRing
from localring.screen import Screen, short
from localring.sidecar import Explanation
from localring.status import read_status

MOVED = 1  # ordinal; low ones are seeds in a ring of any size
SEEDS_PATIENCE = 60.0  # seconds until every node's gossip has the seeds it should
MEASURED = "system_traces"  # a keyspace with two copies, from Cassandra's first start on
STAY = 86400.0  # seconds that an unattended ring stays up


Stay = Callable[[float], Awaitable[None]]


async def demo(screen: Screen, options: Options, nodes: int, stay: Stay | None) -> bool:
    """Play it, and then ``stay`` up for so many seconds; tell whether every promise was kept.

    Raises:
        StageError: it could not be played to its end; the text says why.

    """
    kit = await prepare(screen.tell)
    async with LocalRing(kit, options, screen.tell) as ring:
        try:
            checks = await _play(screen, ring, nodes)
        except StageError:
            screen.text(await diagnosis(ring))  # the logs go with the ring
            raise
        if stay is not None:
            screen.text(how_to_look_around(ring))
            await stay(STAY)
            screen.tell("stopping everything")
        if options.keep:
            screen.text(f"kept: {ring.directory}")
    if stay is not None and not options.keep:
        screen.tell("all gone, nothing is left behind")
    return all(check.kept for check in checks)


async def _play(screen: Screen, ring: LocalRing, nodes: int) -> list[Check]:
    screen.heading(f"{nodes} pods start at the same moment, all with empty disks")
    ring.cluster.scale(nodes)
    ring.start(*range(nodes))
    samples = await _watch_until_whole(screen, ring)
    await _wait_for_seeds(screen, ring)
    before = await ring.reports()
    await _show(screen, ring)
    birth = check_birth(before, samples)
    screen.checks(birth)

    name = ring.identity(MOVED).name
    screen.heading(f"{name} stops, and comes back on another address")
    written = await _write(ring, copies=min(3, nodes))
    pids = _pids(ring)
    await ring.stop(MOVED)
    screen.tell(f"{name} has drained and is gone")
    ring.start(MOVED)
    await _watch_until_whole(screen, ring)
    await _wait_for_seeds(screen, ring)
    await _show(screen, ring)
    after, found = await ring.reports(), await _read(ring)
    move = check_move(name, before, after, pids, _pids(ring), found == written)
    screen.checks(move)
    return birth + move


async def _watch_until_whole(screen: Screen, ring: LocalRing) -> list[dict[str, Report | None]]:
    """Show how far the pods are until they form one ring; give every look that was taken."""
    samples: list[dict[str, Report | None]] = []

    async def missing() -> str | None:
        reports = await ring.reports()
        samples.append(reports)
        words = {pod.name: await pod.client.explain(pod.name) for pod in ring.pods.values()}
        addresses = {pod.name: str(pod.address) for pod in ring.pods.values()}
        screen.progress(
            {
                name: (addresses[name], _mode(report), _word(report, words[name]))
                for name, report in reports.items()
            }
        )
        return missing_from_ring(reports)

    with screen.watching():
        seconds = await ring.wait_until("one whole ring", missing, RING_PATIENCE, telling=False)
    screen.tell(f"one whole ring after {seconds:.1f} s")
    return samples


async def _wait_for_seeds(screen: Screen, ring: LocalRing) -> None:
    """Wait until every gossip has the seeds it should; bounded, and not an error."""

    async def missing() -> str | None:
        return missing_from_seeds(await ring.reports())

    with suppress(WaitTimeoutError):  # the checks will say it better
        await ring.wait_until("seeds", missing, SEEDS_PATIENCE, telling=False)
        screen.tell("every node's gossip has its seeds")


async def _show(screen: Screen, ring: LocalRing) -> None:
    """Show every member, and who owns how much."""
    reports = await ring.reports()
    some_node = next(iter(ring.pods.values())).node
    owned = read_status(await some_node.nodetool("status", MEASURED))
    rows = []
    for pod in ring.pods.values():
        report = reports[pod.name]
        host = (report.host_id if report else None) or "?"
        rows.append(
            {
                "pod": pod.name,
                "address": str(pod.address),
                "host ID": short(host) if screen.narrow else host,
                "owns*": owned[host].owns if host in owned else "?",
                "process": str(pod.cassandra.process.pid),
                "seeds in its gossip": " ".join(sorted(report.seeds)) if report else "",
            }
        )
        if screen.narrow:
            del rows[-1]["process"]
    screen.table(list(rows[0]), [list(row.values()) for row in rows])
    screen.text("* share of a keyspace with two copies, by nodetool status")


async def _write(ring: LocalRing, copies: int) -> str:
    """Write a row that has to survive; give its content."""
    content = str(uuid4())
    async with connect(ring.pod(0).address) as session:
        await session.execute(
            "CREATE KEYSPACE IF NOT EXISTS demo WITH replication = "
            f"{{'class': 'NetworkTopologyStrategy', 'dc1': {copies}}}"
        )
        await session.execute(
            "CREATE TABLE IF NOT EXISTS demo.kept (id int PRIMARY KEY, t text)"
        )
        await session.agree_on_schema()
        statement = "INSERT INTO demo.kept (id, t) VALUES (1, '%s')"
        await session.execute(statement % content, "QUORUM")
    return content


async def _read(ring: LocalRing) -> str | None:
    """Read the row through the node that moved."""
    async with connect(ring.pod(MOVED).address) as session:
        try:
            rows = await session.execute("SELECT t FROM demo.kept WHERE id = 1", "QUORUM")
        except CqlError:
            return None
    return rows[0]["t"] if rows else None


def _pids(ring: LocalRing) -> Mapping[str, int]:
    return {pod.name: pod.cassandra.process.pid for pod in ring.pods.values()}


def _mode(report: Report | None) -> str:
    return (report and report.mode) or ""


def _word(report: Report | None, told: Explanation | None) -> str:
    if report is None:
        return "sidecar starts"
    if report.mode in {None, "STARTING"}:
        return told.reason if told else "Cassandra starts"
    return "serves no CQL yet" if report.mode == NORMAL and not report.native else ""
