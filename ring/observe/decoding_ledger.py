"""What sidecars write, from the API server's JSON: ring record, ledger and join turn."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from ring.model import HostId
from ring.objects import Entry, EntryState, Record, Stay, Turn

ENTRY: Final = "-member"
"""How the name of a ledger entry ends, after its pod's."""


class _Meta(msgspec.Struct):
    name: str


class _ConfigMap(msgspec.Struct):
    metadata: _Meta
    data: dict[str, str] | None = None


class _Stay(msgspec.Struct):
    address: str
    since: str = ""


_config_map = msgspec.json.Decoder(_ConfigMap)
_stays = msgspec.json.Decoder(list[_Stay])


def record_name(service: str) -> str:
    """Return the name of a Service's ring record."""
    return f"{service}-ring"


def config_map(service: str) -> Callable[[bytes], Record | Entry | None]:
    """Return a decoder of the ring record and the ledger's entries; others are None."""

    def decode(raw: bytes) -> Record | Entry | None:
        body = _config_map.decode(raw)
        name, data = body.metadata.name, body.data or {}
        try:
            if name == record_name(service):
                return _record(data)
            if name.endswith(ENTRY):
                return _entry(data, name.removesuffix(ENTRY))
        except KeyError as error:
            raise ValueError(f"it lacks {error}") from None
        return None

    return decode


def _record(data: dict[str, str]) -> Record:
    return Record(
        ring_id=str(UUID(data["ringId"])),
        founder=data.get("founder", ""),
        how=data.get("how", ""),
        at=data.get("at", ""),
    )


def _entry(data: dict[str, str], pod_: str) -> Entry:
    if data["pod"] != pod_:
        raise ValueError(f"it is of {data['pod']!r}")
    host = data.get("hostId")
    return Entry(
        pod=data["pod"],
        ring_id=str(UUID(data["ringId"])),
        pod_uid=data.get("podUid", ""),
        pvc_uid=data.get("pvcUid") or None,
        host_id=HostId(UUID(host)) if host else None,
        state=EntryState(data.get("state", "")),
        dc=data.get("dc", ""),
        rack=data.get("rack", ""),
        addresses=tuple(
            Stay(each.address, each.since)
            for each in _stays.decode(data.get("addresses") or "[]")
        ),
    )


class _LeaseSpec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None


class _Lease(msgspec.Struct):
    spec: _LeaseSpec = msgspec.field(default_factory=_LeaseSpec)


_lease = msgspec.json.Decoder(_Lease)


def turn(raw: bytes) -> Turn:
    """Decode the join turn (coordination.k8s.io/v1 Lease)."""
    pod_, _, uid = (_lease.decode(raw).spec.holder_identity or "").partition("/")
    return Turn(pod_, uid)
