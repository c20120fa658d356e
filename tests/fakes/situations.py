"""Situations for the seed protocol, told in a few words; values only, nothing runs."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from seedprovider.decision import Act, Decision, Policy, Promise
from seedprovider.model import (
    Address,
    Asker,
    Disk,
    DiskState,
    Endpoint,
    Entry,
    EntryState,
    Heartbeat,
    HostId,
    Live,
    Origin,
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
    Stay,
    Turn,
    View,
)
from seedprovider.protocol import decide

NOW = 1000.0
RING = RingId(str(UUID(int=0xA)))
OTHER_RING = RingId(str(UUID(int=0xB)))
FRESH = RingId(str(UUID(int=0xF)))


def pod(n: int) -> PodName:
    return PodName(f"cassandra-{n}")


def uid(n: int) -> PodUid:
    return PodUid(f"uid-{n}")


def pvc(n: int) -> PvcUid:
    return PvcUid(f"pvc-{n}")


def address(n: int) -> Address:
    return Address(f"10.0.0.{n + 1}")


def host(n: int) -> HostId:
    return HostId(str(UUID(int=0x100 + n)))


EMPTY = Disk(DiskState.EMPTY)


def disk(n: int, state: DiskState = DiskState.MEMBER, ring: RingId | None = RING) -> Disk:
    if state in {DiskState.EMPTY, DiskState.UNMARKED, DiskState.UNKNOWN}:
        return Disk(state)
    return Disk(state, ring, host(n), pvc(n))


def peer(n: int, *, up: bool | None = True, state: PeerState = PeerState.NORMAL) -> Peer:
    return Peer(host(n), address(n), up, state)


def record(founder: int = 0, how: Origin = Origin.FOUNDED, ring: RingId = RING) -> Record:
    return Record(
        ring_id=ring,
        founder=pod(founder),
        founder_pvc_uid=pvc(founder),
        how=how,
        at="t0",
        version="1",
    )


def entry(n: int, *, known: bool = True, state: EntryState = EntryState.MEMBER) -> Entry:
    return Entry(
        pod=pod(n),
        ring_id=RING,
        pod_uid=uid(n),
        pvc_uid=pvc(n),
        host_id=host(n) if known else None,
        state=state,
        addresses=(Stay(address(n), "t0"),),
        version=f"e{n}",
    )


@dataclass
class Stage:
    """A view under construction: say what each pod is, then let somebody ask."""

    reports: dict[PodName, Report] = field(default_factory=dict)
    endpoints: dict[PodName, Endpoint] = field(default_factory=dict)
    ledger: dict[PodName, Entry] = field(default_factory=dict)
    volumes: dict[PodName, PvcUid | None] = field(default_factory=dict)
    pods: dict[PodName, PodUid] = field(default_factory=dict)
    record: Record | None = None
    record_known: bool = True
    turn: Turn = field(default_factory=Turn)
    approved: PodName | None = None
    paused: str | None = None
    live: bool = True
    source: Source = Source.LIVE
    last_good: tuple[Address, ...] = ()
    strangers: dict[Address, str] = field(default_factory=dict)

    def exists(self, n: int, *, terminating: bool = False, volume: bool = True) -> "Stage":
        """Pod n has an address and a volume; its sidecar has said nothing."""
        self.endpoints[pod(n)] = Endpoint(
            pod(n), uid(n), address(n), serving=True, terminating=terminating
        )
        self.pods[pod(n)] = uid(n)
        if volume:
            self.volumes[pod(n)] = pvc(n)
        return self

    def says(
        self,
        n: int,
        its_disk: Disk,
        *,
        mode: str | None = None,
        process: Process | None = None,
        peers: tuple[Peer, ...] | None = (),
        age: float = 0.0,
        rack: str | None = None,
        terminating: bool = False,
    ) -> "Stage":
        """Pod n exists and its sidecar has answered; mode None is no heartbeat."""
        self.exists(n, terminating=terminating)
        beat = None
        if mode is not None:
            beat = Heartbeat(
                mode=mode,
                host_id=its_disk.host_id or host(n),
                address=address(n),
                dc="dc1",
                rack=None if mode == "STARTING" else rack,
                native=mode == "NORMAL",
                seeds=frozenset(),
                disk=its_disk,
                peers=peers,
            )
        running = Process.ANSWERING if mode else Process.STOPPED
        self.reports[pod(n)] = Report(
            pod=pod(n),
            pod_uid=uid(n),
            address=address(n),
            pvc_uid=pvc(n),
            ring_id=None,
            disk=its_disk,
            process=process or running,
            heartbeat=beat,
            heartbeat_age=0.5 if beat else None,
            received=NOW - age,
            rack=rack,
        )
        return self

    def member(self, n: int, *sees: Peer, rack: str | None = None, age: float = 0) -> "Stage":
        """Pod n is a running member, in the ledger, and sees these peers."""
        self.ledger[pod(n)] = entry(n)
        return self.says(n, disk(n), mode="NORMAL", peers=sees, rack=rack, age=age)

    def ring_of(self, *numbers: int) -> "Stage":
        """These pods are members that all see each other up, in a recorded ring."""
        self.record = self.record or record(numbers[0])
        for n in numbers:
            self.member(n, *(peer(other) for other in numbers if other != n))
        return self

    def view(self) -> View:
        live = Live(
            pods=dict(self.pods),
            volumes=dict(self.volumes),
            turn=self.turn,
            approved_founder=self.approved,
            paused=self.paused,
        )
        ordered = sorted(self.endpoints.values(), key=lambda e: int(e.pod.rsplit("-", 1)[1]))
        return View(
            source=self.source,
            now=NOW,
            endpoints=tuple(ordered),
            reports=dict(self.reports),
            record_known=self.record_known,
            record=self.record,
            ledger=dict(self.ledger),
            live=live if self.live else None,
            strangers=dict(self.strangers),
            last_good=self.last_good,
        )

    def ask(self, n: int, its_disk: Disk = EMPTY, **more: object) -> Decision:
        """Let pod n ask with this disk; a promise is made, and what follows it returned."""
        if pod(n) not in self.endpoints:
            self.exists(n)
        asking = asker(n, its_disk, **more)
        decision = decide(asking, self.view(), Policy())
        if isinstance(decision, Act) and isinstance(decision.step, Promise):
            asking = replace(asking, promised=decision.step.ring_id)
            decision = decide(asking, self.view(), Policy())
        return decision


def asker(n: int, its_disk: Disk = EMPTY, **more: object) -> Asker:
    plain = Asker(
        pod=pod(n),
        uid=uid(n),
        pvc_uid=pvc(n),
        address=address(n),
        disk=its_disk,
        fresh_ring_id=FRESH,
        clock="t1",
    )
    return replace(plain, **more)  # type: ignore[arg-type]
