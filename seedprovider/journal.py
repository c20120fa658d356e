"""The journal's lines: what a sidecar saw, decided and did, to be decided again.  Pure.

One JSON object a line. Times are of the machine's monotonic clock, in seconds, which all
processes of one machine share; `wall` is for people. Who reads it: `tests/model/replay.py`.
"""

from enum import StrEnum
from typing import Final, assert_never

import msgspec

from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Refused,
    Rule,
    Seeds,
    Step,
    TakeTurn,
    Withheld,
    WriteEntry,
    WriteRecord,
)
from seedprovider.model import (
    Asker,
    Entry,
    Heartbeat,
    HostId,
    PodName,
    Record,
    Report,
    RingId,
    View,
)

FORMAT: Final = 1


class JournalError(ValueError):
    """A line that is none of a journal's; the text says which and why."""


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step; just one is given."""

    record: Record | None = None
    entry: Entry | None = None
    turn: TakeTurn | None = None
    promise: RingId | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision; just one of `seeds`, `withheld`, `refused` and `step` is given.

    Attributes:
        rule, reason: of a step.

    """

    seeds: Seeds | None = None
    withheld: Withheld | None = None
    refused: Refused | None = None
    step: Taken | None = None
    rule: Rule | None = None
    reason: str = ""


class Purpose(StrEnum):
    """What a decision was taken for."""

    START = "start"  # a node asked
    RUNNING = "running"  # the seeds of a node that runs; noted when they change


class Result(StrEnum):
    """What became of a write."""

    WRITTEN = "written"
    LOST = "lost"  # somebody else wrote the object first
    FAILED = "failed"
    UNKNOWN = "unknown"  # no answer came, so that it may have been written


class DutyKind(StrEnum):
    """Which duty of `seedprovider.duties` a step comes from."""

    LEDGER = "ledger"
    REMOVAL = "removal"
    RECORD = "record"


class Line(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="event",
    tag=str.lower,
    omit_defaults=True,
):
    """What every line has.

    Attributes:
        at: when it was noted, seconds on the monotonic clock.
        wall: the same, seconds since the epoch.

    """

    at: float = 0.0
    wall: float = 0.0


class Began(Line, frozen=True, kw_only=True):
    """A sidecar started."""

    pod: PodName
    uid: str
    address: str
    format: int = FORMAT


class Decided(Line, frozen=True, kw_only=True):
    """A decision and all that it was taken from.

    Attributes:
        looked: when the first look for it began, on the monotonic clock.

    """

    purpose: Purpose
    looked: float
    asker: Asker
    view: View
    policy: Policy
    outcome: Outcome


class Duty(Line, frozen=True, kw_only=True):
    """A step that `seedprovider.duties` asks for, and all that it was taken from."""

    kind: DutyKind
    looked: float
    asker: Asker
    beat: Heartbeat
    view: View
    gone: tuple[HostId, ...] = ()
    step: Taken
    rule: Rule | None = None
    reason: str = ""


class Stepped(Line, frozen=True, kw_only=True):
    """A step was carried out.

    Attributes:
        began: when the write was sent.
        version: resourceVersion of what was written.

    """

    step: Taken
    began: float
    result: Result
    version: str | None = None


class Turned(Line, frozen=True, kw_only=True):
    """The holder of the join turn freed it, or wrote that it is still on its way."""

    freed: bool
    began: float
    result: Result
    version: str | None = None


class Own(Line, frozen=True, kw_only=True):
    """What others are told of the node beside the sidecar, from now on."""

    report: Report


class Lost(Line, frozen=True, kw_only=True):
    """Lines that could not be kept: the disk was slower than they came."""

    lines: int


class Full(Line, frozen=True, kw_only=True):
    """The last line of a journal that has reached its bound."""

    limit_bytes: int


Any = Began | Decided | Duty | Stepped | Turned | Own | Lost | Full

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any)


def encode(line: Any) -> bytes:
    """Return the line, its end included."""
    return _encoder.encode(line) + b"\n"


def decode(line: bytes) -> Any:
    """Return what a line says; raise `JournalError`."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JournalError(f"{line[:80]!r}…: {error}") from None


def taken_of(step: Step) -> Taken:
    """Return a step as the journal has it."""
    match step:
        case WriteRecord(record):
            return Taken(record=record)
        case WriteEntry(entry):
            return Taken(entry=entry)
        case TakeTurn():
            return Taken(turn=step)
        case Promise(ring):
            return Taken(promise=ring)


def step_of(taken: Taken) -> Step:
    """Return the step that the journal has; raise `JournalError` where it has none."""
    if taken.record is not None:
        return WriteRecord(taken.record)
    if taken.entry is not None:
        return WriteEntry(taken.entry)
    if taken.turn is not None:
        return taken.turn
    if taken.promise is not None:
        return Promise(taken.promise)
    raise JournalError("a step without content")


def outcome_of(decision: Decision) -> Outcome:
    """Return a decision as the journal has it."""
    match decision:
        case Seeds():
            return Outcome(seeds=decision)
        case Withheld():
            return Outcome(withheld=decision)
        case Refused():
            return Outcome(refused=decision)
        case Act(step=step, rule=rule, reason=reason):
            return Outcome(step=taken_of(step), rule=rule, reason=reason)
        case _:
            assert_never(decision)


def decision_of(outcome: Outcome) -> Decision:
    """Return the decision that the journal has; raise `JournalError` where it has none."""
    answer = outcome.seeds or outcome.withheld or outcome.refused
    if answer is not None:
        return answer
    if outcome.step is None or outcome.rule is None:
        raise JournalError("a decision without content")
    return Act(step=step_of(outcome.step), rule=outcome.rule, reason=outcome.reason)
