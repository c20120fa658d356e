"""Questions in, answers out: looks, decides, takes the step decided on, and looks again."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from seedprovider import evidence, steering
from seedprovider.announce import Announcer, Kind, kind_of
from seedprovider.decision import (
    Act,
    Answer,
    Decision,
    Policy,
    Promise,
    Refused,
    Rule,
    Seeds,
    Step,
    TakeTurn,
    Withheld,
    WriteRecord,
)
from seedprovider.journal import Purpose, Result, Stepped, taken_of
from seedprovider.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    KubeError,
    NotFound,
    Unavailable,
)
from seedprovider.metrics import Metrics
from seedprovider.model import (
    Address,
    Asker,
    Disk,
    DiskState,
    Endpoint,
    PodName,
    PvcUid,
    RingId,
    View,
)
from seedprovider.protocol import decide
from seedprovider.question import Question
from seedprovider.registry import LiveRead, Registry, UnreadableError
from seedprovider.resolve import resolve
from seedprovider.world import World

log = logging.getLogger(__name__)

MAX_STEPS: Final = 6
"""Entry, promise and turn are three; more only when others are faster each time."""
PATIENCE_SECONDS: Final = 3.0
"""Bound on an answer: the shim takes 5 s without one for silence, which counts against it."""
DOUBT_SECONDS: Final = 1.0
"""Bound on a member's live reads, after a survey of up to `SURVEY_SECONDS`."""
SURVEY_SECONDS: Final = 2.0
"""Bound on asking all other sidecars before an answer."""
FRESH_SECONDS: Final = 2.0
"""Words of other sidecars younger than this are not asked for again before a decision."""
STALE_SECONDS: Final = 2.0
"""An answer that was ready before the question is given if its view is no older than this."""
LOST_SECONDS: Final = 0.2
"""Pause after a write that somebody else was faster with, jittered by a half."""
WAITS: Final = {
    Rule.JOIN: Rule.JOIN_WAIT,
    Rule.REPLACE: Rule.REPLACE_WAIT,
    Rule.REPLACE_CLOSED: Rule.REPLACE_WAIT,
}
"""What a node waits by that was not let in for others who were faster; else `FOUND_WAIT`."""
START_OVER_SECONDS: Final = 8.0
"""A question after so long a silence is that of another start."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with what it was taken from, for the explanation."""

    answer: Answer
    view: View
    asker: Asker


def timestamp() -> str:
    """Return now in UTC as RFC 3339 with microseconds (Kubernetes' ``MicroTime``)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Engine:
    """Decides for the node beside us.

    Attributes:
        last: what the node was last told, None before its first question.
        hindrance: why the last write was not carried out, where the same write would not be
            either until somebody acts or the API server is back; None otherwise.

    """

    def __init__(
        self,
        world: World,
        registry: Registry,
        announcer: Announcer,
        metrics: Metrics,
        policy: Policy,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._registry = registry
        self._announcer = announcer
        self._metrics = metrics
        self._policy = policy
        self._clock = clock
        self._supposing = asyncio.Lock()
        self._admission: tuple[Question | None, asyncio.Task[Answered] | None] = (None, None)
        self._first_asked = 0.0
        self._led: Question | None = None
        self._last_asked = float("-inf")
        self._ring_id = RingId(str(uuid4()))
        self._why = ""
        self._turn_version: str | None = None
        self._volume_read = False
        self._volume_trouble: str | None = None  # told once, though tried each round
        self._looked = (float("-inf"), world.view())
        self.last: Answered | None = None
        self.hindrance: str | None = None

    async def answer(self, question: Question) -> Answered:
        """Answer the node beside us; takes at most some seconds, whatever others do."""
        now = self._clock()
        if now - self._last_asked > START_OVER_SECONDS:
            self._first_asked, self._led = now, None
        self._last_asked = now
        self._world.own.asked()
        configured = await resolve(question.configured)
        await self._world.own.look_at_disk()
        disagreement = self._disagreement(question.disk)
        if disagreement is not None:
            if question.disk.is_blank:
                await self.close()
                self._world.own.promise(None)
            asker = self.asker(question.disk, question.address, configured)
            answered = Answered(disagreement, self._world.view(), asker)
        elif question.disk.is_blank:
            answered = await self._admit_in_time(question, configured)
        else:
            answered = await self._lead_back(question, configured)
        self._note(answered)
        return answered

    def asker(
        self,
        disk: Disk,
        address: Address | None = None,
        configured: tuple[Address, ...] = (),
        turn_version: str | None = None,
    ) -> Asker:
        """Return the node beside us as an asker."""
        own = self._world.own
        return Asker(
            pod=own.pod,
            uid=own.uid,
            pvc_uid=own.pvc_uid,
            address=address or own.address,
            disk=disk,
            configured=configured,
            waiting=max(0.0, self._clock() - self._first_asked),
            turn_version=turn_version,
            promised=self._world.own.promised,
            fresh_ring_id=self._ring_id,
            clock=timestamp(),
        )

    async def suppose(self, asker: Asker) -> Answered:
        """Return what another pod would be told; takes no step.

        Whoever asks, the API server is read for it once in `FRESH_SECONDS` at the most.
        """
        view = self._world.view()
        decision = decide(asker, view, self._policy)
        if asker.disk.is_blank or decision.rule is Rule.MEMBER_IN_DOUBT:
            async with self._supposing:
                if self._clock() - self._looked[0] > FRESH_SECONDS:
                    looked = await self.look(FRESH_SECONDS)
                    self._looked = (self._clock(), looked)  # those who waited share it
            view = self._looked[1]
            decision = decide(asker, view, self._policy)
        return Answered(_final(decision), view, asker)

    def _disagreement(self, disk: Disk) -> Withheld | None:
        """Object where we cannot see the node's disk, or see data where it calls it blank."""
        seen = self._world.own.disk()
        if seen.state is DiskState.UNKNOWN:
            # Others would be told so, too: none would count the node as a member, or found.
            return Withheld(
                rule=Rule.DISK_UNKNOWN,
                reason="the sidecar cannot read SEEDPROVIDER_DATA_DIR: mount Cassandra's "
                "volume into its container, readable for its user",
            )
        if not disk.is_blank or seen.is_blank:
            return None
        return Withheld(
            rule=Rule.DISK_UNKNOWN,
            reason=f"the node calls its disk {disk.state}, the sidecar sees {seen.state} in "
            "SEEDPROVIDER_DATA_DIR: the two have to be one directory",
        )

    async def _lead_back(self, question: Question, configured: tuple[Address, ...]) -> Answered:
        """Answer a disk with data: from watches or memory, with the other sidecars' words."""
        endpoints, looked = self._world.endpoints(), self._clock()
        if self._led == question:
            # All were asked in this start, and nothing spoke against it.
            endpoints = self.worth_asking(endpoints)
        await self.survey(endpoints, FRESH_SECONDS)
        asker = self.asker(question.disk, question.address, configured)
        view = self._world.view()
        decision = self._journaled(looked, asker, view)
        if decision.rule is Rule.MEMBER_IN_DOUBT:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DOUBT_SECONDS):
                    view = await self._look_at_api()
                decision = self._journaled(looked, asker, view)
        self._led = question if isinstance(decision, Seeds) else None
        return Answered(_final(decision), view, asker)

    def worth_asking(self, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        """Return the pods whose word can change the seeds of the node, once it has some."""
        beat = self._world.own.fresh_beat
        in_use = beat.seeds if beat and beat.seeds else frozenset[Address]()
        count = self._policy.seeds_per_dc
        racks = evidence.racks_of(self._world.view())
        return steering.worth_asking(endpoints, racks, in_use, count)

    async def survey(self, endpoints: tuple[Endpoint, ...], max_age: float) -> None:
        """Ask all other sidecars, and go on with what came within `SURVEY_SECONDS`."""
        others = [e for e in endpoints if e.pod != self._world.own.pod]
        try:
            async with asyncio.timeout(SURVEY_SECONDS):
                await self._world.inquirer.ask(others, max_age)
        except TimeoutError:
            log.info("not every sidecar answered within %.0f s", SURVEY_SECONDS)

    async def _admit_in_time(
        self, question: Question, configured: tuple[Address, ...]
    ) -> Answered:
        """Wait for the admission of a blank disk, but not longer than the asker would.

        It goes on by itself: with an API server that takes seconds for each request, the next
        question finds it further.
        """
        asked, admission = self._admission
        if admission is None or asked != question:
            await self.close()
            admission = asyncio.create_task(self._admit(question, configured))
            self._admission = (question, admission)
        await asyncio.wait([admission], timeout=PATIENCE_SECONDS)
        if admission.done() and not admission.cancelled():
            if self._admission[1] is admission:
                self._admission = (None, None)
            answered = admission.result()
            if self._clock() - answered.view.now <= STALE_SECONDS:
                return answered
            # It was ready while nobody asked, and is too old by now.
            return await self._admit_in_time(question, configured)
        # Cancelled: the node asks something else by now, and that is what is looked into.
        slow = "the API server or other sidecars take long to answer"
        asker = self.asker(question.disk, question.address, configured)
        answer = Withheld(rule=Rule.API_AWAY, reason=slow)
        return Answered(answer, self._world.view(), asker)

    async def close(self) -> None:
        """End what goes on by itself."""
        _, admission = self._admission
        self._admission = (None, None)
        if admission is not None:
            admission.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await admission

    async def _admit(self, question: Question, configured: tuple[Address, ...]) -> Answered:
        """Answer a blank disk: from live reads only, one step at a time."""
        max_age, steps = FRESH_SECONDS, 0
        self._turn_version = None
        self._world.own.promise(None)
        while True:
            looked = self._clock()
            view = await self.look(max_age)
            asker = self.asker(question.disk, question.address, configured, self._turn_version)
            if max_age > 0 and _writes_record(decide(asker, view, self._policy)):
                # It speaks for all disks: no word of before may, its pod may have gone on.
                max_age = 0.0
                continue
            decision = self._decide(looked, asker, view)
            if not isinstance(decision, Act):
                if not isinstance(decision, Seeds):
                    self._world.own.promise(None)
                return Answered(decision, view, asker)
            if steps == MAX_STEPS:
                return self._not_taken(decision, view, asker)
            if not await self.take(decision):
                if self.hindrance is not None:
                    return self._not_taken(decision, view, asker)
                # Whoever was faster is on its way: let it get further.
                await asyncio.sleep(LOST_SECONDS * (0.5 + random.random()))  # noqa: S311 -- spreads load
            # What follows a step rests on words spoken after it.
            max_age, steps = 0.0, steps + 1

    def _not_taken(self, act: Act, view: View, asker: Asker) -> Answered:
        """Give up for now, and take the promise back."""
        self._world.own.promise(None)
        rule, reason = (
            WAITS.get(act.rule, Rule.FOUND_WAIT),
            "other pods are faster: asking again",
        )
        if self.hindrance is not None:
            rule = Rule.API_AWAY
            reason = f"what an empty disk needs is not written{self.hindrance}"
        return Answered(Withheld(rule=rule, reason=reason), view, asker)

    def _journaled(self, looked: float, asker: Asker, view: View) -> Decision:
        decision = decide(asker, view, self._policy)
        recorder = self._world.recorder
        if recorder is not None:
            self._world.note_own()
            taken = (asker, view, self._policy)
            recorder.decided(Purpose.START, looked, taken, decision)
        return decision

    def _decide(self, looked: float, asker: Asker, view: View) -> Decision:
        decision = self._journaled(looked, asker, view)
        if isinstance(decision, Withheld) and decision.rule is Rule.API_AWAY:
            return Withheld(rule=decision.rule, reason=f"{decision.reason}{self._why}")
        return decision

    async def _read_live(self) -> LiveRead | None:
        """Read what the API server has; None where that fails, and `_why` says how."""
        await self.know_volume()
        heard = self._world.heard_record
        try:
            read = await self._registry.read_live()
        except (KubeError, UnreadableError) as error:
            self._why = _why(error)
            return None
        self._world.note_read(heard, read.kept.record)
        return read

    async def _look_at_api(self) -> View:
        """Return a view that rests on live reads and on what the sidecars said before.

        None of them is asked: one that hangs must not keep a member in doubt.
        """
        read = await self._read_live()
        return self._world.live_view(read, {}) if read else self._world.view()

    async def look(self, max_age: float) -> View:
        """Return a view that rests on live reads, or one without where these failed."""
        read = await self._read_live()
        if read is None:
            return self._world.view()
        holder, now = read.live.turn.holder, self._clock()
        not_before: dict[PodName, float] = {}
        if holder is not None:
            # Whether it has stopped is judged by words spoken after the turn was read.
            not_before[holder[0]] = now
            await self.survey(tuple(e for e in read.endpoints if e.pod == holder[0]), 0.0)
        await self.survey(read.endpoints, max_age)
        if max_age == 0:
            # A question that was lost must not leave the word of before the last step in force.
            not_before |= dict.fromkeys(self._world.inquirer.reports, now)
        return self._world.live_view(read, not_before)

    async def know_volume(self) -> None:
        """Learn the UID of our volume claim; what is remembered serves until it is read."""
        own = self._world.own
        if self._volume_read:
            return
        uid: PvcUid | None
        try:
            uid = await self._registry.own_volume(own.pod, own.uid)
        except KubeError as error:
            remembered = self._world.remembered
            uid = remembered.pvc_uid if remembered else None
            if self._volume_trouble != error.reason:
                log.warning("volume claim of %s not read: %s", own.pod, error.reason)
                self._volume_trouble = error.reason
        else:
            self._volume_read = True
        if uid != own.pvc_uid:
            own.pvc_uid = uid
            own.revision += 1

    async def take(self, act: Act) -> bool:
        """Take a step; return whether it is known to have been written."""
        kind, began = type(act.step).__name__, self._clock()
        self.hindrance = None
        if isinstance(act.step, Promise):
            self._world.own.promise(act.step.ring_id)
            self._world.note_own()
            self._note_step(act.step, began, Result.WRITTEN)
            return True
        try:
            version = await self._registry.take(act.step, timestamp())
        except (AlreadyExists, Conflict) as error:
            log.info("%s: somebody else was faster (%s)", kind, error.reason)
            self._metrics.steps.labels(kind, "lost").inc()
            self._note_step(act.step, began, Result.LOST)
            return False
        except (KubeError, UnreadableError) as error:
            unknown = isinstance(error, Unavailable) and error.outcome_unknown
            log.warning("%s failed%s: %s", kind, ", perhaps" if unknown else "", error)
            if not unknown and not isinstance(error, NotFound):
                self.hindrance = _why(error)
            result = Result.UNKNOWN if unknown else Result.FAILED
            self._metrics.steps.labels(kind, result.value).inc()
            self._note_step(act.step, began, result)
            return False
        self._note_step(act.step, began, Result.WRITTEN, version)
        if isinstance(act.step, TakeTurn):
            self._turn_version = version
        self._metrics.steps.labels(kind, "written").inc()
        log.info("%s: %s", kind, act.reason)
        self._announce(act)
        return True

    def _note_step(
        self, step: Step, began: float, result: Result, version: str | None = None
    ) -> None:
        if self._world.recorder is not None:
            taken = taken_of(step)
            self._world.recorder.note(
                Stepped(step=taken, began=began, result=result, version=version)
            )

    def _announce(self, act: Act) -> None:
        event = kind_of(act.rule, act.step)
        if event is not None:
            self._announcer.tell(event, act.reason)
        if isinstance(act.step, WriteRecord):
            # The next ring that this pod might found is another one.
            self._ring_id = RingId(str(uuid4()))

    def _note(self, answered: Answered) -> None:
        before = self.last.answer if self.last else None
        self.last = answered
        answer = answered.answer
        outcome = type(answer).__name__.lower()
        self._metrics.answers.labels(outcome, answer.rule.value).inc()
        if isinstance(answer, Withheld):
            paused = answer.rule is Rule.PAUSED
            self._announcer.tell(Kind.PAUSED if paused else Kind.WITHHELD, answer.reason)
        elif isinstance(answer, Refused):
            self._announcer.tell(Kind.REFUSED, answer.reason)
        elif answer.replace is not None:
            self._announcer.tell(Kind.REPLACING, answer.reason)
        if before is None or before.reason != answer.reason:
            log.info("%s (%s): %s", outcome, answer.rule, answer.reason)


def _why(error: Exception) -> str:
    lacks = ": the service account lacks a right" if isinstance(error, Forbidden) else ""
    return f"{lacks}: {error}"


def _writes_record(decision: Decision) -> bool:
    return isinstance(decision, Act) and isinstance(decision.step, WriteRecord)


def _final(decision: Decision) -> Answer:
    """Rows for disks with data take no step; one that did would be a mistake in the table."""
    if isinstance(decision, Act):
        return Withheld(rule=decision.rule, reason=decision.reason)
    return decision
