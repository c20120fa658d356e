"""Which nodes are read by CQL, how often, and what they last said."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
MIN_PAUSE: Final = 5.0
MAX_PAUSE: Final = 60.0
"""Seconds until one that failed is asked again, doubled each time."""
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
    """One contact, as it was read so far."""

    node: Node
    facts: Facts | None = None
    at: float | None = None
    whole_at: float = -WHOLE_SECONDS
    failure: str = ""
    failed: int = 0
    again_at: float = 0.0
    busy: asyncio.Future[Facts] | None = None


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
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._make, self._candidates, self._revision = make, candidates, revision
        self._on_change, self._period = on_change, period
        self._clock, self._sleep = clock, sleep
        self._pool = ThreadPoolExecutor(CONTACTS * 2, thread_name_prefix="cql")
        self._known: dict[str, _Read] = {}
        self._seen: object = None

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                await self.look()
                await self._sleep(self._period)
        finally:
            for each in self._known.values():
                self._pool.submit(each.node.close)
            self._pool.shutdown(wait=False, cancel_futures=False)

    async def look(self) -> None:
        """Ask each contact once whether what it said still holds."""
        self._choose(list(self._candidates()))
        revision = self._revision()
        news, self._seen = revision != self._seen, revision
        if news:
            for each in self._known.values():
                each.whole_at = -WHOLE_SECONDS
        now = self._clock()
        due = [each for each in self._known.values() if each.again_at <= now and not each.busy]
        await asyncio.gather(*(self._read(each) for each in due))

    def readings(self) -> Mapping[str, Reading[Facts]]:
        """Return what they last said, by address."""
        now = self._clock()
        return {
            address: Reading(
                each.facts, None if each.at is None else max(0.0, now - each.at), each.failure
            )
            for address, each in self._known.items()
            if each.at is not None or each.failure  # chosen and not yet asked is no failure
        }

    def _choose(self, candidates: Sequence[str]) -> None:
        """Keep those that answer, and fill up; who fails stays until another replaces it."""
        good = [a for a, each in self._known.items() if a in candidates and not each.failed]
        new = [a for a in candidates if a not in self._known]
        failing = [a for a, each in self._known.items() if a in candidates and each.failed]
        chosen = [*good[:CONTACTS]]
        for address in (*new, *failing):
            if len(chosen) < CONTACTS:
                chosen.append(address)
        if not candidates:
            return  # nobody is known to be there: those of before are as good as any
        for address in [a for a in self._known if a not in chosen]:
            gone = self._known.pop(address)
            self._pool.submit(gone.node.close)
        for address in chosen:
            if address not in self._known:
                self._known[address] = _Read(self._make(address))

    async def _read(self, contact: _Read) -> None:
        now = self._clock()
        whole = now - contact.whole_at > WHOLE_SECONDS
        before = contact.facts, bool(contact.failed)
        loop = asyncio.get_running_loop()
        contact.busy = loop.run_in_executor(self._pool, lambda: contact.node.read(whole=whole))
        contact.busy.add_done_callback(lambda _: setattr(contact, "busy", None))
        try:
            async with asyncio.timeout(PATIENCE):
                facts = await asyncio.shield(contact.busy)
        except TimeoutError:
            self._failed(contact, f"no answer within {PATIENCE:g} s")
        except Exception as error:  # noqa: BLE001 -- a node's failure, whatever it is, is a reading
            self._failed(contact, str(error) or type(error).__name__)
        else:
            contact.facts, contact.at, contact.failure, contact.failed = facts, now, "", 0
            if whole:
                contact.whole_at = now
        if (contact.facts, bool(contact.failed)) != before:
            self._on_change()

    def _failed(self, contact: _Read, why: str) -> None:
        contact.failure = why
        pause = min(MIN_PAUSE * 2.0 ** min(contact.failed, 10), MAX_PAUSE)
        contact.failed += 1
        contact.again_at = self._clock() + pause
