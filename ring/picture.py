"""A snapshot, its findings and its history as plain JSON values.

`docs/schemas/ring.json` describes them.  Fields may be added, none changes its meaning or goes
away.  What is not known is null.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ring.finding import Finding
from ring.history import Change
from ring.matrix import Matrix
from ring.members import Member
from ring.model import Mode, Node
from ring.objects import Pod
from ring.reading import Reading
from ring.ringfile import replication_options
from ring.snapshot import RingSnapshot
from ring.tokens import Indexes
from ring.words import Seen

Json = dict[str, Any]

DISSENTERS = 20  # that are listed of a member; the matrix has them all
LETTERS = {Seen.UNKNOWN: "?", Seen.UP: "U", Seen.DOWN: "D", Seen.ABSENT: "-"}
ITSELF = "."


def as_json(
    snapshot: RingSnapshot, found: Sequence[Finding], log: Sequence[Change], at: float
) -> Json:
    """Return the whole picture; ``at`` is when it was taken, in seconds since 1970."""
    observed, matrix = snapshot.observed, snapshot.matrix
    pods = snapshot.pods
    return {
        "at": moment(at),
        "namespace": observed.namespace,
        "service": observed.service,
        "ringId": observed.record.value.ring_id if observed.record.value else None,
        "certain": snapshot.is_certain,
        "members": [_member(snapshot, n, each) for n, each in enumerate(snapshot.members)],
        "pods": None if pods is None else [_pod(each, snapshot) for each in pods.values()],
        "pending": [_pending(each, node) for each, node in snapshot.under_way],
        "turn": observed.turn.value.pod or None if observed.turn.value else None,
        "sees": _sees(matrix),
        "rings": [_hosts(matrix, part) for part in matrix.rings()],
        "islands": [_hosts(matrix, part) for part in matrix.islands()],
        "keyspaces": {
            each.name: replication_options(each.replication) for each in snapshot.keyspaces.read
        },
        "sources": _sources(snapshot),
        "findings": [finding(each) for each in found],
        "history": [change(each) for each in log],
    }


def moment(at: float) -> str:
    """Write a time in seconds since 1970 as RFC 3339 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def finding(found: Finding) -> Json:
    """Return one finding."""
    return {
        "kind": found.kind,
        "severity": str(found.severity),
        "what": found.what,
        "evidence": dict(found.evidence),
        "advice": found.advice,
        "commands": list(found.commands),
    }


def change(told: Change) -> Json:
    """Return one change of the ring."""
    return {
        "what": str(told.what),
        "at": moment(told.at),
        "hostId": str(told.host_id) if told.host_id else None,
        "pod": told.pod or None,
        "was": told.was or None,
        "now": told.now or None,
        "seconds": told.seconds,
    }


def _member(snapshot: RingSnapshot, number: int, each: Member) -> Json:
    votes = snapshot.matrix.votes
    return {
        "hostId": str(each.host_id),
        "pod": each.pod or None,
        "ordinal": each.ordinal,
        "podExists": each.exists,
        "podUid": each.pod_uid or None,
        "restarts": each.restarts,
        "pvcUid": each.pvc_uid or None,
        "kubernetesNode": each.machine or None,
        "zone": each.zone or None,
        "dc": each.dc or None,
        "rack": each.rack or None,
        "address": each.address or None,
        "addresses": [
            {"address": stay.address, "since": stay.since} for stay in each.addresses
        ],
        "state": each.state,
        "replaces": str(each.replaces) if each.replaces else None,
        "runs": each.runs,
        "ageSeconds": _seconds(each.age),
        "votes": {
            "up": int(votes.up[number]),
            "down": int(votes.down[number]),
            "undecided": int(votes.undecided[number]),
            "silent": votes.silent,
        },
        "dissenters": [str(host) for host in snapshot.dissenters(number)[:DISSENTERS]],
        "native": each.native,
        "load": each.load,
        "seeds": None if each.seeds is None else sorted(each.seeds),
        "release": each.release or None,
        "schemaVersion": each.schema or None,
        "tokens": [str(token) for token in each.tokens],
    }


def _pending(each: Member, node: Node | None) -> Json:
    """Write where a member goes; nobody tells the tokens of one that joins on a new disk."""
    known = node is not None and not node.aim_unknown
    takes = node.tokens if node is not None and known and each.mode is Mode.JOINING else None
    return {
        "hostId": str(each.host_id),
        "state": each.state,
        "replaces": str(each.replaces) if each.replaces else None,
        "known": known,
        "tokens": None if takes is None else [str(token) for token in takes],
    }


def _pod(pod: Pod, snapshot: RingSnapshot) -> Json:
    host = snapshot.who.by_pod.get(pod.name)
    voice = snapshot.voices.get(pod.name)
    said = voice.sidecar if voice else None
    return {
        "name": pod.name,
        "uid": pod.uid,
        "statefulSet": pod.stateful_set or None,
        "kubernetesNode": pod.machine or None,
        "address": pod.address or None,
        "phase": pod.phase,
        "ready": pod.ready,
        "terminating": pod.terminating,
        "restarts": pod.restarts,
        "hostId": str(host) if host else None,
        "disk": str(said.disk.state) if said else None,
        "cassandra": str(said.process) if said else None,
    }


def _sees(matrix: Matrix) -> Json:
    """Write the matrix with a letter for each pair: a thousand members make a megabyte."""
    table = np.zeros(len(LETTERS), np.uint8)
    for seen, letter in LETTERS.items():
        table[seen] = ord(letter)
    letters = table[matrix.cells]
    np.fill_diagonal(letters, ord(ITSELF))
    ages = [None if np.isnan(age) else _seconds(age) for age in matrix.ages.tolist()]
    return {
        "hosts": [str(host) for host in matrix.hosts],
        "rows": [row.tobytes().decode() for row in letters],
        "ageSeconds": ages,
    }


def _hosts(matrix: Matrix, part: Indexes) -> list[str]:
    return [str(matrix.hosts[n]) for n in part.tolist()]


def _sources(snapshot: RingSnapshot) -> Json:
    observed, limits = snapshot.observed, snapshot.limits
    kubernetes: Mapping[str, Reading[object]] = observed.kubernetes
    return {
        "kubernetes": _readings(kubernetes, limits.kubernetes),
        "sidecars": _readings(observed.sidecars, limits.sidecar),
        "cql": _readings(observed.facts, limits.cql),
    }


def _readings(readings: Mapping[str, Reading[object]], limit: float) -> Json:
    return {
        name: {
            "fresh": each.is_fresh(limit),
            "ageSeconds": _seconds(each.age),
            "failure": each.problem or None,
        }
        for name, each in readings.items()
    }


def _seconds(age: float | None) -> float | None:
    return None if age is None else round(age, 3)
