"""What a pod's sidecar can know in a world, and what the product decides from it.

A `Sight` is all that one decision rests on, in the model's numbers; `Brain` makes the product's
own `Asker` and `View` of it, calls the product's own function, remembers the outcome, and puts
it into the model's numbers. The real sidecar looks again after each step and asks the others
anew; before its first step a word may be up to 5 s old, and any word may be missing.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

from seedprovider import duties, protocol
from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Refused,
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
from tests.model import state as m

MODES = ("", "STARTING", "STARTING", "JOINING", "NORMAL", "DECOMMISSIONED")
PROCESSES = (
    Process.STOPPED,
    Process.STARTING,
    Process.STARTING,
    Process.ANSWERING,
    Process.ANSWERING,
    Process.ANSWERING,
)
DISKS = (
    DiskState.EMPTY,
    DiskState.JOINING,
    DiskState.MEMBER,
    DiskState.LEFT,
    DiskState.UNMARKED,
)
ENTRIES = (EntryState.JOINING, EntryState.MEMBER, EntryState.LEFT)
ORIGINS = (Origin.FOUNDED, Origin.ADOPTED, Origin.REBUILT)
SOURCES = (Source.WATCH, Source.CACHE, Source.NONE)
FRESH_RING = RingId("ring-new")
FRESH = "fresh"


class Known(NamedTuple):
    """What the API server says, or a watch or a cache said last.

    Attributes:
        here: which pods exist, by live read; () without one, and so the next three.
        source: index into `SOURCES`, unused with a live read.

    """

    addresses: tuple[int, ...]
    record: tuple
    ledger: tuple
    source: int = m.WATCHED
    here: tuple[bool, ...] = ()
    claims: tuple[bool, ...] = ()
    turn: tuple = ()
    paused: bool = False
    approved: int = -1


class Sight(NamedTuple):
    """All that one decision rests on.

    Attributes:
        words: by pod, the asker's own among them; () for one that is not heard.
        strangers: addresses at which another pod answers than the one named there.
        claim: whether the asker's own volume claim is found.

    """

    asker: int
    disk: m.Disk
    address: int
    claim: bool
    turn: bool
    promised: int
    words: tuple[tuple, ...]
    strangers: tuple[int, ...]
    known: Known


class Told(NamedTuple):
    """A decision: `step` as in `Pod.step`, () where it is withheld or refused."""

    step: tuple
    rule: str
    reason: str
    refused: bool = False


# -- what a sidecar can see --------------------------------------------------------------------


_said: tuple[m.World | None, dict[int, m.Word]] = (None, {})
"""The words of the world looked at last: one world's moves ask for them again and again."""


def word(world: m.World, n: int) -> m.Word:
    """Return what the sidecar of pod `n` says just now."""
    global _said  # noqa: PLW0603 -- a memory of one entry
    if _said[0] is not world:
        _said = (world, {})
    said = _said[1].get(n)
    if said is None:
        said = _said[1][n] = _word(world, n)
    return said


def _word(world: m.World, n: int) -> m.Word:
    pod = world.pods[n]
    kind, ring, host, _ = pod.disk
    named = kind in {m.JOINING_DISK, m.MEMBER, m.LEFT}
    if kind <= m.JOINING_DISK and pod.run == m.WAITING:
        ring = pod.promised
    disk = m.Disk(kind, 0 if kind == m.UNMARKED else ring, host if named else 0, 0)
    running = pod.run >= m.JOINING
    own = (pod.ghost[0] if pod.ghost else host) if running else 0
    record = pod.seen.record if pod.seen else world.record
    heard = record[0] if record and pod.source != m.NOTHING else 0
    present = True
    return m.Word(present, pod.address, disk, pod.run, own, peers_of(world, n), (), heard)


def peers_of(world: m.World, n: int) -> tuple[m.Peer, ...]:
    """Return whom the process in pod `n` has in its ring, none while it is on its way in."""
    pod = world.pods[n]
    if pod.run != m.NORMAL:
        return ()
    host, truth = process(pod)
    return tuple(
        peer
        for number, peers in world.maps
        if number == truth
        for peer in peers
        if peer.host != host
    )


def process(pod: m.Pod) -> tuple[int, int]:
    """Return the host ID and the ring, in truth, of the process."""
    return pod.ghost or (pod.disk.host, pod.disk.truth)


def live(world: m.World) -> Known:
    """Return what the API server says to whoever asks now."""
    return Known(
        tuple(pod.address for pod in world.pods),
        world.record,
        world.ledger,
        m.WATCHED,
        tuple(pod.address >= 0 for pod in world.pods),
        tuple(pod.claim and not world.blind for pod in world.pods),
        world.turn,
        world.paused,
        world.approved,
    )


def watched(world: m.World, n: int) -> Known:
    """Return what pod `n` knows without a live read."""
    pod = world.pods[n]
    if pod.source == m.NOTHING:
        nobody = tuple(p.address if k == n else -1 for k, p in enumerate(world.pods))
        return Known(nobody, (), ((),) * len(world.pods), m.NOTHING)
    if pod.seen:
        seen = pod.seen
        addresses = tuple(pod.address if k == n else a for k, a in enumerate(seen.addresses))
        return Known(addresses, seen.record, seen.ledger, pod.source)
    addresses = tuple(each.address for each in world.pods)
    return Known(addresses, world.record, world.ledger, pod.source)


def asks_api(world: m.World, n: int) -> bool:
    """Whether live reads and writes of pod `n` get through."""
    return world.api and world.pods[n].link != m.CUT


def sights(
    world: m.World, n: int, known: Known, *, everything: bool = True
) -> Iterator[tuple[Sight, bool]]:
    """Give every sight that pod `n` may have, and whether all in it is of this moment.

    With `everything` False only the one in which all that can be heard is heard just now.
    """
    pod, choices, strangers = world.pods[n], [], []
    holder = world.turn[0] if world.turn and known.here else -1
    here = {p.address: k for k, p in enumerate(world.pods) if p.address >= 0}
    for k, other in enumerate(world.pods):
        if k == n:
            choices.append([(word(world, n), True)])
            continue
        at = known.addresses[k]
        options: list[tuple[tuple, bool]] = []
        reached = here.get(at) if at >= 0 else None
        if reached == k:
            options.append((word(world, k), True))
        elif reached is not None:
            strangers.append(at)
        if not options:
            options.append(((), True))
        elif everything:
            options.append(((), False))
        late = everything and other.old and n in other.old.to
        if late and not pod.stepped and k != holder:
            options.append((other.old._replace(to=()), False))
        choices.append(options)
    for chosen in product(*choices):
        yield (
            Sight(
                n,
                pod.disk._replace(truth=0),
                pod.address,
                pod.claim and not (world.blind and pod.run <= m.WAITING),
                pod.turn,
                pod.promised,
                tuple(each for each, _ in chosen),
                tuple(strangers),
                known,
            ),
            all(fresh for _, fresh in chosen),
        )


# -- in the product's values -------------------------------------------------------------------


def pod_name(n: int) -> PodName:
    return PodName(f"cassandra-{n}")


def _uid(n: int, *, present: bool) -> PodUid:
    return PodUid(f"uid-{n}" if present else f"earlier-uid-{n}")


def _pvc(n: int, *, present: bool) -> PvcUid:
    return PvcUid(f"pvc-{n}" if present else f"earlier-pvc-{n}")


def _address(n: int) -> Address:
    return Address(f"10.0.0.{n}")


def _ring(n: int) -> RingId | None:
    return RingId(f"ring-{n}") if n else None


def _host(n: int) -> HostId | None:
    return HostId(f"host-{n}") if n else None


def _number(name: str | None) -> int:
    """Return the number in a name of the model, 0 for none."""
    return int(name.rpartition("-")[2]) if name else 0


def _place(address: str | None) -> int:
    return int(address.rpartition(".")[2]) if address else m.NO_ADDRESS


def _ring_number(ring: str | None) -> int:
    return m.NEW if ring == FRESH_RING else _number(ring)


def as_disk(disk: m.Disk, pvc: PvcUid) -> Disk:
    kind, ring, host, _ = disk
    if kind == m.UNMARKED:
        return Disk(DiskState.UNMARKED)
    return Disk(DISKS[kind], _ring(ring), _host(host), pvc)


def as_peer(peer: m.Peer) -> Peer:
    where = PeerState.JOINING if peer.joining else PeerState.NORMAL
    host = _host(peer.host)
    assert host is not None
    return Peer(host, _address(peer.address), peer.up, where)


def as_beat(said: m.Word, disk: Disk) -> Heartbeat | None:
    if said.run == m.STOPPED:
        return None
    peers = tuple(as_peer(peer) for peer in said.peers) if said.run == m.NORMAL else None
    return Heartbeat(
        mode=MODES[said.run],
        host_id=_host(said.host),
        address=_address(said.address),
        disk=disk,
        peers=peers,
    )


def as_report(n: int, said: m.Word) -> Report:
    pvc = _pvc(n, present=True)
    disk = as_disk(said.disk, pvc)
    beat = as_beat(said, disk)
    return Report(
        pod=pod_name(n),
        pod_uid=_uid(n, present=said.present),
        address=_address(said.address),
        pvc_uid=pvc,
        ring_id=_ring(said.record),
        disk=disk,
        process=PROCESSES[said.run],
        heartbeat=beat,
        heartbeat_age=0.0 if beat else None,
        received=0.0,
    )


def as_record(record: tuple) -> Record | None:
    if not record:
        return None
    ring, founder, claim, how, adopted = record
    ring_id = _ring(ring)
    assert ring_id is not None
    return Record(
        ring_id=ring_id,
        founder=pod_name(founder),
        founder_pvc_uid=_pvc(founder, present=claim) if how == m.FOUNDED else None,
        how=ORIGINS[how],
        at="",
        adopted=tuple((pod_name(n), _pvc(n, present=True)) for n in adopted),
        version="v",
    )


def as_ledger(ledger: tuple) -> dict[PodName, Entry]:
    return {pod_name(n): as_entry(n, each) for n, each in enumerate(ledger) if each}


def as_entry(n: int, entry: m.Entry) -> Entry:
    ring = _ring(entry.ring)
    assert ring is not None
    known = entry.address >= 0
    return Entry(
        pod=pod_name(n),
        ring_id=ring,
        pod_uid=_uid(n, present=entry.uid),
        pvc_uid=_pvc(n, present=entry.claim),
        host_id=_host(entry.host),
        state=ENTRIES[entry.state],
        addresses=(Stay(_address(entry.address), ""),) if known else (),
        version="v",
    )


def as_view(sight: Sight) -> View:
    known = sight.known
    endpoints = tuple(
        Endpoint(pod_name(n), _uid(n, present=True), _address(address))
        for n, address in enumerate(known.addresses)
        if address >= 0
    )
    there = bool(known.here)
    return View(
        source=Source.LIVE if there else SOURCES[known.source],
        endpoints=endpoints,
        reports={pod_name(n): as_report(n, said) for n, said in enumerate(sight.words) if said},
        record_known=there or known.source == m.WATCHED,
        record=as_record(known.record),
        ledger=as_ledger(known.ledger),
        live=_as_live(known) if there else None,
        strangers={_address(at): "somebody else" for at in sight.strangers},
    )


def _as_live(known: Known) -> Live:
    holder = None
    if known.turn and known.turn[0] >= 0:
        n, present = known.turn
        holder = (pod_name(n), _uid(n, present=present))
    return Live(
        pods={pod_name(n): _uid(n, present=True) for n, here in enumerate(known.here) if here},
        volumes={
            pod_name(n): _pvc(n, present=True) for n, there in enumerate(known.claims) if there
        },
        turn=Turn(holder=holder, version="v" if known.turn else None),
        approved_founder=pod_name(known.approved) if known.approved >= 0 else None,
        paused="maintenance" if known.paused else None,
    )


def as_asker(sight: Sight) -> Asker:
    n = sight.asker
    pvc = _pvc(n, present=True)
    return Asker(
        pod=pod_name(n),
        uid=_uid(n, present=True),
        pvc_uid=pvc if sight.claim else None,
        address=_address(sight.address),
        disk=as_disk(sight.disk, pvc),
        configured=tuple(_address(a) for a in sight.known.addresses if a >= 0),
        waiting=1e6,
        turn_version="v" if sight.turn else None,
        promised=_ring(sight.promised),
        fresh_ring_id=FRESH_RING,
        clock="",
    )


# -- deciding ----------------------------------------------------------------------------------


class Brain:
    """The product's decisions, remembered by what they rest on.

    Attributes:
        decisions: what was decided for each sight, in the order in which they first came up.
        duties: the same of what the sidecar of a running node writes down.
        room: how many of each are remembered, 0 for all; then it begins anew.

    """

    def __init__(self, room: int = 0) -> None:
        self.room = room
        self.decisions: dict[Sight, Told] = {}
        self.duties: dict[tuple, Told] = {}

    def decide(self, sight: Sight) -> Told:
        """Return what the asker is told."""
        told = self.decisions.get(sight)
        if told is None:
            if len(self.decisions) == self.room:
                self.decisions.clear()
            told = self.decisions[sight] = think(sight)
        return told

    def duty(self, kind: str, sight: Sight, gone: tuple[int, ...] = ()) -> Told:
        """Return the step that the sidecar of a running node takes, if any."""
        key = (kind, sight, gone)
        told = self.duties.get(key)
        if told is None:
            if len(self.duties) == self.room:
                self.duties.clear()
            told = self.duties[key] = DUTIES[kind](sight, gone)
        return told


def think(sight: Sight) -> Told:
    """Let the product decide, without remembering it."""
    return told_of(protocol.decide(as_asker(sight), as_view(sight), Policy()), sight.asker)


def told_of(decision: Decision, n: int) -> Told:
    match decision:
        case Seeds(seeds=seeds, ring_id=ring, replace=replaced, rule=rule, reason=reason):
            places = tuple(sorted(_place(each) for each in seeds))
            step = (m.ANSWER, places, _place(replaced), _ring_number(ring))
            return Told(step, rule.value, reason)
        case Act(step=step, rule=rule, reason=reason):
            return Told(step_of(step, n), rule.value, reason)
        case Refused(rule=rule, reason=reason):
            return Told((), rule.value, reason, refused=True)
        case _:
            return Told((), decision.rule.value, decision.reason)


def step_of(step: Step, n: int) -> tuple:
    """Put a step into the model's numbers."""
    match step:
        case WriteRecord(record):
            adopted = tuple(_number(pod) for pod, _ in record.adopted)
            claim = record.founder_pvc_uid is not None
            how = ORIGINS.index(record.how)
            ring = _ring_number(record.ring_id)
            return (m.RECORD, m.Record(ring, _number(record.founder), claim, how, adopted))
        case WriteEntry(entry):
            of = _number(entry.pod)
            stays = entry.addresses
            return (
                m.ENTRY,
                m.Entry(
                    _number(entry.ring_id),
                    entry.pod_uid == _uid(of, present=True),
                    entry.pvc_uid == _pvc(of, present=True),
                    _number(entry.host_id),
                    ENTRIES.index(entry.state),
                    _place(stays[0].address) if stays else m.NO_ADDRESS,
                ),
                of,
            )
        case TakeTurn(holder, _):
            assert holder == (pod_name(n), _uid(n, present=True))
            return (m.TURN,)
        case Promise(ring):
            return (m.PROMISE, _ring_number(ring))


def _beat(sight: Sight) -> Heartbeat:
    own = sight.words[sight.asker]
    beat = as_beat(own, as_disk(own.disk, _pvc(sight.asker, present=True)))
    assert beat is not None
    return beat


def _as_running(sight: Sight) -> Asker:
    return as_asker(sight._replace(disk=sight.words[sight.asker].disk))


def _ledger_duty(sight: Sight, _: tuple[int, ...]) -> Told:
    step = duties.ledger_step(_as_running(sight), _beat(sight), as_view(sight))
    return Told(step_of(step, sight.asker) if step else (), "ledger", "")


def _record_duty(sight: Sight, _: tuple[int, ...]) -> Told:
    step = duties.record_step(_as_running(sight), _beat(sight), as_view(sight))
    if isinstance(step, str):
        return Told((), "record", step)
    return Told(step_of(step.step, sight.asker), step.rule.value, step.reason)


def _removal_duty(sight: Sight, gone: tuple[int, ...]) -> Told:
    ring = _ring(sight.known.record[0]) if sight.known.record else None
    hosts = frozenset(host for number in gone if (host := _host(number)))
    step = duties.removal_step(as_view(sight), ring, hosts) if ring else None
    return Told(step_of(step, sight.asker) if step else (), "removal", "")


DUTIES: dict[str, Callable[[Sight, tuple[int, ...]], Told]] = {
    "ledger": _ledger_duty,
    "record": _record_duty,
    "removal": _removal_duty,
}


def missing_record(sight: Sight) -> bool:
    """Whether the running node's sidecar looks into a lost record."""
    return duties.record_missing(_as_running(sight), _beat(sight), as_view(sight))


def vanished(before: m.Word, after: m.Word) -> set[int]:
    """Return the hosts that one process had in its ring and has no more."""
    one, two = as_beat(before, Disk(DiskState.EMPTY)), as_beat(after, Disk(DiskState.EMPTY))
    if one is None or two is None:
        return set()
    return {_number(host) for host in duties.vanished(one, two)}
