"""Ring members, each with all that is known of it from every source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ring.identity import Identities, Voice, fresh_facts
from ring.matrix import Matrix, Viewer
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
        vouched: whether another than itself has it at this address: its pod, or other members.
        machine, zone: the Kubernetes node that the pod is on, and the node's zone.
        liveness: as a majority of running members sees it.
        mode: by its own word; else as most running members have it.
        replaces: of a joining node, the lost member whose place it takes.
        counted: liveness that others may rely on: up only where its own word bears out what
            a majority of all that may run sees.
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
    vouched: bool = False
    liveness: Liveness = Liveness.UNKNOWN
    counted: Liveness = Liveness.UNKNOWN
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
    """What is known of one member, source by source; None where a source says nothing.

    Attributes:
        near: whether it may be a pod of this Service: it is, or not all of the ledger was read.
        pods_read: whether its pod, where it has none, does not exist.

    """

    host_id: HostId
    pod_name: str
    near: bool
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
        """Say whether its process takes part in the ring: the nearest witness that is fresh.

        These are the node, its sidecar, and the pod.  Its machine is none: Kubernetes calls one
        not Ready that it cannot reach, and clients may.
        """
        node, sidecar = self.voice.heartbeat, self.voice.sidecar
        if node is not None:
            if node.mode in IDLE_MODES or node.host_id not in (None, self.host_id):
                return False
            return True if self.heartbeat and node.mode in RUNNING_MODES else None
        if sidecar is not None and sidecar.process is Process.STOPPED:
            return False
        if not self.pods_read or not self.pod_name:
            return None
        pod = self.pod
        return False if pod is None or pod.phase in ENDED or not pod.machine else None

    def counted(self, liveness: Liveness, *, surely_up: bool) -> Liveness:
        """Weigh how others see it against its own word.

        Gossip takes half a minute to see a process die, and those who are silent may see it
        otherwise.  Nodes of other Services have no word of their own here.
        """
        if liveness is not Liveness.UP:
            return liveness
        ends = self.pod is not None and self.pod.terminating
        borne_out = not self.near or (self.runs is True and not ends)
        return Liveness.UP if surely_up and borne_out else Liveness.UNKNOWN

    @property
    def viewer(self) -> Viewer:
        """What it is as one who sees others."""
        said = self.heartbeat
        if said is None or not self.runs:
            return Viewer(runs=self.runs, near=self.near)
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
                bool(name) or observed.ledger.age is None or bool(observed.ledger.broken),
                pod,
                pods_read and name not in observed.pods.broken,
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


def member(known: Known, seen: Matrix, number: int, address: str) -> Member:
    """Put together a member, whose column in ``seen`` is ``number``.

    The address is as others have it.
    """
    state, liveness = seen.state(number), seen.liveness(number)
    said, entry, row, pod = known.heartbeat, known.entry, known.row, known.pod
    mode = MODES.get(said.mode) if said else None
    sidecar = known.voice.last
    at = first_of(said and said.address, address, row and row.address, _newest(entry))
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
        address=at,
        vouched=bool(at) and at in {pod.address if pod else "", address},
        addresses=entry.addresses if entry else (),
        liveness=liveness,
        counted=known.counted(liveness, surely_up=seen.surely_up(number)),
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
