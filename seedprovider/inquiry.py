"""Asking the sidecars of other pods what they are: bounded, concurrent, remembered."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import aiohttp

from seedprovider.model import Address, Endpoint, PodName, Report
from seedprovider.node import MAX_BODY_BYTES, BadInputError, Told, parse_report

ANSWER_SECONDS: Final = 1.5
"""A sidecar answers from memory; a dead address is worth no longer wait."""
AT_ONCE: Final = 32
"""Requests under way: enough for a ring of hundreds within a second, few enough for sockets."""
FORGET_SECONDS: Final = 30.0
"""A word counts for 5 s; keeping those of a thousand pods that are no seeds costs memory."""


@dataclass(slots=True, eq=False)
class _Request:
    """A question under way; `task` is done when it was answered or given up."""

    address: Address
    task: asyncio.Task[None]
    sent: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The last question that came to an end; `number` grows in the order of sending."""

    address: Address
    at: float
    number: int


GONE_SECONDS: Final = 10.0
"""Twice as long as a word counts."""


class Inquirer:
    """The last word of each pod's sidecar, and the way to get a newer one.

    Attributes:
        reports: last good answer by pod, whatever its age; dropped when the pod is gone.
        strangers: who answered at an address instead of the pod that was expected there.
        revision: grows with every change of what is known; for callers that keep results.

    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        namespace: str,
        service: str,
        port: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._service = service
        self._port = port
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._told: dict[PodName, Told] = {}
        self._asked: dict[PodName, _Attempt] = {}
        self._running: dict[PodName, _Request] = {}
        self._numbers = itertools.count()
        self.strangers: dict[Address, str] = {}
        self.revision = 0
        self.failures = 0

    @property
    def reports(self) -> dict[PodName, Report]:
        """Return a copy, so that a decision works on one moment."""
        return {pod: told.report for pod, told in self._told.items()}

    async def ask(self, endpoints: Iterable[Endpoint], max_age: float) -> None:
        """Have an answer, or a failed attempt, no older than `max_age` seconds from each.

        Returns within `ANSWER_SECONDS` a batch of `AT_ONCE`.  Failures are remembered as
        attempts, so that an address where nobody answers is not asked more often than others.
        """
        now = self._clock()
        tasks = []
        for endpoint in endpoints:
            last, running = self._asked.get(endpoint.pod), self._running.get(endpoint.pod)
            here = running is not None and running.address == endpoint.address
            # What is not sent yet is answered after now, and serves whoever asks meanwhile.
            if running is not None and here and (max_age > 0 or not running.sent):
                tasks.append(running.task)
            elif last is None or last.address != endpoint.address or now - last.at >= max_age:
                tasks.append(self._start(endpoint))
        if tasks:
            await asyncio.wait(tasks)

    def _start(self, endpoint: Endpoint) -> asyncio.Task[None]:
        task = asyncio.create_task(self._ask(endpoint))
        self._running[endpoint.pod] = _Request(endpoint.address, task)

        def finished(done: asyncio.Task[None]) -> None:
            running = self._running.get(endpoint.pod)
            if running is not None and running.task is done:
                del self._running[endpoint.pod]

        task.add_done_callback(finished)
        return task

    async def _ask(self, endpoint: Endpoint) -> None:
        async with self._gate:
            running = self._running.get(endpoint.pod)
            if running is not None and running.task is asyncio.current_task():
                running.sent = True
            number, sent = next(self._numbers), self._clock()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    body = await self._get(endpoint)
            except (aiohttp.ClientError, TimeoutError, OSError):
                body = None
        self._take(endpoint, number, sent, body)

    def _take(self, endpoint: Endpoint, number: int, sent: float, body: bytes | None) -> None:
        last = self._asked.get(endpoint.pod)
        if last is not None and last.number > number:
            return  # overtaken: what came of a later question is newer than this
        self._asked[endpoint.pod] = _Attempt(endpoint.address, self._clock(), number)
        if body is None:
            self.failures += 1
            self._forget_stranger(endpoint.address)
            return
        try:
            self._learn(endpoint, parse_report(body, endpoint.address, sent))
        except BadInputError:
            self.failures += 1

    async def _get(self, endpoint: Endpoint) -> bytes | None:
        host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
        known = _known_peers(self._told.get(endpoint.pod))
        query = {} if known is None else {"peers": known}
        url = f"http://{host}:{self._port}/v1/node"
        async with self._session.get(url, params=query, allow_redirects=False) as response:
            if response.status != 200:  # noqa: PLR2004 -- HTTP OK
                return None
            body = await response.content.read(MAX_BODY_BYTES + 1)
            while len(body) <= MAX_BODY_BYTES and not response.content.at_eof():
                body += await response.content.read(MAX_BODY_BYTES + 1 - len(body))
            return body if len(body) <= MAX_BODY_BYTES else None

    def _learn(self, endpoint: Endpoint, told: Told) -> None:
        who = (told.namespace, told.service, told.report.pod)
        if who != (self._namespace, self._service, endpoint.pod):
            before, name = self.strangers.get(endpoint.address), "/".join(who)
            self.strangers[endpoint.address] = name
            if self._told.pop(endpoint.pod, None) is not None or before != name:
                self.revision += 1
            return
        self._forget_stranger(endpoint.address)
        known = self._told.get(endpoint.pod)
        told = _with_known_peers(told, known)
        self._told[endpoint.pod] = told
        if known is None or _differs(known.report, told.report):
            self.revision += 1

    def _forget_stranger(self, address: Address) -> None:
        if self.strangers.pop(address, None) is not None:
            self.revision += 1

    def keep_only(self, endpoints: Iterable[Endpoint]) -> None:
        """Forget pods and addresses that are no more, and words too old to count.

        A pod that is not among the endpoints is forgotten a little later than at once: these
        may come from slices that are minutes old, and its word from a live read just now.
        """
        now, named = self._clock(), {endpoint.pod for endpoint in endpoints}
        for pod, last in list(self._asked.items()):
            age = now - last.at
            if age < (FORGET_SECONDS if pod in named else GONE_SECONDS):
                continue
            del self._asked[pod]
            self._forget_stranger(last.address)
            if self._told.pop(pod, None) is not None:
                self.revision += 1

    async def close(self) -> None:
        """End the requests under way."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _known_peers(told: Told | None) -> str | None:
    """Return the hash of the peers that we hold, not of those that we only heard of."""
    beat = told.report.heartbeat if told else None
    return told.peers_hash or None if told and beat and beat.peers is not None else None


def _with_known_peers(told: Told, before: Told | None) -> Told:
    """Put back the peers that were left out because we hold them already."""
    beat = told.report.heartbeat
    if beat is None or beat.peers is not None or before is None:
        return told
    known = before.report.heartbeat
    if known is None or before.peers_hash is None or before.peers_hash != told.peers_hash:
        return told
    report = replace(told.report, heartbeat=replace(beat, peers=known.peers))
    return Told(report, told.namespace, told.service, told.peers_hash)


def _differs(one: Report, other: Report) -> bool:
    """Whether two reports differ in more than their age."""
    return replace(one, received=0.0, heartbeat_age=None) != replace(
        other, received=0.0, heartbeat_age=None
    )
