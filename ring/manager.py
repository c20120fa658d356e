"""The cycle: put together what was observed, judge it, show it; at once when there is news."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from ring.finding import Upkeep
from ring.history import Change
from ring.judged import Judged, Known, judge
from ring.latest import Latest
from ring.model import Liveness
from ring.objects import pod_order
from ring.observed import Observation
from ring.reading import Limits, Reading
from ring.skew import Skew
from ring.snapshot import DEFAULT_LIMITS
from ring.words import Facts, Sidecar

CYCLE_SECONDS: Final = 5.0
GAP_SECONDS: Final = 0.25
"""Between two cycles at least, however much is new: a restart is many events at once."""

log = logging.getLogger(__name__)


class Kubernetes(Protocol):
    """What the API server says."""

    def observed(self) -> Observation:
        """Return that side of an observation."""
        ...


class Voices(Protocol):
    """What sidecars say."""

    def readings(self) -> Mapping[str, Reading[Sidecar]]:
        """Return it by pod."""
        ...


class Words(Protocol):
    """What nodes say by CQL."""

    def readings(self) -> Mapping[str, Reading[Facts]]:
        """Return it by address."""
        ...


@dataclass(slots=True)
class Counts:
    """What the cycle counts for metrics.

    Attributes:
        seconds: that the last cycle took, from what was observed to what is shown.

    """

    cycles: int = 0
    failures: int = 0
    seconds: float = 0.0
    events: Counter[str] = field(default_factory=Counter)


class Manager:
    """Runs cycles; `run` it as a task.

    Args:
        kubernetes, sidecars, contacts: the sources; their silence is theirs, never waited for.
        latest: takes each outcome.
        interval: seconds between cycles where nothing is new.
        wall: seconds since 1970.

    """

    def __init__(
        self,
        kubernetes: Kubernetes,
        sidecars: Voices,
        contacts: Words,
        latest: Latest,
        *,
        interval: float = CYCLE_SECONDS,
        limits: Limits = DEFAULT_LIMITS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.counts = Counts()
        self._known = Known()
        self._kubernetes, self._sidecars, self._contacts = kubernetes, sidecars, contacts
        self._latest, self._interval, self._limits, self._wall = latest, interval, limits, wall
        self._news = asyncio.Event()
        self._judged: Judged | None = None

    @property
    def judged(self) -> Judged | None:
        """The last cycle's outcome."""
        return self._judged

    def learn_skews(self, skews: Mapping[str, Sequence[Skew]]) -> None:
        """Take what was measured beside the cycles, for those to come."""
        self._known = replace(self._known, skews=skews)

    def learn_upkeep(self, upkeep: Upkeep) -> None:
        """Take what was found out beside the cycles, for those to come; begin one at once."""
        self._known = replace(self._known, upkeep=upkeep)
        self.notice("upkeep")

    def learn_past(self, past: Sequence[Change]) -> None:
        """Take changes that were kept, for the cycles to come; begin one at once."""
        self._known = replace(self._known, past=past)
        self.notice("history")

    def notice(self, source: str) -> None:
        """Say that a source has news: the next cycle begins at once."""
        self.counts.events[source] += 1
        self._news.set()

    async def run(self) -> None:
        """Run cycles until cancelled; one that fails leaves the last picture to grow old."""
        while True:
            self._news.clear()
            try:
                await self.cycle()
            except Exception:
                self.counts.failures += 1
                log.exception("a cycle failed; the picture before it stays, with its age")
            await asyncio.sleep(GAP_SECONDS)
            try:
                async with asyncio.timeout(self._interval - GAP_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def cycle(self) -> Judged:
        """Run one cycle."""
        began = time.monotonic()
        observed = self.observe()
        judged = await asyncio.to_thread(
            judge, observed, self._wall(), self._judged, self._known, self._limits, began
        )
        self._judged = judged
        self._latest.publish(judged, began)
        self.counts.cycles += 1
        self.counts.seconds = time.monotonic() - began
        return judged

    def observe(self) -> Observation:
        """Put together what all sources know now."""
        return replace(
            self._kubernetes.observed(),
            sidecars=self._sidecars.readings(),
            facts=self._contacts.readings(),
        )


def addresses(observed: Observation) -> dict[str, str]:
    """Return whom to ask: pods with their addresses, by EndpointSlices those that are unknown.

    What is known of Kubernetes counts however old: who has got another address answers there
    with another name, or not at all.
    """
    pods, broken = observed.pods.value, observed.pods.broken
    there = {
        name: pod.address
        for name, pod in (pods or {}).items()
        if pod.address and pod.phase not in {"Succeeded", "Failed"}
    }
    for each in observed.endpoints.value or ():
        if each.address and (pods is None or each.pod in broken):
            there[each.pod] = each.address
    return there


def candidates(observed: Observation, judged: Judged | None) -> list[str]:
    """Return where to ask by CQL, best first: members that serve clients, racks in turn.

    As long as nothing is known of members, every pod.
    """
    if judged is not None:
        serving = [
            each
            for each in judged.snapshot.members
            if each.pod and each.vouched and each.native and each.liveness is not Liveness.DOWN
        ]
        if serving:
            return in_turn([((each.dc, each.rack), each.address) for each in serving])
    there = addresses(observed)
    return [there[pod] for pod in sorted(there, key=pod_order)]


def in_turn(placed: Sequence[tuple[object, str]]) -> list[str]:
    """Order addresses so that the first few are of as many places as there are."""
    seen: Counter[object] = Counter()
    turns = []
    for place, address in placed:
        turns.append((seen[place], address))
        seen[place] += 1
    return [address for _, address in sorted(turns, key=lambda each: each[0])]


def revision(judged: Judged | None) -> object:
    """Return what differs when tokens may have changed: who is there, and in what state."""
    if judged is None:
        return None
    return frozenset(
        (each.host_id, each.mode, each.address, each.replaces)
        for each in judged.snapshot.members
    )
