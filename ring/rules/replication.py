"""Rules about keyspaces: replicas for which there is no room, and logins on one node."""

from collections import Counter
from collections.abc import Iterator

from ring.finding import TYPED, USUAL_FACTOR, Case, Finding, Kind, Severity, factors
from ring.health import INTERNAL
from ring.model import Factor, Keyspace, Replication, RingState, Topology
from ring.remarks import LOGINS, empty_dcs, single_logins


def rf_above_nodes(case: Case) -> Iterator[Finding]:
    """Find keyspaces that ask for more replicas than there are members to hold them."""
    nodes = {dc: sum(racks.values()) for dc, racks in case.racks().items()}
    nodes[""] = sum(nodes.values())
    if not nodes[""]:
        return
    for keyspace in case.snapshot.ring.keyspaces:
        short = {
            dc or "the ring": {"factor": factor, "members": nodes[dc]}
            for dc, factor in factors(keyspace.replication).items()
            if factor > nodes.get(dc, factor)
        }
        if short:
            where, first = next(iter(short.items()))
            yield Finding(
                kind=Kind.RF_ABOVE_NODES,
                severity=Severity.INFO if keyspace.name in INTERNAL else Severity.WARNING,
                what=f"{keyspace.name} wants {first['factor']} replicas in {where}, which has"
                f" {first['members']} members",
                evidence={"keyspace": keyspace.name, "short": short},
                advice="Quorums are of the factor as configured: ALL never succeeds. Add "
                "members, or lower the factor.",
                commands=(case.nodetool(case.speaker(), f"describering {keyspace.name}"),)
                if TYPED.fullmatch(keyspace.name)
                else (),
            )


def logins_on_one_node(case: Case) -> Iterator[Finding]:
    """Find `system_auth` with one replica though there are members for more."""
    state = case.snapshot.ring
    for keyspace in state.keyspaces:
        if keyspace.name != LOGINS:
            continue
        for remark in single_logins(keyspace, state):
            yield Finding(
                kind=Kind.LOGINS_ON_ONE_NODE,
                severity=Severity.WARNING,
                what=f"{LOGINS} has {remark.problem.partition(':')[0]}",
                evidence={"keyspace": LOGINS, "problem": remark.problem},
                advice="While its node is down nobody whose role it holds can log in. Raise "
                "the factor, then repair the keyspace on every member.",
                commands=(
                    *case.alter(LOGINS, _for_logins(keyspace.replication, state)),
                    case.nodetool(case.speaker(), f"repair -full {LOGINS}"),
                ),
            )


def _for_logins(replication: Replication, state: RingState) -> dict[str, Factor]:
    """Return factors for every data centre, none of them less than it was."""
    nodes = Counter(node.dc for node in state.nodes)
    better = {dc: Factor(min(USUAL_FACTOR, nodes[dc])) for dc in sorted(nodes)}
    for dc, factor in _pairs(replication):
        if dc not in better or factor.replicas > better[dc].replicas:
            better[dc] = factor
    return better


def dc_without_nodes(case: Case) -> Iterator[Finding]:
    """Find keyspaces that have replicas in a data centre without nodes."""
    state = case.snapshot.ring
    for keyspace in state.keyspaces if state.nodes else ():
        for remark in empty_dcs(keyspace, state.dcs):
            yield Finding(
                kind=Kind.DC_WITHOUT_NODES,
                severity=Severity.WARNING,
                what=f"{keyspace.name}: {remark.problem}",
                evidence={"keyspace": keyspace.name, "dcs": list(state.dcs)},
                advice="Its replicas count for QUORUM though nobody holds them. Alter the "
                "keyspace, if that data centre is gone for good, or is another one written "
                "in other case.",
                commands=case.alter(keyspace.name, _placed(keyspace, state)),
            )


def _placed(keyspace: Keyspace, state: RingState) -> dict[str, Factor]:
    """Return the factors of data centres with nodes, in their own upper and lower case."""
    by_fold = {dc.casefold(): dc for dc in state.dcs}
    pairs = _pairs(keyspace.replication)
    meant = {by_fold.get(dc.casefold(), ""): factor for dc, factor in pairs}
    exact = {dc: factor for dc, factor in pairs if dc in state.dcs}
    return {dc: factor for dc, factor in (meant | exact).items() if dc}


def _pairs(replication: Replication) -> tuple[tuple[str, Factor], ...]:
    return replication.factors if isinstance(replication, Topology) else ()


RULES = (rf_above_nodes, logins_on_one_node, dc_without_nodes)
