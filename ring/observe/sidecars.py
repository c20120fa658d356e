"""Asks every sidecar for ``/v1/node``, each second, all at once, and never waits for one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from ring.observe.answer import Answer
from ring.observe.line import Line, room
from ring.observe.words import MOST_BYTES, BadWordError, Columns, Listener
from ring.plain import harmless
from ring.reading import Reading
from ring.words import Clock, Pool, Sidecar

PERIOD: Final = 1.0
"""Seconds between two questions to one sidecar, as between two heartbeats to it."""
START_PERIOD: Final = 0.2
"""The same while no pod is known: a manager that has just started learns of them at once."""
PATIENCE: Final = 2.5
"""Seconds for an answer; who hangs is not asked again meanwhile, and keeps nobody waiting."""
READ_AT_ONCE: Final = 32
"""Answers that are read: when a member of a thousand goes down all of them are long ones."""
READ_OF_STALLED: Final = 4
"""The same of those that had their turn the last time and did not end: the others' go on."""
MOST_FAILURE: Final = 200
"""Characters of a failure that are shown: who fails may have chosen them."""
DATE_ERROR: Final = 0.5
"""Seconds: half the resolution of an HTTP date (RFC 9110 5.6.7)."""

Targets = Callable[[], Mapping[str, str]]


@dataclass(slots=True)
class _Asked:
    """One sidecar, as it was asked so far.

    Attributes:
        stalled: whether it did not end the last long answer whose turn it was.

    """

    address: str
    listener: Listener
    line: Line
    said: Sidecar | None = None
    at: float | None = None
    failure: str = ""
    stalled: bool = False
    task: asyncio.Task[None] | None = None
    shape: object = field(default=None)


class Sidecars:
    """The last answers of all sidecars; `run` it as a task.

    Args:
        targets: returns pods and their addresses as they are now.
        port: of the sidecars on the pod network.
        on_change: called when something else than ages and load is new.
        clock: monotonic seconds; those of the sidecars' machines are compared with it, too.

    """

    def __init__(
        self,
        targets: Targets,
        port: int,
        on_change: Callable[[], None],
        *,
        period: float = PERIOD,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._targets, self._port = targets, port
        self._on_change, self._period = on_change, period
        self._clock, self._sleep = clock, sleep
        self._columns = Columns(Pool())
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._reading_stalled = asyncio.Semaphore(READ_OF_STALLED)
        self._room = room()
        self._known: dict[str, _Asked] = {}

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                began = self._clock()
                self.ask_all()
                period = self._period if self._known else min(self._period, START_PERIOD)
                await self._sleep(max(0.05, period - (self._clock() - began)))
        finally:
            self.close()

    def close(self) -> None:
        """End all questions and connections."""
        for pod in list(self._known):
            self._forget(pod)

    def ask_all(self) -> list[asyncio.Task[None]]:
        """Begin to ask everybody who is not being asked yet; forget whose pod is gone."""
        targets = self._targets()
        for pod in [pod for pod in self._known if pod not in targets]:
            self._forget(pod)
        for pod, address in targets.items():
            known = self._known.get(pod)
            if known is not None and known.address != address:
                self._forget(pod)  # another incarnation: nothing of the old one is its word
                known = None
            if known is None:
                known = self._known[pod] = self._new(address)
            if known.task is None or known.task.done():
                known.task = asyncio.create_task(self._ask(known))
        return [each.task for each in self._known.values() if each.task]

    def readings(self) -> Mapping[str, Reading[Sidecar]]:
        """Return the last answers, by pod."""
        now = self._clock()
        return {
            pod: Reading(
                each.said, None if each.at is None else max(0.0, now - each.at), each.failure
            )
            for pod, each in self._known.items()
        }

    def _new(self, address: str) -> _Asked:
        line = Line(address, self._port, MOST_BYTES, self._room, self._clock)
        return _Asked(address, Listener(self._columns), line)

    def _forget(self, pod: str) -> None:
        known = self._known.pop(pod)
        if known.task:
            known.task.cancel()
        known.line.close()

    async def _ask(self, asked: _Asked) -> None:
        try:
            await self._hear(asked)
            asked.failure = ""
        except TimeoutError:
            asked.failure = f"no answer within {PATIENCE:g} s"
        except (BadWordError, OSError) as error:
            asked.failure = _told(error)
        shape = _shape(asked)
        if shape != asked.shape:
            asked.shape = shape
            self._on_change()

    async def _hear(self, asked: _Asked) -> None:
        """Ask, and take the answer; the bound is on both, less the wait for one's turn."""
        began = self._clock()
        async with asyncio.timeout(PATIENCE) as limit:
            answer = await asked.line.ask(asked.listener.peers_hash)
            if answer is not None:
                self._take(asked, answer, began)
                return
            limit.reschedule(None)
            async with self._reading_stalled if asked.stalled else self._reading:
                limit.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                asked.stalled = True
                answer = await asked.line.rest()
                asked.stalled = False
                self._take(asked, answer, began)

    def _take(self, asked: _Asked, answer: Answer, began: float) -> None:
        if answer.status >= 400:  # noqa: PLR2004 -- RFC 9110 15.5
            raise BadWordError(f"HTTP {answer.status} {answer.reason}")
        if answer.status != 200:  # noqa: PLR2004 -- nothing else carries an answer
            raise BadWordError(f"HTTP {answer.status} is no answer of a sidecar")
        clock = _clock(answer.date, began, asked.line.answered - began)
        asked.said, asked.at = asked.listener.hear(answer.body, clock), began


def _told(error: Exception) -> str:
    """Write an error in one line that does nothing to a terminal."""
    line = " ".join(str(error).split())[:MOST_FAILURE]
    return harmless(line)[:MOST_FAILURE] or type(error).__name__


def _clock(date: str | None, sent: float, took: float) -> Clock | None:
    """Return how far ahead a clock is, by the date of an answer to a question sent then."""
    if date is None:
        return None
    there = _seconds(date)
    if there is None:
        return None
    return Clock(there + DATE_ERROR - (sent + took / 2), took / 2 + DATE_ERROR)


@lru_cache(maxsize=64)
def _seconds(date: str) -> float | None:
    """Return a date in seconds since 1970; sidecars that are asked at once send the same."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _shape(asked: _Asked) -> object:
    """Return what of an answer is news when it differs."""
    said = asked.said
    if said is None:
        return bool(asked.failure)
    beat = said.heartbeat
    return (
        bool(asked.failure),
        said.pod_uid,
        said.disk,
        said.process,
        said.ring_id,
        beat and (beat.mode, beat.host_id, beat.address, beat.native, beat.seeds, beat.sight),
    )
