"""The ring record, the ledger and the join turn as Kubernetes objects, both ways.  Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from seedprovider.model import (
    Entry,
    EntryState,
    HostId,
    Origin,
    PodName,
    PodUid,
    PvcUid,
    Record,
    RingId,
    Stay,
    Turn,
)
from seedprovider.node import BadInputError, parse_uuid
from seedprovider.view import canonical

PREFIX = "cassandra-k8s-ring.io"
SERVICE_LABEL = f"{PREFIX}/service"
APPROVE_FOUNDING = f"{PREFIX}/approve-founding"
PAUSE = f"{PREFIX}/pause"
MAX_PAUSE_REASON = 200
"""Characters of an operator's reason that are shown; an annotation may hold 256 KiB."""
MANAGED_BY = "cassandra-k8s-ring"
LEASE_SECONDS = 30
"""How long a Lease counts as held without renewal, for people; it frees nothing by itself."""


def record_name(service: str) -> str:
    """Name of the ring record's ConfigMap."""
    return f"{service}-ring"


def entry_name(pod: str) -> str:
    """Name of a pod's ledger ConfigMap."""
    return f"{pod}-member"


def turn_name(service: str) -> str:
    """Name of the join turn's Lease."""
    return f"{service}-join"


def selector(service: str) -> str:
    """Label selector of all objects that the sidecars of a service keep."""
    return f"app.kubernetes.io/managed-by={MANAGED_BY},{SERVICE_LABEL}={service}"


def parse_pause(annotations: Mapping[str, str]) -> str | None:
    """Return the reason of the Service's pause annotation, as one line; None if not paused.

    Any value but the empty one pauses, also one that says nothing that can be shown.
    """
    value = annotations.get(PAUSE)
    if not value:
        return None
    shown = "".join(each if each.isprintable() else " " for each in value)
    return " ".join(shown.split())[:MAX_PAUSE_REASON] or "no reason given"


def _meta(name: str, namespace: str, service: str, version: str | None) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": MANAGED_BY, SERVICE_LABEL: service},
    }
    if version is not None:
        meta["resourceVersion"] = version
    return meta


class ConfigMap(msgspec.Struct, frozen=True):
    """What we read of a ``v1`` ConfigMap besides its name."""

    data: dict[str, str] | None = None


_adopted = msgspec.json.Decoder(dict[str, str])


def parse_record(data: Mapping[str, str], version: str) -> Record:
    """Decode the ring record; raise `BadInputError`: a broken record is not a missing one."""
    ring = parse_uuid(data.get("ringId"), "ringId")
    if ring is None:
        raise BadInputError("ringId: missing")
    try:
        how = Origin(data.get("how", ""))
    except ValueError:
        raise BadInputError(f"how: {data.get('how')!r}") from None
    return Record(
        ring_id=RingId(ring),
        founder=PodName(data.get("founder", "")),
        founder_pvc_uid=PvcUid(data["founderPvcUid"]) if data.get("founderPvcUid") else None,
        how=how,
        at=data.get("at", ""),
        adopted=_parse_adopted(data.get("adopted")),
        version=version,
    )


def _parse_adopted(text: str | None) -> tuple[tuple[PodName, PvcUid | None], ...]:
    try:
        pods = _adopted.decode(text or "{}")
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadInputError(f"adopted: {error}") from None
    return tuple((PodName(pod), PvcUid(uid) if uid else None) for pod, uid in pods.items())


def record_body(record: Record, namespace: str, service: str) -> dict[str, Any]:
    """Encode the ring record."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _meta(record_name(service), namespace, service, record.version),
        "data": {
            "ringId": record.ring_id,
            "founder": record.founder,
            "founderPvcUid": record.founder_pvc_uid or "",
            "how": record.how.value,
            "at": record.at,
            **_adopted_data(record),
        },
    }


def _adopted_data(record: Record) -> dict[str, str]:
    if not record.adopted:
        return {}
    pods = {pod: uid or "" for pod, uid in record.adopted}
    return {"adopted": msgspec.json.encode(pods).decode()}


class _Stay(msgspec.Struct):
    address: str
    since: str = ""


_stays = msgspec.json.Decoder(list[_Stay])


def parse_entry(data: Mapping[str, str], version: str) -> Entry:
    """Decode a ledger entry; raise `BadInputError`."""
    ring = parse_uuid(data.get("ringId"), "ringId")
    host = parse_uuid(data.get("hostId"), "hostId")
    if ring is None or not data.get("pod"):
        raise BadInputError("ringId or pod: missing")
    try:
        state = EntryState(data.get("state", ""))
        stays = _stays.decode(data.get("addresses") or "[]")
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadInputError(str(error)) from None
    return Entry(
        pod=PodName(data["pod"]),
        ring_id=RingId(ring),
        pod_uid=PodUid(data.get("podUid", "")),
        pvc_uid=PvcUid(data["pvcUid"]) if data.get("pvcUid") else None,
        host_id=HostId(host) if host else None,
        state=state,
        dc=data.get("dc") or None,
        rack=data.get("rack") or None,
        addresses=tuple(
            Stay(address, stay.since)
            for stay in stays
            if (address := canonical(stay.address)) is not None
        ),
        version=version,
    )


def entry_body(entry: Entry, namespace: str, service: str) -> dict[str, Any]:
    """Encode a ledger entry."""
    stays = [_Stay(stay.address, stay.since) for stay in entry.addresses]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _meta(entry_name(entry.pod), namespace, service, entry.version),
        "data": {
            "ringId": entry.ring_id,
            "pod": entry.pod,
            "podUid": entry.pod_uid,
            "pvcUid": entry.pvc_uid or "",
            "hostId": entry.host_id or "",
            "state": entry.state.value,
            "dc": entry.dc or "",
            "rack": entry.rack or "",
            "addresses": msgspec.json.encode(stays).decode(),
        },
    }


class _LeaseSpec(msgspec.Struct, frozen=True, rename="camel"):
    holder_identity: str | None = None
    lease_transitions: int | None = None


class Lease(msgspec.Struct, frozen=True):
    """What we read of a ``coordination.k8s.io/v1`` Lease besides its name."""

    spec: _LeaseSpec = _LeaseSpec()


def parse_turn(lease: Lease, version: str) -> Turn:
    """Decode the join turn; a holder that is not ``pod/uid`` is a holder all the same."""
    identity, transitions = lease.spec.holder_identity, lease.spec.lease_transitions or 0
    if not identity:
        return Turn(transitions=transitions, version=version)
    pod, _, uid = identity.partition("/")
    return Turn(holder=(PodName(pod), PodUid(uid)), transitions=transitions, version=version)


def turn_body(
    holder: tuple[PodName, PodUid] | None, was: Turn, namespace: str, service: str, at: str
) -> dict[str, Any]:
    """Encode the join turn; `at` is now as RFC 3339 with microseconds (``MicroTime``)."""
    taken = holder is not None and holder != was.holder
    spec: dict[str, Any] = {
        "holderIdentity": "/".join(holder) if holder else "",
        "leaseTransitions": was.transitions + taken,
    }
    if holder is not None:
        spec |= {"leaseDurationSeconds": LEASE_SECONDS, "acquireTime": at, "renewTime": at}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": _meta(turn_name(service), namespace, service, was.version),
        "spec": spec,
    }
