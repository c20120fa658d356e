"""All open watches of a server: opening them, waking them, ending them from outside."""

import asyncio
import random
from collections.abc import Callable

from aiohttp import web

from localring.apiserver.connection import reset
from localring.apiserver.faults import Caller, Fault, Faults, Kind
from localring.apiserver.history import line
from localring.apiserver.lists import stale_version, version_shown
from localring.apiserver.query import ListOptions
from localring.apiserver.status import ApiError, expired
from localring.apiserver.store import Store
from localring.apiserver.stream import Pace, Stream
from localring.apiserver.watch import Ending, Watch

MIN_WATCH_SECONDS = 1800  # kube-apiserver's --min-request-timeout: one to two times that


class Watches:
    """The open watches of one server."""

    def __init__(
        self, store: Store, faults: Faults, *, bookmark_seconds: float, queue_limit: int
    ) -> None:
        self._store = store
        self._faults = faults
        self._bookmark_seconds = bookmark_seconds
        self._queue_limit = queue_limit
        self._open: set[Watch] = set()
        self._changed = asyncio.Event()
        faults.listen(self._wake_all)

    def __len__(self) -> int:
        """Count those that are open."""
        return len(self._open)

    def end(self, how: Ending, *, resource: str | None, client: str | None) -> int:
        """End those that are open now; return how many."""
        # The rule is not put in force, it only says who is meant.
        whom = Fault(kind=Kind.END_WATCH, resource=resource, client=client)
        meant = [watch for watch in self._open if whom.concerns(watch.caller)]
        for watch in meant:
            watch.end(how)
        return len(meant)

    async def until(self, number: int) -> None:
        """Wait until just so many are open; the bound is the caller's to set."""
        while len(self._open) != number:
            await self._changed.wait()

    async def serve(
        self,
        request: web.Request,
        caller: Caller,
        options: ListOptions,
        answered: Callable[[int], None],
    ) -> web.StreamResponse:
        """Answer a watch; raise `ApiError` where it is refused by HTTP status.

        ``answered`` is told the status when the response begins.
        """
        if rule := self._faults.strike(Kind.DELAY, caller):
            await asyncio.sleep(rule.seconds or 0.0)
        transport = request.transport
        watch = Watch(caller, options.selection, lambda: reset(transport), self._queue_limit)
        opening = self._begin(watch, options)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        # Nothing is awaited between reading the past and listening to what comes.
        unlisten = self._store.listen(watch.offer)
        self._open.add(watch)
        self._announce()
        try:
            await response.prepare(request)
            answered(response.status)
            await self._stream(watch, response, options).run(opening)
            await response.write_eof()
        except ConnectionError:
            pass  # the client went away, or a fault cut it off
        finally:
            self._open.discard(watch)
            self._announce()
            unlisten()
        return response

    def _begin(self, watch: Watch, options: ListOptions) -> bytes:
        """Take up the past; 410 comes as an event, as from the watch cache, or as a status."""
        caller = watch.caller
        try:
            if options.version:
                if self._faults.strike(Kind.EXPIRE, caller):
                    raise expired("the history asked for has been compacted")
                return watch.begin(self._store, options, options.version)
            stale = stale_version(self._faults, caller)
            return watch.begin(self._store, options, version_shown(self._store, options, stale))
        except ApiError as error:
            if self._faults.strike(Kind.EXPIRED_AS_STATUS, caller):
                raise
            watch.end(Ending.CLEAN)
            return line("ERROR", error.document())

    def _stream(
        self, watch: Watch, response: web.StreamResponse, options: ListOptions
    ) -> Stream:
        patience = random.uniform(1, 2) * MIN_WATCH_SECONDS  # noqa: S311 - spreads load only
        pace = Pace(
            bookmark_seconds=self._bookmark_seconds if options.bookmarks else None,
            timeout_seconds=options.timeout_seconds or patience,
        )
        return Stream(watch, response, self._store.history, self._faults, pace)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _wake_all(self) -> None:
        for watch in self._open:
            watch.wake.set()
