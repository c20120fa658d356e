"""The Kubernetes objects of the stage, as a user and the controllers would write them; pure."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from localring.apiserver.mergepatch import merged
from localring.settings import CQL_PORT, STORAGE_PORT
from localring.slices import ZONE_LABEL

Object = dict[str, Any]

NAME = "cassandra"  # of StatefulSet, Service and the label app
CLAIM = "cassandra-data"  # volume claim template
NAMESPACE = "default"
SELECTOR = {"app": NAME}


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """What tells one pod of the StatefulSet from the others.

    Attributes:
        ordinal: its number.
        zone: Kubernetes zone, which is Cassandra's rack.

    """

    ordinal: int
    zone: str

    @property
    def name(self) -> str:
        """Name of the pod, the same for every incarnation."""
        return f"{NAME}-{self.ordinal}"

    @property
    def claim(self) -> str:
        """Name of its PersistentVolumeClaim."""
        return f"{CLAIM}-{self.name}"


def service() -> Object:
    """Return the headless seed Service."""
    return {
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": dict(SELECTOR)},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": dict(SELECTOR),
            "ports": [
                {"name": "intra-node", "port": STORAGE_PORT, "protocol": "TCP"},
                {"name": "cql", "port": CQL_PORT, "protocol": "TCP"},
            ],
        },
    }


def stateful_set(replicas: int) -> Object:
    """Return the StatefulSet, as far as anybody here reads it."""
    containers = [{"name": NAME, "image": "cassandra"}]
    return {
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": dict(SELECTOR)},
        "spec": {
            "replicas": replicas,
            "serviceName": NAME,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": dict(SELECTOR)},
            "template": {
                "metadata": {"labels": dict(SELECTOR)},
                "spec": {"containers": containers},
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": CLAIM},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                }
            ],
        },
        "status": {"replicas": 0},
    }


def claim(identity: PodIdentity, *, bound: bool) -> Object:
    """Return the PersistentVolumeClaim of a pod, as it is before or after a volume is bound."""
    name = identity.claim
    unbound = {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": dict(SELECTOR)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
        "status": {"phase": "Pending"},
    }
    return merged(unbound, binding(identity)) if bound else unbound


def binding(identity: PodIdentity) -> Object:
    """Return the merge patch with which a volume controller binds the pod's claim."""
    return {
        "spec": {"volumeName": f"pv-{identity.claim}"},
        "status": {"phase": "Bound"},
    }


def pod(identity: PodIdentity, owner: UUID) -> Object:
    """Return a pod as the StatefulSet with the UID ``owner`` makes it: no address yet."""
    reference = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": NAME,
        "uid": str(owner),
    }
    volume = {"name": CLAIM, "persistentVolumeClaim": {"claimName": identity.claim}}
    return {
        "metadata": {
            "name": identity.name,
            "namespace": NAMESPACE,
            "labels": {
                **SELECTOR,
                ZONE_LABEL: identity.zone,
                "apps.kubernetes.io/pod-index": str(identity.ordinal),
                "statefulset.kubernetes.io/pod-name": identity.name,
            },
            "ownerReferences": [{**reference, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {
            "hostname": identity.name,
            "subdomain": NAME,
            "nodeName": f"node-{identity.ordinal}",
            "containers": [{"name": NAME, "image": "cassandra"}],
            "volumes": [volume],
        },
        "status": {"phase": "Pending"},
    }


def pod_status(address: IPv4Address, *, ready: bool) -> Object:
    """Return the status of a running pod, as its kubelet reports it."""
    conditions = {
        "PodScheduled": True,
        "Initialized": True,
        "ContainersReady": ready,
        "Ready": ready,
    }
    return {
        "phase": "Running",
        "podIP": str(address),
        "podIPs": [{"ip": str(address)}],
        "conditions": [
            {"type": kind, "status": "True" if holds else "False"}
            for kind, holds in conditions.items()
        ],
    }
