"""What the product decides from a sight, in the model's numbers.

`Brain` makes the product's own `Asker` and `View` of a sight, calls the product's own function,
and remembers the outcome.
"""

from collections.abc import Callable
from typing import NamedTuple

from seedprovider import duties, protocol
from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Refused,
    Seeds,
    Step,
    TakeTurn,
    WriteEntry,
    WriteRecord,
)
from seedprovider.model import Asker, Disk, DiskState, Heartbeat
from tests.model import state as m
from tests.model.seeing import Sight
from tests.model.values import (
    ENTRIES,
    ORIGINS,
    as_asker,
    as_beat,
    as_disk,
    as_view,
    host_of,
    number_of,
    place_of,
    pod_name,
    pvc_of,
    ring_number,
    ring_of,
    uid_of,
)


class Told(NamedTuple):
    """A decision: `step` as in `Pod.step`, () where it is withheld or refused."""

    step: tuple
    rule: str
    reason: str
    refused: bool = False


class Question(NamedTuple):
    """What the product is asked.

    Attributes:
        kind: ``decide``, or which duty of a running node's sidecar: a key of `ANSWERS`.
        gone: hosts that a node had in its ring and has no more.

    """

    kind: str
    sight: Sight
    gone: tuple[int, ...] = ()


class Brain:
    """The product's answers, remembered by what they rest on.

    Attributes:
        answers: in the order in which the questions first came up.
        room: how many are remembered, 0 for all; then it begins anew.

    """

    def __init__(self, room: int = 0) -> None:
        self.room = room
        self.answers: dict[Question, Told] = {}

    def decide(self, sight: Sight) -> Told:
        """Return what the asker is told."""
        return self._answer(Question("decide", sight))

    def duty(self, kind: str, sight: Sight, gone: tuple[int, ...] = ()) -> Told:
        """Return the step that the sidecar of a running node takes, if any."""
        return self._answer(Question(kind, sight, gone))

    def _answer(self, question: Question) -> Told:
        told = self.answers.get(question)
        if told is None:
            if len(self.answers) == self.room:
                self.answers.clear()
            told = self.answers[question] = think(question)
        return told


def think(question: Question) -> Told:
    """Let the product answer, without remembering it."""
    return ANSWERS[question.kind](question.sight, question.gone)


def _decision(sight: Sight, _: tuple[int, ...]) -> Told:
    return told_of(protocol.decide(as_asker(sight), as_view(sight), Policy()), sight.asker)


def told_of(decision: Decision, n: int) -> Told:
    match decision:
        case Seeds(seeds=seeds, ring_id=ring, replace=replaced, rule=rule, reason=reason):
            places = tuple(sorted(place_of(each) for each in seeds))
            step = (m.ANSWER, places, place_of(replaced), ring_number(ring))
            return Told(step, rule.value, reason)
        case Act(step=step, rule=rule, reason=reason):
            return Told(step_of(step, n), rule.value, reason)
        case Refused(rule=rule, reason=reason):
            return Told((), rule.value, reason, refused=True)
        case _:
            return Told((), decision.rule.value, decision.reason)


def step_of(step: Step, n: int) -> tuple:
    """Put a step into the model's numbers."""
    match step:
        case WriteRecord(record):
            adopted = tuple(number_of(pod) for pod, _ in record.adopted)
            claim = record.founder_pvc_uid is not None
            how = ORIGINS.index(record.how)
            ring = ring_number(record.ring_id)
            return (m.RECORD, m.Record(ring, number_of(record.founder), claim, how, adopted))
        case WriteEntry(entry):
            of = number_of(entry.pod)
            stays = entry.addresses
            return (
                m.ENTRY,
                m.Entry(
                    number_of(entry.ring_id),
                    entry.pod_uid == uid_of(of, present=True),
                    entry.pvc_uid == pvc_of(of, present=True),
                    number_of(entry.host_id),
                    ENTRIES.index(entry.state),
                    place_of(stays[0].address) if stays else m.NO_ADDRESS,
                ),
                of,
            )
        case TakeTurn(holder, _):
            assert holder == (pod_name(n), uid_of(n, present=True))
            return (m.TURN,)
        case Promise(ring):
            return (m.PROMISE, ring_number(ring))


def _beat(sight: Sight) -> Heartbeat:
    own = sight.words[sight.asker]
    beat = as_beat(own, as_disk(own.disk, pvc_of(sight.asker, present=True)))
    assert beat is not None
    return beat


def _as_running(sight: Sight) -> Asker:
    return as_asker(sight._replace(disk=sight.words[sight.asker].disk))


def _ledger_duty(sight: Sight, _: tuple[int, ...]) -> Told:
    step = duties.ledger_step(_as_running(sight), _beat(sight), as_view(sight))
    return Told(step_of(step, sight.asker) if step else (), "ledger", "")


def _record_duty(sight: Sight, _: tuple[int, ...]) -> Told:
    step = duties.record_step(_as_running(sight), _beat(sight), as_view(sight))
    if isinstance(step, str):
        return Told((), "record", step)
    return Told(step_of(step.step, sight.asker), step.rule.value, step.reason)


def _removal_duty(sight: Sight, gone: tuple[int, ...]) -> Told:
    ring = ring_of(sight.known.record[0]) if sight.known.record else None
    hosts = frozenset(host for number in gone if (host := host_of(number)))
    step = duties.removal_step(as_view(sight), ring, hosts) if ring else None
    return Told(step_of(step, sight.asker) if step else (), "removal", "")


ANSWERS: dict[str, Callable[[Sight, tuple[int, ...]], Told]] = {
    "decide": _decision,
    "ledger": _ledger_duty,
    "record": _record_duty,
    "removal": _removal_duty,
}


def missing_record(sight: Sight) -> bool:
    """Whether the running node's sidecar looks into a lost record."""
    return duties.record_missing(_as_running(sight), _beat(sight), as_view(sight))


def vanished(before: m.Word, after: m.Word) -> set[int]:
    """Return the hosts that one process had in its ring and has no more."""
    one, two = as_beat(before, Disk(DiskState.EMPTY)), as_beat(after, Disk(DiskState.EMPTY))
    if one is None or two is None:
        return set()
    return {number_of(host) for host in duties.vanished(one, two)}
