"""The response of a watch: writing events and bookmarks when due, and its faults."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from localring.apiserver.faults import Faults, Kind
from localring.apiserver.history import History
from localring.apiserver.watch import Ending, Watch

BOOKMARK_BEFORE_END = 2.0  # seconds, as in cacheWatcher.nextBookmarkTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When things happen in a stream, in seconds."""

    bookmark_seconds: float | None  # None for a client that did not ask for bookmarks
    timeout_seconds: float


@dataclass(slots=True)
class Stream:
    """One watch being told to one client."""

    watch: Watch
    response: web.StreamResponse
    history: History
    faults: Faults
    pace: Pace
    _struck: set[object] = field(default_factory=set)

    async def run(self, opening: bytes) -> None:
        """Tell until the watch ends; raise `ConnectionError` where the client went away."""
        now = asyncio.get_running_loop().time()
        end_at = now + self.pace.timeout_seconds
        bookmark_at = self._bookmark_after(now, end_at)
        self._strike_endings()
        if opening and not self.watch.silent:
            await self.response.write(opening)
        while not self._over():
            self.watch.wake.clear()
            now = asyncio.get_running_loop().time()
            if now >= end_at and not self.watch.silent:
                break
            told = self._strike_lines() + self.watch.due(now - self._lag())
            if now >= bookmark_at:
                bookmark_at = self._bookmark_after(now, end_at)
                if not self.faults.find(Kind.NO_BOOKMARKS, self.watch.caller):
                    told += self.watch.bookmark(self.history)
            if self.watch.silent:
                await self.watch.wake.wait()
            elif told:
                await self.response.write(told)
            else:
                await self._wait(min(end_at, bookmark_at))
            self._strike_endings()

    def _over(self) -> bool:
        return self.watch.ending is not None

    async def _wait(self, until: float) -> None:
        """Wait for the watch to be woken, or for the next thing to fall due."""
        arrival = self.watch.next_arrival()
        if arrival is not None:
            until = min(until, arrival + self._lag())
        try:
            async with asyncio.timeout_at(until):
                await self.watch.wake.wait()
        except TimeoutError:
            return

    def _bookmark_after(self, now: float, end_at: float) -> float:
        if self.pace.bookmark_seconds is None:
            return float("inf")
        last = end_at - BOOKMARK_BEFORE_END
        regular = now + self.pace.bookmark_seconds
        return min(regular, last) if last > now else regular

    def _lag(self) -> float:
        rule = self.faults.find(Kind.LAG, self.watch.caller)
        if rule is None:
            return 0.0
        return float("inf") if rule.seconds is None else rule.seconds

    def _strike_endings(self) -> None:
        caller = self.watch.caller
        if self.faults.strike(Kind.HALF_OPEN, caller, self._struck):
            self.watch.fall_silent()
        if self.faults.strike(Kind.CUT_WATCH, caller, self._struck):
            self.watch.end(Ending.CUT)
        if self.faults.strike(Kind.END_WATCH, caller, self._struck):
            self.watch.end(Ending.CLEAN)

    def _strike_lines(self) -> bytes:
        caller = self.watch.caller
        told = b""
        if self.faults.strike(Kind.GARBAGE_LINE, caller, self._struck):
            told += b'{"type":"MODIFIED","object":{"metadata":\n'
        if rule := self.faults.strike(Kind.OVERSIZED_LINE, caller, self._struck):
            told += b"x" * rule.size_bytes + b"\n"
        return told
