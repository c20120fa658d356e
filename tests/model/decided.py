"""A sidecar's decisions and duties: taken again, and found in the model as the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from seedprovider import duties, protocol
from seedprovider.decision import Act, Policy, Rule, Step
from seedprovider.journal import Decided, Duty, DutyKind, Purpose, decision_of, step_of
from seedprovider.model import RingId, View
from tests.model import abstraction, inner, laws, moves
from tests.model import state as m
from tests.model.cassandra import with_pod
from tests.model.course import Course
from tests.model.deciding import Brain, Told
from tests.model.hearsay import Hearsay
from tests.model.moves import Broken
from tests.model.seeing import Sight
from tests.model.writes import Writes


@dataclass
class Decisions:
    """Takes them."""

    course: Course
    writes: Writes
    hearsay: Hearsay
    brain: Brain = field(default_factory=Brain)

    def take(self, n: int, line: Decided) -> None:
        """Take a decision of pod `n`."""
        course, asker, decision = self.course, line.asker, decision_of(line.outcome)
        again = protocol.decide(asker, line.view, line.policy)
        if again != decision:
            course.fail(f"{asker.pod} decided {decision}; from what it noted follows {again}")
        self.hearsay.check(asker.pod, line.looked, line.view)
        if line.purpose is Purpose.RUNNING:
            return  # the model has no seeds of nodes that run
        told = course.names.told(decision, asker.fresh_ring_id)
        what = f"{asker.pod} asks: {told.rule}: {told.reason}"
        self._check_model_decides(what, line, told)
        founds = told.step[:1] == (m.RECORD,)
        ring = course.names.rings[asker.fresh_ring_id] if founds else 0

        def each(world: m.World) -> Iterator[m.World | str]:
            for ready in inner.ready_to_ask(world, n):
                yield self._after(ready, n, line, told, ring)

        course.advance(what, each)
        course.track.asked.add(n)

    def _after(
        self, world: m.World, n: int, line: Decided, told: Told, ring: int
    ) -> "m.World | str":
        course = self.course
        size = len(world.pods)
        sight = next(abstraction.sights(course.names, size, line.asker, line.view))
        same = inner.other_disk(
            world, n, line.asker.disk, course.names, course.track, course.now
        )
        if isinstance(same, str):
            return same
        broken = _unlike(same.pods[n], sight)
        if broken is None and not _waits(line):
            broken = laws.decided(same, sight, told, fresh=False)
        if broken is None and moves.starts_member(same.pods[n], told):
            broken = laws.started(same, n, told.step[1], sight)
        if broken is not None:
            return broken
        after = moves._after_decision(same, told, sight)
        if isinstance(after, Broken):
            return after.text
        return self._without_late_step(inner.with_ring(after, ring), n, line.view)

    def _without_late_step(self, world: m.World, n: int, view: View) -> m.World:
        pod = world.pods[n]
        late = bool(pod.step) and self.writes.is_late(pod.step, view)
        return with_pod(world, n, pod._replace(step=())) if late else world

    def _check_model_decides(self, what: str, line: Decided, told: Told) -> None:
        """Hold that the model's own sight of this view leads to the same decision."""
        course, fresh = self.course, line.asker.fresh_ring_id
        asker, view = abstraction.plain(line.asker, line.view)
        wanted = course.names.told(protocol.decide(asker, view, Policy()), fresh)
        # How long somebody has waited is left open in the model.
        if not _is_same(wanted, told) and not _waits(line):
            # A pod that ends is, to the model, one that is gone already.
            asker, view = abstraction.plain(line.asker, abstraction.without_ending(line.view))
            wanted = course.names.told(protocol.decide(asker, view, Policy()), fresh)
            if not _is_same(wanted, told):
                more = "racks, k, configured seeds, or what a cache remembers"
                course.leave_out(f"{what}: rests on {more}")
        thoughts = [
            self.brain.decide(sight)
            for sight in abstraction.sights(course.names, course.size, asker, view)
        ]
        if any(_is_same(each, wanted) for each in thoughts):
            return
        reasons = abstraction.outside(line.view)
        if told.rule == Rule.ADOPTION and not line.asker.configured:
            reasons.append("no seeds are configured")
        reasons += [f"{pod} was frozen" for pod in view.reports if course.is_frozen(pod)]
        if reasons:
            course.leave_out(f"{what}: {'; '.join(reasons)}")
            return
        others = {(each.rule, each.step, each.reason) for each in thoughts}
        course.fail(f"{what} {wanted.step}: the model, seeing the same, has it as {others}")

    # -- duties -------------------------------------------------------------------------------

    def take_duty(self, n: int, line: Duty) -> None:
        """Take what the sidecar of a running node has to write."""
        course, fresh = self.course, line.asker.fresh_ring_id
        step, again = step_of(line.step), _duty_again(line)
        if again != step:
            course.fail(f"{line.asker.pod} had to write {step}; its duty is {again}")
        self.hearsay.check(line.asker.pod, line.looked, line.view)
        wanted = course.names.step(step, fresh)
        self._check_model_duty(line, wanted)
        if line.step.record is not None:
            ring = course.names.rings[line.step.record.ring_id]
            wanted = (m.RECORD, wanted[1]._replace(ring=ring))
        self.writes.duties[n] = (course.now, wanted)
        if line.gone:
            # Nobody else says that somebody ran nodetool removenode.
            hosts = {course.names.hosts[host] for host in line.gone}
            course.change("hosts are gone from the ring", lambda w: inner.removed(w, hosts))

        def runs(world: m.World) -> Iterator[m.World | str]:
            run = world.pods[n].run
            yield world if run in {m.NORMAL, m.GONE} else f"its process is in state {run}"

        course.advance(f"{line.asker.pod} has to write: {line.kind}", runs)

    def _check_model_duty(self, line: Duty, wanted: tuple) -> None:
        course = self.course
        asker, view = abstraction.plain(line.asker, line.view)
        gone = tuple(sorted(course.names.hosts[host] for host in line.gone))
        for sight in abstraction.sights(course.names, course.size, asker, view):
            if sight.words[sight.asker] and sight.words[sight.asker].run != m.STOPPED:
                told = self.brain.duty(line.kind.value, sight, gone)
                if _is_same_step(told.step, wanted):
                    return
        course.leave_out(f"{line.asker.pod}: its duty ({line.kind}) is not the model's")


def _waits(line: Decided) -> bool:
    """Whether it is the clock alone that withholds the answer: it will not for long."""
    answer, waited = line.outcome.withheld, line.asker.waiting
    match answer.rule if answer else None:
        case Rule.FOUND_WAIT:
            return waited < line.policy.founding_grace
        case Rule.API_AWAY:
            return waited < protocol.PATIENCE_SECONDS and not line.asker.disk.is_blank
        case _:
            return False


def _unlike(pod: m.Pod, sight: Sight) -> str | None:
    """Say in what the asker's own state differs from the model's; None if in nothing."""
    if sight.address != pod.address:
        return f"it is at {sight.address}, and in the model at {pod.address}"
    if pod.disk.kind > m.JOINING_DISK:
        return None
    if sight.promised != pod.promised:
        return f"it has promised ring {sight.promised}, and in the model {pod.promised}"
    if sight.turn != pod.turn:
        return f"it {'took' if sight.turn else 'has not taken'} the turn, unlike in the model"
    return None


def _duty_again(line: Duty) -> Step | None:
    match line.kind:
        case DutyKind.LEDGER:
            return duties.ledger_step(line.asker, line.beat, line.view)
        case DutyKind.REMOVAL:
            ring = line.view.record.ring_id if line.view.record else RingId("")
            return duties.removal_step(line.view, ring, frozenset(line.gone))
        case DutyKind.RECORD:
            step = duties.record_step(line.asker, line.beat, line.view)
            return step.step if isinstance(step, Act) else None


def _is_same(thought: Told, wanted: Told) -> bool:
    if (thought.rule, thought.refused) != (wanted.rule, wanted.refused):
        return False
    return _is_same_step(thought.step, wanted.step)


def _is_same_step(one: tuple, other: tuple) -> bool:
    """Whether two steps are one, but for the number of a ring that is only to be founded."""
    if one[:1] != (m.RECORD,) or other[:1] != (m.RECORD,):
        return one == other
    mine, theirs = one[1], other[1]
    if mine.ring != m.NEW:
        return bool(mine == theirs)
    is_new = theirs.how in {m.FOUNDED, m.ADOPTED}
    return is_new and bool(mine._replace(ring=0) == theirs._replace(ring=0))
