"""Ring members, each with all that is known of it from every source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ring.identity import Identities, Voice, fresh_facts
from ring.matrix import Viewer
from ring.model import HostId, Liveness, Mode
from ring.objects import Claim, Entry, Machine, Pod, Stay, ordinal
from ring.observed import Observation
from ring.reading import Limits
from ring.words import IDLE_MODES, RUNNING_MODES, Heartbeat, PeerState, Process, Row

MODES = {
    "NORMAL": Mode.NORMAL,
    "JOINING": Mode.JOINING,
    "LEAVING": Mode.LEAVING,
    "MOVING": Mode.MOVING,
}
STATES = {
    PeerState.NORMAL: Mode.NORMAL,
    PeerState.JOINING: Mode.JOINING,
    PeerState.LEAVING: Mode.LEAVING,
    PeerState.MOVING: Mode.MOVING,
}
ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One ring member; what is not known is None, or empty where it is a text.

    Attributes:
        pod: whose node it is, also where that pod does not exist at the moment.
        exists: whether the pod exists.
        addresses: where it was, by the ledger, newest first.
        machine, zone: the Kubernetes node that the pod is on, and the node's zone.
        liveness: as a majority of running members sees it.
        mode: by its own word; else as most running members have it.
        replaces: of a joining node, the lost member whose place it takes.
        runs: whether its process takes part in the ring.
        heard: whether its own word is fresh.
        age: seconds since its own word.

    """

    host_id: HostId
    pod: str = ""
    exists: bool | None = None
    pod_uid: str = ""
    restarts: int | None = None
    pvc_uid: str = ""
    machine: str = ""
    zone: str = ""
    dc: str = ""
    rack: str = ""
    address: str = ""
    addresses: tuple[Stay, ...] = ()
    liveness: Liveness = Liveness.UNKNOWN
    mode: Mode = Mode.NORMAL
    replaces: HostId | None = None
    runs: bool | None = None
    heard: bool = False
    age: float | None = None
    native: bool | None = None
    load: float | None = None
    seeds: frozenset[str] | None = None
    release: str = ""
    schema: str = ""
    tokens: tuple[int, ...] = ()

    @property
    def ordinal(self) -> int | None:
        """The pod's ordinal."""
        return ordinal(self.pod)

    @property
    def state(self) -> str:
        """Liveness and mode as ``nodetool status`` has them."""
        return f"{self.liveness}{self.mode}"

    @property
    def name(self) -> str:
        """What people call it: its pod, else its address, else its host ID."""
        return self.pod or self.address or str(self.host_id)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one member, source by source; None where a source says nothing."""

    host_id: HostId
    pod_name: str
    pod: Pod | None
    pods_read: bool
    claim: Claim | None
    machine: Machine | None
    voice: Voice
    entry: Entry | None
    row: Row | None

    @property
    def heartbeat(self) -> Heartbeat | None:
        """Its own fresh word, if that is about this member."""
        said = self.voice.heartbeat
        return said if said is not None and said.host_id == self.host_id else None

    @property
    def runs(self) -> bool | None:
        """Say whether its process takes part in the ring.

        A machine that Kubernetes has lost too is a second witness, besides those members that
        see the node down.
        """
        if self.heartbeat is not None and self.heartbeat.mode in RUNNING_MODES:
            return True
        said = self.voice.heartbeat
        if said is not None:
            another = said.host_id not in (None, self.host_id)
            return False if said.mode in IDLE_MODES or another else None
        if self.voice.sidecar is not None and self.voice.sidecar.process is Process.STOPPED:
            return False
        gone = self.pods_read and self.pod_name and self.pod is None
        ended = self.pod is not None and (self.pod.phase in ENDED or not self.pod.machine)
        lost = self.machine is not None and self.machine.ready is not True
        return False if gone or ended or (lost and self.voice.sidecar is None) else None

    @property
    def viewer(self) -> Viewer:
        """What it is as one who sees others."""
        said = self.heartbeat
        if said is None or not self.runs:
            return Viewer(runs=self.runs, near=bool(self.pod_name))
        joins = said.mode == "JOINING"
        return Viewer(said.sight, self.voice.age, runs=True, votes=not joins)


def known_of(
    observed: Observation, who: Identities, heard: Mapping[str, Voice], limits: Limits
) -> list[Known]:
    """Look up every member in every source, in the order of ``who.hosts``."""
    rows = cql_rows(observed, limits)
    pods, claims = observed.pods.value or {}, observed.claims.value or {}
    machines, ledger = observed.machines.value or {}, observed.ledger.value or {}
    pods_read = observed.pods.is_fresh(limits.kubernetes)
    found = []
    for host in who.hosts:
        name = who.pods.get(host, "")
        pod, entry = pods.get(name), ledger.get(name)
        found.append(
            Known(
                host,
                name,
                pod,
                pods_read,
                claims.get(name),
                machines.get(pod.machine) if pod else None,
                heard.get(name, Voice()),
                entry if entry and entry.host_id == host else None,
                rows.get(host),
            )
        )
    return found


def cql_rows(observed: Observation, limits: Limits) -> dict[HostId, Row]:
    """Return each node's row: its own word first, else that of whoever was read last."""
    facts = fresh_facts(observed, limits)
    rows = {each.local.host_id: each.local for each in facts}
    for each in facts:
        for row in each.peers:
            if not (old := rows.setdefault(row.host_id, row)).tokens and row.tokens:
                rows[old.host_id] = row  # peers tables can have rows that are only begun
    return rows


def member(known: Known, liveness: Liveness, state: PeerState | None, address: str) -> Member:
    """Put together a member; ``state`` and ``address`` are as others have them."""
    said, entry, row, pod = known.heartbeat, known.entry, known.row, known.pod
    mode = MODES.get(said.mode) if said else None
    sidecar = known.voice.last
    return Member(
        host_id=known.host_id,
        pod=known.pod_name,
        exists=pod is not None if known.pods_read and known.pod_name else None,
        pod_uid=pod.uid if pod else "",
        restarts=pod.restarts if pod else None,
        pvc_uid=first_of(
            sidecar.pvc_uid if sidecar else None,
            known.claim.uid if known.claim else None,
            entry.pvc_uid if entry else None,
        ),
        machine=pod.machine if pod else "",
        zone=known.machine.zone if known.machine else "",
        dc=first_of(said and said.dc, entry and entry.dc, row and row.dc),
        rack=first_of(said and said.rack, entry and entry.rack, row and row.rack),
        address=first_of(said and said.address, address, row and row.address, _newest(entry)),
        addresses=entry.addresses if entry else (),
        liveness=liveness,
        mode=mode or (STATES[state] if state is not None else Mode.NORMAL),
        runs=known.runs,
        heard=said is not None,
        age=known.voice.age if said else None,
        native=said.native if said else None,
        load=said.load if said else None,
        seeds=said.seeds if said else None,
        release=first_of(said and said.release, row and row.release),
        schema=row.schema if row else "",
        tokens=row.tokens if row else (),
    )


def _newest(entry: Entry | None) -> str:
    return entry.addresses[0].address if entry and entry.addresses else ""


def first_of(*texts: object) -> str:
    """Return the first text that is there and not empty, else the empty one."""
    return next((text for text in texts if isinstance(text, str) and text), "")


def names(members: Iterable[Member]) -> list[str]:
    """Return what people call each."""
    return [each.name for each in members]
