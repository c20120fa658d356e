"""A ring in a Kubernetes cluster, healthy until a test breaks it."""

from dataclasses import dataclass, replace

from ring.model import RING_SIZE, HostId
from ring.objects import (
    Claim,
    Endpoint,
    Entry,
    EntryState,
    Machine,
    Pod,
    Record,
    StatefulSet,
    Stay,
    Turn,
)
from ring.observed import Observation
from ring.reading import Reading
from ring.snapshot import RingSnapshot, take
from ring.words import (
    Clock,
    Disk,
    DiskState,
    Facts,
    Heartbeat,
    Peer,
    PeerState,
    Pool,
    Process,
    Row,
    Sidecar,
)
from tests.unit.ring.strategies import host

RING = "0e0c0000-0000-4000-8000-000000000001"
THREE = {"class": "NetworkTopologyStrategy", "dc1": "3"}
SCHEMA = "11111111-0000-4000-8000-000000000001"


@dataclass
class Seat:
    """One pod's node, as the test has it now; `known` is whom it has in its ring."""

    number: int
    rack: str
    pod: Pod
    claim: Claim
    disk: Disk
    entry: Entry
    row: Row
    dc: str = "dc1"
    mode: str = "NORMAL"
    process: Process = Process.ANSWERING
    speaks: bool = True  # the node to its sidecar
    heard: bool = True  # the sidecar by the manager
    clock: Clock | None = None

    @property
    def host(self) -> HostId:
        return self.row.host_id

    @property
    def name(self) -> str:
        return self.pod.name


class World:
    """Pods cassandra-0 to n-1, a Kubernetes node for each, racks in turn, RF 3."""

    def __init__(self, nodes: int = 3, racks: str = "abc") -> None:
        self.seats = [_seat(n, racks[n % len(racks)], nodes) for n in range(nodes)]
        self.machines = {
            f"worker-{n}": Machine(name=f"worker-{n}", zone=seat.rack)
            for n, seat in enumerate(self.seats)
        }
        self.stateful_set = StatefulSet(name="cassandra", replicas=nodes)
        self.record: Record | None = Record(ring_id=RING, founder="cassandra-0", how="founded")
        self.turn = Turn()
        self.keyspaces = {"shop": THREE, "system_auth": THREE}
        self.gone: set[int] = set()  # pods that do not exist
        self.sees: dict[tuple[int, int], bool | None] = {}  # observer, seen: else up
        self.strange: set[tuple[int, int]] = set()  # observer has no such host
        self.states: dict[int, PeerState] = {}
        self.addresses: dict[int, str] = {}  # in the ring, where not the pod's
        self.ghosts: list[Row] = []  # hosts that all know and no pod is
        self.stale: dict[str, Reading[object]] = {}
        self.broken: list[tuple[str, str]] = []  # source and object that makes no sense

    def down(self, number: int) -> None:
        """Let a node's process stop, and all others see it."""
        seat = self.seats[number]
        seat.process, seat.speaks = Process.STOPPED, False
        self.unseen(number)

    def unseen(self, *numbers: int, by: tuple[int, ...] | None = None) -> None:
        """Let some be seen down, by all or by these."""
        for seat in self.seats:
            for number in numbers:
                if seat.number != number and (by is None or seat.number in by):
                    self.sees[seat.number, number] = False

    def cut(self, *islands: tuple[int, ...]) -> None:
        """Let nobody on one island see those on another."""
        for here in islands:
            for there in islands:
                if here is not there:
                    self.unseen(*there, by=here)

    def strangers(self, *rings: tuple[int, ...]) -> None:
        """Let nobody in one ring know those in another."""
        self.strange |= {
            (a, b)
            for one in rings
            for other in rings
            if one is not other
            for a in one
            for b in other
        }

    def observed(self) -> Observation:
        pool = Pool()
        here = [seat for seat in self.seats if seat.number not in self.gone]
        made = Observation(
            namespace="shop",
            pods=Reading({seat.name: seat.pod for seat in here}, 1.0),
            claims=Reading({seat.name: seat.claim for seat in self.seats}, 1.0),
            machines=Reading(self.machines, 1.0),
            stateful_sets=Reading({"cassandra": self.stateful_set}, 1.0),
            endpoints=Reading(
                tuple(
                    Endpoint(pod=seat.name, uid=seat.pod.uid, address=seat.pod.address)
                    for seat in here
                ),
                1.0,
            ),
            record=Reading(self.record, 1.0),
            ledger=Reading({seat.name: seat.entry for seat in self.seats}, 1.0),
            turn=Reading(self.turn, 1.0),
            sidecars={seat.name: self._sidecar(seat, pool) for seat in here},
            facts={
                seat.pod.address: Reading(self._facts(seat), 1.0)
                for seat in here[:2]
                if seat.speaks
            },
        )
        made = replace(made, **self.stale)  # type: ignore[arg-type]
        return broken(made, self.broken)

    def snapshot(self) -> RingSnapshot:
        return take(self.observed())

    def _sidecar(self, seat: Seat, pool: Pool) -> Reading[Sidecar]:
        if not seat.heard:
            return Reading(None, None, "connection refused")
        said = Sidecar(
            pod=seat.name,
            pod_uid=seat.pod.uid,
            pvc_uid=seat.claim.uid,
            ring_id=self.record.ring_id if self.record else None,
            address=seat.pod.address,
            disk=seat.disk,
            process=seat.process,
            heartbeat=self._heartbeat(seat, pool),
            clock=seat.clock,
        )
        return Reading(said, 0.5)

    def _heartbeat(self, seat: Seat, pool: Pool) -> Heartbeat:
        peers = [
            Peer(
                each.host,
                self.addresses.get(each.number, each.pod.address),
                self.sees.get((seat.number, each.number), True),
                self.states.get(each.number, PeerState.NORMAL),
            )
            for each in self.seats
            if each is not seat and (seat.number, each.number) not in self.strange
        ]
        peers += [Peer(row.host_id, row.address, up=False) for row in self.ghosts]
        own = Peer(seat.host, seat.pod.address, up=None)
        return Heartbeat(
            age=0.4 if seat.speaks else 60.0,
            mode=seat.mode,
            host_id=seat.host,
            address=seat.pod.address,
            dc=seat.dc,
            rack=seat.rack,
            native=True,
            load=1e9,
            release="5.0.9",
            sight=pool.sight(own, peers),
        )

    def _facts(self, seat: Seat) -> Facts:
        rows = [each.row for each in self.seats if each is not seat and each.mode != "JOINING"]
        return Facts(local=seat.row, peers=(*rows, *self.ghosts), keyspaces=self.keyspaces)


def broken(observed: Observation, objects: list[tuple[str, str]]) -> Observation:
    """Return what is known where these, by source and name, make no sense."""
    for source, name in objects:
        reading = getattr(observed, source)
        told = {**reading.broken, name: f"{source}: {name} cannot be read: odd"}
        if not isinstance(reading.value, dict):  # one object
            changed = Reading(None, None, reading.failure, told)
        else:
            left = {key: each for key, each in reading.value.items() if key != name}
            changed = replace(reading, value=left, broken=told)
        observed = replace(observed, **{source: changed})
    return observed


def _seat(number: int, rack: str, nodes: int) -> Seat:
    name, uid, address = f"cassandra-{number}", f"pod-{number}", f"10.0.0.{number}"
    step = RING_SIZE // (nodes * 4)
    tokens = tuple((number + nodes * k) * step - RING_SIZE // 2 + 1 for k in range(4))
    return Seat(
        number=number,
        rack=rack,
        pod=Pod(
            name=name,
            uid=uid,
            stateful_set="cassandra",
            machine=f"worker-{number}",
            address=address,
        ),
        claim=Claim(name=f"cassandra-data-{name}", uid=f"pvc-{number}", pod=name),
        disk=Disk(DiskState.MEMBER, RING, host(number), f"pvc-{number}"),
        entry=Entry(
            pod=name,
            ring_id=RING,
            pod_uid=uid,
            pvc_uid=f"pvc-{number}",
            host_id=host(number),
            state=EntryState.MEMBER,
            dc="dc1",
            rack=rack,
            addresses=(Stay(address, "2026-01-01T00:00:00Z"),),
        ),
        row=Row(
            host_id=host(number),
            address=address,
            dc="dc1",
            rack=rack,
            tokens=tokens,
            schema=SCHEMA,
            release="5.0.9",
        ),
    )
