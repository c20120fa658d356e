"""Which EndpointSlices follow from a Service and its pods.

Pure: objects in, wanted writes out.  The rules are those of ``podToEndpoint`` and ``reconcile``
in k8s.io/endpointslice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_BY = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
ZONE_LABEL = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Writes:
    """What has to be written so that the slices say what the pods are.

    Attributes:
        create: new slices, without a name of their own yet.
        update: slices whose endpoints change.
        delete: names of slices that have become empty.

    """

    create: tuple[Object, ...]
    update: tuple[Object, ...]
    delete: tuple[str, ...]


def reconcile(
    service: Object, pods: Iterable[Object], slices: Sequence[Object], most: int
) -> Writes:
    """Return the writes after which ``slices`` name exactly ``pods``.

    An endpoint stays in the slice it is in; new ones fill what room there is, and then new
    slices of at most ``most`` endpoints (``--max-endpoints-per-slice``).
    """
    wanted = {
        pod["metadata"]["uid"]: endpoint(pod, service) for pod in pods if has_endpoint(pod)
    }
    kept = [_pick(wanted, piece) for piece in slices]
    placed = {item["targetRef"]["uid"] for items in kept for item in items}
    new = [item for uid, item in wanted.items() if uid not in placed]
    for items in kept:
        if items or not new:
            room = max(0, most - len(items))
            items.extend(new[:room])
            del new[:room]
    pairs = list(zip(slices, kept, strict=True))
    return Writes(
        tuple(_slice(service, new[at : at + most]) for at in range(0, len(new), most)),
        tuple(
            {**piece, "endpoints": items}
            for piece, items in pairs
            if items and items != piece["endpoints"]
        ),
        tuple(piece["metadata"]["name"] for piece, items in pairs if not items),
    )


def has_endpoint(pod: Object) -> bool:
    """Tell whether a pod is listed at all: it has an address and has not ended."""
    status = pod.get("status", {})
    return bool(status.get("podIP")) and status.get("phase") not in {"Failed", "Succeeded"}


def endpoint(pod: Object, service: Object) -> Object:
    """Describe one pod; ``serving`` is its readiness, whatever the Service publishes."""
    meta, spec = pod["metadata"], pod.get("spec", {})
    serving = is_ready(pod)
    terminating = "deletionTimestamp" in meta
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    described: Object = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": publish or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
    }
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        described["hostname"] = spec["hostname"]
    if spec.get("nodeName"):
        described["nodeName"] = spec["nodeName"]
    if zone := meta.get("labels", {}).get(ZONE_LABEL):
        described["zone"] = zone
    return described


def is_ready(pod: Object) -> bool:
    """Tell whether the pod's condition ``Ready`` is true."""
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in pod.get("status", {}).get("conditions", ())
    )


def _pick(wanted: Mapping[str, Object], piece: Object) -> list[Object]:
    """Return today's form of the endpoints of a slice that are still wanted."""
    return list(_still(wanted, piece.get("endpoints", ())))


def _still(wanted: Mapping[str, Object], items: Iterable[Object]) -> Iterator[Object]:
    for item in items:
        now = wanted.get(item["targetRef"]["uid"])
        if now is not None:
            yield now


def _slice(service: Object, endpoints: list[Object]) -> Object:
    meta = service["metadata"]
    owner = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    headless = {"service.kubernetes.io/headless": ""}
    return {
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": {
                **meta.get("labels", {}),
                **MANAGED_BY,
                **(headless if service["spec"].get("clusterIP") == "None" else {}),
                SERVICE_LABEL: meta["name"],
            },
            "ownerReferences": [owner],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [
            {"name": port["name"], "port": port["port"], "protocol": "TCP"}
            for port in service["spec"].get("ports", ())
        ],
    }
