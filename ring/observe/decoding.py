"""Pods and what they run on, from the API server's JSON to what a ring has to do with them."""

from collections.abc import Callable

import msgspec

from ring.objects import Claim, Machine, Pod, StatefulSet

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
