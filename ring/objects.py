"""Kubernetes objects as far as a ring has to do with them: pods, disks, machines, the ledger.

Names and meanings of the ring's own objects are those of docs/contracts.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ring.model import HostId

_ORDINAL = re.compile(r"(.+)-([0-9]+)")


def ordinal(pod: str) -> int | None:
    """Return the ordinal in a pod's name; None where it has none."""
    match = _ORDINAL.fullmatch(pod)
    return int(match[2]) if match else None


def pod_order(pod: str) -> tuple[int, str]:
    """Order pods by ordinal as a number, then by name; names without an ordinal come last."""
    number = ordinal(pod)
    return (2**63 if number is None else number, pod)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod (v1).

    Attributes:
        stateful_set: name of the StatefulSet that owns it; empty where none does.
        machine: Kubernetes node it is bound to (``spec.nodeName``); empty while it is not.
        address: ``status.podIP``; empty while it has none.
        phase: ``status.phase``.
        ready: condition ``Ready``.
        terminating: whether it has a deletion timestamp.
        restarts: of the container that runs Cassandra (``restartCount``).

    """

    name: str
    uid: str
    stateful_set: str = ""
    machine: str = ""
    address: str = ""
    phase: str = "Running"
    ready: bool = True
    terminating: bool = False
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim of a StatefulSet.

    Attributes:
        name: template, dash and pod name.
        uid: the disk's identity (``metadata.uid``).
        pod: whose disk it is, by its name.
        phase: ``Pending``, ``Bound`` or ``Lost``.

    """

    name: str
    uid: str
    pod: str
    phase: str = "Bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A Kubernetes node.

    Attributes:
        zone: label ``topology.kubernetes.io/zone``; empty where it has none.
        schedulable: not ``spec.unschedulable``.
        ready: condition ``Ready``; None where its status is ``Unknown``.

    """

    name: str
    zone: str = ""
    schedulable: bool = True
    ready: bool | None = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A pod as the EndpointSlices of the Service name it (``discovery.k8s.io/v1``)."""

    pod: str
    uid: str
    address: str
    serving: bool = True
    terminating: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatefulSet:
    """A StatefulSet (apps/v1): which ordinals it wants, from ``start`` on."""

    name: str
    replicas: int
    start: int = 0

    def wants(self, pod: str) -> bool:
        """Say whether a pod of this name is to exist."""
        number = ordinal(pod)
        return number in self.ordinals and pod == f"{self.name}-{number}"

    @property
    def ordinals(self) -> range:
        """Ordinals of the pods that are to exist."""
        return range(self.start, self.start + self.replicas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The ring record, ConfigMap ``<service>-ring``."""

    ring_id: str
    founder: str = ""
    how: str = ""
    at: str = ""


class EntryState(StrEnum):
    """What the ledger says of a pod."""

    JOINING = "joining"
    MEMBER = "member"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Stay:
    """An address, and since when the member has it (RFC 3339)."""

    address: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A ledger entry, ConfigMap ``<pod>-member``: which member a pod is.

    Attributes:
        host_id: None until the node was NORMAL once; while a lost disk is replaced, that of
            the host that is lost.
        addresses: newest first.

    """

    pod: str
    ring_id: str
    pod_uid: str
    pvc_uid: str | None
    host_id: HostId | None
    state: EntryState
    dc: str = ""
    rack: str = ""
    addresses: tuple[Stay, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """The join turn, Lease ``<service>-join``; both are empty while it is free."""

    pod: str = ""
    pod_uid: str = ""


Pods = Mapping[str, Pod]
Ledger = Mapping[str, Entry]
