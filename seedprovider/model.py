"""The values that the seed protocol reasons about: no I/O, no clock, no logging.

Identity: a ring member is its *host ID*, a pod is its *name*, a disk is its *PVC UID*. An
address is none of these; it only says where something was last seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NewType

RingId = NewType("RingId", str)
"""UUID of a ring, in lower case; made by the pod that founds it."""
HostId = NewType("HostId", str)
"""UUID of a Cassandra node (``system.local.host_id``), in lower case."""
PodName = NewType("PodName", str)
PodUid = NewType("PodUid", str)
PvcUid = NewType("PvcUid", str)
Address = NewType("Address", str)
"""IP literal in its canonical form (`ipaddress`), without port or zone."""

_ORDINAL = re.compile(r"(.+)-([0-9]+)")


@lru_cache(maxsize=4096)
def pod_order(pod: str) -> tuple[int, str]:
    """Order pods by ordinal as a number, then by StatefulSet: cassandra-2 before cassandra-10.

    A name without an ordinal comes last; the StatefulSet controller makes none.
    """
    match = _ORDINAL.fullmatch(pod)
    return (int(match[2]), match[1]) if match else (2**63, pod)


class DiskState(StrEnum):
    """What a data directory is to a ring; see docs/contracts.md, "The disk and its mark"."""

    EMPTY = "empty"
    JOINING = "joining"
    MEMBER = "member"
    LEFT = "left"
    UNMARKED = "unmarked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Disk:
    """A data directory and what its mark says; the IDs are None where the mark names none.

    Attributes:
        ring_id: on a disk without data, the ring that its node was let into and may be joining,
            or, in the word of its sidecar, is about to be let into.

    """

    state: DiskState
    ring_id: RingId | None = None
    host_id: HostId | None = None
    pvc_uid: PvcUid | None = None

    @property
    def is_blank(self) -> bool:
        """Whether it holds nothing that a ring could miss: ``joining`` never was NORMAL."""
        return self.state in {DiskState.EMPTY, DiskState.JOINING}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod as the EndpointSlices name it, perhaps minutes ago.

    Attributes:
        serving: the pod is Ready (``conditions.serving``).
        terminating: it has a deletion timestamp (``conditions.terminating``).
        zone: ``endpoints[].zone``, the Kubernetes node's topology zone.

    """

    pod: PodName
    uid: PodUid
    address: Address
    serving: bool = True
    terminating: bool = False
    zone: str | None = None


class PeerState(StrEnum):
    """Where another node stands in token metadata."""

    NORMAL = "normal"
    JOINING = "joining"
    LEAVING = "leaving"
    MOVING = "moving"


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node as one node sees it; `up` is None where its failure detector is silent."""

    host_id: HostId
    address: Address
    up: bool | None
    state: PeerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a node last said of itself (``PUT /v1/node``); None is "not known yet".

    Attributes:
        mode: ``StorageService.getOperationMode``.
        seeds: the set gossip uses (``Gossiper.getSeeds``), never with the node itself.
        peers: every other endpoint with a host ID.

    """

    mode: str
    host_id: HostId | None = None
    address: Address | None = None
    dc: str | None = None
    rack: str | None = None
    native: bool | None = None
    seeds: frozenset[Address] | None = None
    disk: Disk
    peers: tuple[Peer, ...] | None = None


class Process(StrEnum):
    """What a sidecar knows of the Cassandra process beside it."""

    ANSWERING = "answering"  # its storage port accepts connections
    STARTING = "starting"  # heartbeats arrive, the port is closed
    STOPPED = "stopped"  # no heartbeat for `STOPPED_AFTER` and the port is closed
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a pod's sidecar answered to ``GET /v1/node``.

    Attributes:
        received: when the question was sent, in seconds on this sidecar's monotonic clock: what
            was answered is no older than that.
        heartbeat_age: seconds since the last heartbeat, as the reporting sidecar measured.
        address: where the sidecar was reached.
        rack: what the disk keeps for ever, None where nothing was chosen for it.

    """

    pod: PodName
    pod_uid: PodUid
    address: Address
    pvc_uid: PvcUid | None
    ring_id: RingId | None
    disk: Disk
    process: Process
    heartbeat: Heartbeat | None
    heartbeat_age: float | None
    received: float
    rack: str | None = None


class Origin(StrEnum):
    """How a ring record came about."""

    FOUNDED = "founded"
    ADOPTED = "adopted"
    JOINED = "joined"
    REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The ring record, ConfigMap ``<service>-ring``: which ring this service is.

    Attributes:
        adopted: pods that ran on unmarked disks when the ring was adopted, with their volumes;
            until its mark is written such a disk is known by this alone.
        at: when it was written, RFC 3339.
        version: resourceVersion it was read at; None before it is written.

    """

    ring_id: RingId
    founder: PodName
    founder_pvc_uid: PvcUid | None
    how: Origin
    at: str
    adopted: tuple[tuple[PodName, PvcUid | None], ...] = ()
    version: str | None = None


class EntryState(StrEnum):
    """What the ledger says of a pod."""

    JOINING = "joining"
    MEMBER = "member"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Stay:
    """An address and since when the member has it (RFC 3339)."""

    address: Address
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A ledger entry, ConfigMap ``<pod>-member``: which member a pod is.

    Attributes:
        host_id: None until the pod's node was NORMAL once.
        addresses: newest first, at most 8.
        version: resourceVersion it was read at; None before it is written.

    """

    pod: PodName
    ring_id: RingId
    pod_uid: PodUid
    pvc_uid: PvcUid | None
    host_id: HostId | None
    state: EntryState
    dc: str | None = None
    rack: str | None = None
    addresses: tuple[Stay, ...] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The join turn, Lease ``<service>-join``: who may come in with an empty disk.

    Attributes:
        holder: pod name and pod UID, None when free.
        transitions: how often it went to another holder, for people (``leaseTransitions``).
        version: resourceVersion; None where the Lease does not exist yet.

    """

    holder: tuple[PodName, PodUid] | None = None
    transitions: int = 0
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the API server said when asked just now, by quorum reads and not by a watch.

    Attributes:
        pods: every pod that the Service selects, running or not.
        volumes: every claim of the StatefulSets behind the Service, by pod; None as the UID
            means that the claim exists but is not bound yet.
        approved_founder: pod named by the Service's approve-founding annotation.
        paused: why nobody new is let in (the Service's pause annotation), None if not paused.

    """

    pods: Mapping[PodName, PodUid] = field(default_factory=dict)
    volumes: Mapping[PodName, PvcUid | None] = field(default_factory=dict)
    turn: Turn = Turn()
    approved_founder: PodName | None = None
    paused: str | None = None


class Source(StrEnum):
    """Where a view comes from."""

    LIVE = "live"  # read for this very question
    WATCH = "watch"
    CACHE = "cache"  # the last good view on disk: the API server has not answered yet
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that one decision is taken from, read once.

    Attributes:
        now: seconds on the monotonic clock that `Report.received` is measured on.
        endpoints: every pod with an address, in pod order.
        reports: the last answer of each pod's sidecar, whatever its age.
        record_known: whether `record` None means that there is no record.
        record, ledger: as the API server has them.
        live: None unless the API server was asked for this decision and answered.
        age: seconds since the API server was last heard.
        strangers: who answers at an address instead of the pod that a slice names there.
        last_good: the last answer given, from the cache or from the disk's mark.

    """

    source: Source
    now: float = 0.0
    age: float = 0.0
    endpoints: tuple[Endpoint, ...] = ()
    reports: Mapping[PodName, Report] = field(default_factory=dict)
    record_known: bool = False
    record: Record | None = None
    ledger: Mapping[PodName, Entry] = field(default_factory=dict)
    live: Live | None = None
    strangers: Mapping[Address, str] = field(default_factory=dict)
    last_good: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The node that asks for seeds.

    Attributes:
        address: its broadcast address.
        configured: seeds configured before adoption, resolved to addresses.
        waiting: seconds since it first asked in this start.
        turn_version: resourceVersion of the join turn as this very start took it; None before.
        promised: ring that its sidecar already tells others the node may be on its way into.
        fresh_ring_id: the ID that a ring founded now would get.
        clock: wall-clock time for what is written, RFC 3339.

    """

    pod: PodName
    uid: PodUid
    pvc_uid: PvcUid | None
    address: Address
    disk: Disk
    configured: tuple[Address, ...] = ()
    waiting: float = 0.0
    turn_version: str | None = None
    promised: RingId | None = None
    fresh_ring_id: RingId
    clock: str
