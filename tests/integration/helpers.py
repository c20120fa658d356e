"""What stories on real rings have in common: objects, disks, and what pods are told."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from localring.cql import answers_cql
from localring.objects import NAMESPACE
from localring.report import Report
from localring.ring import LocalRing
from localring.sidecar import Explanation
from seedprovider.decision import Rule

PATIENCE = 180.0  # seconds; most waits end within ten on an idle machine
RECORD = "cassandra-ring"
PAUSE = "cassandra-k8s-ring.io/pause"
MARK = "cassandra-ring.mark"


async def until_told(ring: LocalRing, ordinal: int, *rules: Rule) -> Explanation:
    """Wait until a pod is told something by one of these rules; give what."""
    by = f"by {', '.join(rules)}"
    return await _until_explained(ring, ordinal, by, lambda told: told.rule in rules)


async def until_reason(ring: LocalRing, ordinal: int, text: str) -> Explanation:
    """Wait until a pod is told something for a reason that has this in it; give what."""
    return await _until_explained(
        ring, ordinal, f"of {text!r}", lambda told: text in told.reason
    )


async def _until_explained(
    ring: LocalRing, ordinal: int, what: str, fits: Callable[[Explanation], bool]
) -> Explanation:
    pod = ring.pod(ordinal)
    heard: list[Explanation] = []

    async def missing() -> str | None:
        told = await pod.client.explain(pod.name)
        if told is None or not fits(told):
            return f"{pod.name} told {told}"
        heard.append(told)
        return None

    await ring.wait_until(f"{pod.name} told {what}", missing, PATIENCE)
    return heard[-1]


async def until_disk(ring: LocalRing, ordinal: int, state: str) -> None:
    """Wait until a pod's sidecar says that its disk is in this state."""

    async def missing() -> str | None:
        report = await ring.report(ordinal)
        return None if report and report.disk == state else f"{report and report.disk}"

    await ring.wait_until(f"a disk of cassandra-{ordinal} that is {state}", missing, PATIENCE)


async def until_mode(ring: LocalRing, ordinal: int, mode: str) -> None:
    """Wait until a pod's node says that it is in this mode."""

    async def missing() -> str | None:
        report = await ring.report(ordinal)
        return None if report and report.mode == mode else f"{report and report.mode}"

    await ring.wait_until(f"cassandra-{ordinal} in mode {mode}", missing, PATIENCE)


async def until_serving(ring: LocalRing, ordinal: int) -> None:
    """Wait until a pod's node serves CQL."""

    async def missing() -> str | None:
        return None if await answers_cql(ring.pod(ordinal).address) else "does not serve CQL"

    await ring.wait_until(f"cassandra-{ordinal} that serves", missing, PATIENCE)


async def restarted(ring: LocalRing, ordinal: int) -> None:
    """Kill a pod's Cassandra and wait until it serves again.

    Not until its sidecar says so, which may have that from the process that was killed.
    """
    pod = ring.pod(ordinal)
    ended = pod.cassandra.restarts
    await pod.cassandra.kill()

    async def missing() -> str | None:
        again = pod.cassandra.running and pod.cassandra.restarts > ended
        return None if again else "not started again"

    await ring.wait_until(f"another start of {pod.name}", missing, PATIENCE)
    await until_serving(ring, ordinal)


async def known(ring: LocalRing) -> dict[str, Report]:
    """Return what the sidecars say that answer."""
    return {name: report for name, report in (await ring.reports()).items() if report}


async def hosts(ring: LocalRing) -> dict[str, str | None]:
    """Return host IDs by pod."""
    return {name: report.host_id for name, report in (await known(ring)).items()}


async def ring_ids(ring: LocalRing) -> set[str | None]:
    """Return the ring IDs that sidecars name."""
    return {report.ring_id for report in (await known(ring)).values()}


def record(ring: LocalRing) -> dict[str, str] | None:
    """Return the data of the ring record, or None."""
    if not ring.api.store.has("configmaps", RECORD, NAMESPACE):
        return None
    return dict(ring.api.store.get("configmaps", RECORD, NAMESPACE)["data"])


def delete_record(ring: LocalRing) -> None:
    """Delete the ring record, as by hand."""
    ring.api.store.delete("configmaps", RECORD, NAMESPACE)


def entry(ring: LocalRing, ordinal: int) -> dict[str, str]:
    """Return the data of a pod's ledger entry, empty where there is none."""
    name = f"cassandra-{ordinal}-member"
    if not ring.api.store.has("configmaps", name, NAMESPACE):
        return {}
    return dict(ring.api.store.get("configmaps", name, NAMESPACE)["data"])


def delete_entry(ring: LocalRing, ordinal: int) -> None:
    """Delete a pod's ledger entry, as by hand."""
    ring.api.store.delete("configmaps", f"cassandra-{ordinal}-member", NAMESPACE)


async def until_written(ring: LocalRing) -> None:
    """Wait until the ledger has the host ID of each pod's node."""

    async def missing() -> str | None:
        reports = await known(ring)
        late = [
            pod.name
            for ordinal, pod in ring.pods.items()
            if pod.name not in reports
            or entry(ring, ordinal).get("hostId") != reports[pod.name].host_id
        ]
        return f"not in the ledger: {', '.join(late)}" if late else None

    await ring.wait_until("a ledger that names every host ID", missing, PATIENCE)


async def until_recorded(ring: LocalRing, how: Collection[str]) -> dict[str, str]:
    """Wait until there is a ring record that came about so; give its data."""

    async def missing() -> str | None:
        found = record(ring)
        return None if found and found["how"] in how else f"record {found}"

    await ring.wait_until(f"a ring record that is {', '.join(how)}", missing, PATIENCE)
    return record(ring) or {}


def events(ring: LocalRing) -> list[tuple[str, str, str]]:
    """Return pod, reason and message of all Events."""
    bodies: list[dict[str, Any]] = ring.api.store.list("events", NAMESPACE)
    return [(b["involvedObject"]["name"], b["reason"], b["message"]) for b in bodies]


def mark_file(ring: LocalRing, ordinal: int) -> Path:
    """Return where a pod's disk has its mark."""
    return ring.disks.of(ring.identity(ordinal).name) / "data" / MARK


def mark(ring: LocalRing, ordinal: int) -> dict[str, str]:
    """Return what a disk's mark says."""
    lines = mark_file(ring, ordinal).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


async def until_marked(ring: LocalRing, ordinal: int) -> dict[str, str]:
    """Wait until a disk is marked; give the mark."""

    async def missing() -> str | None:
        try:
            return None if mark(ring, ordinal)["state"] == "member" else "another mark"
        except FileNotFoundError:
            return "no mark"

    await ring.wait_until(f"a mark on the disk of cassandra-{ordinal}", missing, PATIENCE)
    return mark(ring, ordinal)


def founded(ring: LocalRing, ordinal: int) -> bool:
    """Tell whether the last start of a pod's node began a ring of its own."""
    log = ring.pod(ordinal).node.settings.log.read_text()
    return "will not auto bootstrap because it is configured to be a seed" in log
