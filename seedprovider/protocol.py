"""The seed protocol: who is told which seeds.  Pure; the table is in docs/architecture.md.

`decide` takes one frozen view and returns an answer, or one step to take before asking again.
This file holds the rows for disks with data; `seedprovider.admission` those for blank ones.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from seedprovider import evidence, selection
from seedprovider.admission import admit, without_volume
from seedprovider.decision import Decision, Policy, Refused, Rule, Seeds, Withheld
from seedprovider.model import (
    Address,
    Asker,
    Disk,
    DiskState,
    Endpoint,
    Entry,
    EntryState,
    HostId,
    PodName,
    PvcUid,
    Record,
    RingId,
    Source,
    View,
)

PATIENCE_SECONDS = 10.0
"""How long a member waits for a first word of the API server before it starts without."""


def decide(asker: Asker, view: View, policy: Policy) -> Decision:
    """Decide what the asker is told.

    Invariants, checked by tests/unit/test_protocol_properties.py: one record is one ring; a
    blank disk never gets itself unless it founds; every seed belongs to the ring of the answer;
    what is unknown is never taken for gone, empty or down.
    """
    count = policy.seeds_per_dc
    foreign = _foreign(asker, view)
    if foreign is not None:
        return foreign
    match asker.disk.state:
        case DiskState.LEFT:
            return Refused(
                rule=Rule.DISK_LEFT,
                reason=f"this disk was decommissioned from ring {asker.disk.ring_id}: "
                "empty the data directory to join anew",
            )
        case DiskState.MEMBER:
            return _member(asker, view, count)
        case DiskState.UNMARKED:
            return _unmarked(asker, view, count)
        case DiskState.JOINING if _is_member_unawares(asker, view):
            return _member(_as_member(asker), view, count)
        case DiskState.EMPTY | DiskState.JOINING:
            return admit(asker, view, policy)
        case DiskState.UNKNOWN:
            return Withheld(
                rule=Rule.DISK_UNKNOWN, reason="the state of this disk cannot be read"
            )


def _foreign(asker: Asker, view: View) -> Refused | Withheld | None:
    """Refuse a disk of another ring; an empty one belongs to none, whatever its mark says.

    Only a record read just now can say so; an older one may be from before this disk.
    """
    ring, record = asker.disk.ring_id, view.record
    if asker.disk.state is DiskState.EMPTY or ring is None or record is None:
        return None
    if ring == record.ring_id:
        return None
    if view.live is None:
        return Withheld(
            rule=Rule.MEMBER_IN_DOUBT,
            reason=f"the record as last heard names ring {record.ring_id}, this disk is ring "
            f"{ring}'s: waiting for the API server to say which is older",
        )
    named = f"this disk belongs to ring {ring}, this service is ring {record.ring_id} "
    if asker.disk.state is DiskState.MEMBER and _has_no_other_disk(asker, view, record):
        # A founder's volume was lost, somebody founded anew, and the volume is back.
        way_out = (
            "of which no other member is known: if a disk of that ring is there, give it back "
            f"to {asker.pod}; else delete the ring record to go on with the ring of this disk; "
            "only if nothing on it is needed, clear the disk"
        )
    else:
        way_out = f"give {asker.pod} its own disk back, or empty the data directory to join"
    return Refused(
        rule=Rule.DISK_FOREIGN,
        reason=f"{named}({record.how} by {record.founder}): {way_out}",
    )


def _has_no_other_disk(asker: Asker, view: View, record: Record) -> bool:
    ring = record.ring_id
    known = {*evidence.ledger_members(view, ring), *(pod for pod, _ in record.adopted)}
    return not known - {asker.pod} and not evidence.confirmed(view, ring)


def _is_member_unawares(asker: Asker, view: View) -> bool:
    """Whether the ring has the asker as a member though its mark still says ``joining``.

    A node that died between becoming NORMAL and its mark's last write. Not one that died while
    it took its own host's place: at an address that stays Cassandra keeps the host ID
    (``StorageService.prepareForReplacement``), and the member that others have is the one that
    was lost. It goes on as it began; where it had become NORMAL, Cassandra leaves
    ``replace_address_first_boot`` out.
    """
    host, ring = asker.disk.host_id, asker.disk.ring_id
    if host is None or ring is None:
        return False
    entry = evidence.ledger_of(view, ring).get(asker.pod)
    if entry is not None and (entry.state, entry.host_id) == (EntryState.JOINING, host):
        return False
    return evidence.maps_as_member(view, ring, host)


def _as_member(asker: Asker) -> Asker:
    disk = asker.disk
    return replace(asker, disk=Disk(DiskState.MEMBER, disk.ring_id, disk.host_id, disk.pvc_uid))


def _member(asker: Asker, view: View, count: int) -> Decision:
    ring, host = asker.disk.ring_id, asker.disk.host_id
    if ring is None or host is None:
        return Withheld(
            rule=Rule.DISK_UNKNOWN, reason="this disk's mark names no ring or no host ID"
        )
    objection = _cloned(asker, view, ring, host) or _outdated(asker, view, ring, host)
    if objection is not None:
        return objection
    members = evidence.confirmed(view, ring)
    if any(member.pod != asker.pod for member in members):
        return _from_confirmed(asker, view, ring, members, count)
    if view.source is Source.NONE and asker.waiting < PATIENCE_SECONDS:
        return Withheld(
            rule=Rule.API_AWAY, reason="the API server has not been read yet since the start"
        )
    if view.source in {Source.CACHE, Source.NONE}:
        return _from_cache(asker, view, ring)
    return _cold_start(asker, view, ring, count)


def _from_confirmed(
    asker: Asker, view: View, ring: RingId, members: tuple[Endpoint, ...], count: int
) -> Seeds:
    steady = [member for member in members if not member.terminating]
    racks = evidence.racks_of(view)
    chosen = selection.choose(steady or members, racks, count)
    # A thousand pods are looked through only where somebody is missing.
    reserve = chain(steady, members, _lazily(view, ring))
    padded = selection.with_two_others(chosen, asker.pod, reserve)
    silent = {each.pod for each in padded} - {member.pod for member in members}
    more = f", and {', '.join(sorted(silent))} to have two others" if silent else ""
    return Seeds(
        seeds=_addresses(padded),
        ring_id=ring,
        rule=Rule.MEMBER_CONFIRMED,
        reason=f"confirmed members of ring {ring}{more}",
    )


def _lazily(view: View, ring: RingId) -> Iterator[Endpoint]:
    yield from evidence.existing_members(view, ring)


def _cold_start(asker: Asker, view: View, ring: RingId, count: int) -> Seeds:
    itself = Endpoint(asker.pod, asker.uid, asker.address)
    others = [e for e in evidence.existing_members(view, ring) if e.pod != asker.pod]
    chosen = selection.choose((*others, itself), evidence.racks_of(view), count)
    return Seeds(
        seeds=_addresses((*chosen, itself)),
        ring_id=ring,
        rule=Rule.MEMBER_COLD_START,
        reason=f"no other member of ring {ring} is up: the pods that hold its disks, "
        "itself included",
    )


def _from_cache(asker: Asker, view: View, ring: RingId) -> Seeds:
    known = [address for address in view.last_good if address not in view.strangers]
    return Seeds(
        seeds=tuple(dict.fromkeys((*known, asker.address))),
        ring_id=ring,
        rule=Rule.MEMBER_FROM_CACHE,
        reason="the API server is away: the last good answer and this node's own address",
    )


def _cloned(asker: Asker, view: View, ring: RingId, host: HostId) -> Decision | None:
    """Object where this disk's host ID lives, or may live, in another pod."""
    for pod, report in sorted(view.reports.items()):
        if pod == asker.pod or evidence.fresh_report(view, pod) is None:
            continue
        beat = evidence.fresh_heartbeat(report)
        running = beat is not None and beat.host_id == host
        if running or report.disk.host_id == host:
            objection = _clone_of(asker, view, ring, pod, running=running)
            if objection is not None:
                return objection
    for pod, entry in evidence.ledger_members(view, ring).items():
        unseen = evidence.fresh_report(view, pod) is None
        if pod != asker.pod and entry.host_id == host and unseen:
            return Withheld(
                rule=Rule.MEMBER_CLONED,
                reason=f"the ledger has this disk's host ID {host} in {pod}, which is silent: "
                f"if the disk was moved here on purpose, delete ConfigMap {pod}-member",
            )
    return None


def _clone_of(
    asker: Asker, view: View, ring: RingId, other: PodName, *, running: bool
) -> Decision | None:
    """Judge two disks with one host ID: the running one, else the ledger's, is genuine."""
    host = asker.disk.host_id
    ledger = evidence.ledger_members(view, ring)
    mine = ledger.get(asker.pod)
    if not running and mine is not None and mine.host_id == host:
        return None
    theirs = ledger.get(other)
    if running or (theirs is not None and theirs.host_id == host):
        return Refused(
            rule=Rule.MEMBER_CLONED,
            reason=f"this disk's host ID {host} lives in {other}: this is a copy of its "
            "volume; empty the data directory to join anew",
        )
    return Withheld(
        rule=Rule.MEMBER_CLONED,
        reason=f"{asker.pod} and {other} hold disks with one host ID {host} and the ledger "
        "knows neither: empty the copy's data directory",
    )


def _outdated(asker: Asker, view: View, ring: RingId, host: HostId) -> Withheld | None:
    """Object where the ring went on without this disk: its host was removed, or replaced.

    Only a ledger read just now can say so.  An older one may be from before this disk; that no
    member knows a host proves nothing, as one that takes over its address makes all forget it.
    What a restarted sidecar remembers is from this pod's own life, in which its volume cannot
    have changed.
    """
    mine = evidence.ledger_of(view, ring).get(asker.pod)
    if mine is None or view.source in {Source.CACHE, Source.NONE}:
        return None
    removed = mine.state is EntryState.LEFT and mine.host_id == host
    replaced = mine.state is EntryState.MEMBER and mine.host_id != host
    if not removed and not replaced:
        return None
    if view.live is None:
        return Withheld(
            rule=Rule.MEMBER_IN_DOUBT,
            reason=f"the ledger as last heard has {asker.pod} as host {mine.host_id} "
            f"({mine.state}), its disk is host {host}'s: waiting for the API server to say "
            "which is older",
        )
    way_out = _way_out_for_old(asker, view, ring, mine)
    if removed:
        return Withheld(
            rule=Rule.MEMBER_REMOVED,
            reason=f"the ring went on without this disk's host {host}: {way_out}",
        )
    return Withheld(
        rule=Rule.MEMBER_REPLACED,
        reason=f"the ledger has host {mine.host_id} for {asker.pod}, and this disk is host "
        f"{host}'s: {way_out}",
    )


def _way_out_for_old(asker: Asker, view: View, ring: RingId, mine: Entry) -> str:
    """Say what to do with a disk that the ring went on without, as the ledger has it.

    It is given up only where members that run say so, too: the ledger may speak of another
    disk than the one that this one took the place of, and this be the last of its host.
    """
    host = asker.disk.host_id
    keep = f"delete ConfigMap {asker.pod}-member"
    runs = any(member.pod != asker.pod for member in evidence.confirmed(view, ring))
    if runs and host is not None and not evidence.maps_as_member(view, ring, host):
        return (
            "if this disk is not to come back, empty the data directory; if it is the right "
            f"one, {keep}"
        )
    back = f"give {asker.pod} the disk of host {mine.host_id} back; "
    return (
        f"no member that runs says that the ring does without host {host}: start the others; "
        f"{'' if mine.host_id == host else back}if this disk is to be kept, {keep}"
    )


def _unmarked(asker: Asker, view: View, count: int) -> Decision:
    record = view.record
    if record is None:
        return _adoption(asker, view)
    if asker.pvc_uid is None:
        return without_volume(asker.pod)
    if not _is_known_unmarked(view, record, asker.pod, asker.pvc_uid):
        if view.live is None:
            return Withheld(
                rule=Rule.MEMBER_IN_DOUBT,
                reason="this disk holds data without a mark, and the ledger as last heard does "
                f"not know it as {asker.pod}'s in ring {record.ring_id}: waiting for the API "
                "server to say whether it does now",
            )
        return Withheld(
            rule=Rule.UNMARKED_STRANGER,
            reason="this disk holds data without a mark and the ledger does not know it as "
            f"{asker.pod}'s in ring {record.ring_id}: give the pod its own disk back; only if "
            "nothing on it is needed, empty the data directory to join",
        )
    ring = record.ring_id
    known = evidence.confirmed(view, ring) or evidence.existing_members(view, ring)
    others = [endpoint for endpoint in known if endpoint.pod != asker.pod]
    reason = "a member whose disk has no mark, or not yet"
    itself: tuple[Endpoint, ...] = ()
    if not others:
        # All marks may be missing: all died before theirs were written after an adoption.
        others = list(_others_unmarked(asker, view, record))
        itself = (Endpoint(asker.pod, asker.uid, asker.address),)
        reason += f"; no other member of ring {ring} is there: its like, and itself"
    chosen = selection.choose(others, evidence.racks_of(view), count)
    return Seeds(
        seeds=_addresses((*chosen, *itself)),
        ring_id=ring,
        rule=Rule.UNMARKED_MEMBER,
        reason=reason,
    )


def _others_unmarked(asker: Asker, view: View, record: Record) -> Iterator[Endpoint]:
    """Give the pods whose disks are unmarked, too, and known as members of the ring."""
    for endpoint in view.endpoints:
        report = evidence.fresh_report(view, endpoint.pod)
        if report is None or endpoint.terminating or endpoint.pod == asker.pod:
            continue
        unmarked = report.disk.state is DiskState.UNMARKED
        if unmarked and _is_known_unmarked(view, record, endpoint.pod, report.pvc_uid):
            yield endpoint


def _is_known_unmarked(
    view: View, record: Record, pod: PodName, pvc_uid: PvcUid | None
) -> bool:
    """Whether ledger or record have this volume as this pod's in the ring.

    Not where the entry says ``joining``: a disk that lost its mark on the way in is none.
    """
    if pvc_uid is None:
        return False
    entry = evidence.ledger_of(view, record.ring_id).get(pod)
    if entry is not None and entry.host_id is not None:
        return entry.state is EntryState.MEMBER and entry.pvc_uid == pvc_uid
    return (pod, pvc_uid) in record.adopted


def _adoption(asker: Asker, view: View) -> Decision:
    if not view.record_known:
        return Withheld(
            rule=Rule.API_AWAY,
            reason="this disk holds data without a mark, and the API server, which knows the "
            "ring record, does not answer",
        )
    if not asker.configured:
        return Withheld(
            rule=Rule.ADOPTION,
            reason="this disk holds data without a mark and no ring record exists: to adopt a "
            "running ring, give the seed provider its present seeds in the parameter `seeds`",
        )
    return Seeds(
        seeds=asker.configured,
        ring_id=None,
        rule=Rule.ADOPTION,
        reason="adoption is under way: the seeds that were configured before",
    )


def _addresses(endpoints: tuple[Endpoint, ...] | list[Endpoint]) -> tuple[Address, ...]:
    return tuple(dict.fromkeys(endpoint.address for endpoint in endpoints))
