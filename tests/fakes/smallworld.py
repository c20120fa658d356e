"""A small world in which pods ask, die and come back, and the product's own function decides.

Only what matters to the protocol is modelled: disks, processes, the objects in Kubernetes, who
has heard what of whom.  `Cluster` keeps the truth, and raises `BrokenError` where a ring is
harmed.
"""

from dataclasses import dataclass, field, replace
from uuid import UUID

from seedprovider import duties
from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Seeds,
    Step,
    TakeTurn,
    WriteEntry,
    WriteRecord,
)
from seedprovider.model import (
    Address,
    Asker,
    Disk,
    DiskState,
    Endpoint,
    Entry,
    Heartbeat,
    HostId,
    Live,
    Peer,
    PeerState,
    PodName,
    PodUid,
    Process,
    PvcUid,
    Record,
    Report,
    RingId,
    Source,
    Turn,
    View,
)
from seedprovider.protocol import decide

MAX_STEPS = 8
NOBODY: set[int] = set()


class BrokenError(AssertionError):
    """An invariant of the protocol does not hold."""


@dataclass
class Node:
    """A pod with its disk and process; `ring` is the ring it is in, in truth."""

    name: PodName
    uid: PodUid
    pvc: PvcUid
    address: Address
    disk: Disk = field(default_factory=lambda: Disk(DiskState.EMPTY))
    process: str = "stopped"  # stopped | waiting | starting | joining | normal
    answer: Seeds | None = None
    ring: int | None = None
    step: Step | None = None  # decided, not yet taken
    offer: Seeds | None = None  # decided, not yet heard by the node
    turn_version: str | None = None
    promised: RingId | None = None
    stepped: bool = False

    @property
    def runs(self) -> bool:
        return self.process in {"starting", "joining", "normal"}


class Cluster:
    """The truth, and the moves that change it."""

    def __init__(self, size: int) -> None:
        self._serial = 0
        self.api = True
        self.record: Record | None = None
        self.ledger: dict[PodName, Entry] = {}
        self.turn = Turn()
        self.rings = 0
        self.seen_down: set[HostId] = set()
        self.nodes = [
            Node(
                PodName(f"cassandra-{n}"),
                PodUid(self._fresh("uid")),
                PvcUid(self._fresh("pvc")),
                Address(f"10.0.{n}.1"),
            )
            for n in range(size)
        ]
        self.earlier = self._reports()

    def _fresh(self, kind: str) -> str:
        self._serial += 1
        return f"{kind}-{self._serial}"

    def _uuid(self) -> str:
        self._serial += 1
        return str(UUID(int=self._serial))

    # -- what others see --------------------------------------------------------------------

    def _peers(self, node: Node) -> tuple[Peer, ...]:
        peers = []
        for other in self.nodes:
            host = other.disk.host_id
            if other is node or other.ring != node.ring or host is None:
                continue
            joining = other.disk.state is DiskState.JOINING
            state = PeerState.JOINING if joining else PeerState.NORMAL
            peers.append(Peer(host, other.address, host not in self.seen_down, state))
        return tuple(peers)

    def _report(self, node: Node) -> Report:
        beat = None
        modes = {"joining": "JOINING", "normal": "NORMAL"}
        if node.process != "stopped":
            beat = Heartbeat(
                mode=modes.get(node.process, "STARTING"),
                host_id=node.disk.host_id if node.runs else None,
                address=node.address,
                disk=node.disk,
                peers=self._peers(node) if node.process == "normal" else None,
            )
        processes = {
            "stopped": Process.STOPPED,
            "waiting": Process.STARTING,
            "starting": Process.STARTING,
        }
        asks = node.disk.is_blank and node.process == "waiting"
        return Report(
            pod=node.name,
            pod_uid=node.uid,
            address=node.address,
            pvc_uid=node.pvc,
            ring_id=None,
            disk=replace(node.disk, ring_id=node.promised) if asks else node.disk,
            process=processes.get(node.process, Process.ANSWERING),
            heartbeat=beat,
            heartbeat_age=0.0 if beat else None,
            received=0.0,
        )

    def _reports(self) -> dict[PodName, Report]:
        return {node.name: self._report(node) for node in self.nodes}

    def view(self, *, silent: set[int], earlier: set[int]) -> View:
        """Return what a pod sees when some sidecars are silent and some words are old ones."""
        reports = self._reports()
        for n, node in enumerate(self.nodes):
            if n in earlier and self.earlier[node.name].pod_uid == node.uid:
                reports[node.name] = self.earlier[node.name]
            if n in silent:
                del reports[node.name]
        live = Live(
            pods={node.name: node.uid for node in self.nodes},
            volumes={node.name: node.pvc for node in self.nodes},
            turn=self.turn,
        )
        return View(
            source=Source.LIVE if self.api else Source.WATCH,
            endpoints=tuple(Endpoint(n.name, n.uid, n.address) for n in self.nodes),
            reports=reports,
            record_known=self.api,
            record=self.record,
            ledger=dict(self.ledger),
            live=live if self.api else None,
        )

    def asker(self, node: Node, waiting: float) -> Asker:
        return Asker(
            pod=node.name,
            uid=node.uid,
            pvc_uid=node.pvc,
            address=node.address,
            disk=node.disk,
            waiting=waiting,
            turn_version=node.turn_version,
            promised=node.promised,
            fresh_ring_id=RingId(self._uuid()),
            clock="",
        )

    # -- moves ------------------------------------------------------------------------------

    def ask(
        self, n: int, *, silent: set[int], earlier: set[int], patient: bool
    ) -> Decision | None:
        """Let a starting node ask and be answered, while nothing else happens."""
        decision: Decision | None = None
        for _ in range(MAX_STEPS):
            decision = self.look(n, silent=silent, earlier=earlier, patient=patient)
            if decision is None or not self.act(n):
                break
        return decision

    def look(
        self, n: int, *, silent: set[int], earlier: set[int], patient: bool
    ) -> Decision | None:
        """Let a starting node's sidecar look and decide; what it decides is done by `act`."""
        node = self.nodes[n]
        if node.runs or node.step is not None or node.offer is not None:
            return None
        if node.process == "stopped":
            node.process, node.turn_version, node.stepped = "waiting", None, False
            node.promised = None
        names = [each.name for each in self.nodes]
        holder = {names.index(self.turn.holder[0])} if self.turn.holder else set()
        # Words after a step, and the turn's holder's, are asked for after what they rest on.
        stale = set() if node.stepped else earlier - {n} - holder
        view = self.view(silent=silent - {n}, earlier=stale)
        decision = decide(self.asker(node, 100.0 if patient else 0.0), view, Policy())
        if isinstance(decision, Act) and isinstance(decision.step, WriteRecord) and stale:
            return self.look(n, silent=silent, earlier=NOBODY, patient=patient)
        if isinstance(decision, Act):
            node.step = decision.step
        elif isinstance(decision, Seeds):
            node.offer = decision
        else:
            node.promised = None
        return decision

    def act(self, n: int) -> bool:
        """Take the step decided on, or let the node hear its answer; tell if it was a step."""
        node = self.nodes[n]
        step, offer, node.step, node.offer = node.step, node.offer, None, None
        if step is not None:
            self._take(step, node)
            node.stepped = True
        if offer is not None:
            self._start(node, offer)
        return step is not None

    def _take(self, step: Step, node: Node) -> None:
        match step:
            case WriteRecord(record):
                present = self.record.version if self.record else None
                if record.version == present:
                    self.record = replace(record, version=self._fresh("v"))
            case WriteEntry(entry):
                held = self.ledger.get(entry.pod)
                if entry.version == (held.version if held else None):
                    self.ledger[entry.pod] = replace(entry, version=self._fresh("v"))
            case TakeTurn(holder, was):
                if was.version == self.turn.version:
                    self.turn = Turn(holder=holder, version=self._fresh("v"))
                    node.turn_version = self.turn.version
            case Promise(ring):
                node.promised = ring

    def _start(self, node: Node, answer: Seeds) -> None:
        self._check_answer(node, answer)
        node.answer = answer
        if not node.disk.is_blank:
            node.process = "normal"
            return
        node.process = "starting"
        node.disk = replace(node.disk, ring_id=answer.ring_id, pvc_uid=node.pvc)
        node.ring = None
        joining = [e.name for e in self.nodes if e.process in {"starting", "joining"}]
        if len(joining) > 1:
            raise BrokenError(f"{joining} join at the same time")

    def _check_answer(self, node: Node, answer: Seeds) -> None:
        if not node.disk.is_blank:
            return
        founds = self.record is not None and self.record.founder == node.name
        if node.address in answer.seeds and not founds:
            raise BrokenError(f"{node.name} is told itself with a blank disk")
        for address in set(answer.seeds) - {node.address}:
            owner = next((each for each in self.nodes if each.address == address), None)
            if owner is None or owner.ring is None or owner.disk.ring_id != answer.ring_id:
                raise BrokenError(f"{address} is not of ring {answer.ring_id}")

    def gossip(self, n: int) -> None:
        """Let a node that has its seeds write its first data and show itself as joining."""
        node = self.nodes[n]
        if node.process == "starting":
            node.process = "joining"
            ring, host = node.disk.ring_id, node.disk.host_id or HostId(self._uuid())
            node.disk = Disk(DiskState.JOINING, ring, host, node.pvc)

    def finish(self, n: int) -> None:
        """Let a joining node become NORMAL, or die where no seed answers it."""
        self.gossip(n)
        node = self.nodes[n]
        if node.process != "joining" or node.answer is None:
            return
        if node.answer.seeds == (node.address,):
            self.rings += 1
            node.ring = self.rings
        else:
            rings = {
                each.ring
                for each in self.nodes
                if each.process == "normal" and each.address in node.answer.seeds
            }
            if not rings:
                node.process = "stopped"
                return
            node.ring = rings.pop()
        node.process = "normal"
        node.disk = replace(node.disk, state=DiskState.MEMBER)
        in_use = {each.ring for each in self.nodes if each.disk.state is DiskState.MEMBER}
        if len(in_use) > 1:
            raise BrokenError(f"{len(in_use)} rings hold data")

    def write_ledger(self, n: int) -> None:
        """Let the sidecar of a running node do its duty, and free the turn that it held."""
        node = self.nodes[n]
        if node.process != "normal" or not self.api:
            return
        beat = self._report(node).heartbeat
        if beat is None:
            return
        view = self.view(silent=set(), earlier=set())
        step = duties.ledger_step(self.asker(node, 0.0), beat, view)
        if step is not None:
            self._take(step, node)
        if self.turn.holder == (node.name, node.uid):
            self.turn = Turn(version=self._fresh("v"))

    def notice(self) -> None:
        """Let the failure detectors catch up with the truth."""
        hosts = {
            node.disk.host_id for node in self.nodes if node.disk.host_id and not node.runs
        }
        self.seen_down = {host for host in hosts if host is not None}

    def crash(self, n: int) -> None:
        """End a process; the container starts again when it asks."""
        node = self.nodes[n]
        node.process, node.step, node.offer = "stopped", None, None

    def reschedule(self, n: int) -> None:
        """Delete a pod: it comes back with another UID and address, on the same disk."""
        self.crash(n)
        node = self.nodes[n]
        node.uid = PodUid(self._fresh("uid"))
        self._serial += 1
        node.address = Address(f"10.1.{self._serial // 250}.{self._serial % 250}")

    def wipe(self, n: int, *, new_claim: bool) -> None:
        """Lose a disk, by emptying it or with its volume."""
        self.crash(n)
        node = self.nodes[n]
        node.disk = Disk(DiskState.EMPTY)
        node.ring = None
        if new_claim:
            self.reschedule(n)
            node.pvc = PvcUid(self._fresh("pvc"))

    def tick(self) -> None:
        """Let what sidecars say now become what was said earlier."""
        self.earlier = self._reports()
