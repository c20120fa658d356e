"""What nodes say of themselves and of each other: through their sidecars, and by CQL.

Host IDs, addresses and states are those of ``GET /v1/node`` in docs/contracts.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from ring.model import HostId

RUNNING_MODES = frozenset({"NORMAL", "JOINING", "LEAVING", "MOVING"})
IDLE_MODES = frozenset({"STARTING", "DRAINING", "DRAINED", "DECOMMISSIONED"})
"""Modes in which a process takes no part in the ring, or not yet.  Others tell nothing."""


class DiskState(StrEnum):
    """What a data directory is to a ring."""

    EMPTY = "empty"
    JOINING = "joining"
    MEMBER = "member"
    LEFT = "left"
    UNMARKED = "unmarked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Disk:
    """A data directory and what its mark says; None where it names nothing."""

    state: DiskState = DiskState.UNKNOWN
    ring_id: str | None = None
    host_id: HostId | None = None
    pvc_uid: str | None = None


class Process(StrEnum):
    """What a sidecar knows of the Cassandra process beside it."""

    ANSWERING = "answering"
    STARTING = "starting"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Seen(IntEnum):
    """How one node sees another; `ABSENT` is a host that it does not know at all."""

    UNKNOWN = 0
    UP = 1
    DOWN = 2
    ABSENT = 3


class PeerState(IntEnum):
    """Where a node stands in another's token metadata."""

    NORMAL = 0
    JOINING = 1
    LEAVING = 2
    MOVING = 3


@dataclass(frozen=True, slots=True)
class Sight:
    """Whom one node knows, in columns: the n-th entries of all four are about one host.

    A thousand nodes that know a thousand hosts say a million things.  Nodes of one ring know
    the same hosts at the same addresses, so those who read share the tuples (`Pool`).  An entry
    of the node about itself does no harm: it is not looked at.

    Attributes:
        hosts: host IDs; each once.
        addresses: IP literals.
        up: `Seen` as bytes, without `Seen.ABSENT`.
        states: `PeerState` as bytes.

    """

    hosts: tuple[HostId, ...]
    addresses: tuple[str, ...]
    up: bytes
    states: bytes


@dataclass(frozen=True, slots=True)
class Peer:
    """One row of what a node says of others; ``up`` None: its failure detector is silent."""

    host_id: HostId
    address: str
    up: bool | None
    state: PeerState = PeerState.NORMAL


POOLED = 256  # columns kept for sharing: a ring has one, and a few more while it changes


class Pool:
    """Makes sights that share equal columns.

    It forgets when it has kept `POOLED` of a kind: sights made before still share theirs.
    """

    def __init__(self) -> None:
        self._hosts: dict[tuple[HostId, ...], tuple[HostId, ...]] = {}
        self._addresses: dict[tuple[str, ...], tuple[str, ...]] = {}

    def sight(self, own: Peer | None, peers: Iterable[Peer]) -> Sight:
        """Put peers into columns, the node itself among them so that all columns are alike."""
        rows = {peer.host_id: peer for peer in peers}
        if own is not None:
            rows[own.host_id] = own
        ordered = sorted(rows.values(), key=lambda peer: peer.host_id)
        return self.shared(
            Sight(
                tuple(peer.host_id for peer in ordered),
                tuple(peer.address for peer in ordered),
                bytes(_seen(peer.up) for peer in ordered),
                bytes(peer.state for peer in ordered),
            )
        )

    def shared(self, sight: Sight) -> Sight:
        """Return an equal sight that shares its columns with others."""
        if len(self._hosts) >= POOLED:
            self._hosts.clear()
        hosts = self._hosts.setdefault(sight.hosts, sight.hosts)
        return Sight(hosts, self.addresses(sight.addresses), sight.up, sight.states)

    def addresses(self, column: tuple[str, ...]) -> tuple[str, ...]:
        """Return an equal column of addresses that others share."""
        if len(self._addresses) >= POOLED:
            self._addresses.clear()
        return self._addresses.setdefault(column, column)


def _seen(up: bool | None) -> Seen:  # noqa: FBT001 -- the field of the contract, as it is
    return Seen.UNKNOWN if up is None else Seen.UP if up else Seen.DOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a node last said to its sidecar (``PUT /v1/node``); None is "not known yet".

    Attributes:
        age: seconds since, when the sidecar told it.
        mode: ``StorageService.getOperationMode``.
        load: bytes (``StorageService.getLoad``).
        seeds: the set gossip uses.

    """

    age: float
    mode: str
    host_id: HostId | None = None
    address: str | None = None
    dc: str | None = None
    rack: str | None = None
    native: bool | None = None
    load: float | None = None
    release: str | None = None
    seeds: frozenset[str] | None = None
    sight: Sight | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock, in seconds: by how much it is ahead of one that nobody sets, and how surely.

    Attributes:
        ahead: of the manager's monotonic clock; only differences between clocks tell anything.
        error: half of the round trip and of the resolution that it was read with.

    """

    ahead: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """What a pod's sidecar answered to ``GET /v1/node``."""

    pod: str
    pod_uid: str
    pvc_uid: str | None = None
    ring_id: str | None = None
    address: str = ""
    disk: Disk = Disk()
    process: Process = Process.UNKNOWN
    heartbeat: Heartbeat | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A node as CQL has it: ``system.local`` or a row of ``system.peers_v2``.

    Attributes:
        tokens: empty where they are not known; joining nodes' never are.

    """

    host_id: HostId
    address: str = ""
    dc: str = ""
    rack: str = ""
    tokens: tuple[int, ...] = ()
    schema: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one node said by CQL.

    Attributes:
        local: of itself.
        peers: of others; rows without a host ID are left out, as they are incomplete.
        keyspaces: ``system_schema.keyspaces.replication`` by name.

    """

    local: Row
    peers: tuple[Row, ...] = ()
    keyspaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
