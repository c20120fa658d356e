"""The demo: a ring is born of pods started at once, and one of its members moves.

Everything it claims is checked while it runs, and shown.
"""

import asyncio
import shlex
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

from localring.checks import Check, check_birth, check_move
from localring.cql import CqlError, connect
from localring.errors import WaitTimeoutError
from localring.options import Options
from localring.prepare import prepare
from localring.report import Report, missing_from_ring
from localring.ring import RING_PATIENCE, LocalRing
from localring.screen import Screen
from localring.sidecar import Explanation
from localring.status import read_status

MOVED = 1  # ordinal; low ones are seeds in a ring of any size
SETTLED_PATIENCE = 60.0  # seconds until every node's seeds have followed
MEASURED = "system_traces"  # a keyspace with two copies, from Cassandra's first start on
STAY = 86400.0  # seconds that an unattended ring stays up


async def demo(screen: Screen, options: Options, nodes: int, *, once: bool) -> bool:
    """Play it; tell whether every promise was kept.

    Raises:
        StageError: it could not be played to its end; the text says why.

    """
    kit = await prepare(screen.tell)
    async with LocalRing(kit, options, screen.tell) as ring:
        checks = await _play(screen, ring, nodes)
        if not once:
            screen.text(_how_to_look_around(ring))
            await asyncio.sleep(STAY)
        if options.keep:
            screen.text(f"kept: {ring.directory}")
    return all(check.kept for check in checks)


async def _play(screen: Screen, ring: LocalRing, nodes: int) -> list[Check]:
    screen.heading(f"{nodes} pods start at the same moment, all with empty disks")
    ring.cluster.scale(nodes)
    ring.start(*range(nodes))
    samples = await _watch_until_whole(screen, ring)
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
    await _wait_for_seeds(ring, before[name])
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


async def _wait_for_seeds(ring: LocalRing, gone: Report | None) -> None:
    """Wait until no gossip holds the address that a node had; bounded, and not an error."""

    async def missing() -> str | None:
        reports = await ring.reports()
        address = str(ring.pod(MOVED).address)
        late = [
            name
            for name, report in reports.items()
            if name != ring.identity(MOVED).name
            and (
                report is None
                or address not in report.seeds
                or (gone is not None and gone.address in report.seeds)
            )
        ]
        return f"seeds have not followed in {', '.join(late)}" if late else None

    with suppress(WaitTimeoutError):  # the checks will say it better
        await ring.wait_until("seeds that follow", missing, SETTLED_PATIENCE)


async def _show(screen: Screen, ring: LocalRing) -> None:
    """Show every member, and who owns how much."""
    reports = await ring.reports()
    some_node = next(iter(ring.pods.values())).node
    owned = read_status(await some_node.nodetool("status", MEASURED))
    rows = []
    for pod in ring.pods.values():
        report = reports[pod.name]
        host = (report.host_id if report else None) or "?"
        seeds = sorted(report.seeds) if report else []
        owns = owned[host].owns if host in owned else "?"
        pid = str(pod.cassandra.process.pid)
        rows.append((pod.name, str(pod.address), host, owns, pid, " ".join(seeds)))
    headings = ("pod", "address", "host ID", "owns*", "process", "seeds in its gossip")
    screen.table(headings, rows)
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
    return (report and report.mode) or "-"


def _word(report: Report | None, told: Explanation | None) -> str:
    if report is None:
        return "sidecar starts"
    if report.mode in {None, "STARTING"}:
        return told.reason if told else ""
    return "" if report.native else "serves no CQL yet"


def _how_to_look_around(ring: LocalRing) -> str:
    """Write a nodetool script for each pod, and say how to ask."""
    first = ring.pod(0)
    for pod in ring.pods.values():
        script = ring.directory / f"nodetool-{pod.name}"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(pod.node.nodetool_command())} "$@"\n')
        script.chmod(0o755)
    token = ring.directory / "token"
    bearer = f'-H "Authorization: Bearer $(cat {token})"'
    records = f"{ring.api.url}/api/v1/namespaces/default/configmaps"
    return f"""
The ring stays up; Ctrl-C ends it and leaves nothing behind.  To look around:

  what a sidecar knows of its node      curl -s {first.client.url}/v1/node
  why a pod is told what it is told     curl -s '{first.client.url}/v1/seeds?pod=cassandra-1'
  metrics                               curl -s {first.client.url}/metrics
  nodetool                              {ring.directory}/nodetool-cassandra-0 status
  record and ledger in Kubernetes       curl -s {bearer} {records}
  logs                                  ls {ring.directory}/pods
"""
