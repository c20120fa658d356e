"""Rules about what is written in Kubernetes and what the ring is: record, ledger, disks."""

from collections.abc import Iterator

from ring.finding import Case, Finding, Kind, Severity, are, named
from ring.model import Liveness, Mode
from ring.objects import Entry, EntryState
from ring.words import DiskState, Seen


def record_missing(case: Case) -> Iterator[Finding]:
    """Find that there is no ring record, though disks carry a ring's mark."""
    snapshot = case.snapshot
    record = snapshot.observed.record
    if not record.is_fresh(snapshot.limits.kubernetes) or record.value is not None:
        return
    marked = [
        name
        for name, voice in snapshot.voices.items()
        if voice.sidecar and voice.sidecar.disk.state is DiskState.MEMBER
    ]
    if not marked:
        return
    service = snapshot.observed.service
    yield Finding(
        kind=Kind.RECORD_MISSING,
        severity=Severity.WARNING,
        what=f"The ring record {service}-ring is gone, and {len(marked)} disks carry a ring",
        evidence={"record": f"{service}-ring", "pods": marked},
        advice="A running member's sidecar writes it anew from the disks' marks. If it does "
        "not, its log says why.",
        commands=(case.kubectl(f"logs {marked[0]} -c seedprovider --tail=50"),),
    )


def record_and_disk_disagree(case: Case) -> Iterator[Finding]:
    """Find disks and ledger entries of another ring than the record's."""
    snapshot = case.snapshot
    record = snapshot.observed.record.fresh(snapshot.limits.kubernetes)
    if record is None:
        return
    disks = {
        name: voice.sidecar.disk.ring_id
        for name, voice in snapshot.voices.items()
        if voice.sidecar and voice.sidecar.disk.ring_id not in (None, record.ring_id)
    }
    ledger = snapshot.observed.ledger.fresh(snapshot.limits.kubernetes) or {}
    entries = {n: e.ring_id for n, e in ledger.items() if e.ring_id != record.ring_id}
    if not disks and not entries:
        return
    pods = sorted({*disks, *entries})
    yield Finding(
        kind=Kind.RECORD_AND_DISK_DISAGREE,
        severity=Severity.CRITICAL if disks else Severity.WARNING,
        what=f"{named(pods)} {are(len(pods))} of another ring than the record's",
        evidence={"ringId": record.ring_id, "disks": disks, "entries": entries},
        advice="Such a disk is never let into this ring. Give the pod its own disk back, or "
        "empty it to join anew; an entry alone is written anew by its member's sidecar.",
        commands=(case.kubectl(f"describe pod {pods[0]}"),),
    )


def ledger_and_ring_disagree(case: Case) -> Iterator[Finding]:
    """Find entries that running members contradict, and members that have none.

    Before a ring has its record, while it is adopted, there are no entries to be missed.
    """
    snapshot = case.snapshot
    ledger = snapshot.observed.ledger.fresh(snapshot.limits.kubernetes)
    if ledger is None or snapshot.observed.record.value is None:
        return
    found = {}
    for each in snapshot.members:
        said = snapshot.voices.get(each.pod)
        unknown = not each.pod or each.pod in snapshot.observed.ledger.broken
        if unknown or each.mode is Mode.JOINING or not (said and said.heartbeat):
            continue
        entry = ledger.get(each.pod)
        if each.heard and (problem := _contradicts(entry, str(each.host_id))):
            found[each.pod] = problem
    found |= _forgotten(case)
    if not found:
        return
    pods = sorted(found)
    yield Finding(
        kind=Kind.LEDGER_AND_RING_DISAGREE,
        severity=Severity.WARNING,
        what=f"The ledger and the ring differ about {named(pods)}: {found[pods[0]]}",
        evidence={"pods": found},
        advice="A running member's sidecar corrects its own entry within seconds. One that "
        "stays wrong, its log explains.",
        commands=(
            case.kubectl(f"get configmap {pods[0]}-member -o yaml"),
            case.kubectl(f"logs {pods[0]} -c seedprovider --tail=50"),
        ),
    )


def _contradicts(entry: Entry | None, host: str) -> str:
    if entry is None:
        return f"member {host} runs and has no entry"
    if entry.state is EntryState.LEFT:
        return f"the entry says left, and member {host} runs"
    if entry.state is EntryState.MEMBER and str(entry.host_id) != host:
        return f"the entry says {entry.host_id}, and member {host} runs"
    return ""


def _forgotten(case: Case) -> dict[str, str]:
    """Return members by the ledger that no running member knows, and that do not run."""
    snapshot = case.snapshot
    voters = int(snapshot.matrix.voters.sum())
    if not voters:
        return {}
    return {
        each.pod: f"member {each.host_id} is in the ledger, and no running member knows it"
        for n, each in enumerate(snapshot.members)
        if each.pod
        and each.liveness is not Liveness.UP
        and each.runs is not True
        and len(snapshot.matrix.saying(n, Seen.ABSENT)) == voters
    }


RULES = (record_missing, record_and_disk_disagree, ledger_and_ring_disagree)
