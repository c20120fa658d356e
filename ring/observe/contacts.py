"""Which nodes are read by CQL, how often, and what they last said."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

from ring.reading import Reading
from ring.words import Facts

CONTACTS: Final = 3
"""Nodes that are read: one that is behind or lies is noticed, and one may be lost."""
PERIOD: Final = 5.0
"""Seconds between two questions whether what is known still holds."""
WHOLE_SECONDS: Final = 600.0
"""After so long tokens and keyspaces are read anew though nothing seems to have changed."""
BEGUN_SECONDS: Final = 30.0
"""The same where a peer has no tokens: its row may have been read while it was written."""
START_PERIOD: Final = 0.5
"""Seconds between two looks while nothing was ever read: whom to ask is just being learned."""
THREADS: Final = 2 * CONTACTS
"""Questions under way at most, with those that nobody waits for any more."""
MIN_PAUSE: Final = 5.0
MAX_PAUSE: Final = 60.0
"""Seconds until one that failed is asked again, doubled each time, half more or less."""
PATIENCE: Final = 20.0
"""Seconds for all of one node's questions; the driver bounds each by itself."""

Candidates = Callable[[], Sequence[str]]


class Node(Protocol):
    """One node that can be read; `read` and `close` block."""

    def read(self, *, whole: bool) -> Facts:
        """Return what it says; raise with one line that says why not."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


@dataclass(slots=True)
class _Read:
    """One address, as it was read so far.

    Attributes:
        node: with its connections; None while it is not one of those that are read.
        work: what a thread has under way, also when nobody waits for it any more.
        failed: times in a row; ``failed_at`` is the last of them.

    """

    node: Node | None = None
    work: Future[Facts] | None = None
    facts: Facts | None = None
    at: float | None = None
    whole_at: float = -WHOLE_SECONDS
    failure: str = ""
    failed: int = 0
    failed_at: float = 0.0
    again_at: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Say whether it is still being asked."""
        return self.work is not None and not self.work.done()


class Contacts:
    """What a few nodes said by CQL; `run` it as a task.

    Args:
        make: makes a node of an address.
        candidates: returns addresses, best first, as they are now.
        revision: returns what differs when tokens may have changed, by what sidecars say.
        on_change: called when something else than ages is new.
        clock: monotonic seconds.

    """

    def __init__(
        self,
        make: Callable[[str], Node],
        candidates: Candidates,
        revision: Callable[[], object],
        on_change: Callable[[], None],
        *,
        period: float = PERIOD,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._make, self._candidates, self._revision = make, candidates, revision
        self._on_change, self._period = on_change, period
        self._clock, self._jitter = clock, jitter
        self._pool = _threads()
        self._known: dict[str, _Read] = {}
        self._seen: object = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                self.look()
                unread = not any(each.facts or each.failed for each in self._known.values())
                await asyncio.sleep(min(self._period, START_PERIOD) if unread else self._period)
        finally:
            for task in self._tasks:
                task.cancel()
            for each in self._known.values():
                self._let_go(each)
            self._pool.shutdown(wait=False, cancel_futures=False)
            self._pool = _threads()  # it may be run again

    def look(self) -> Sequence[asyncio.Task[None]]:
        """Begin to ask each contact whether what it said still holds; wait for none."""
        self._choose(list(self._candidates()))
        revision = self._revision()
        news, self._seen = revision != self._seen, revision
        if news:
            for each in self._known.values():
                each.whole_at = -WHOLE_SECONDS
        now = self._clock()
        chosen = [each for each in self._known.values() if each.node]
        due = [each for each in chosen if each.again_at <= now and not each.is_busy]
        free = THREADS - sum(each.is_busy for each in self._known.values())
        begun = [asyncio.create_task(self._read(each)) for each in due[: max(0, free)]]
        for task in begun:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return begun

    def readings(self) -> Mapping[str, Reading[Facts]]:
        """Return what those said that are read now, or were read last, by address."""
        now = self._clock()
        return {
            address: Reading(
                each.facts, None if each.at is None else max(0.0, now - each.at), each.failure
            )
            for address, each in self._known.items()
            if each.facts or (each.failure and (each.node or each.is_busy))
        }

    def _choose(self, candidates: Sequence[str]) -> None:
        """Keep those that answer; fill up with those that have not failed for the longest time.

        Failures are remembered as long as an address is a candidate, and the last few facts as
        long as there are none of others.
        """
        if not candidates:
            return  # nobody is known to be there: those of before are as good as any
        for address in candidates:
            self._known.setdefault(address, _Read())
        self._forget(set(candidates))
        now = self._clock()

        def rank(address: str) -> tuple[bool, bool, bool, float]:
            each = self._known[address]
            failed = bool(each.failed)
            holds = not failed and (each.facts is not None or each.is_busy)
            paused = failed and (each.is_busy or each.again_at > now)
            return not holds, paused, failed, each.failed_at

        chosen = sorted(candidates, key=rank)[:CONTACTS]
        for address, each in self._known.items():
            if address not in chosen:
                self._let_go(each)
            elif each.node is None and not each.is_busy:
                each.node = self._make(address)

    def _forget(self, candidates: set[str]) -> None:
        """Drop whom nobody names, and facts beyond the last few; never the last ones."""
        told = [a for a, each in self._known.items() if each.facts]
        told.sort(key=lambda a: (a in candidates, self._known[a].at or 0.0), reverse=True)
        kept = [a for a in told if a in candidates or told[0] not in candidates][:CONTACTS]
        for address in [a for a in self._known if a not in candidates and a not in kept]:
            self._let_go(self._known.pop(address))
        for address, each in self._known.items():
            if address not in kept and (each.failed or not each.node):
                each.facts, each.at = None, None

    def _let_go(self, contact: _Read) -> None:
        """Close its connections, after the question that is under way: never beside it."""
        node, contact.node, contact.whole_at = contact.node, None, -WHOLE_SECONDS
        if node is None:
            return
        if contact.work is not None and contact.is_busy:
            contact.work.add_done_callback(lambda _: node.close())
        else:
            self._pool.submit(node.close)

    async def _read(self, contact: _Read) -> None:
        now, node = self._clock(), contact.node
        if node is None:
            return  # it was let go before its turn
        whole = now - contact.whole_at > WHOLE_SECONDS
        before = contact.facts, bool(contact.failed)
        contact.work = self._pool.submit(node.read, whole=whole)
        answer = asyncio.wrap_future(contact.work)
        answer.add_done_callback(lambda it: it.cancelled() or it.exception())  # late ones too
        try:
            async with asyncio.timeout(PATIENCE):
                facts = await asyncio.shield(answer)
        except TimeoutError:
            self._failed(contact, f"no answer within {PATIENCE:g} s")
            self._let_go(contact)
        except Exception as error:  # noqa: BLE001 -- a node's failure, whatever it is, is a reading
            self._failed(contact, str(error) or type(error).__name__)
        else:
            contact.facts, contact.at, contact.failure, contact.failed = facts, now, "", 0
            if whole:
                begun = not all(row.tokens for row in (facts.local, *facts.peers))
                contact.whole_at = now - (WHOLE_SECONDS - BEGUN_SECONDS if begun else 0.0)
        if (contact.facts, bool(contact.failed)) != before:
            self._on_change()

    def _failed(self, contact: _Read, why: str) -> None:
        contact.failure, contact.failed_at = why, self._clock()
        pause = min(MIN_PAUSE * 2.0 ** min(contact.failed, 10), MAX_PAUSE)
        contact.failed += 1
        contact.again_at = contact.failed_at + pause * (0.5 + self._jitter())


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="cql")
