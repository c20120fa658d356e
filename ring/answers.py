"""The answers of the `ring` command as plain JSON values; `docs/schemas` describes them.

Shapes are stable: fields may be added, none changes its meaning or goes away.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ring.health import Assessor, Outlook, ReplicationHealth, behind, judged_at
from ring.levels import Check, Level
from ring.model import Keyspace, Local, Node, RingState
from ring.ownership import effective_shares, primary_shares, shortest
from ring.ringfile import replication_options
from ring.skew import Skew, Suggestion
from ring.standing import Standing
from ring.stopping import StopTable
from ring.whatif import KeyspaceChange

Json = dict[str, Any]

RANGES_AT_ONCE = 4096  # written together: the whole answer can be hundreds of megabytes
EXAMPLES = 5  # weakest ranges that are shown of a check


def ownership(state: RingState) -> Json:
    """Return shares as ``nodetool`` computes them, 1.0 being the whole ring, by host ID."""
    assessor = Assessor(state.nodes)
    hosts = [str(node.host_id) for node in state.nodes]
    member = assessor.ring.member.tolist()
    shares: dict[Any, Json] = {}
    for keyspace in state.keyspaces:
        replication = keyspace.replication
        if isinstance(replication, Local):
            shares[replication] = {}
        elif replication not in shares:
            effective = shortest(effective_shares(assessor.placement(replication)))
            shares[replication] = _by_host(hosts, effective, member)
    return {
        "primary": _by_host(hosts, shortest(primary_shares(assessor.ring)), member),
        "keyspaces": {each.name: shares[each.replication] for each in state.keyspaces},
    }


def _by_host(hosts: Sequence[str], shares: Sequence[float], member: Sequence[bool]) -> Json:
    zipped = zip(hosts, shares, member, strict=True)
    return {host: share for host, share, owns in zipped if owns}


def ranges(state: RingState) -> Iterator[tuple[str, Iterator[list[Json]]]]:
    """Yield each keyspace's name and its ranges, some at a time, in token order."""
    assessor = Assessor(state.nodes)
    hosts = [str(node.host_id) for node in state.nodes]
    for keyspace in state.keyspaces:
        yield keyspace.name, _ranges_of(assessor, keyspace, hosts)


def _ranges_of(
    assessor: Assessor, keyspace: Keyspace, hosts: Sequence[str]
) -> Iterator[list[Json]]:
    if isinstance(keyspace.replication, Local):
        return  # each node has its own: there is nothing on the ring
    placement = assessor.placement(keyspace.replication)
    tokens = assessor.ring.tokens
    for start in range(0, len(tokens), RANGES_AT_ONCE):
        block = slice(start, start + RANGES_AT_ONCE)
        nodes = placement.replicas[:, block].T.tolist()
        flags = placement.transient
        transient = flags[:, block].T.tolist() if flags is not None else [()] * len(nodes)
        yield [
            {
                "token": str(token),
                "replicas": [hosts[n] for n in there],
                "transient": [hosts[n] for n, is_so in zip(there, odd, strict=False) if is_so],
            }
            for token, there, odd in zip(tokens[block].tolist(), nodes, transient, strict=True)
        ]


def checks_asked(
    keyspace: Keyspace, health: ReplicationHealth, levels: Sequence[Level]
) -> tuple[Check, ...]:
    """Return the checks that decide: those of the levels named, or of a quorum."""
    if levels:
        return tuple(each.check for each in health.checks if each.check.level in levels)
    present = health.profile.placement.ring.dcs
    return tuple(c for c in judged_at(keyspace, present) if c in health.by_check)


def health(state: RingState, levels: Sequence[Level]) -> Json:
    """Return every check of every keyspace, and whether those that decide all hold."""
    assessor = Assessor(state.nodes)
    answers = assessor.health(state.keyspaces)
    keyspaces = {
        each.name: _keyspace_health(each, answers[each.name], state.nodes, levels)
        for each in state.keyspaces
        if each.name in answers
    }
    return {
        "healthy": all(each["healthy"] for each in keyspaces.values()),
        "unknown": [str(node.host_id) for node in state.nodes if node.liveness == "?"],
        "keyspaces": keyspaces,
    }


def _keyspace_health(
    keyspace: Keyspace,
    answer: ReplicationHealth,
    nodes: Sequence[Node],
    levels: Sequence[Level],
) -> Json:
    asked = checks_asked(keyspace, answer, levels)
    worst = [answer.by_check[check].worst for check in asked]
    return {
        "replication": replication_options(keyspace.replication),
        "healthy": not any(each.failing for each in worst),
        "checks": [
            {
                **_check(each.check),
                "decides": each.check in asked,
                **_outlooks(each.worst, each.best),
                **(_weakest(answer, nodes, each.check) if each.check in asked else {}),
            }
            for each in answer.checks
        ],
    }


def _check(check: Check) -> Json:
    return {"level": str(check.level), "operation": str(check.operation), "dc": check.dc}


def _outlooks(worst: Outlook, best: Outlook) -> Json:
    return {
        "satisfiable": {"worst": worst.share, "best": best.share},
        "margin": {"worst": worst.margin, "best": best.margin},
        "failingRanges": {"worst": worst.failing, "best": best.failing},
        "weakestRanges": {"worst": worst.weakest, "best": best.weakest},
    }


def _weakest(answer: ReplicationHealth, nodes: Sequence[Node], check: Check) -> Json:
    """Name what is behind the least margin: nodes not known to be up, and some ranges."""
    limit = answer.by_check[check].worst.margin
    segments = answer.profile.segments
    placement = answer.profile.placement
    some = answer.at_margin(check, limit)[:EXAMPLES].tolist()
    return {
        "behind": {str(host): n for host, n in behind(answer, nodes, check).items()},
        "examples": [
            {
                "token": str(segments.tokens[s]),
                "replicas": [
                    str(nodes[n].host_id) for n in placement.replicas[:, segments.range[s]]
                ],
            }
            for s in (some if placement.width else ())
        ],
    }


def change(
    state: RingState, changes: Iterable[KeyspaceChange], levels: Sequence[Level]
) -> Json:
    """Return what a change makes worse and moves; unsafe is what loses a check that decides."""
    by_name = {keyspace.name: keyspace for keyspace in state.keyspaces}
    dcs = state.dcs
    keyspaces = {}
    for each in changes:
        keyspace = by_name[each.name]
        asked = {c.check for c in each.changes if c.check.level in levels}
        asked = asked if levels else set(judged_at(keyspace, dcs))
        lost = [c for c in each.worse if c.is_loss and c.check in asked]
        keyspaces[each.name] = {
            "safe": not lost,
            "moved": each.moved,
            "gains": {str(host): tokens / 2**64 for host, tokens in each.gains.items()},
            "worse": [
                {
                    **_check(c.check),
                    "decides": c.check in asked,
                    "loss": c.is_loss,
                    "before": _outlooks(c.before.worst, c.before.best),
                    "after": _outlooks(c.after.worst, c.after.best),
                }
                for c in each.worse
            ],
        }
    return {"safe": all(k["safe"] for k in keyspaces.values()), "keyspaces": keyspaces}


def stop_tables(
    nodes: Sequence[Node], tables: Sequence[tuple[str, StopTable, tuple[Check, ...]]]
) -> Json:
    """Return for each node whether it may be stopped, and which keyspaces forbid it."""
    blockers: dict[str, list[str]] = {str(node.host_id): [] for node in nodes}
    for name, table, asked in tables:
        for node, safe in zip(nodes, table.safe(asked).tolist(), strict=True):
            if not safe:
                blockers[str(node.host_id)].append(name)
    return {
        "safe": not any(blockers.values()),
        "nodes": {
            host: {"safe": not names, "keyspaces": names} for host, names in blockers.items()
        },
    }


def standing(found: Standing) -> Json:
    """Return who may be down, alone and together."""
    return {
        "nodes": sorted(map(str, found.nodes)),
        "racks": [{"dc": dc, "rack": rack} for dc, rack in sorted(found.racks)],
        "together": sorted(map(str, found.together)),
        "guarantee": "nodes and racks are exact; together is checked exactly and cannot be "
        "extended by one more node, but another choice may be larger",
    }


def skews(found: Iterable[tuple[str, Sequence[Skew]]]) -> Json:
    """Return each keyspace's skew by data centre."""
    keyspaces = {
        name: {
            each.dc: {
                "nodes": each.nodes,
                "highest": each.highest,
                "lowest": each.lowest,
                "highestBand": list(each.highest_band),
                "lowestBand": list(each.lowest_band),
                "explained": each.explained,
            }
            for each in several
        }
        for name, several in found
    }
    explained = all(
        dc["explained"] for several in keyspaces.values() for dc in several.values()
    )
    return {"explained": explained, "keyspaces": keyspaces}


def suggestion(found: Suggestion) -> Json:
    """Return suggested tokens."""
    return {"tokens": [str(t) for t in found.tokens], "share": found.share, "even": found.even}
