"""The model's numbers in the product's values, and back: names, disks, words, views, askers."""

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
from tests.model.seeing import Known, Sight

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


def pod_name(n: int) -> PodName:
    return PodName(f"cassandra-{n}")


def uid_of(n: int, *, present: bool) -> PodUid:
    return PodUid(f"uid-{n}" if present else f"earlier-uid-{n}")


def pvc_of(n: int, *, present: bool) -> PvcUid:
    return PvcUid(f"pvc-{n}" if present else f"earlier-pvc-{n}")


def address_of(n: int) -> Address:
    return Address(f"10.0.0.{n}")


def ring_of(n: int) -> RingId | None:
    return RingId(f"ring-{n}") if n else None


def host_of(n: int) -> HostId | None:
    return HostId(f"host-{n}") if n else None


def number_of(name: str | None) -> int:
    """Return the number in a name of the model, 0 for none."""
    return int(name.rpartition("-")[2]) if name else 0


def place_of(address: str | None) -> int:
    return int(address.rpartition(".")[2]) if address else m.NO_ADDRESS


def ring_number(ring: str | None) -> int:
    return m.NEW if ring == FRESH_RING else number_of(ring)


def as_disk(disk: m.Disk, pvc: PvcUid) -> Disk:
    kind, ring, host, _ = disk
    if kind == m.UNMARKED:
        return Disk(DiskState.UNMARKED)
    return Disk(DISKS[kind], ring_of(ring), host_of(host), pvc)


def as_peer(peer: m.Peer) -> Peer:
    where = PeerState.JOINING if peer.joining else PeerState.NORMAL
    host = host_of(peer.host)
    assert host is not None
    return Peer(host, address_of(peer.address), peer.up, where)


def as_beat(said: m.Word, disk: Disk) -> Heartbeat | None:
    if said.run == m.STOPPED:
        return None
    peers = tuple(as_peer(peer) for peer in said.peers) if said.run == m.NORMAL else None
    return Heartbeat(
        mode=MODES[said.run],
        host_id=host_of(said.host),
        address=address_of(said.address),
        disk=disk,
        peers=peers,
    )


def as_report(n: int, said: m.Word) -> Report:
    pvc = pvc_of(n, present=True)
    disk = as_disk(said.disk, pvc)
    beat = as_beat(said, disk)
    return Report(
        pod=pod_name(n),
        pod_uid=uid_of(n, present=said.present),
        address=address_of(said.address),
        pvc_uid=pvc,
        ring_id=ring_of(said.record),
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
    ring_id = ring_of(ring)
    assert ring_id is not None
    return Record(
        ring_id=ring_id,
        founder=pod_name(founder),
        founder_pvc_uid=pvc_of(founder, present=claim) if how == m.FOUNDED else None,
        how=ORIGINS[how],
        at="",
        adopted=tuple((pod_name(n), pvc_of(n, present=True)) for n in adopted),
        version="v",
    )


def as_ledger(ledger: tuple) -> dict[PodName, Entry]:
    return {pod_name(n): as_entry(n, each) for n, each in enumerate(ledger) if each}


def as_entry(n: int, entry: m.Entry) -> Entry:
    ring = ring_of(entry.ring)
    assert ring is not None
    known = entry.address >= 0
    return Entry(
        pod=pod_name(n),
        ring_id=ring,
        pod_uid=uid_of(n, present=entry.uid),
        pvc_uid=pvc_of(n, present=entry.claim),
        host_id=host_of(entry.host),
        state=ENTRIES[entry.state],
        addresses=(Stay(address_of(entry.address), ""),) if known else (),
        version="v",
    )


def as_view(sight: Sight) -> View:
    known = sight.known
    endpoints = tuple(
        Endpoint(pod_name(n), uid_of(n, present=True), address_of(address))
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
        strangers={address_of(at): "somebody else" for at in sight.strangers},
    )


def _as_live(known: Known) -> Live:
    holder = None
    if known.turn and known.turn[0] >= 0:
        n, present = known.turn
        holder = (pod_name(n), uid_of(n, present=present))
    here = [n for n, there in enumerate(known.here) if there]
    claimed = [n for n, there in enumerate(known.claims) if there]
    return Live(
        pods={pod_name(n): uid_of(n, present=True) for n in here},
        volumes={pod_name(n): pvc_of(n, present=True) for n in claimed},
        turn=Turn(holder=holder, version="v" if known.turn else None),
        approved_founder=pod_name(known.approved) if known.approved >= 0 else None,
        paused="maintenance" if known.paused else None,
    )


def as_asker(sight: Sight) -> Asker:
    n = sight.asker
    pvc = pvc_of(n, present=True)
    return Asker(
        pod=pod_name(n),
        uid=uid_of(n, present=True),
        pvc_uid=pvc if sight.claim else None,
        address=address_of(sight.address),
        disk=as_disk(sight.disk, pvc),
        configured=tuple(address_of(a) for a in sight.known.addresses if a >= 0),
        waiting=1e6,
        turn_version="v" if sight.turn else None,
        promised=ring_of(sight.promised),
        fresh_ring_id=FRESH_RING,
        clock="",
    )
