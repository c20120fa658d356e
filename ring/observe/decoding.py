"""Objects of the API server, from their JSON to what a ring has to do with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from ring.model import HostId
from ring.objects import (
    Claim,
    Endpoint,
    Entry,
    EntryState,
    Machine,
    Pod,
    Record,
    StatefulSet,
    Stay,
    Turn,
)

ZONE = "topology.kubernetes.io/zone"
CASSANDRA = "cassandra"  # the container's name in the StatefulSet of manifests/


class _Owner(msgspec.Struct):
    kind: str = ""
    name: str = ""


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    uid: str = ""
    labels: dict[str, str] = {}
    deletion_timestamp: str | None = None
    owner_references: list[_Owner] = []


class _Condition(msgspec.Struct):
    type: str
    status: str = ""


class _ContainerStatus(msgspec.Struct, rename="camel"):
    name: str = ""
    restart_count: int = 0


class _PodSpec(msgspec.Struct, rename="camel"):
    node_name: str = ""


class _PodStatus(msgspec.Struct, rename="camel"):
    phase: str = ""
    pod_ip: str = msgspec.field(name="podIP", default="")
    conditions: list[_Condition] = []
    container_statuses: list[_ContainerStatus] = []


class _Pod(msgspec.Struct):
    metadata: _Meta
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


_pod = msgspec.json.Decoder(_Pod)


def pod(raw: bytes) -> Pod:
    """Decode a pod (v1)."""
    body = _pod.decode(raw)
    meta, status = body.metadata, body.status
    owner = next((o.name for o in meta.owner_references if o.kind == "StatefulSet"), "")
    restarts = {each.name: each.restart_count for each in status.container_statuses}
    return Pod(
        name=meta.name,
        uid=meta.uid,
        stateful_set=owner,
        machine=body.spec.node_name,
        address=status.pod_ip,
        phase=status.phase,
        ready=_holds(status.conditions, "Ready") is True,
        terminating=meta.deletion_timestamp is not None,
        restarts=restarts.get(CASSANDRA, max(restarts.values(), default=0)),
    )


def _holds(conditions: list[_Condition], kind: str) -> bool | None:
    said = next((each.status for each in conditions if each.type == kind), "")
    return {"True": True, "False": False}.get(said)


class _Phase(msgspec.Struct):
    phase: str = ""


class _Claim(msgspec.Struct):
    metadata: _Meta
    status: _Phase = msgspec.field(default_factory=_Phase)


_claim = msgspec.json.Decoder(_Claim)


def claim(template: str) -> Callable[[bytes], Claim | None]:
    """Return a decoder of claims made from a template of a StatefulSet; others are None."""
    prefix = f"{template}-"

    def decode(raw: bytes) -> Claim | None:
        body = _claim.decode(raw)
        name = body.metadata.name
        if not name.startswith(prefix):
            return None
        return Claim(
            name=name,
            uid=body.metadata.uid,
            pod=name.removeprefix(prefix),
            phase=body.status.phase,
        )

    return decode


class _NodeSpec(msgspec.Struct):
    unschedulable: bool = False


class _NodeStatus(msgspec.Struct):
    conditions: list[_Condition] = []


class _Node(msgspec.Struct):
    metadata: _Meta
    spec: _NodeSpec = msgspec.field(default_factory=_NodeSpec)
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)


_node = msgspec.json.Decoder(_Node)


def machine(raw: bytes) -> Machine:
    """Decode a node (v1)."""
    body = _node.decode(raw)
    return Machine(
        name=body.metadata.name,
        zone=body.metadata.labels.get(ZONE, ""),
        schedulable=not body.spec.unschedulable,
        ready=_holds(body.status.conditions, "Ready"),
    )


class _Ordinals(msgspec.Struct):
    start: int = 0


class _SetSpec(msgspec.Struct, rename="camel"):
    replicas: int = 1
    service_name: str = ""
    ordinals: _Ordinals | None = None


class _Set(msgspec.Struct):
    metadata: _Meta
    spec: _SetSpec


_set = msgspec.json.Decoder(_Set)


def stateful_set(service: str) -> Callable[[bytes], StatefulSet | None]:
    """Return a decoder of StatefulSets of one Service (apps/v1); others are None."""

    def decode(raw: bytes) -> StatefulSet | None:
        body = _set.decode(raw)
        if body.spec.service_name != service:
            return None
        start = body.spec.ordinals.start if body.spec.ordinals else 0
        return StatefulSet(name=body.metadata.name, replicas=body.spec.replicas, start=start)

    return decode


class _Conditions(msgspec.Struct):
    serving: bool | None = None
    ready: bool | None = None
    terminating: bool | None = None


class _Target(msgspec.Struct):
    kind: str = ""
    name: str = ""
    uid: str = ""


class _Endpoint(msgspec.Struct, rename="camel"):
    addresses: list[str] = []
    conditions: _Conditions = msgspec.field(default_factory=_Conditions)
    target_ref: _Target | None = None


class _Slice(msgspec.Struct):
    metadata: _Meta
    endpoints: list[_Endpoint] | None = None


_slice = msgspec.json.Decoder(_Slice)


def endpoints(raw: bytes) -> tuple[Endpoint, ...]:
    """Decode an EndpointSlice (discovery.k8s.io/v1): its pods that have an address."""
    found = []
    for each in _slice.decode(raw).endpoints or ():
        target, said = each.target_ref, each.conditions
        if target is not None and target.kind == "Pod" and each.addresses:
            serving = said.serving if said.serving is not None else said.ready
            found.append(
                Endpoint(
                    pod=target.name,
                    uid=target.uid,
                    address=each.addresses[0],
                    serving=serving is not False,
                    terminating=said.terminating is True,
                )
            )
    return tuple(found)


class _ConfigMap(msgspec.Struct):
    metadata: _Meta
    data: dict[str, str] | None = None


class _Stay(msgspec.Struct):
    address: str
    since: str = ""


_config_map = msgspec.json.Decoder(_ConfigMap)
_stays = msgspec.json.Decoder(list[_Stay])


@dataclass(frozen=True, slots=True)
class Broken:
    """A record or an entry that cannot be read: not a missing one."""

    problem: str


def config_map(service: str) -> Callable[[bytes], Record | Entry | Broken | None]:
    """Return a decoder of the ring record and the ledger's entries; others are None."""

    def decode(raw: bytes) -> Record | Entry | Broken | None:
        body = _config_map.decode(raw)
        name, data = body.metadata.name, body.data or {}
        try:
            if name == f"{service}-ring":
                return _record(data)
            if name.endswith("-member"):
                return _entry(data, name.removesuffix("-member"))
        except KeyError as error:
            return Broken(f"ConfigMap {name} lacks {error}")
        except (ValueError, msgspec.MsgspecError) as error:
            return Broken(f"ConfigMap {name} cannot be read: {error}")
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


class _ServiceSpec(msgspec.Struct):
    selector: dict[str, str] | None = None


class _Service(msgspec.Struct):
    spec: _ServiceSpec


_service = msgspec.json.Decoder(_Service)


def selector(raw: bytes) -> str:
    """Return a Service's selector as a label selector; empty where it has none."""
    pairs: Any = (_service.decode(raw).spec.selector or {}).items()
    return ",".join(f"{name}={value}" for name, value in pairs)
