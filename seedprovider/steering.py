"""How the seeds of a running node are led along: what to ask, what to tell it next.  Pure."""

from collections.abc import Mapping

from seedprovider import selection
from seedprovider.decision import Seeds
from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    Endpoint,
    PodName,
    PvcUid,
    RingId,
    View,
)

SPARE = 2
"""Sidecars asked beyond the seeds wanted, so that one that fails is replaced at once."""


def worth_asking(
    endpoints: tuple[Endpoint, ...],
    racks: Mapping[PodName, str],
    in_use: frozenset[Address],
    count: int,
) -> tuple[Endpoint, ...]:
    """Return the pods whose word can change the seeds of a running node.

    Those that would be chosen if all were confirmed, some to spare, and those in use: a handful
    in a ring of any size, so that asking costs the same everywhere.
    """
    steady = [endpoint for endpoint in endpoints if not endpoint.terminating]
    chosen = selection.choose(steady, racks, count + SPARE)
    asked = {endpoint.pod for endpoint in chosen}
    return tuple(e for e in endpoints if e.pod in asked or e.address in in_use)


def running_disk(disk: Disk, ring: RingId | None) -> Disk | None:
    """Return the disk to decide for while a node runs; None while its mark is not written."""
    of_ring = disk.ring_id is not None and (ring is None or disk.ring_id == ring)
    return disk if disk.state is DiskState.MEMBER and of_ring else None


def volume_changed(disk: Disk, pvc_uid: PvcUid | None) -> bool:
    """Whether a member's disk sits on another volume than its mark says: restored or moved."""
    known = disk.pvc_uid is not None and pvc_uid is not None
    return disk.state is DiskState.MEMBER and known and disk.pvc_uid != pvc_uid


def unsafe_of(view: View, ring: RingId) -> frozenset[Address]:
    """Return addresses where another service or another ring answers."""
    foreign = {
        report.address
        for report in view.reports.values()
        if report.disk.ring_id is not None
        and report.disk.ring_id != ring
        and report.disk.state is not DiskState.EMPTY
    }
    return frozenset(view.strangers) | frozenset(foreign)


def next_seeds(
    answer: Seeds, in_use: frozenset[Address] | None, own: Address, unsafe: frozenset[Address]
) -> tuple[Address, ...]:
    """Return the list on the way from what gossip uses to what the answer wants.

    Gossip never holds the node itself, so the node's own address is put back where the answer
    has it.  Where the version cannot say what it uses (3.11), the answer itself.
    """
    if in_use is None:
        return answer.seeds
    wanted = tuple(address for address in answer.seeds if address != own)
    current = tuple(a for a in wanted if a in in_use) + tuple(sorted(in_use - {*wanted, own}))
    step = selection.step_towards(current, wanted, unsafe)
    return tuple(a for a in answer.seeds if a == own or a in step) + tuple(
        a for a in step if a not in answer.seeds
    )
