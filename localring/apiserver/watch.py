"""One watch: which events it is due, in what order, and how it comes to an end."""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from localring.apiserver.faults import Caller
from localring.apiserver.history import Event, History, line
from localring.apiserver.query import ListOptions, Selection
from localring.apiserver.resources import Resource
from localring.apiserver.store import Store

QUEUE_LIMIT = 1_000  # events; who is further behind is cut, as the watch cache does


class Ending(Enum):
    """How a watch ends."""

    CLEAN = auto()  # the response ends as it should
    CUT = auto()  # the connection is reset


class Watch:
    """What one client is still to be told.

    Attributes:
        wake: set whenever there is something to do.
        ending: set once the watch has to end.
        silent: whether the client hears nothing any more, its connection kept.

    """

    def __init__(
        self, caller: Caller, selection: Selection, abort: Callable[[], None], limit: int
    ) -> None:
        self.caller = caller
        self.wake = asyncio.Event()
        self.ending: Ending | None = None
        self.silent = False
        self._selection = selection
        self._abort = abort
        self._limit = limit
        self._since = 0
        self._pending: deque[tuple[float, Event, bytes]] = deque()

    def begin(self, store: Store, options: ListOptions, start: int) -> bytes:
        """Take up the past; return what the stream opens with; raise `ApiError` 410.

        Without a version, or with 0, the stream opens with the state at ``start`` as ADDED;
        else it goes on after the version asked for.
        """
        opening = b""
        self._since = options.version or start
        if not options.version:
            state = store.snapshot(self._selection.resource, start)
            covered = (body for key, body in state.items() if self._selection.covers(key, body))
            opening = b"".join(line("ADDED", body) for body in covered)
        for event in store.history.after(self._since):
            self.offer(event)
        return opening

    def offer(self, event: Event) -> None:
        """Queue what the event means to this client, if anything."""
        if self.silent or self.ending or event.version <= self._since:
            return
        told = meaning(self._selection, event)
        if told is None:
            return
        if len(self._pending) >= self._limit:
            self.end(Ending.CUT)
            return
        self._pending.append((asyncio.get_running_loop().time(), event, told))
        self.wake.set()

    def end(self, how: Ending) -> None:
        """Bring the watch to its end; a cut takes effect at once, even amid a write."""
        self.ending = self.ending or how
        if how is Ending.CUT:
            self._abort()
        self.wake.set()

    def fall_silent(self) -> None:
        """Tell the client nothing any more."""
        self.silent = True
        self._pending.clear()

    def due(self, arrived_by: float) -> bytes:
        """Take from the queue what came in up to that moment of the loop's clock."""
        told: list[bytes] = []
        while self._pending and self._pending[0][0] <= arrived_by:
            told.append(self._pending.popleft()[2])
        return b"".join(told)

    def next_arrival(self) -> float | None:
        """When the oldest untold event came in; None where there is none."""
        return self._pending[0][0] if self._pending else None

    def bookmark(self, history: History) -> bytes:
        """Tell the version up to which the client has heard everything."""
        version = self._pending[0][1].version - 1 if self._pending else history.version
        return bookmark_line(self._selection.resource, max(version, self._since))


def meaning(selection: Selection, event: Event) -> bytes | None:
    """Say what the write is to those who watch the selection (convertToWatchEvent in Cacher).

    An object that leaves the selection is DELETED to them, one that enters it is ADDED.
    """
    if event.resource is not selection.resource:
        return None
    was, now = (selection.covers(event.key, body) for body in (event.old, event.new))
    match was, now:
        case True, True:
            return event.modified_line
        case False, True:
            return event.added_line
        case True, False:
            return event.deleted_line
        case _:
            return None


def bookmark_line(resource: Resource, version: int) -> bytes:
    """Encode a BOOKMARK: an object of the kind that has a version and nothing else."""
    metadata = {"resourceVersion": str(version), "creationTimestamp": None}
    body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return line("BOOKMARK", body)
