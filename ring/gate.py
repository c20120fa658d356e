"""May this pod stop?  Yes only where it is known that every level that decides still holds.

What is unknown never makes it yes: members that nobody can tell of are counted as down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ring.errors import InputError, UnknownNodeError
from ring.finding import Finding
from ring.health import Assessor, CheckHealth
from ring.levels import Level
from ring.model import HostId, Keyspace, Liveness, Node
from ring.obstacles import Reason, blind, is_cut, obstacles, warnings
from ring.snapshot import RingSnapshot
from ring.stopping_pods import Stopping, as_counted, takes_nothing
from ring.verdicts import check_fields, checks_asked, outlook_fields

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What decides, besides the rule.

    Attributes:
        levels: those that clients use; without, as `judged_at` has them.
        keyspaces: those that matter; without, all.

    """

    levels: Sequence[Level] = ()
    keyspaces: Sequence[str] = ()


DEFAULT_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Margin:
    """One check that decides, as it is and as it would be."""

    keyspace: str
    before: CheckHealth
    after: CheckHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """The answer.

    Attributes:
        stopping: what was asked about.
        idle: whether all of it serves nothing as far as is known; stopping takes nothing away.
        reasons: what forbids it.
        warnings: what does not, and is worth knowing; what forbids others to stop, where
            ``idle``.
        margins: every check that decides.
        unknown: members that were counted as down because nobody can rely on them.

    """

    stopping: Stopping
    idle: bool
    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    margins: tuple[Margin, ...]
    unknown: tuple[HostId, ...]

    @property
    def allowed(self) -> bool:
        """Say whether it may stop."""
        return not self.reasons


def decide(
    snapshot: RingSnapshot,
    found: Sequence[Finding],
    stopping: Stopping,
    terms: Terms = DEFAULT_TERMS,
    assessor: Assessor | None = None,
) -> GateAnswer:
    """Say whether these pods may stop together, now.

    Args:
        snapshot: the ring as it is seen.
        found: what was found about it.
        stopping: see `ring.stopping_pods`.
        terms: what decides.
        assessor: of a ring with the same tokens, where there is one already.

    Raises:
        UnknownNodeError: where ``terms`` name a keyspace that there is not.

    """
    keyspaces = _keyspaces(snapshot, terms.keyspaces)
    nodes = as_counted(snapshot)
    idle = takes_nothing(snapshot, stopping, cut=is_cut(found))
    unknown = tuple(blind(snapshot, stopping))
    against = list(obstacles(snapshot, found, stopping))
    try:
        margins = tuple(_margins(nodes, keyspaces, stopping, terms, assessor))
    except InputError:  # no member's tokens are known
        margins = ()
        against.append(Reason("tokens-unknown", "Nobody's tokens are known"))
    against += _lost(margins)
    return GateAnswer(
        stopping=stopping,
        idle=idle,
        reasons=unknown if idle else (*unknown, *against),
        warnings=(*(against if idle else ()), *warnings(snapshot, found, stopping)),
        margins=margins,
        unknown=tuple(n.host_id for n in nodes if n.liveness is Liveness.UNKNOWN),
    )


def _keyspaces(snapshot: RingSnapshot, names: Sequence[str]) -> list[Keyspace]:
    read = {each.name: each for each in snapshot.keyspaces.read}
    for name in names:
        if name not in read and name not in dict(snapshot.keyspaces.unreadable):
            raise UnknownNodeError(f"there is no keyspace {name}")
    return [each for each in read.values() if not names or each.name in names]


def _margins(
    nodes: Sequence[Node],
    keyspaces: Sequence[Keyspace],
    stopping: Stopping,
    terms: Terms,
    assessor: Assessor | None,
) -> Iterator[Margin]:
    assessor = assessor or Assessor(nodes)
    after = [
        node.as_liveness(Liveness.DOWN) if node.host_id in stopping.hosts else node
        for node in nodes
    ]
    before, then = assessor.health(keyspaces, nodes), assessor.health(keyspaces, after)
    dcs = tuple(sorted({node.dc for node in nodes}))
    for keyspace in keyspaces:
        health = before.get(keyspace.name)
        if health is None:
            continue  # nothing of it is placed on the ring
        later = then[keyspace.name].by_check
        for check in checks_asked(keyspace, health.by_check, dcs, terms.levels):
            yield Margin(keyspace.name, health.by_check[check], later[check])


def _lost(margins: Sequence[Margin]) -> Iterator[Reason]:
    """Yield keyspaces of which a level that decides would not hold everywhere."""
    failing: dict[str, list[Margin]] = {}
    for each in margins:
        if each.after.worst.failing:
            failing.setdefault(each.keyspace, []).append(each)
    for keyspace, several in failing.items():
        worst = min(several, key=lambda each: each.after.worst.satisfiable)
        was, then = worst.before.worst, worst.after.worst
        already = "fails already" if was.failing else "would fail"
        yield Reason(
            "level-lost",
            f"{keyspace}: {worst.after.check} {already} for {1 - then.share:.1%} of the ring"
            f" (replicas to spare: {was.margin:+d} now, {then.margin:+d} after)",
            {"keyspace": keyspace, "checks": [_margin(each) for each in several]},
        )


def _margin(each: Margin) -> Json:
    return {
        **check_fields(each.after.check),
        "before": outlook_fields(each.before.worst, each.before.best),
        "after": outlook_fields(each.after.worst, each.after.best),
    }


def as_json(answer: GateAnswer) -> Json:
    """Return the answer as ``docs/schemas/gate.json`` has it."""
    keyspaces: dict[str, list[Json]] = {}
    for each in answer.margins:
        keyspaces.setdefault(each.keyspace, []).append(_margin(each))
    return {
        "allowed": answer.allowed,
        "idle": answer.idle,
        "pods": list(answer.stopping.pods),
        "members": sorted(map(str, answer.stopping.hosts)),
        "kubernetesNode": answer.stopping.machine or None,
        "reasons": [reason_fields(each) for each in answer.reasons],
        "warnings": [reason_fields(each) for each in answer.warnings],
        "unknown": list(map(str, answer.unknown)),
        "keyspaces": keyspaces,
    }


def reason_fields(reason: Reason) -> Mapping[str, Any]:
    """Return a reason."""
    return {"code": str(reason.code), "what": reason.what, "evidence": dict(reason.evidence)}
