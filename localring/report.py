"""What a sidecar says of its node (``GET /v1/node``), and what a ring still lacks; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NORMAL = "NORMAL"
FRESH = 5.0  # seconds; Cassandra speaks every second, and no longer when frozen or killed
FEWEST_SEEDS = 2  # other nodes that each keeps as seeds, where there are so many


@dataclass(frozen=True, slots=True)
class Peer:
    """One other node, as a node sees it.

    Attributes:
        address: IP literal.
        up: what its failure detector says; None where it has no opinion.
        state: ``normal``, ``joining``, ``leaving`` or ``moving``.

    """

    address: str
    up: bool | None
    state: str


@dataclass(frozen=True, slots=True)
class Report:
    """One sidecar's answer, None for what it does not know (yet).

    Attributes:
        pod: name of its pod.
        ring_id: the ring record's, as the sidecar knows it.
        disk: state of the disk, such as ``member``.
        answering: whether Cassandra's storage port accepts connections.
        mode: StorageService's OperationMode, or ``STARTING``.
        native: whether Cassandra serves CQL.
        host_id: of the node.
        address: broadcast address of the node.
        seeds: those its gossip uses now.
        peers: every other node by host ID.
        heartbeat_age: seconds since Cassandra last spoke.

    """

    pod: str
    ring_id: str | None
    disk: str
    answering: bool
    mode: str | None
    native: bool
    host_id: str | None
    address: str | None
    seeds: frozenset[str]
    peers: Mapping[str, Peer]
    heartbeat_age: float | None


def decode(body: Mapping[str, Any]) -> Report:
    """Decode the JSON of ``GET /v1/node``; `KeyError` where the contract is broken."""
    beat = body["heartbeat"] or {}
    return Report(
        pod=body["pod"],
        ring_id=body["ringId"],
        disk=body["disk"]["state"],
        answering=body["cassandra"] == "answering",
        mode=beat.get("mode"),
        native=bool(beat.get("native")),
        host_id=beat.get("hostId"),
        address=beat.get("address"),
        seeds=frozenset(beat.get("seeds") or ()),
        peers={
            peer["hostId"]: Peer(peer["address"], peer["up"], peer["state"])
            for peer in beat.get("peers") or ()
        },
        heartbeat_age=beat.get("ageSeconds"),
    )


def missing_from_ring(reports: Mapping[str, Report | None]) -> str | None:
    """Say what keeps these pods from being one whole ring, or None if they are.

    Whole: every pod's node is NORMAL and serves, as it said just now, all name one ring, and
    each sees every other normal and up at its present address.
    """
    known: dict[str, Report] = {}
    for name, report in reports.items():
        lacking = _missing_from_node(name, report)
        if report is None or lacking:
            return lacking or f"{name}: silent"
        known[name] = report
    if len({report.ring_id for report in known.values()}) != 1:
        return "more than one ring ID"
    hosts = {report.host_id: report for report in known.values()}
    if len(hosts) != len(known):
        return "two pods with one host ID"
    for name, report in known.items():
        for host_id, other in hosts.items():
            if host_id != report.host_id and (why := _not_up(report, other)):
                return f"{name} {why} {other.pod}"
    return None


def missing_from_seeds(reports: Mapping[str, Report | None]) -> str | None:
    """Say whose gossip has not the seeds it should have yet, or None if all have.

    It should: two other nodes at least, all of them where there are no more, each under its
    present address, and nobody else.
    """
    known = {name: report for name, report in reports.items() if report}
    if silent := [name for name in reports if name not in known]:
        return f"{silent[0]}: sidecar silent"
    present = {report.address for report in known.values()}
    for name, report in known.items():
        others = present - {report.address}
        held = len(report.seeds & others)
        if held < min(FEWEST_SEEDS, len(others)):
            return f"{name} has {held} of the {len(others)} others among its seeds"
        if gone := report.seeds - others:
            return f"{name} has {', '.join(sorted(gone))} among its seeds, where nobody is"
    return None


def _missing_from_node(name: str, report: Report | None) -> str | None:
    if report is None:
        return f"{name}: sidecar silent"
    if report.mode != NORMAL:
        return f"{name}: {report.mode or 'no heartbeat yet'}"
    if report.heartbeat_age is None or report.heartbeat_age > FRESH:
        return f"{name}: last heard of {report.heartbeat_age} s ago"
    if not report.native:
        return f"{name}: does not serve CQL yet"
    if report.ring_id is None or report.host_id is None:
        return f"{name}: no ring ID or host ID yet"
    return None


def _not_up(report: Report, other: Report) -> str | None:
    peer = report.peers.get(other.host_id or "")
    if peer is None:
        return "does not know"
    if peer.address != other.address:
        return "has the old address of"
    if peer.state != "normal":
        return f"still has as {peer.state}"
    return None if peer.up else "does not see up"
