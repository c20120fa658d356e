"""What a view proves about pods, disks and members: pure predicates that give their reasons.

Every question has three answers: yes, no, and unknown. What cannot be read is never taken for
gone, empty or down.
"""

from collections.abc import Iterator
from dataclasses import replace

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
    Peer,
    PeerState,
    PodName,
    Process,
    Report,
    RingId,
    View,
    pod_order,
)

CONFIRM_SECONDS = 5.0
"""A sidecar's word counts for this long; also how old the heartbeat in it may be."""


IN_A_RING = frozenset({"JOINING", "NORMAL", "LEAVING", "MOVING"})
"""Modes of ``StorageService.Mode`` in which a node has tokens in a ring, or is getting some."""


def fresh_report(view: View, pod: PodName) -> Report | None:
    """Return what the pod's sidecar said within `CONFIRM_SECONDS`, or None: unknown."""
    report = view.reports.get(pod)
    if report is None or view.now - report.received > CONFIRM_SECONDS:
        return None
    return report


def fresh_heartbeat(report: Report) -> Heartbeat | None:
    """Return the node's word within the report if it was fresh when the report was made."""
    if report.heartbeat_age is None or report.heartbeat_age > CONFIRM_SECONDS:
        return None
    return report.heartbeat


def doubt(view: View, endpoint: Endpoint, ring: RingId) -> str | None:
    """Say why a pod is not a *confirmed* member of the ring; None if it is.

    Confirmed: its sidecar said within `CONFIRM_SECONDS` that its node is NORMAL, on a disk of
    this ring, with the host ID that the disk carries.
    """
    report = fresh_report(view, endpoint.pod)
    if report is None:
        stranger = view.strangers.get(endpoint.address)
        return f"{stranger} answers at its address" if stranger else "its sidecar is silent"
    if report.disk.ring_id is not None and report.disk.ring_id != ring:
        return f"its disk belongs to ring {report.disk.ring_id}"
    if report.disk.state is not DiskState.MEMBER:
        return f"its disk is {report.disk.state}"
    beat = fresh_heartbeat(report)
    if beat is None:
        return "its Cassandra sends no heartbeat"
    if beat.mode != "NORMAL":
        return f"its Cassandra is {beat.mode}"
    if beat.host_id is None or beat.host_id != report.disk.host_id:
        return "its Cassandra has not said its host ID"
    return None


def confirmed(view: View, ring: RingId) -> tuple[Endpoint, ...]:
    """Return the confirmed members of the ring, in pod order, each at its broadcast address."""
    return tuple(
        _at_broadcast_address(view, endpoint)
        for endpoint in view.endpoints
        if endpoint.pod in view.reports and doubt(view, endpoint, ring) is None
    )


def _at_broadcast_address(view: View, endpoint: Endpoint) -> Endpoint:
    report = fresh_report(view, endpoint.pod)
    beat = report.heartbeat if report else None
    if beat is None or beat.address is None or beat.address == endpoint.address:
        return endpoint
    return replace(endpoint, address=beat.address)


def existing_members(view: View, ring: RingId) -> tuple[Endpoint, ...]:
    """Return pods that exist, do not terminate and whose disk is known to be of this ring.

    The sidecar's word about the disk counts first; where it is silent, the ledger's.
    """
    return tuple(
        _at_broadcast_address(view, endpoint)
        for endpoint in view.endpoints
        if not endpoint.terminating
        and endpoint.address not in view.strangers
        and _disk_is_of(view, endpoint, ring)
    )


def _disk_is_of(view: View, endpoint: Endpoint, ring: RingId) -> bool:
    report = fresh_report(view, endpoint.pod)
    if report is not None and report.disk.state is not DiskState.UNKNOWN:
        return report.disk.state is DiskState.MEMBER and report.disk.ring_id == ring
    entry = view.ledger.get(endpoint.pod)
    if entry is None or entry.ring_id != ring or entry.state is not EntryState.MEMBER:
        return False
    # An address that nobody vouches for, and that the member never had, may be anybody's.
    return bool(entry.addresses) and entry.addresses[0].address == endpoint.address


def ledger_of(view: View, ring: RingId) -> dict[PodName, Entry]:
    """Return the ledger entries that speak of this ring; others are of one that is gone."""
    return {pod: entry for pod, entry in view.ledger.items() if entry.ring_id == ring}


def ledger_members(view: View, ring: RingId) -> dict[PodName, Entry]:
    """Return the entries of pods that were NORMAL in this ring and did not leave."""
    return {
        pod: entry
        for pod, entry in ledger_of(view, ring).items()
        if entry.host_id is not None and entry.state is not EntryState.LEFT
    }


def peers_of(view: View, pod: PodName) -> tuple[Peer, ...] | None:
    """Return whom a confirmed member sees, or None where it has not said."""
    report = fresh_report(view, pod)
    beat = fresh_heartbeat(report) if report else None
    return beat.peers if beat else None


def maps_as_member(view: View, ring: RingId, host: HostId) -> bool:
    """Whether some confirmed member has this host in its ring as more than a joiner."""
    return any(
        peer.host_id == host and peer.state is not PeerState.JOINING
        for member in confirmed(view, ring)
        for peer in peers_of(view, member.pod) or ()
    )


def other_disks(asker: Asker, view: View) -> Iterator[tuple[PodName, Disk]]:
    """Give every disk of the service but the asker's, `DiskState.UNKNOWN` where nobody knows.

    A pod without a bound volume by a live read has no disk; one that has lost its volume claim
    altogether neither, unless it runs (then its sidecar has to say).  Without a live read every
    pod ever heard of counts.
    """
    live = view.live
    pods = {endpoint.pod for endpoint in view.endpoints}
    if live is None:
        pods |= set(view.ledger)
    else:
        pods |= {pod for pod, uid in live.volumes.items() if uid is not None}
    for pod in sorted(pods - {asker.pod}, key=pod_order):
        if live is not None and live.volumes.get(pod, "") is None:
            continue
        report = fresh_report(view, pod)
        yield pod, _disk_in(report) if report else Disk(DiskState.UNKNOWN)


def _disk_in(report: Report) -> Disk:
    """Return the disk that a report speaks of, as far as its two voices agree.

    One that is called blank while a node runs on it is unknown: another directory, or emptied.
    Only a node that became NORMAL a moment ago is a member whose mark is not written yet, or,
    while the ring record is lost, cannot be.
    """
    beat, disk = fresh_heartbeat(report), report.disk
    if beat is None or not disk.is_blank:
        return disk
    joining = disk.state is DiskState.JOINING and beat.disk.is_blank
    if joining and beat.mode == "NORMAL" and beat.host_id is not None:
        return replace(disk, state=DiskState.MEMBER, host_id=beat.host_id)
    on_the_way = {"STARTING", "JOINING"} if joining else {"STARTING"}
    agrees = beat.mode in on_the_way and beat.disk.is_blank
    return disk if agrees else Disk(DiskState.UNKNOWN)


def may_be_underway(view: View, pod: PodName, disk: Disk) -> bool:
    """Whether a blank disk was let into a ring and the process on it may still get there.

    The mark names a ring from the moment the first answer is used, before there is any data.
    """
    if disk.ring_id is None:
        return False
    report = fresh_report(view, pod)
    return report is None or report.process is not Process.STOPPED


def mode_in_ring(view: View, pod: PodName) -> str | None:
    """Return the OperationMode of a node that says it is in a ring, or on its way into one."""
    report = fresh_report(view, pod)
    beat = fresh_heartbeat(report) if report else None
    return beat.mode if beat and beat.mode in IN_A_RING else None


def proven_stopped(view: View, pod: PodName) -> bool:
    """Whether the pod's Cassandra surely does not run: by its sidecar, or with no such pod."""
    report = fresh_report(view, pod)
    if report is not None:
        return report.process is Process.STOPPED
    return view.live is not None and pod not in view.live.pods


def proven_waiting(view: View, pod: PodName) -> bool:
    """Whether the pod's Cassandra only asks: on a blank disk, and promised to no ring."""
    report = fresh_report(view, pod)
    if report is None or report.process is not Process.STARTING:
        return False
    return report.disk.is_blank and report.disk.ring_id is None


def proven_left(view: View, pod: PodName) -> bool:
    """Whether the pod's node has left its ring: Cassandra does not start on its disk again."""
    report = fresh_report(view, pod)
    return report is not None and report.disk.state is DiskState.LEFT


def proven_coming(view: View, pod: PodName) -> bool:
    """Whether the pod has a blank disk and a process that is there or was just started."""
    report = fresh_report(view, pod)
    coming = {Process.STARTING, Process.UNKNOWN}
    return report is not None and report.disk.is_blank and report.process in coming


def proven_no_member(view: View, pod: PodName) -> bool:
    """Whether no member runs in the pod: stopped, or only starting on a blank disk.

    A process that already is NORMAL on a disk that somebody emptied under it is a member still.
    """
    report = fresh_report(view, pod)
    starting = report is not None and report.process is Process.STARTING
    blank = report is not None and report.disk.is_blank
    return (starting and blank) or proven_stopped(view, pod)


def addresses_of(view: View, ring: RingId, host: HostId) -> frozenset[Address]:
    """Return where the confirmed members map a host to; more than one if they disagree."""
    return frozenset(
        peer.address
        for member in confirmed(view, ring)
        for peer in peers_of(view, member.pod) or ()
        if peer.host_id == host
    )


def racks_of(view: View) -> dict[PodName, str]:
    """Return each pod's rack: as its node says, else as the ledger has it."""
    racks = {pod: entry.rack for pod, entry in view.ledger.items() if entry.rack}
    for pod, report in view.reports.items():
        if report.heartbeat is not None and report.heartbeat.rack:
            racks[pod] = report.heartbeat.rack
    return racks
