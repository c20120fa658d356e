"""Verdicts of the `ring` command as plain JSON values: is it healthy, is the change safe.

`docs/schemas` describes them.  Fields may be added, none changes its meaning or goes away.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ring.behind import Behind, behind
from ring.comparing import CheckChange, ReplicationChange
from ring.health import Assessor, CheckHealth, Outlook, ReplicationHealth, judged_at
from ring.levels import Check, Level
from ring.model import RING_SIZE, Keyspace, Liveness, RingState
from ring.remarks import remarks
from ring.ringfile import replication_options
from ring.standing import standing
from ring.stopping import stop_tables
from ring.transfer import DataLoss

Json = dict[str, Any]
Health = Mapping[str, ReplicationHealth]
Levels = Sequence[Level]


def checks_asked(
    keyspace: Keyspace, checks: Iterable[Check], dcs: Sequence[str], levels: Levels
) -> tuple[Check, ...]:
    """Return which of the checks decide: those of the levels named, or of a quorum."""
    wanted = set(judged_at(keyspace, dcs))
    return tuple(c for c in checks if (c.level in levels if levels else c in wanted))


def _asked(state: RingState, health: Health, levels: Levels) -> dict[str, tuple[Check, ...]]:
    return {
        each.name: checks_asked(each, health[each.name].by_check, state.dcs, levels)
        for each in state.keyspaces
        if each.name in health
    }


def health(state: RingState, levels: Levels) -> Json:
    """Return every check of every keyspace, and whether those that decide all hold."""
    answers = Assessor(state.nodes).health(state.keyspaces)
    known: dict[tuple[int, Check], Json] = {}  # keyspaces that replicate alike share it

    def weakest(answer: ReplicationHealth, check: Check) -> Json:
        key = (id(answer), check)
        if key not in known:
            known[key] = _behind(behind(answer, state.nodes, check))
        return known[key]

    keyspaces = {}
    for each in state.keyspaces:
        if answer := answers.get(each.name):
            asked = checks_asked(each, answer.by_check, state.dcs, levels)
            keyspaces[each.name] = {
                "replication": replication_options(each.replication),
                "healthy": _healthy(answer, asked),
                "checks": [
                    found | (weakest(answer, one.check) if found["decides"] else {})
                    for one, found in zip(answer.checks, _checks(answer, asked), strict=True)
                ],
            }
    return {
        "healthy": all(each["healthy"] for each in keyspaces.values()),
        "unknown": _unknown(state),
        "remarks": _remarks(state),
        "keyspaces": keyspaces,
    }


def change(
    before: RingState,
    after: RingState,
    changes: Mapping[str, ReplicationChange],
    levels: Levels,
) -> Json:
    """Return what a change makes worse and moves, and the health after it.

    Unsafe is what loses a range for a check that decides, what leaves nobody to copy a
    range from, and what leaves a keyspace no replica anywhere.
    """
    was = {each.name: each for each in before.keyspaces}
    keyspaces = {}
    for each in after.keyspaces:
        if found := changes.get(each.name):
            checks = [one.check for one in found.changes]
            asked = checks_asked(was[each.name], checks, before.dcs, levels)
            then = checks_asked(each, found.after.by_check, after.dcs, levels)
            keyspaces[each.name] = _keyspace_change(found, asked, then)
    return {
        "safe": all(each["safe"] for each in keyspaces.values()),
        "healthy": all(each["healthy"] for each in keyspaces.values()),
        "unknown": _unknown(after),
        "remarks": _remarks(after),
        "keyspaces": keyspaces,
    }


def _keyspace_change(
    found: ReplicationChange, asked: Sequence[Check], then: Sequence[Check]
) -> Json:
    lost = any(each.is_loss and each.check in asked for each in found.changes)
    safe = not lost and not found.unplaced and not found.data_loss.worst.ranges
    return {
        "safe": safe,
        "healthy": _healthy(found.after, then),
        "moved": found.moved,
        "gains": {str(host): tokens / RING_SIZE for host, tokens in found.gains.items()},
        "dataLost": _data_lost(found.data_loss),
        "unplaced": found.unplaced,
        "lostBefore": _lost([each.before for each in found.changes if each.check in asked]),
        "worse": [_change(each, decides=each.check in asked) for each in found.worse],
        "after": _checks(found.after, then),
    }


def _change(each: CheckChange, *, decides: bool) -> Json:
    return {
        **check_fields(each.check),
        "decides": decides,
        "loss": each.is_loss,
        "lost": {"worst": each.lost_worst / RING_SIZE, "best": each.lost_best / RING_SIZE},
        "before": outlook_fields(each.before.worst, each.before.best),
        "after": outlook_fields(each.after.worst, each.after.best),
    }


def _data_lost(found: DataLoss) -> Json:
    return {
        "share": {"worst": found.worst.share, "best": found.best.share},
        "ranges": {"worst": found.worst.ranges, "best": found.best.ranges},
        "examples": [
            {"token": str(token), "replicas": list(map(str, hosts))}
            for token, hosts in found.examples
        ],
    }


def each_stopped(state: RingState, levels: Levels) -> Json:
    """Return for each node whether it may be stopped, and which keyspaces forbid it."""
    answers = Assessor(state.nodes).health(state.keyspaces)
    asked = _asked(state, answers, levels)
    tables = stop_tables(state.nodes, answers)
    blockers: dict[str, list[str]] = {str(node.host_id): [] for node in state.nodes}
    hosts = list(blockers)
    for name, checks in asked.items():
        safe = tables[name].safe(checks)
        for n in (~safe).nonzero()[0].tolist():
            blockers[hosts[n]].append(name)
    return {
        "safe": not any(blockers.values()),
        "unknown": _unknown(state),
        "lostBefore": _lost_before(answers, asked),
        "nodes": {
            host: {"safe": not names, "keyspaces": names} for host, names in blockers.items()
        },
    }


def most_stopped(state: RingState, levels: Levels) -> Json:
    """Return who may be down, alone and together."""
    assessor = Assessor(state.nodes)
    answers = assessor.health(state.keyspaces)
    asked = _asked(state, answers, levels)
    found = standing(assessor, state.keyspaces, asked)
    return {
        "nodes": sorted(map(str, found.nodes)),
        "racks": [{"dc": dc, "rack": rack} for dc, rack in sorted(found.racks)],
        "together": sorted(map(str, found.together)),
        "unknown": _unknown(state),
        "lostBefore": _lost_before(answers, asked),
        "guarantee": "nodes and racks are exact; together is checked exactly and cannot be "
        "extended by one more node, but another choice may be larger",
    }


def _lost_before(answers: Health, asked: Mapping[str, Sequence[Check]]) -> Json:
    found = {
        name: _lost([answers[name].by_check[check] for check in checks])
        for name, checks in asked.items()
    }
    return {name: lost for name, lost in found.items() if lost}


def _lost(checks: Iterable[CheckHealth]) -> list[Json]:
    """Tell of checks that cannot be done everywhere, whatever is changed."""
    return [
        check_fields(each.check) | outlook_fields(each.worst, each.best)
        for each in checks
        if each.worst.failing
    ]


def _healthy(answer: ReplicationHealth, asked: Iterable[Check]) -> bool:
    return not any(answer.by_check[check].worst.failing for check in asked)


def _checks(answer: ReplicationHealth, asked: Sequence[Check]) -> list[Json]:
    return [
        {
            **check_fields(each.check),
            "decides": each.check in asked,
            **outlook_fields(each.worst, each.best),
        }
        for each in answer.checks
    ]


def check_fields(check: Check) -> Json:
    """Return what a check asks."""
    return {"level": str(check.level), "operation": str(check.operation), "dc": check.dc}


def outlook_fields(worst: Outlook, best: Outlook) -> Json:
    """Return the answer to a check, in both cases."""
    return {
        "satisfiable": {"worst": worst.share, "best": best.share},
        "margin": {"worst": worst.margin, "best": best.margin},
        "failingRanges": {"worst": worst.failing, "best": best.failing},
        "weakestRanges": {"worst": worst.weakest, "best": best.weakest},
    }


def _behind(found: Behind) -> Json:
    return {
        "behind": {
            str(host): {"ranges": each.ranges, "tokens": list(map(str, each.tokens))}
            for host, each in found.nodes.items()
        },
        "examples": [
            {
                "token": str(each.token),
                "replicas": list(map(str, each.replicas)),
                "pending": list(map(str, each.pending)),
            }
            for each in found.examples
        ],
    }


def _unknown(state: RingState) -> list[str]:
    return [str(node.host_id) for node in state.nodes if node.liveness is Liveness.UNKNOWN]


def _remarks(state: RingState) -> list[Json]:
    return [{"place": each.place, "problem": each.problem} for each in remarks(state)]
