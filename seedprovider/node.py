"""What nodes and sidecars say over HTTP: decoding heartbeats and reports, and encoding ours.

Pure.  Everything from outside is checked here once: identifiers, addresses, sizes.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    Heartbeat,
    HostId,
    Peer,
    PeerState,
    PodName,
    PodUid,
    Process,
    PvcUid,
    Report,
    RingId,
)
from seedprovider.view import canonical

MAX_BODY_BYTES = 2**20
"""A heartbeat with the peers of a ring of 4,000 nodes is half of that."""
MAX_TEXT = 256


class BadInputError(ValueError):
    """The text says which field is wrong and why."""


class _Disk(msgspec.Struct, rename="camel"):
    state: DiskState
    ring_id: str | None = None
    host_id: str | None = None
    pvc_uid: str | None = None


class _Peer(msgspec.Struct, rename="camel"):
    host_id: str
    address: str
    state: PeerState
    up: bool | None = None


class _Beat(msgspec.Struct, rename="camel"):
    mode: str
    disk: _Disk
    version: int = 1
    shim: str | None = None
    cassandra: str | None = None
    cluster: str | None = None
    host_id: str | None = None
    address: str | None = None
    dc: str | None = None
    rack: str | None = None
    native: bool | None = None
    load: float | None = None
    seeds: list[str] | None = None
    peers_hash: str | None = None
    peers: list[_Peer] | None = None


class _AgedBeat(_Beat, rename="camel", kw_only=True):
    age_seconds: float


class _Report(msgspec.Struct, rename="camel"):
    pod: str
    pod_uid: str
    namespace: str
    service: str
    disk: _Disk
    cassandra: Process
    pvc_uid: str | None = None
    ring_id: str | None = None
    address: str | None = None
    rack: str | None = None
    heartbeat: _AgedBeat | None = None


_beat = msgspec.json.Decoder(_Beat)
_report = msgspec.json.Decoder(_Report)


class Received(msgspec.Struct, frozen=True):
    """A heartbeat and the parts of it that are passed on but not reasoned about.

    Attributes:
        peers_hash: of the peers part; `beat.peers` is None where it was left out.
        extra: cluster, cassandra, shim and load, as sent.

    """

    beat: Heartbeat
    peers_hash: str | None
    extra: dict[str, Any]


def parse_uuid(text: str | None, field: str) -> str | None:
    """Return a UUID in canonical form; None and "" mean not known.  Raises `BadInputError`."""
    if not text:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        raise BadInputError(f"{field}: {text[:MAX_TEXT]!r} is not a UUID") from None


def parse_address(text: str | None, field: str) -> Address | None:
    """Return an IP literal in canonical form; None means not known.  Raises `BadInputError`."""
    if text is None:
        return None
    address = canonical(text)
    if address is None:
        raise BadInputError(f"{field}: {text[:MAX_TEXT]!r} is not an IP address")
    return address


def parse_heartbeat(body: bytes) -> Received:
    """Decode the body of ``PUT /v1/node``; raise `BadInputError`."""
    try:
        raw = _beat.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(str(error)) from None
    return _received(raw)


def _received(raw: _Beat) -> Received:
    for name in ("mode", "cluster", "cassandra", "shim", "dc", "rack"):
        _short(getattr(raw, name), name)
    _short(raw.peers_hash, "peersHash")
    seeds = raw.seeds
    beat = Heartbeat(
        mode=raw.mode,
        host_id=_host(raw.host_id, "hostId"),
        address=parse_address(raw.address, "address"),
        dc=raw.dc,
        rack=raw.rack,
        native=raw.native,
        seeds=None if seeds is None else frozenset(_must(seed, "seeds") for seed in seeds),
        disk=_decode_disk(raw.disk),
        peers=None
        if raw.peers is None
        else tuple(
            _peer(peer.host_id, peer.address, peer.up, peer.state) for peer in raw.peers
        ),
    )
    extra = {
        name: value
        for name in ("shim", "cassandra", "cluster", "load")
        if (value := getattr(raw, name)) is not None
    }
    return Received(beat, raw.peers_hash, extra)


def _short(text: str | None, field: str) -> str | None:
    if text is not None and len(text) > MAX_TEXT:
        raise BadInputError(f"{field}: longer than {MAX_TEXT} characters")
    return text


def _pvc(text: str | None, field: str) -> PvcUid | None:
    text = _short(text, field)
    return PvcUid(text) if text else None


def _must(text: str, field: str) -> Address:
    address = parse_address(text, field)
    if address is None:
        raise BadInputError(f"{field}: an address is missing")
    return address


def _host(text: str | None, field: str) -> HostId | None:
    value = parse_uuid(text, field)
    return None if value is None else HostId(value)


def _ring(text: str | None, field: str) -> RingId | None:
    value = parse_uuid(text, field)
    return None if value is None else RingId(value)


def _decode_disk(raw: _Disk) -> Disk:
    return Disk(
        raw.state,
        _ring(raw.ring_id, "disk.ringId"),
        _host(raw.host_id, "disk.hostId"),
        _pvc(raw.pvc_uid, "disk.pvcUid"),
    )


@lru_cache(maxsize=8192)
def _peer(host_id: str, address: str, up: bool | None, state: PeerState) -> Peer:  # noqa: FBT001 -- a cache key
    """Make a peer once: every sidecar of a ring of N tells N - 1 of them, mostly the same."""
    host = _host(host_id, "peers.hostId")
    if host is None:
        raise BadInputError("peers.hostId: empty")
    return Peer(host, _must(address, "peers.address"), up, state)


def encode_disk(disk: Disk) -> dict[str, Any]:
    """Return the JSON form of a disk."""
    return {
        "state": disk.state.value,
        "ringId": disk.ring_id,
        "hostId": disk.host_id,
        "pvcUid": disk.pvc_uid,
    }


def encode_heartbeat(
    received: Received, age_seconds: float, *, with_peers: bool
) -> dict[str, Any]:
    """Return the JSON form of a heartbeat as ``GET /v1/node`` passes it on."""
    beat = received.beat
    body: dict[str, Any] = {
        "ageSeconds": round(age_seconds, 3),
        "mode": beat.mode,
        "hostId": beat.host_id,
        "address": beat.address,
        "dc": beat.dc,
        "rack": beat.rack,
        "native": beat.native,
        "seeds": None if beat.seeds is None else sorted(beat.seeds),
        "disk": encode_disk(beat.disk),
        "peersHash": received.peers_hash,
        **received.extra,
    }
    if with_peers and beat.peers is not None:
        body["peers"] = [
            {"hostId": p.host_id, "address": p.address, "up": p.up, "state": p.state.value}
            for p in beat.peers
        ]
    return body


class Told(msgspec.Struct, frozen=True):
    """A report with what is needed to judge where it came from and to ask again cheaply."""

    report: Report
    namespace: str
    service: str
    peers_hash: str | None


def parse_report(body: bytes, address: Address, received: float) -> Told:
    """Decode a sidecar's ``GET /v1/node``, reached at `address`; raise `BadInputError`."""
    try:
        raw = _report.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(str(error)) from None
    _short(raw.pod, "pod")
    _short(raw.pod_uid, "podUid")
    _short(raw.namespace, "namespace")
    _short(raw.service, "service")
    beat = None if raw.heartbeat is None else _received(raw.heartbeat)
    if raw.heartbeat is not None and raw.heartbeat.age_seconds < 0:
        raise BadInputError("heartbeat.ageSeconds: less than 0 would be fresh for ever")
    report = Report(
        pod=PodName(raw.pod),
        pod_uid=PodUid(raw.pod_uid),
        address=address,
        pvc_uid=_pvc(raw.pvc_uid, "pvcUid"),
        ring_id=_ring(raw.ring_id, "ringId"),
        disk=_decode_disk(raw.disk),
        process=raw.cassandra,
        heartbeat=None if beat is None else beat.beat,
        heartbeat_age=None if raw.heartbeat is None else raw.heartbeat.age_seconds,
        received=received,
        rack=_short(raw.rack, "rack") or None,
    )
    return Told(report, raw.namespace, raw.service, None if beat is None else beat.peers_hash)
