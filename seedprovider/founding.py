"""Who founds the ring, and who rebuilds or takes over a record that is lost or orphaned.  Pure.

Founding needs proof that no other disk of the service holds data, and atomic creation of the
record; see the rows "no record" and "founder" of the table in docs/architecture.md.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from seedprovider import evidence
from seedprovider.decision import Act, Decision, Rule, Seeds, Withheld, WriteRecord
from seedprovider.model import (
    Asker,
    Disk,
    DiskState,
    Live,
    Origin,
    PeerState,
    PodName,
    Record,
    RingId,
    View,
    pod_order,
)


def found(asker: Asker, view: View, live: Live, grace: float) -> Decision:
    """Decide for a blank disk while there is no ring record; `grace` in seconds."""
    disks = dict(evidence.other_disks(asker, view))
    if any(disk.state is DiskState.MEMBER for disk in disks.values()):
        return rebuild(asker, view)
    approved = live.approved_founder == asker.pod
    for pod, disk in disks.items():
        reason = _in_the_way(view, pod, disk, approved=approved)
        if reason is not None:
            return Withheld(rule=Rule.FOUND_BLOCKED, reason=f"no ring is founded {reason}")
    if not approved:
        lower = _lower_ordinals(asker, view)
        if lower and asker.waiting < grace:
            return Withheld(
                rule=Rule.FOUND_WAIT, reason=f"waiting for {lower[0]} to found the ring"
            )
    record = Record(
        ring_id=asker.fresh_ring_id,
        founder=asker.pod,
        founder_pvc_uid=asker.pvc_uid,
        how=Origin.FOUNDED,
        at=asker.clock,
    )
    return Act(step=WriteRecord(record), rule=Rule.FOUND, reason=f"{asker.pod} founds the ring")


def _in_the_way(view: View, pod: PodName, disk: Disk, *, approved: bool) -> str | None:
    """Say what of another pod forbids to found a ring, with the way out; None if nothing does.

    An approval gives up disks; it never founds beside a node that says it is in a ring.
    """
    if approved:
        mode = evidence.mode_in_ring(view, pod)
        if mode is None:
            return None
        return f"while the node of {pod} is {mode} in a ring: kubectl delete pod {pod}"
    if not disk.is_blank:
        return _blocker(pod, disk.state)
    if evidence.may_be_underway(view, pod, disk):
        return (
            f"while {pod} may be on its way into ring {disk.ring_id}, whose record is lost: "
            "wait for it, or stop it"
        )
    return None


def _blocker(pod: PodName, state: DiskState) -> str:
    approve = "or annotate the Service with cassandra-k8s-ring.io/approve-founding"
    if state is DiskState.UNKNOWN:
        return (
            f"while the disk of {pod} cannot be read: start {pod}, "
            f"delete its volume claim if it is to be given up, {approve}"
        )
    if state is DiskState.UNMARKED:
        return (
            f"while {pod} holds the data of one that is not adopted yet: see what its sidecar "
            "waits for"
        )
    return (
        f"while the disk of {pod} holds data ({state}): delete its volume "
        f"claim if it is to be given up, {approve}"
    )


def _lower_ordinals(asker: Asker, view: View) -> list[PodName]:
    return [
        endpoint.pod
        for endpoint in view.endpoints
        if pod_order(endpoint.pod) < pod_order(asker.pod) and not endpoint.terminating
    ]


def rebuild(asker: Asker, view: View) -> Decision:
    """Rebuild a lost record with the ring ID that most disks carry.

    Only where these are more than half of all disks that hold data or cannot be read: a
    minority's ring ID would lock the others out. A node on an unmarked disk that has a marked
    member in its ring speaks for that ring.
    """
    disks = dict(evidence.other_disks(asker, view))
    if not asker.disk.is_blank:
        disks[asker.pod] = asker.disk
    rings = Counter(
        disk.ring_id
        for disk in disks.values()
        if disk.state is DiskState.MEMBER and disk.ring_id is not None
    )
    certain = {DiskState.EMPTY, DiskState.JOINING, DiskState.LEFT}
    in_doubt = [pod for pod, disk in disks.items() if disk.state not in certain]
    for pod in in_doubt:
        if disks[pod].state is DiskState.UNMARKED:
            rings.update(_rings_known_by(view, pod, disks))
    ring = max(rings, key=lambda each: rings[each], default=None)
    carriers = rings[ring] if ring is not None else 0
    if ring is None or 2 * carriers <= len(in_doubt):
        named = ", ".join(sorted(in_doubt, key=pod_order))
        return Withheld(
            rule=Rule.REBUILD_BLOCKED,
            reason="the ring record is lost, and no ring ID is on more than half of the disks "
            f"that hold data or cannot be read ({named}): start those pods, or delete the "
            "volume claims of those that are given up",
        )
    record = Record(
        ring_id=ring,
        founder=asker.pod,
        founder_pvc_uid=None,
        how=Origin.REBUILT,
        at=asker.clock,
    )
    return Act(
        step=WriteRecord(record),
        rule=Rule.REBUILD,
        reason=f"the ring record was lost: rebuilt as ring {ring} from {carriers} disks",
    )


def _rings_known_by(view: View, pod: PodName, disks: Mapping[PodName, Disk]) -> set[RingId]:
    """Return the ring of a node on an unmarked disk, by the marked members that it has in it.

    An adoption marks one disk after the other, and the record may be lost between two.
    """
    known = {
        peer.host_id
        for peer in evidence.peers_of(view, pod) or ()
        if peer.state is not PeerState.JOINING
    }
    rings = {
        disk.ring_id
        for disk in disks.values()
        if disk.state is DiskState.MEMBER and disk.host_id in known and disk.ring_id
    }
    return rings if len(rings) == 1 else set()


def waiting_for(asker: Asker, view: View, live: Live, record: Record) -> str:
    """Say to one of the blank disks of a ring without a member what it waits for."""
    if record.founder_pvc_uid is None:
        return (
            f"ring {record.ring_id}, {record.how} by {record.founder}, has no disk with data: "
            "bring one back, or delete the ring record and the ledger"
        )
    founds = record.founder_pvc_uid == asker.pvc_uid
    if founds or record.founder_pvc_uid not in live.volumes.values():
        approved = live.approved_founder == asker.pod
        for pod, disk in evidence.other_disks(asker, view):
            reason = _in_the_way(view, pod, disk, approved=approved)
            if reason is not None:
                return f"ring {record.ring_id} does not begin {reason}"
    return f"waiting for {record.founder} to found the ring"


def as_founder(asker: Asker, view: View, live: Live, record: Record) -> Decision | None:
    """Let the founder go on, or another take over from one whose volume is gone.

    Only while the ring never had a member: no host ID in the ledger, no other disk with data.
    What an operator's approval was given over is not in the way here either, only this ring's.
    """
    approved = live.approved_founder == asker.pod
    ledger = evidence.ledger_of(view, record.ring_id)
    others = [pod for pod in ledger if pod != asker.pod]
    if any(entry.host_id is not None for entry in ledger.values()):
        return None
    for pod, disk in evidence.other_disks(asker, view):
        if approved and disk.ring_id != record.ring_id:
            continue
        if not disk.is_blank or evidence.may_be_underway(view, pod, disk):
            return None
    # Only a record that was founded names a volume, and a volume is one pod's.
    is_founder = record.founder_pvc_uid == asker.pvc_uid
    if is_founder and all(evidence.proven_no_member(view, pod) for pod in others):
        return Seeds(
            seeds=(asker.address,),
            ring_id=record.ring_id,
            rule=Rule.FOUNDER,
            reason=f"{asker.pod} founds ring {record.ring_id}",
        )
    if record.founder_pvc_uid is None or record.founder_pvc_uid in live.volumes.values():
        return None
    successor = replace(
        record,
        ring_id=asker.fresh_ring_id,
        founder=asker.pod,
        founder_pvc_uid=asker.pvc_uid,
        at=asker.clock,
    )
    return Act(
        step=WriteRecord(successor),
        rule=Rule.FOUNDER_TAKEOVER,
        reason=f"the volume of {record.founder}, which was to found the ring, is gone: "
        f"{asker.pod} founds it",
    )
