"""One collection of the API server kept up to date: list, watch, list again.

What happened in between is never guessed: a watch that ends is taken up where it ended, and
where that is in doubt everything is listed anew, so that what was deleted is noticed.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from ring.observe.bodies import GARBAGE, decoded
from ring.observe.errors import Expired, KubeError, Malformed
from ring.reading import Reading

T = TypeVar("T")
log = logging.getLogger(__name__)

PAGE: Final = "500"
"""Objects of a list that are asked for at once, as kubectl does."""
WATCH_SECONDS: Final = 300
"""After which the server is asked to end a watch: it is then taken up by another server too."""
SILENCE_SECONDS: Final = 90.0
"""Bookmarks come about once a minute; after this long the connection is held for dead."""
MIN_PAUSE: Final = 0.2
MAX_PAUSE: Final = 15.0
"""Seconds between requests, doubled after each failure up to half of what client-go waits."""
STEADY_SECONDS: Final = 10.0
"""A watch that lasted so long shows that the trouble is over."""
MAX_RESUMES: Final = 8
"""So many watches in a row that did not last: the way by watch is doubted, list again."""
MOST_TOLD: Final = 200
"""Characters of what is wrong with an object: errors quote what they met."""
RELIST_SECONDS: Final = 900.0
"""After so long all is listed anew when a watch ends: cheap, and nothing stays wrong."""


class Server(Protocol):
    """What is needed of an API server; every failure is a `KubeError`."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return a body."""
        ...

    def lines(
        self, path: str, query: Mapping[str, str], silence: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Hand out lines."""
        ...


@dataclass(frozen=True, kw_only=True)
class Collection(Generic[T]):
    """What to watch.

    Attributes:
        name: for messages.
        path: of the collection.
        query: selectors; found out anew for each list.
        decode: makes a value of an object's JSON; None for one that is of no interest.
            One that it cannot read is left out and told of; the others are known.

    """

    name: str
    path: str
    query: Callable[[], Awaitable[Mapping[str, str]]]
    decode: Callable[[bytes], T | None]


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    name: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Head(msgspec.Struct):
    metadata: _Meta


class _List(msgspec.Struct):
    kind: str
    metadata: _Meta
    items: list[msgspec.Raw]


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


_list, _event = msgspec.json.Decoder(_List), msgspec.json.Decoder(_Event)
_head, _status = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_Status)


class Watch(Generic[T]):
    """Keeps a collection; `run` it as a task.

    ``clock`` gives monotonic seconds, ``jitter`` numbers from 0 to 1.
    """

    def __init__(
        self,
        server: Server,
        collection: Collection[T],
        on_change: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.failures = 0
        self._server, self._collection, self._on_change = server, collection, on_change
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._items: dict[str, T] = {}
        self._broken: dict[str, str] = {}
        self._shown: tuple[Mapping[str, T], Mapping[str, str]] | None = None
        self._known_at: float | None = None
        self._failure = ""
        self._heard = False

    def reading(self) -> Reading[Mapping[str, T]]:
        """Return what is known now, by name."""
        if self._known_at is None:
            return Reading(None, None, self._failure)
        if self._shown is None:
            self._shown = dict(self._items), dict(self._broken)
        items, broken = self._shown
        return Reading(items, max(0.0, self._clock() - self._known_at), self._failure, broken)

    async def run(self) -> None:
        """Keep it until cancelled."""
        version, listed_at, short = "", 0.0, 0
        query: Mapping[str, str] = {}
        while True:
            began, lasted = self._clock(), 0.0
            try:
                if not version:
                    query = await self._collection.query()
                    version = await self._list(query)
                    listed_at = began = self._clock()
                version = await self._watch(query, version)
                lasted = self._clock() - began
            except Exception as error:
                if not isinstance(error, KubeError):
                    log.exception(
                        "watching %s failed; it is tried again", self._collection.name
                    )
                lasted = self._clock() - began
                self.failures += 1
                self._failure = str(error) or type(error).__name__
                if not _was_cut(error):
                    version = ""
            if lasted >= SILENCE_SECONDS and not self._heard:
                version = ""  # not a bookmark: nobody knows what it would have told
            short = 0 if lasted >= STEADY_SECONDS else short + 1
            if short >= MAX_RESUMES or self._clock() - listed_at > RELIST_SECONDS:
                version = ""
            pause = min(MIN_PAUSE * 2.0 ** min(max(short - 1, 0), 10), MAX_PAUSE)
            await self._sleep(pause * (0.5 + self._jitter()))

    async def _list(self, query: Mapping[str, str]) -> str:
        found: dict[str, T] = {}
        broken: dict[str, str] = {}
        page: dict[str, str] = {"limit": PAGE}
        while True:
            raw = await self._server.get(self._collection.path, {**query, **page})
            body = decoded(f"{self._collection.name}: no list", _list.decode, raw)
            if not body.kind.endswith("List") or body.metadata.resource_version in {"", "0"}:
                raise Malformed(f"{self._collection.name}: no list: {body.kind!r}")
            for item in body.items:
                self._take(item, found, broken)
            if not body.metadata.continue_:
                break
            page["continue"] = body.metadata.continue_
        if (found, broken) != (self._items, self._broken):
            self._items, self._broken, self._shown = found, broken, None
            self._on_change()
        elif self._known_at is None:
            self._on_change()
        self._alive()
        return body.metadata.resource_version

    def _take(
        self, raw: msgspec.Raw, into: dict[str, T], broken: dict[str, str]
    ) -> tuple[str, bool]:
        """Put an object into a collection; return its version, and whether that is news."""
        meta = decoded(self._collection.name, _head.decode, raw).metadata
        if not meta.name:
            raise Malformed(f"{self._collection.name}: an object without a name")
        before = into.pop(meta.name, None), broken.pop(meta.name, None)
        value = problem = None
        try:
            what = f"{self._collection.name}: {meta.name} cannot be read"
            value = decoded(what, self._collection.decode, bytes(raw))
        except Malformed as error:
            problem = broken[meta.name] = str(error)[:MOST_TOLD]
        if value is not None:
            into[meta.name] = value
        return meta.resource_version, (value, problem) != before

    async def _watch(self, query: Mapping[str, str], version: str) -> str:
        asked = {
            **query,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        path = self._collection.path
        async with self._server.lines(path, asked, SILENCE_SECONDS) as lines:
            self._heard, self._failure = False, ""  # one that opens and is silent tells nothing
            async for line in lines:
                version = self._hear(line) or version
                self._heard = True
                self._alive()
        return version

    def _hear(self, line: bytes) -> str:
        try:
            event = _event.decode(line)
            match event.type:
                case "ADDED" | "MODIFIED":
                    version, changed = self._take(event.object, self._items, self._broken)
                case "DELETED":
                    meta = _head.decode(event.object).metadata
                    version = meta.resource_version
                    gone = self._items.pop(meta.name, None), self._broken.pop(meta.name, None)
                    changed = gone != (None, None)
                case "BOOKMARK":
                    version = _head.decode(event.object).metadata.resource_version
                    changed = False
                case "ERROR":
                    status = _status.decode(event.object)
                    kind = Expired if status.code == 410 else KubeError  # noqa: PLR2004
                    raise kind(f"{self._collection.name}: {status.message}", status.code or 500)
                case other:
                    raise Malformed(f"{self._collection.name}: unknown event {other!r}")
        except GARBAGE as error:
            raise Malformed(f"{self._collection.name}: no event: {error}") from None
        if changed:
            self._shown = None
            self._on_change()
        return version

    def _alive(self) -> None:
        self._known_at, self._failure = self._clock(), ""


def _was_cut(error: Exception) -> bool:
    """Say whether only the connection ended, so that the version is still good."""
    return (
        isinstance(error, KubeError)
        and not isinstance(error, Expired | Malformed)
        and error.status is None
    )
