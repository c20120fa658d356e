"""What Prometheus may scrape; every name is documented in docs/operations.md."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Gauges = Callable[[], Mapping[str, tuple[str, float | None]]]
"""Name → help and present value, a counter where the name ends in ``_total``.

None leaves the sample out, as there is nothing to say."""


class _Now(Collector):
    """Samples read when they are scraped, so that ages are never stale."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, (explanation, value) in self._gauges().items():
            if value is None:
                continue
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield kind(name, explanation, value=value)


class Metrics:
    """The counters, and one registry that is ours alone."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "seedprovider_answers",
            "Answers to GET /v1/seeds, by outcome and the rule that decided",
            ["outcome", "rule"],
            registry=self.registry,
        )
        self.heartbeats = Counter(
            "seedprovider_heartbeats", "Heartbeats taken", registry=self.registry
        )
        self.reloads = Counter(
            "seedprovider_reloads",
            "Heartbeats answered with reload-seeds",
            registry=self.registry,
        )
        self.steps = Counter(
            "seedprovider_steps",
            "Objects written, by kind and result",
            ["step", "result"],
            registry=self.registry,
        )
        self.kube_failures = Counter(
            "seedprovider_kube_failures",
            "Failed lists and watches, by collection",
            ["collection"],
            registry=self.registry,
        )
        self.events_lost = Counter(
            "seedprovider_events_lost",
            "Kubernetes Events that could not be written",
            registry=self.registry,
        )

    def add_gauges(self, gauges: Gauges) -> None:
        """Read these at each scrape."""
        self.registry.register(_Now(gauges))

    def exposition(self) -> bytes:
        """Return all of it in the text format."""
        return generate_latest(self.registry)
