"""One cycle's outcome: the picture, what is found in it, how healthy it is and what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ring import arcs, verdicts
from ring.errors import RingError
from ring.finding import Case, Finding, Upkeep
from ring.findings import findings
from ring.history import Change, History
from ring.model import RingState
from ring.observed import Observation
from ring.past import merged
from ring.picture import as_json
from ring.reading import Limits
from ring.skew import Skew
from ring.snapshot import DEFAULT_LIMITS, RingSnapshot, take

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Verdict:
    """The health of a ring; pictures of a ring that did not change share it."""

    ring: RingState

    @cached_property
    def health(self) -> Json:
        """Every check of every keyspace, as ``ring health`` has it; `RingError` as there."""
        return verdicts.health(self.ring, ())

    @cached_property
    def arcs(self) -> list[Json]:
        """Where on the ring nothing can be spared; `RingError` as above."""
        return arcs.as_json(arcs.weak(self.ring, self.ring))

    @property
    def is_possible(self) -> bool:
        """Say whether anything is known that has a health: somebody's tokens."""
        return any(node.tokens for node in self.ring.nodes)


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """A picture and what it means.

    Attributes:
        at: when it was taken, in seconds since 1970.

    """

    at: float
    snapshot: RingSnapshot
    history: History
    found: tuple[Finding, ...]
    verdict: Verdict

    @cached_property
    def document(self) -> Json:
        """The whole of it as JSON values (docs/schemas/ring.json)."""
        return as_json(self.snapshot, self.found, self.history.log, self.at)

    @cached_property
    def health(self) -> Json | None:
        """The ring's health; None where too little is known for it."""
        if not self.verdict.is_possible:
            return None
        try:
            return self.verdict.health
        except RingError:
            return None


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture as it may be shown now.

    Attributes:
        version: changes with every picture, and once more when it becomes stale; compare for
            equality only, as every replica has its own.
        age: seconds since it was taken.
        stale: whether the cycle that should have renewed it is overdue.

    """

    judged: Judged
    version: str
    age: float
    stale: bool

    @property
    def certain(self) -> bool:
        """Say whether a host that is not among the members is surely none."""
        return self.judged.snapshot.is_certain and not self.stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known from elsewhere than this cycle's observation.

    Attributes:
        skews: by keyspace, as last measured (`ring.skew`).
        past: changes that were kept of those seen before, or by others.

    """

    skews: Mapping[str, Sequence[Skew]] = field(default_factory=dict)
    upkeep: Upkeep = field(default_factory=Upkeep)
    past: Sequence[Change] = ()


NOTHING = Known()


def judge(
    observed: Observation,
    at: float,
    before: Judged | None = None,
    known: Known = NOTHING,
    limits: Limits = DEFAULT_LIMITS,
    clock: float | None = None,
) -> Judged:
    """Make of an observation all that is shown.

    Args:
        observed: what was read.
        at: when, in seconds since 1970.
        before: the last one's outcome.
        known: what is known from elsewhere.
        limits: up to which age a source counts as known.
        clock: ``at`` in monotonic seconds (`History.after`).

    """
    snapshot = take(observed, limits)
    history = (before.history if before else History()).after(snapshot, at, clock)
    history = replace(history, log=merged(history.log, known.past))
    case = Case(snapshot=snapshot, history=history, skews=known.skews, upkeep=known.upkeep)
    same = before is not None and before.verdict.ring == snapshot.ring
    return Judged(
        at=at,
        snapshot=snapshot,
        history=history,
        found=findings(case),
        verdict=before.verdict if before and same else Verdict(snapshot.ring),
    )
