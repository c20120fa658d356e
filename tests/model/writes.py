"""What is written in Kubernetes: each write has to be a step that somebody decided on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from seedprovider.model import Entry, PodName, Record, Turn
from tests.model import faults, inner, laws, moves
from tests.model import state as m
from tests.model.course import Course
from tests.model.kubelog import History, KubeLog

DUTY_SECONDS = 30.0
"""How long after it was seen a duty may be carried out; a write waits seconds at the most."""
Duties = dict[int, tuple[float, tuple]]


@dataclass
class Writes:
    """Record, ledger and turn.

    Attributes:
        kube: all that they ever were.
        duties: by pod, what its sidecar had to write last, and since when.
        writers: by version, the pod whose step it was, -1 for a turn that was freed.

    """

    course: Course
    kube: KubeLog = field(default_factory=KubeLog)
    duties: Duties = field(default_factory=dict)
    writers: dict[str, int] = field(default_factory=dict)

    @property
    def turn(self) -> Turn:
        """The turn as it is."""
        return self.kube.of("turn").now or Turn()

    def record_is(self, record: Record | None, since: float, by: int | None = None) -> None:
        """Write the record, not before `since`; `by` whom, None where that is to be found."""
        course = self.course
        self.kube.of("record").put(record, since, course.now)
        if record is None:
            course.change("the record is deleted", faults.record_deleted)
            return
        ring, founder = record.ring_id, record.founder
        what = f"the record is written: {ring}, {record.how} by {founder}"
        step = (m.RECORD, course.names.record(record))
        self._write(what, step, record.version, by)

    def entry_is(
        self, pod: PodName, entry: Entry | None, since: float, by: int | None = None
    ) -> None:
        """Write a ledger entry."""
        course = self.course
        self.entry_of(pod).put(entry, since, course.now)
        n = course.number(pod)
        if entry is None:
            course.change(
                f"the entry of {pod} is deleted", lambda w: faults.entry_deleted(w, n)
            )
            return
        what = f"the entry of {pod} is written: {entry.state}, host {entry.host_id}"
        self._write(what, (m.ENTRY, course.names.entry(entry), n), entry.version, by)

    def entry_of(self, pod: PodName) -> History:
        """Return all that an entry ever was."""
        return self.kube.of(("entry", pod))

    def turn_is(self, turn: Turn, since: float) -> None:
        """Write the join turn."""
        course = self.course
        self.kube.of("turn").put(turn if turn.version else None, since, course.now)
        if turn.version is None:
            course.change(
                "the Lease is deleted", lambda w: moves.overtaken(w._replace(turn=()), m.TURN)
            )
        elif turn.holder is None:
            self._turn_freed(turn.version)
        else:
            self._turn_held(turn, turn.holder[0], turn.version)

    def _turn_freed(self, version: str) -> None:
        course = self.course
        free = [
            world for each in course.worlds if isinstance(world := inner.freed(each), m.World)
        ]
        if free:
            course.change("the turn is freed", inner.freed)
            self.writers[version] = -1
        else:
            course.leave_out("the turn is freed, by nobody who may")
            self._turn_by_nobody((-1, False))

    def _turn_held(self, turn: Turn, pod: PodName, version: str) -> None:
        course = self.course
        n, worlds = course.number(pod), course.worlds
        if all(w.turn == (n, True) and w.pods[n].step != (m.TURN,) for w in worlds):
            course.tell(f"{pod} is still on its way")
            self.writers[version] = n
        elif any(w.pods[n].step == (m.TURN,) or w.flight == (n, (m.TURN,)) for w in worlds):
            self._write(f"{pod} has the turn", (m.TURN,), version, n)
        else:
            course.leave_out(f"{pod} has the turn, and had not decided to take it")
            self._turn_by_nobody(course.names.turn(turn))

    def _turn_by_nobody(self, turn: tuple) -> None:
        worlds = self.course.worlds
        self.course.worlds = [moves.overtaken(w._replace(turn=turn), m.TURN) for w in worlds]

    def _write(self, what: str, step: tuple, version: str | None, by: int | None) -> None:
        """Match a write with a step that was decided on."""
        writers = set[int]()

        def each(world: m.World) -> Iterator[m.World | str]:
            for n in range(len(world.pods)):
                if by in {None, n}:
                    for after in self._written(world, n, step):
                        writers.add(n)
                        yield after

        if any(True for world in self.course.worlds for _ in each(world)):
            self.course.advance(what, each)
            if version is not None:
                self.writers[version] = min(writers)
        else:
            self._by_nobody(what, step, by)

    def _written(self, world: m.World, n: int, step: tuple) -> Iterator["m.World | str"]:
        """Give the world after a write of this pod, if it may be one of its."""
        decided, late = world.pods[n].step == step, world.flight == (n, step)
        if not (decided or late or self._is_duty(n, step)):
            return
        broken = laws.written(world, n, step)
        if broken is not None:
            yield broken
            return
        world = world._replace(flight=()) if late else world
        yield moves.wrote(world, n, step, known=decided)

    def _by_nobody(self, what: str, step: tuple, by: int | None) -> None:
        """Take over what somebody else wrote, an operator or a test; a sidecar's is checked."""
        course = self.course
        course.leave_out(f"{what}, by nobody who decided on it")
        place = by if by is not None else 0
        course.worlds = [moves.wrote(w, place, step, known=False) for w in course.worlds]

    def _is_duty(self, n: int, step: tuple) -> bool:
        noted = self.duties.get(n)
        if noted is None or noted[1] != step:
            return False
        return self.course.now - noted[0] < DUTY_SECONDS

    def is_late(self, step: tuple, seen: Any) -> bool:  # noqa: ANN401 -- a view
        """Whether a step's object was written since it was looked at: then it can only fail."""
        match step[:1]:
            case (m.RECORD,):
                return bool(self.kube.of("record").now != seen.record)
            case (m.ENTRY,):
                pod = PodName(self.course.names.called(step[2]))
                return bool(self.entry_of(pod).now != seen.ledger.get(pod))
            case (m.TURN,):
                return seen.live is not None and self.turn.version != seen.live.turn.version
        return False
