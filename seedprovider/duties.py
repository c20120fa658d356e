"""What the sidecar of a running node writes down: ledger, adoption, lost record.  Pure.

Nothing here decides who gets in; it keeps true what those decisions are later taken from.
"""

from dataclasses import replace

from seedprovider import evidence
from seedprovider.decision import Act, Rule, WriteEntry, WriteRecord
from seedprovider.founding import rebuild
from seedprovider.model import (
    Address,
    Asker,
    DiskState,
    Entry,
    EntryState,
    Heartbeat,
    HostId,
    Origin,
    PeerState,
    PodName,
    Process,
    PvcUid,
    Record,
    Report,
    RingId,
    Stay,
    View,
    pod_order,
)

KEPT_ADDRESSES = 8


def ledger_step(own: Asker, beat: Heartbeat, view: View) -> WriteEntry | None:
    """Return the ledger entry to write for the node beside us; None if it is right as it is.

    Only what the disk's mark confirms is written: a host ID that the mark does not carry yet
    could be that of a disk that is about to be found foreign.
    """
    record, disk = view.record, own.disk
    if record is None or disk.ring_id != record.ring_id or disk.host_id is None:
        return None
    present = view.ledger.get(own.pod)
    if disk.state is DiskState.LEFT or beat.mode == "DECOMMISSIONED":
        return _left(own, present, disk.host_id)
    if disk.state is not DiskState.MEMBER or beat.mode != "NORMAL":
        return None
    if beat.host_id != disk.host_id:
        return None
    wanted = Entry(
        pod=own.pod,
        ring_id=record.ring_id,
        pod_uid=own.uid,
        pvc_uid=own.pvc_uid,
        host_id=disk.host_id,
        state=EntryState.MEMBER,
        dc=beat.dc,
        rack=beat.rack,
        addresses=_stays(present, beat.address or own.address, own.clock),
        version=present.version if present else None,
    )
    return None if wanted == present else WriteEntry(wanted)


def _left(own: Asker, present: Entry | None, host: HostId) -> WriteEntry | None:
    """Close our entry, also one that still says ``joining``, which would keep the turn."""
    if present is None or present.state is EntryState.LEFT:
        return None
    came_in = present.state is EntryState.JOINING and present.pod_uid == own.uid
    if present.host_id != host and not came_in:
        return None
    return WriteEntry(replace(present, host_id=host, state=EntryState.LEFT))


def _stays(present: Entry | None, address: Address, clock: str) -> tuple[Stay, ...]:
    before = present.addresses if present else ()
    if before and before[0].address == address:
        return before
    return (Stay(address, clock), *before)[:KEPT_ADDRESSES]


def removal_step(view: View, ring: RingId, gone: frozenset[HostId]) -> WriteEntry | None:
    """Return the entry to close of a member that was removed from the ring while we watched.

    A pod that says that it runs as this host keeps its entry until it stops: it would write it
    again, and we would close it again.

    Args:
        view: from watches; entries of pods that replace a lost disk say ``joining`` and stay.
        ring: ours.
        gone: hosts that our node had in its ring and has no more, though nobody took over
            their address, which would make a healthy node's peers forget it.

    """
    for pod, entry in evidence.ledger_members(view, ring).items():
        if entry.state is not EntryState.MEMBER or entry.host_id not in gone:
            continue
        if not _says_it_runs(view, pod, entry.host_id):
            return WriteEntry(replace(entry, state=EntryState.LEFT))
    return None


def _says_it_runs(view: View, pod: PodName, host: HostId | None) -> bool:
    report = evidence.fresh_report(view, pod)
    beat = evidence.fresh_heartbeat(report) if report else None
    return beat is not None and (beat.mode, beat.host_id) == ("NORMAL", host)


def vanished(before: Heartbeat, now: Heartbeat) -> frozenset[HostId]:
    """Return the hosts that one process had as members and then had no more.

    Not those whose address another host, or the node itself, has by now.
    """
    if before.mode != "NORMAL" or now.mode != "NORMAL" or before.host_id != now.host_id:
        return frozenset()
    if before.peers is None or now.peers is None:
        return frozenset()
    present = {peer.host_id for peer in now.peers}
    taken = {peer.address for peer in now.peers} | {now.address}
    return frozenset(
        peer.host_id
        for peer in before.peers
        if peer.state is not PeerState.JOINING
        and peer.host_id not in present
        and peer.address not in taken
    )


def _standing(own: Asker, beat: Heartbeat) -> Asker:
    """Return the node with its disk as a member's where only its mark does not say so yet.

    The mark waits for a ring that has a record.
    """
    arrived = own.disk.state is DiskState.JOINING and beat.mode == "NORMAL"
    if not arrived or beat.host_id is None:
        return own
    disk = replace(own.disk, state=DiskState.MEMBER, host_id=beat.host_id)
    return replace(own, disk=disk)


def record_missing(own: Asker, beat: Heartbeat, view: View) -> bool:
    """Whether the ring record is known not to exist while this disk holds a ring's data."""
    own = _standing(own, beat)
    has_data = own.disk.state in {DiskState.MEMBER, DiskState.UNMARKED}
    return view.record_known and view.record is None and has_data


def record_step(own: Asker, beat: Heartbeat, view: View) -> Act | str:
    """Return the step that gives a ring with data its record, or the reason to wait.

    Takes a view with a live read and with every sidecar asked just now.
    """
    own = _standing(own, beat)
    if view.live is None or not view.record_known or view.record is not None:
        return "the API server has to say first that there is no ring record"
    if own.disk.state is DiskState.MEMBER:
        decision = rebuild(own, view)
        return decision if isinstance(decision, Act) else decision.reason
    reason = _not_adoptable(own, beat, view)
    if reason is not None:
        return reason
    record = Record(
        ring_id=own.fresh_ring_id,
        founder=own.pod,
        founder_pvc_uid=None,
        how=Origin.ADOPTED,
        at=own.clock,
        adopted=_unmarked_volumes(view),
    )
    count = len(record.adopted)
    return Act(
        step=WriteRecord(record),
        rule=Rule.ADOPTION,
        reason=f"{count} running pods without marks form one ring: adopted",
    )


def _not_adoptable(own: Asker, beat: Heartbeat, view: View) -> str | None:
    """Say why the running nodes cannot be adopted as one ring; None if they can."""
    if beat.mode != "NORMAL" or beat.host_id is None:
        return f"adoption waits: Cassandra in {own.pod} is {beat.mode}"
    if view.live is None:
        return "adoption waits for the API server"
    expected = set(view.live.pods) | {
        pod for pod, uid in view.live.volumes.items() if uid is not None
    }
    groups: dict[PodName, set[HostId]] = {}
    for pod in sorted(expected | {own.pod}, key=pod_order):
        report = evidence.fresh_report(view, pod)
        if report is not None and _only_waits(report):
            continue
        said = evidence.fresh_heartbeat(report) if report else None
        if report is None or said is None or said.host_id is None or said.peers is None:
            return f"adoption waits for a heartbeat from {pod}"
        if report.disk.state is not DiskState.UNMARKED:
            return f"adoption waits: the disk of {pod} is {report.disk.state}"
        if report.ring_id is not None:
            return (
                f"adoption waits: the sidecar of {pod} still has a record of ring "
                f"{report.ring_id}, which it may mark its disk with"
            )
        groups[pod] = {said.host_id, *(peer.host_id for peer in said.peers)}
    return _two_rings(groups)


def _only_waits(report: Report) -> bool:
    """Whether a pod is a newcomer that waits for the adoption, and so cannot hold it up."""
    on_the_way = report.process in {Process.STARTING, Process.STOPPED}
    return report.disk.is_blank and on_the_way


def _unmarked_volumes(view: View) -> tuple[tuple[PodName, PvcUid | None], ...]:
    return tuple(
        (pod, report.pvc_uid)
        for pod, report in sorted(view.reports.items(), key=lambda item: pod_order(item[0]))
        if report.disk.state is DiskState.UNMARKED
    )


def _two_rings(groups: dict[PodName, set[HostId]]) -> str | None:
    """Name two pods whose known host IDs are not connected; None if all form one component."""
    first, *rest = groups
    reached = set(groups[first])
    waiting = list(rest)
    while waiting:
        joined = [pod for pod in waiting if groups[pod] & reached]
        if not joined:
            return (
                f"{first} and {waiting[0]} are in two rings that know nothing of each other: "
                "neither is adopted: decide which one this Service is to be"
            )
        for pod in joined:
            reached |= groups[pod]
            waiting.remove(pod)
    return None
