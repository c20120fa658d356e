"""Why a pod should not stop now, besides replicas: what is not known, under way or wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ring.finding import Finding, Kind, are, named
from ring.identity import fresh_facts
from ring.members import names
from ring.model import Liveness, Mode
from ring.snapshot import RingSnapshot
from ring.stopping_pods import Stopping, is_blank

NEEDED = ("pods", "record", "ledger", "turn")

BLOCKING = frozenset(
    {
        Kind.TWO_RINGS,
        Kind.NETWORK_CUT,
        Kind.VIEWS_DIFFER,
        Kind.LONE_VIEW,
        Kind.SCHEMA_DISAGREEMENT,
        Kind.ADDRESS_SWAP,
        Kind.HOST_ID_TWICE,
        Kind.TOKEN_CLAIMED_TWICE,
        Kind.LOST_DISK,
        Kind.RECORD_AND_DISK_DISAGREE,
    }
)
"""Findings with which nothing should stop.  What is not known is looked at here besides."""

TELLING = frozenset(
    {
        Kind.MEMBER_DOWN,
        Kind.MEMBER_WITHOUT_POD,
        Kind.REPAIR_DUE,
        Kind.CLEANUP_DUE,
        Kind.CLOCKS_APART,
        Kind.SIDECAR_SILENT,
        Kind.NODE_SILENT,
        Kind.LOGINS_ON_ONE_NODE,
    }
)
"""Findings that whoever stops a pod should know; margins have counted them already."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that speaks against stopping.

    Attributes:
        code: stable name; that of a finding where it is one.
        what: one sentence.
        evidence: names and numbers that it rests on, as JSON values.

    """

    code: str
    what: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def obstacles(
    snapshot: RingSnapshot, found: Sequence[Finding], stopping: Stopping
) -> Iterator[Reason]:
    """Yield what forbids to take something away that serves."""
    yield from _unknown_data(snapshot)
    yield from under_way(snapshot)
    record = snapshot.observed.record
    if record.is_fresh(snapshot.limits.kubernetes) and record.value is None:
        name = f"{snapshot.observed.service}-ring"
        yield Reason("record-missing", f"There is no ring record {name}", {"configMap": name})
    for each in found:
        if each.kind in BLOCKING and not _is_cure(snapshot, each, stopping):
            yield Reason(each.kind, each.what, dict(each.evidence))


def is_cut(found: Sequence[Finding]) -> bool:
    """Say whether the network is known to be cut."""
    return any(each.kind is Kind.NETWORK_CUT for each in found)


def blind(snapshot: RingSnapshot, stopping: Stopping) -> Iterator[Reason]:
    """Yield what would have to be known to say even that it serves nothing."""
    observed, limits = snapshot.observed, snapshot.limits
    read = {name: observed.kubernetes[name] for name in NEEDED}
    old = [name for name, each in read.items() if each.is_stale(limits.kubernetes)]
    if old:
        yield Reason(
            "kubernetes-stale",
            f"The API server does not tell of {named(old)}",
            {"sources": {name: read[name].age for name in old}},
        )
    broken = [text for each in read.values() for text in each.broken.values()]
    if broken:
        yield Reason(
            Kind.OBJECT_UNREADABLE,
            f"{named(broken)}: what it would tell is not known",
            {"objects": broken},
        )
    if stopping.hosts and not snapshot.matrix.voters.any():
        yield Reason("nobody-heard", "No running member was heard")
    strange = [
        pod
        for pod in stopping.pods
        if pod not in snapshot.who.by_pod and not is_blank(snapshot, pod)
    ]
    if strange:
        yield Reason(
            "pod-unknown",
            f"Whether {named(strange)} {are(len(strange))} a member is not known",
            {"pods": strange},
        )


def _unknown_data(snapshot: RingSnapshot) -> Iterator[Reason]:
    """Yield what is not known of tokens and keyspaces."""
    observed, limit = snapshot.observed, snapshot.limits.cql
    if not any(reading.is_fresh(limit) for reading in observed.facts.values()):
        ages = [each.age for each in observed.facts.values() if each.age is not None]
        since = f" for {min(ages):.0f} s" if ages else ""
        yield Reason(
            "cql-unreadable",
            f"No member could be read by CQL{since}: what keyspaces need is not known",
            {"ageSeconds": round(min(ages), 1) if ages else None, "limitSeconds": limit},
        )
    elif not any(each.keyspaces for each in fresh_facts(observed, snapshot.limits)):
        yield Reason("cql-unreadable", "No keyspace could be read by CQL")
    if unreadable := dict(snapshot.keyspaces.unreadable):
        yield Reason(
            Kind.KEYSPACE_UNREADABLE,
            f"The replication of {named(list(unreadable))} is not known here",
            {"keyspaces": unreadable},
        )
    if unplaced := names(snapshot.unplaced):
        yield Reason(
            Kind.PLACE_UNKNOWN,
            f"Data centre, rack or tokens of {named(unplaced)} are not known",
            {"members": unplaced},
        )


def under_way(snapshot: RingSnapshot) -> Iterator[Reason]:
    """Yield what changes the ring right now."""
    words = {Mode.JOINING: "joins", Mode.LEAVING: "leaves", Mode.MOVING: "moves"}
    moving = [
        f"{each.name} {'replaces a member' if each.replaces else words[each.mode]}"
        for each in snapshot.pending
    ]
    turn = snapshot.observed.turn.value
    holder = turn.pod if turn else ""
    if holder and holder not in {each.pod for each in snapshot.pending}:
        moving.append(f"{holder} holds the join turn")
    if moving:
        yield Reason(
            "change-under-way",
            f"The ring changes: {named(moving)}",
            {
                "members": {each.name: each.state for each in snapshot.pending},
                "turn": holder or None,
            },
        )


def _is_cure(snapshot: RingSnapshot, found: Finding, stopping: Stopping) -> bool:
    """Say whether stopping is what the finding asks for: it is about these pods' view alone."""
    if found.kind is not Kind.LONE_VIEW:
        return False
    stops = {each.name for each in snapshot.members if each.host_id in stopping.hosts}
    return set(found.evidence["sees"]) <= stops


def warnings(
    snapshot: RingSnapshot, found: Sequence[Finding], stopping: Stopping
) -> Iterator[Reason]:
    """Yield what does not forbid stopping, and what whoever does so should know."""
    for each in found:
        if each.kind in TELLING:
            yield Reason(each.kind, each.what, dict(each.evidence))
    unknown = [each for each in snapshot.members if each.liveness is Liveness.UNKNOWN]
    if unknown:
        yield Reason(
            "member-unknown",
            f"Nobody can tell whether {named(names(unknown))} {are(len(unknown))} up:"
            " counted as down",
            {"members": names(unknown)},
        )
    others = [
        name
        for name, pod in (snapshot.pods or {}).items()
        if name not in stopping.pods and not pod.ready
    ]
    if others:
        yield Reason(
            "pod-not-ready",
            f"{named(others)} {are(len(others))} not ready: clients have fewer nodes to ask",
            {"pods": others},
        )
