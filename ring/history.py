"""What changed in a ring from one picture to the next: a log with an end.

A change is from something known to something else known.  In between may lie any number of
pictures in which it was not: so the last that was known of each member is kept (`Trace`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ring.members import Member
from ring.model import HostId, Liveness, Mode
from ring.snapshot import RingSnapshot

LOG_LIMIT = 1000  # changes that are kept: some months of a ring that restarts weekly


class What(StrEnum):
    """Kinds of change."""

    JOINED = "joined"
    LEFT = "left"
    REPLACED = "replaced"
    ADDRESS_CHANGED = "address-changed"
    VOLUME_CHANGED = "volume-changed"
    RESTARTED = "restarted"
    WENT_DOWN = "went-down"
    CAME_BACK = "came-back"
    SCHEMA_CHANGED = "schema-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        at: when it was seen, in seconds since 1970.
        host_id: the member it is about; None where it is about all of them.
        was, now: address, volume, schema version, or the host ID that was replaced.
        seconds: of a member that came back, how long it was seen down.

    """

    what: What
    at: float
    host_id: HostId | None = None
    pod: str = ""
    was: str = ""
    now: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When a picture was taken: in seconds since 1970, and by a clock that nobody sets."""

    at: float
    clock: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The last that was known of a member; None and empty where nothing ever was.

    Attributes:
        down_since: when it was first seen down, in monotonic seconds; None while it is not.
        seen_up: whether it was ever up; who never was went down before anybody looked.
        succeeded: whether another member has taken its place in its pod.

    """

    liveness: Liveness = Liveness.UNKNOWN
    down_since: float | None = None
    address: str = ""
    pod: str = ""
    pod_uid: str = ""
    restarts: int | None = None
    pvc_uid: str = ""
    seen_up: bool = False
    succeeded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The last changes of a ring, and what the next ones are measured against.

    Attributes:
        traces: by host ID; of members, and of those that were replaced and are still known.
        schema: the version that all members had when they last agreed.
        begun: whether the members were known once: those found before that joined earlier.
        log: oldest first, `LOG_LIMIT` at most.

    """

    traces: Mapping[HostId, Trace] = field(default_factory=dict)
    schema: str = ""
    begun: bool = False
    log: tuple[Change, ...] = ()

    def after(self, snapshot: RingSnapshot, at: float, clock: float | None = None) -> "History":
        """Return the history with what this picture shows.

        Args:
            snapshot: the picture.
            at: when it was taken, in seconds since 1970.
            clock: the same in monotonic seconds, for durations: the other clock may be set.
                Without, ``at``.

        """
        now = Moment(at, at if clock is None else clock)
        traces = dict(self.traces)
        found = self._present(snapshot, traces, now)
        if snapshot.is_certain:
            found += _gone(snapshot, traces, at)
        schema = agreed_schema(snapshot) or self.schema
        if self.schema and schema != self.schema:
            found.append(Change(what=What.SCHEMA_CHANGED, at=at, was=self.schema, now=schema))
        return History(
            traces=traces,
            schema=schema,
            begun=self.begun or snapshot.is_certain,
            log=(*self.log, *found)[-LOG_LIMIT:],
        )

    def _present(
        self, snapshot: RingSnapshot, traces: dict[HostId, Trace], now: Moment
    ) -> list[Change]:
        """Compare those that are members now; their traces are brought up to date."""
        found: list[Change] = []
        for member in snapshot.members:
            host = member.host_id
            old = traces.get(host, Trace())
            if member.mode is Mode.JOINING or (old.succeeded and not member.pod):
                continue  # not begun yet; or the end of a story that was told
            if host in traces or self.begun:
                place = _place(traces, host, member)
                found += self._lengthened(_changes(old, member, now), old)
                if place is not None:
                    traces[place] = replace(traces[place], pod="", succeeded=True)
                    found.append(_change(What.REPLACED, member, now.at, was=str(place)))
                elif host not in traces:
                    found.append(_change(What.JOINED, member, now.at))
            traces[host] = _traced(old, member, now.clock)
        return found

    def _lengthened(self, found: list[Change], old: Trace) -> list[Change]:
        """Have one that was found down be so since others saw it go down."""
        if old.seen_up:
            return found  # what was seen is measured by the better clock
        return [
            replace(each, seconds=max(each.seconds, each.at - self._went_down(each)))
            if each.seconds is not None
            else each
            for each in found
        ]

    def _went_down(self, back: Change) -> float:
        """Return when the log says that a member went down; with none of it, now."""
        for each in reversed(self.log):
            if each.host_id == back.host_id and each.what in (What.WENT_DOWN, What.CAME_BACK):
                return each.at if each.what is What.WENT_DOWN else back.at
        return back.at

    def since(self, at: float) -> tuple[Change, ...]:
        """Return what was seen at this time or later."""
        return tuple(each for each in self.log if each.at >= at)


def _gone(snapshot: RingSnapshot, traces: dict[HostId, Trace], at: float) -> list[Change]:
    """Forget those that are members no more; who was replaced is not told of again."""
    gone = {host: trace for host, trace in traces.items() if host not in snapshot.by_host}
    for host in gone:
        del traces[host]
    return [
        Change(what=What.LEFT, at=at, host_id=host, pod=trace.pod)
        for host, trace in gone.items()
        if not trace.succeeded
    ]


def agreed_schema(snapshot: RingSnapshot) -> str:
    """Return the one schema version of all members that are up; empty where there is none."""
    versions = {each.schema for each in snapshot.members if each.liveness is Liveness.UP}
    return versions.pop() if len(versions) == 1 else ""


def _place(traces: Mapping[HostId, Trace], host: HostId, member: Member) -> HostId | None:
    """Return whose place in its pod a member has taken."""
    if not member.pod or (host in traces and traces[host].pod == member.pod):
        return None
    others = (each for each, trace in traces.items() if trace.pod == member.pod)
    return next((each for each in others if each != host), None)


def _changes(old: Trace, member: Member, now: Moment) -> list[Change]:
    """Compare what was known of a member with what is."""
    at = now.at
    found = []
    if old.address and member.address and old.address != member.address:
        found.append(
            _change(What.ADDRESS_CHANGED, member, at, was=old.address, now=member.address)
        )
    if old.pvc_uid and member.pvc_uid and old.pvc_uid != member.pvc_uid:
        found.append(
            _change(What.VOLUME_CHANGED, member, at, was=old.pvc_uid, now=member.pvc_uid)
        )
    start = old.pod_uid, old.restarts
    if old.pod_uid and member.pod_uid and start != (member.pod_uid, member.restarts):
        found.append(_change(What.RESTARTED, member, at))
    before, is_now = old.liveness, member.liveness
    if before is Liveness.UP and is_now is Liveness.DOWN:
        found.append(_change(What.WENT_DOWN, member, at))
    if before is Liveness.DOWN and is_now is Liveness.UP:
        seconds = None if old.down_since is None else now.clock - old.down_since
        found.append(replace(_change(What.CAME_BACK, member, at), seconds=seconds))
    return found


def _change(what: What, member: Member, at: float, was: str = "", now: str = "") -> Change:
    return Change(what=what, at=at, host_id=member.host_id, pod=member.pod, was=was, now=now)


def _traced(old: Trace, member: Member, clock: float) -> Trace:
    """Keep what is known now, and of what is not what was."""
    is_known = member.liveness is not Liveness.UNKNOWN
    liveness = member.liveness if is_known else old.liveness
    since = old.down_since if old.down_since is not None else clock
    return Trace(
        liveness=liveness,
        down_since=since if liveness is Liveness.DOWN else None,
        address=member.address or old.address,
        pod=member.pod or old.pod,
        pod_uid=member.pod_uid or old.pod_uid,
        restarts=old.restarts if member.restarts is None else member.restarts,
        pvc_uid=member.pvc_uid or old.pvc_uid,
        seen_up=old.seen_up or liveness is Liveness.UP,
    )
