"""Asks every sidecar for ``/v1/node``, each second, all at once, and never waits for one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from ring.observe.bodies import whole
from ring.observe.words import MOST_BYTES, BadWordError, Columns, Listener
from ring.reading import Reading
from ring.words import Clock, Pool, Sidecar

PERIOD: Final = 1.0
"""Seconds between two questions to one sidecar, as between two heartbeats to it."""
START_PERIOD: Final = 0.2
"""The same while no pod is known: a manager that has just started learns of them at once."""
PATIENCE: Final = 2.5
"""Seconds for an answer; who hangs is not asked again meanwhile, and keeps nobody waiting."""
AT_ONCE: Final = 2000
"""Open connections: one is kept for each sidecar of the largest rings known."""
READ_AT_ONCE: Final = 32
"""Answers that are read: when a member of a thousand goes down all of them are long ones."""
BUFFER: Final = 2**14
"""Bytes of an answer that are held until it is read."""
DATE_ERROR: Final = 0.5
"""Seconds: half the resolution of an HTTP date (RFC 9110 5.6.7)."""

Targets = Callable[[], Mapping[str, str]]


@dataclass(slots=True)
class _Asked:
    """One sidecar, as it was asked so far."""

    address: str
    listener: Listener
    said: Sidecar | None = None
    at: float | None = None
    failure: str = ""
    task: asyncio.Task[None] | None = None
    shape: object = field(default=None)


class Sidecars:
    """The last answers of all sidecars; `run` it as a task.

    Args:
        session: used for every question.
        targets: returns pods and their addresses as they are now.
        port: of the sidecars on the pod network.
        on_change: called when something else than ages and load is new.
        clock: monotonic seconds; those of the sidecars' machines are compared with it, too.

    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        targets: Targets,
        port: int,
        on_change: Callable[[], None],
        *,
        period: float = PERIOD,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session, self._targets, self._port = session, targets, port
        self._on_change, self._period = on_change, period
        self._clock, self._sleep = clock, sleep
        self._columns = Columns(Pool())
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
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
            for each in self._known.values():
                if each.task:
                    each.task.cancel()

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
                known = self._known[pod] = _Asked(address, Listener(self._columns))
            if known.task is None or known.task.done():
                known.task = asyncio.create_task(self._ask(known), name=f"ask {pod}")
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

    def _forget(self, pod: str) -> None:
        task = self._known.pop(pod).task
        if task:
            task.cancel()

    async def _ask(self, asked: _Asked) -> None:
        try:
            await self._hear(asked)
            asked.failure = ""
        except TimeoutError:
            asked.failure = f"no answer within {PATIENCE:g} s"
        except BadWordError as error:
            asked.failure = str(error)
        except aiohttp.ClientResponseError as error:
            asked.failure = f"HTTP {error.status} {error.message}"
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError) as error:
            asked.failure = str(error) or type(error).__name__
        shape = _shape(asked)
        if shape != asked.shape:
            asked.shape = shape
            self._on_change()

    async def _hear(self, asked: _Asked) -> None:
        """Ask, and take the answer; the bound is on both, less the wait for one's turn."""
        known = asked.listener.peers_hash
        url = f"http://{host_in_url(asked.address)}:{self._port}/v1/node"
        query = {"peers": known} if known else None
        began = self._clock()
        async with asyncio.timeout(PATIENCE) as limit:
            async with self._session.get(url, params=query, allow_redirects=False) as response:
                answered = self._clock()
                if response.status != 200:  # noqa: PLR2004 -- nothing else carries an answer
                    response.raise_for_status()
                    raise BadWordError(f"HTTP {response.status} is no answer of a sidecar")
                clock = _clock(response.headers.get("Date"), began, answered - began)
                limit.reschedule(None)
                async with self._reading:
                    limit.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                    body = await whole(response.content, MOST_BYTES)
                    asked.said, asked.at = asked.listener.hear(body, clock), began


def host_in_url(address: str) -> str:
    """Write an address as URLs have it."""
    return f"[{address}]" if ":" in address else address


def _clock(date: str | None, sent: float, took: float) -> Clock | None:
    """Return how far ahead a clock is, by the date of an answer to a question sent then."""
    if date is None:
        return None
    try:
        there = parsedate_to_datetime(date).timestamp() + DATE_ERROR
    except (ValueError, OverflowError):
        return None
    return Clock(there - (sent + took / 2), took / 2 + DATE_ERROR)


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


def session() -> aiohttp.ClientSession:
    """Make the session for all questions to sidecars; close it at the end."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=AT_ONCE, limit_per_host=2),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=60),  # whoever asks has a closer bound
        headers={"Accept-Encoding": "identity", "User-Agent": "ring-manager"},
        auto_decompress=False,
        read_bufsize=BUFFER,
        trust_env=False,
    )
