"""A real run held against the model: each line of the journals has to be a move of the model.

`Replay` keeps the worlds of the model that agree with all that was seen so far. A decision, a
write and what became of it are matched one to one. What Cassandra does between two heartbeats
nobody sees: those moves are put in where what is seen next needs them. What is outside of the
model (docs/decisions/0013) is left out with its reason, and the replay goes on from what is so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from seedprovider.decision import Step, TakeTurn, WriteEntry, WriteRecord
from seedprovider.journal import Began, Decided, Duty, Own, Result, Stepped, Turned, step_of
from seedprovider.model import DiskState, Report, Turn, pod_order
from tests.model import inner
from tests.model import state as m
from tests.model.acquaintance import Acquaintance
from tests.model.cassandra import with_pod
from tests.model.course import Course, ImpossibleError
from tests.model.decided import Decisions
from tests.model.hearsay import Hearsay
from tests.model.stagelines import StageLines
from tests.model.traces import Happened
from tests.model.writes import Writes

__all__ = ["ImpossibleError", "Replay", "replayed"]


class Replay:
    """One run.

    Attributes:
        course: the worlds that agree with it.
        replayed: how many lines were taken.

    """

    def __init__(self, *, complete: bool = True) -> None:
        """Take whether there is a diary of all that is written in Kubernetes."""
        self.course = Course(complete=complete)
        self._writes = Writes(self.course)
        self._hearsay = Hearsay(self.course, self._writes)
        self._decisions = Decisions(self.course, self._writes, self._hearsay)
        self._stage = StageLines(self.course, self._writes)
        self._acquaintance = Acquaintance(self.course)
        self.replayed = 0

    @property
    def worlds(self) -> list[m.World]:
        """The worlds that the run may be in."""
        return self.course.worlds

    @property
    def left_out(self) -> list[str]:
        """What was not held against the model, and why."""
        return self.course.left_out

    def feed(self, trace: Iterable[Happened]) -> None:
        """Take lines in the order of time; raise `ImpossibleError`."""
        for happened in trace:
            self.course.at(happened.at)
            if happened.pod:
                self._take(happened.pod, happened.line)
            else:
                self._stage.take(happened.line)
            self._acquaintance.look()
            self.replayed += 1

    def summary(self) -> str:
        """Say how much was held against the model."""
        return f"replayed {self.replayed} lines, left out {len(self.left_out)}" + "".join(
            f"\n  left out {each}" for each in self.left_out
        )

    def _take(self, pod: str, line: Any) -> None:  # noqa: ANN401 -- any line of a journal
        n = self.course.number(pod)
        match line:
            case Began():
                self._began(n, line)
            case Own(report=report):
                self._own(n, report)
            case Decided():
                self._decisions.take(n, line)
            case Duty():
                self._decisions.take_duty(n, line)
            case Stepped():
                self._stepped(n, line)
            case Turned():
                self._turned(pod, line)
            case _:
                self.course.leave_out(f"the journal of {pod} has a gap: {line}")

    def _began(self, n: int, line: Began) -> None:
        course, before = self.course, self.course.names.uids.get(n)
        course.tell(f"{line.pod}: its sidecar starts")
        if course.complete:
            return
        if line.uid == before:
            course.sidecar_ended(line.pod)
            return
        if before is not None:
            course.pod_gone(line.pod)
        course.names.uids[n] = line.uid
        course.pod_there(line.pod, line.address)

    def _own(self, n: int, report: Report) -> None:
        """Take what a sidecar says of its node: the model has to come there, or be there."""
        course, track = self.course, self.course.track
        self._hearsay.say(report)
        self._acquaintance.meet(report)
        if not course.complete and report.pvc_uid is not None:
            course.claim_is(report.pod, report.pvc_uid)
        mode = report.heartbeat.mode if report.heartbeat else report.process
        what = f"{report.pod} is {mode} on a disk that is {report.disk.state}"
        if course.goes_its_own_way(report.pod):
            # Others and it disagree for a while; what it does next rests on what it says.
            course.leave_out(f"{what}: it was frozen")
            course.change(what, lambda w: inner.adopted(w, n, report, course.names))
            if mode == "NORMAL" and report.disk.state is DiskState.MEMBER:
                course.thawed.discard(report.pod)
            return
        found = {
            world: inner.towards(world, n, report, course.names, track, course.now)
            for world in course.worlds
        }
        texts = [each for each in found.values() if isinstance(each, str)]
        # Where journals are missing the model may know too little of the others.
        gaps = not course.complete and bool(course.left_out)
        if len(texts) == len(found) and (gaps or track.may_adopt(n, course.worlds)):
            course.leave_out(f"{what}: what it starts from is not the model's ({texts[0]})")
            course.change(what, lambda w: inner.adopted(w, n, report, course.names))
            track.strange.discard(n)
            return
        before = [world.pods[n].disk for world in course.worlds]
        course.change(what, lambda world: found[world])
        if [world.pods[n].disk for world in course.worlds] != before:
            track.changed[n] = course.now

    # -- steps --------------------------------------------------------------------------------

    def _stepped(self, n: int, line: Stepped) -> None:
        course, step = self.course, step_of(line.step)
        pod, kind = course.names.called(n), _kind(step)
        if kind is None:
            course.tell(f"{pod} promises")
        elif line.result is Result.WRITTEN:
            if not course.complete and line.version not in self._writes.writers:
                self._write(n, step, line)
            if self._writes.writers.get(line.version or "") != n:
                course.fail(f"{pod} wrote {step}, and had not decided on it")
            self._writes.duties.pop(n, None)
        else:
            unknown = line.result is Result.UNKNOWN
            course.advance(
                f"{pod} writes {type(step).__name__}: {line.result}",
                lambda world: _not_written(world, n, kind, unknown=unknown),
            )

    def _write(self, n: int, step: Step, line: Stepped) -> None:
        """Take from a sidecar's journal what was stored; there is no other witness."""
        writes, began, version = self._writes, line.began, line.version
        match step:
            case WriteRecord(record):
                writes.record_is(replace(record, version=version), began, n)
            case WriteEntry(entry):
                writes.entry_is(entry.pod, replace(entry, version=version), began, n)
            case TakeTurn(holder, was):
                transitions = was.transitions + (was.holder != holder)
                turn = Turn(holder=holder, transitions=transitions, version=version)
                writes.turn_is(turn, began)

    def _turned(self, pod: str, line: Turned) -> None:
        course, writes = self.course, self._writes
        if line.result is not Result.WRITTEN:
            course.tell(f"{pod} writes the turn: {line.result}")
        elif not course.complete:
            holder = None if line.freed else writes.turn.holder
            turn = replace(writes.turn, holder=holder, version=line.version)
            writes.turn_is(turn, line.began)
        elif line.version not in writes.writers:
            what = "freed the turn" if line.freed else "renewed the turn"
            course.fail(f"{pod} {what}, which it could not")


def replayed(trace: list[Happened]) -> Replay:
    """Replay the sidecars' journals of a run that nobody kept a diary of, which has ended."""
    replay, uids = Replay(complete=False), dict[str, str]()
    pods = sorted({happened.pod for happened in trace if happened.pod}, key=pod_order)
    replay.course.names.pods.update({pod: n for n, pod in enumerate(pods)})
    for happened in trace:
        if isinstance(happened.line, Began):
            uids[happened.pod] = happened.line.uid
        if happened.pod in uids:
            replay.course.ends[uids[happened.pod]] = happened.at
    replay.feed(trace)
    return replay


def _not_written(world: m.World, n: int, kind: int, *, unknown: bool) -> Iterator[m.World]:
    """Let a write fail, or perhaps not; one of the same object that came first has ended it."""
    pod = world.pods[n]
    if pod.step[:1] != (kind,):
        yield world
        return
    failed = with_pod(world, n, pod._replace(step=()))
    yield failed
    if unknown and not world.flight:
        yield failed._replace(flight=(n, pod.step))


def _kind(step: Step) -> int | None:
    """Return which object a step writes, None for a promise."""
    match step:
        case WriteRecord():
            return m.RECORD
        case WriteEntry():
            return m.ENTRY
        case TakeTurn():
            return m.TURN
        case _:
            return None
