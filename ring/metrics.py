"""What Prometheus may scrape; every name is documented in docs/ring-manager.md."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ring.finding import Severity
from ring.judged import Judged, Shown
from ring.keeper import Keeper
from ring.latest import Latest
from ring.leader import Election
from ring.manager import Counts
from ring.model import Liveness
from ring.reading import Reading
from ring.remembering import Remembering

Gauge = GaugeMetricFamily
STATES: Final = {
    Liveness.UP: "up",
    Liveness.DOWN: "down",
    Liveness.UNKNOWN: "unknown",
}
CHECK: Final = ["keyspace", "level", "operation", "dc"]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where figures come from that are of the process and not of the ring.

    Attributes:
        namespace, service: of the ring; labels of every metric of ours.
        failures: failed lists and watches by collection.
        parts: failures of parts of the manager, by part.
        election, keeper: None where nothing is written.

    """

    namespace: str
    service: str
    latest: Latest
    counts: Counts
    streams: Callable[[], int]
    failures: Callable[[], Mapping[str, int]]
    parts: Mapping[str, int]
    election: Election | None
    keeper: Keeper | None
    remembering: Remembering


class Metrics(Collector):
    """Reads everything when it is scraped, so that no sample is older than the picture."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def exposition(self) -> bytes:
        """Return all of it in the text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every family, with the ring that it is of."""
        ring = {"namespace": self._sources.namespace, "service": self._sources.service}
        for family in self._families():
            family.samples = [
                each._replace(labels={**ring, **each.labels}) for each in family.samples
            ]
            yield family

    def _families(self) -> Iterator[Metric]:
        yield from _of_process(self._sources)
        yield from _of_writing(self._sources)
        shown = self._sources.latest.shown()
        # 1 before there is a picture too: this replica shows none that is fresh.
        late = int(shown is None or shown.stale)
        yield Gauge("ring_picture_stale", "Whether there is no picture of now", value=late)
        if shown is None:
            return
        yield Gauge(
            "ring_picture_age_seconds", "Age of the picture that is shown", value=shown.age
        )
        yield from _of_sources(shown)
        if not shown.stale:  # what was is no sample of now, and would keep alerts alive
            yield from _of_picture(shown)
            yield from _of_members(shown.judged)
            yield from _of_health(shown.judged)


def _of_process(sources: Sources) -> Iterator[Metric]:
    counts = sources.counts
    yield CounterMetricFamily("ring_cycles", "Cycles that were finished", value=counts.cycles)
    yield CounterMetricFamily(
        "ring_cycle_failures", "Cycles that failed", value=counts.failures
    )
    yield Gauge("ring_cycle_seconds", "How long the last cycle took", value=counts.seconds)
    yield Gauge("ring_streams", "Open streams of /v1/stream", value=sources.streams())
    events = CounterMetricFamily("ring_news", "News that began a cycle", labels=["source"])
    for source, count in sorted(counts.events.items()):
        events.add_metric([source], count)
    yield events
    failed = CounterMetricFamily(
        "ring_api_failures", "Failed lists and watches of the API server", labels=["collection"]
    )
    for name, count in sources.failures().items():
        failed.add_metric([name], count)
    yield failed
    parts = CounterMetricFamily(
        "ring_part_failures", "Parts that failed and began again", labels=["part"]
    )
    for name, count in sources.parts.items():
        parts.add_metric([name], count)
    yield parts


def _of_writing(sources: Sources) -> Iterator[Metric]:
    election, keeper = sources.election, sources.keeper
    if election is None or keeper is None:
        return
    yield Gauge("ring_leader", "Whether this replica writes", value=int(election.leads))
    yield Gauge(
        "ring_lease_failing",
        "Whether the Lease could not be asked for the last time",
        value=int(bool(election.failure)),
    )
    yield CounterMetricFamily(
        "ring_contact_points_writes", "Contact points written", value=keeper.writes
    )
    yield Gauge(
        "ring_contact_points_failing",
        "Whether they could not be kept the last time",
        value=int(bool(keeper.failure)),
    )
    yield CounterMetricFamily(
        "ring_history_writes", "Writes of the history", value=sources.remembering.writes
    )
    yield Gauge(
        "ring_history_failing",
        "Whether it could not be kept the last time",
        value=int(bool(sources.remembering.failure)),
    )


def _of_picture(shown: Shown) -> Iterator[Metric]:
    judged, matrix = shown.judged, shown.judged.snapshot.matrix
    yield Gauge(
        "ring_certain", "Whether all members are surely known", value=int(shown.certain)
    )
    yield Gauge("ring_rings", "Rings among members that speak", value=len(matrix.rings()))
    yield Gauge("ring_islands", "Islands among members that speak", value=len(matrix.islands()))
    found = Gauge("ring_findings", "Findings", labels=["kind", "severity"])
    kinds: dict[tuple[str, str], int] = {}
    for each in judged.found:
        key = str(each.kind), str(each.severity)
        kinds[key] = kinds.get(key, 0) + 1
    for key, count in kinds.items():
        found.add_metric(key, count)
    yield found
    severities = Gauge("ring_findings_by_severity", "Findings, 0 too", labels=["severity"])
    for severity in Severity:
        count = sum(each.severity is severity for each in judged.found)
        severities.add_metric([str(severity)], count)
    yield severities


def _of_members(judged: Judged) -> Iterator[Metric]:
    members = judged.snapshot.members
    counts = Gauge("ring_members", "Members by how a majority sees them", labels=["state"])
    for liveness, name in STATES.items():
        counts.add_metric([name], sum(each.liveness is liveness for each in members))
    yield counts
    labels = ["host_id", "pod", "dc", "rack"]
    up = Gauge("ring_member_up", "1 up, 0 down; none while unknown", labels=labels)
    load = Gauge("ring_member_load_bytes", "Data on its disk", labels=labels)
    for each in members:
        # An empty label is none, and then the scraper puts in the manager's own pod.
        names = [str(each.host_id), each.pod or "none", each.dc, each.rack]
        if each.liveness is not Liveness.UNKNOWN:
            up.add_metric(names, int(each.liveness is Liveness.UP))
        if each.load is not None:
            load.add_metric(names, each.load)
    yield up
    yield load


def _of_sources(shown: Shown) -> Iterator[Metric]:
    observed, limits = shown.judged.snapshot.observed, shown.judged.snapshot.limits
    ages = Gauge(
        "ring_source_age_seconds",
        "Since it was known to be so; none where it was never read",
        labels=["source", "name"],
    )
    fresh = Gauge("ring_source_fresh", "Whether it counts as known", labels=["source", "name"])
    kinds: list[tuple[str, Mapping[str, Reading[object]], float]] = [
        ("kubernetes", observed.kubernetes, limits.kubernetes),
        ("sidecar", observed.sidecars, limits.sidecar),
        ("cql", observed.facts, limits.cql),
    ]
    for source, readings, limit in kinds:
        for name, each in readings.items():
            age = None if each.age is None else each.age + shown.age
            fresh.add_metric([source, name], int(age is not None and age <= limit))
            if age is not None:
                ages.add_metric([source, name], age)
    yield ages
    yield fresh


def _of_health(judged: Judged) -> Iterator[Metric]:
    health = judged.health
    if health is None:
        return
    margin = Gauge(
        "ring_keyspace_margin",
        "Replicas alive less those needed, where it is least, unknown members taken as down",
        labels=CHECK,
    )
    lost = Gauge(
        "ring_unsatisfiable_ratio",
        "Share of the ring that a level cannot serve, unknown members taken as down",
        labels=CHECK,
    )
    for keyspace, each in health["keyspaces"].items():
        for check in each["checks"]:
            if check["decides"]:
                names = [keyspace, check["level"], check["operation"], check["dc"] or ""]
                margin.add_metric(names, check["margin"]["worst"])
                lost.add_metric(names, 1 - check["satisfiable"]["worst"])
    yield margin
    yield lost
