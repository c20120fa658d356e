"""Rules about what is due after a change: repairs and cleanups, from the ring's history.

Nobody sees a repair by looking at a ring.  What `Upkeep` does not know to be done is due for as
long as the history has its reason; Cassandra keeps a history of repairs, and none of cleanups.
"""

from collections.abc import Iterator

from ring.finding import Case, Finding, Kind, Severity, factors, named
from ring.history import Change, What
from ring.members import Member, names
from ring.model import HostId, Mode

HINTED = (
    3 * 3600.0
)  # seconds that writes are kept for who is down (max_hint_window, by default)


def repair_due(case: Case) -> Iterator[Finding]:
    """Find members that may lack writes: replaced, restored, or down for longer than hints."""
    members = case.snapshot.by_host
    reasons: dict[HostId, dict[str, object]] = {}
    for change in case.history.log:
        host = change.host_id
        if host is None or host not in members or not (why := _lacks(change)):
            continue
        if case.upkeep.repaired.get(host, float("-inf")) < change.at:
            reasons[host] = {"why": why, "at": change.at}
    if not reasons:
        return
    due = [each for each in case.snapshot.members if each.host_id in reasons]
    why = case.upkeep.failure
    unseen = f", unless that was done since: repairs cannot be seen here ({why})" if why else ""
    yield Finding(
        kind=Kind.REPAIR_DUE,
        severity=Severity.WARNING,
        what=f"{named(names(due))} may lack writes: {reasons[due[0].host_id]['why']}",
        evidence={"members": {str(host): each for host, each in reasons.items()}},
        advice=f"Repair them, one after the other{unseen}.",
        commands=tuple(case.nodetool(each.pod or "POD", "repair -full") for each in due),
    )


def _lacks(change: Change) -> str:
    """Say why a member may lack writes after a change; empty where it does not."""
    match change.what:
        case What.REPLACED:
            return f"it replaced {change.was}, whose last writes may be nowhere else"
        case What.VOLUME_CHANGED:
            return "it came back on another volume, such as one from a backup"
        case What.CAME_BACK if change.seconds is not None and change.seconds > HINTED:
            return f"it was down for {change.seconds / 3600:.1f} h, and hints are kept for 3 h"
        case _:
            return ""


def cleanup_due(case: Case) -> Iterator[Finding]:
    """Find members that still hold what newer members of their data centre took over."""
    snapshot = case.snapshot
    if any(each.mode is Mode.JOINING for each in snapshot.members):
        return  # one cleanup after the last of them does it all
    joined = {
        change.host_id: change.at
        for change in case.history.log
        if change.what is What.JOINED and change.host_id in snapshot.by_host
    }
    for dc in sorted(_shrinking(case)):
        new = {
            host: at
            for host, at in joined.items()
            if host is not None and snapshot.by_host[host].dc == dc
        }
        if not new:
            continue
        last = max(new.values())
        due = [
            each for each in snapshot.members if each.dc == dc and _keeps(case, each, last, new)
        ]
        if due:
            came = names([snapshot.by_host[host] for host in new])
            yield Finding(
                kind=Kind.CLEANUP_DUE,
                severity=Severity.INFO,
                what=f"{len(due)} members of {dc} may hold what {named(came)} took over",
                evidence={"dc": dc, "joined": came, "members": names(due), "at": last},
                advice="It takes room on their disks, and old rows can come back where a "
                "member leaves again. Clean up, one by one, unless that was done since.",
                commands=tuple(case.nodetool(each.pod or "POD", "cleanup") for each in due),
            )


def _keeps(case: Case, each: Member, last: float, new: dict[HostId, float]) -> bool:
    """Say whether a member was there before the last that joined, and was not cleaned since."""
    cleaned = case.upkeep.cleaned.get(each.host_id, float("-inf"))
    return new.get(each.host_id, float("-inf")) < last and cleaned < last


def _shrinking(case: Case) -> set[str]:
    """Return data centres with more members than replicas: there each newcomer takes some."""
    found = set()
    for dc, racks in case.racks().items():
        members = sum(racks.values())
        for keyspace in case.snapshot.ring.keyspaces:
            said = factors(keyspace.replication)
            if 0 < said.get(dc, said.get("", 0)) < members:
                found.add(dc)
    return found


RULES = (repair_due, cleanup_due)
