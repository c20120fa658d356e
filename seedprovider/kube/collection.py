"""One collection of the API server over HTTP: list it whole, watch what happens to it."""

import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from seedprovider.kube.errors import Expired, Malformed
from seedprovider.kube.events import (
    Decoder,
    Event,
    Listed,
    Object,
    Opened,
    decode_event,
    decode_page,
)
from seedprovider.kube.lines import Lines
from seedprovider.kube.resources import Resource
from seedprovider.kube.transport import Request, Transport

T = TypeVar("T")

PAGE_SIZE: Final = 500
"""Objects a page; the chunk that kubectl and client-go use."""
MAX_PAGES: Final = 200
"""100,000 objects: a server that goes on after that is not counting."""
LIST_ATTEMPTS: Final = 3
"""A list is begun again where its ``continue`` token expired (after about 5 minutes)."""
WATCH_SECONDS: Final = 300.0
"""How long a watch is asked to last; jittered by a quarter, so that ends do not coincide."""
SILENCE_SECONDS: Final = 70.0
"""The API server bookmarks about once a minute: longer without a byte is a dead connection."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects: those of ``resource`` in ``namespace`` that match both selectors.

    Attributes:
        labels: label selector in Kubernetes' syntax, empty for all.
        fields: field selector, as ``metadata.name=cassandra-ring``, empty for all.

    """

    resource: Resource
    namespace: str
    labels: str = ""
    fields: str = ""

    def query(self) -> dict[str, str]:
        """Return the selectors as query parameters of a list or watch."""
        selectors = {"labelSelector": self.labels, "fieldSelector": self.fields}
        return {key: value for key, value in selectors.items() if value}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much to ask for at a time, and how long to wait for a word."""

    page_size: int = PAGE_SIZE
    watch_seconds: float = WATCH_SECONDS
    silence_seconds: float = SILENCE_SECONDS


class HttpCollection(Generic[T]):
    """A `Selection` of objects on one API server; a `reflector.Source`."""

    def __init__(
        self,
        transport: Transport,
        selection: Selection,
        decode: Decoder[T],
        *,
        bounds: Bounds = Bounds(),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Say what to read; nothing is sent yet.  ``jitter`` gives numbers in [0, 1)."""
        self._transport = transport
        self._selection = selection
        self._path = selection.resource.path(selection.namespace)
        self._decode = decode
        self._bounds = bounds
        self._jitter = jitter

    def __str__(self) -> str:
        """Name it for logs and metrics: the plural of the kind."""
        return self._selection.resource.plural

    async def list(self) -> Listed[T]:
        """Read everything as it is now, page by page; raise `KubeError`.

        Begins again when a page expired half-way, `LIST_ATTEMPTS` times in all.
        """
        for _ in range(LIST_ATTEMPTS - 1):
            try:
                return await self._list_once()
            except Expired:
                continue
        return await self._list_once()

    async def _list_once(self) -> Listed[T]:
        objects: list[Object[T]] = []
        query = self._selection.query() | {"limit": str(self._bounds.page_size)}
        version = ""
        for _ in range(MAX_PAGES):
            raw = await self._transport.send(Request("GET", self._path, dict(query)))
            page = decode_page(raw, self._decode)
            objects += page.objects
            # The first page's: were a later one newer, the watch would replay the difference.
            version = version or page.version
            if not page.next:
                return Listed(tuple(objects), version)
            query |= {"continue": page.next}
        raise Malformed(f"{self._path}: a list of more than {MAX_PAGES} pages")

    async def watch(self, since: str) -> AsyncGenerator[Event[T], None]:
        """Stream what happened after version ``since`` until the server ends the response.

        First comes `Opened`.  Raises `Expired` when ``since`` is too old, `Silent` for a dead
        connection, `Malformed` for a line that is no event, and the rest of `KubeError`.
        Close it (``aclosing``) to close the connection.
        """
        seconds = self._bounds.watch_seconds * (0.75 + 0.5 * self._jitter())
        query = self._selection.query() | {
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(max(1, round(seconds))),
        }
        request, silence = Request("GET", self._path, query), self._bounds.silence_seconds
        async with self._transport.stream(request, silence_seconds=silence) as stream:
            yield Opened(since)
            lines = Lines()
            # A line cut short is a cut connection, not garbage: its rest is never decoded.
            async for chunk in stream.iter_any():
                for line in lines.feed(chunk):
                    yield decode_event(line, self._decode)
