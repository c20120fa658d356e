"""``GET /v1/stream``: tells with server-sent events that there is a new picture."""

import asyncio
import contextlib
from typing import Final

from aiohttp import web

from ring.http import GUARDS, Refusal, encode
from ring.judged import Shown
from ring.latest import Latest
from ring.parts import summary

QUIET_SECONDS: Final = 15.0
"""After so long without news a comment keeps what is on the way from ending the stream."""
WRITE_SECONDS: Final = 5.0
"""Who has not taken an event after this long is dropped: it asks again, and gets the newest."""
MAX_STREAMS: Final = 100
"""Open pages and `ring watch` commands; a replica has memory and descriptors for many more."""
RETRY_MILLISECONDS: Final = 2000


class Streams:
    """The open streams of one replica; each sends the newest picture, none in between."""

    def __init__(
        self, latest: Latest, limit: int = MAX_STREAMS, quiet: float = QUIET_SECONDS
    ) -> None:
        self._latest, self._limit, self._quiet = latest, limit, quiet
        self._open: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one stream until its reader or the program ends."""
        if self.count >= self._limit:
            raise Refusal(503, f"{self.count} streams are open", "close some, or poll /v1/ring")
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # nginx would hold events back
                **GUARDS,
            }
        )
        task = asyncio.ensure_future(self._serve(request, response))
        self._open.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if not self._closing:
                raise
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()  # what it did not take is not worth keeping
        finally:
            self._open.discard(task)
        return response

    async def close(self) -> None:
        """End all streams, so that their readers go to another replica."""
        self._closing = True
        for task in tuple(self._open):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, TimeoutError):
                await task

    async def _serve(self, request: web.Request, response: web.StreamResponse) -> None:
        await response.prepare(request)
        await _write(response, f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        version = request.headers.get("Last-Event-ID", "")
        while True:
            shown = await self._latest.other_than(version, self._quiet)
            if shown is None:
                await _write(response, b": still here\n\n")
            else:
                version = shown.version
                await _write(response, event(shown))


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(data)


def event(shown: Shown) -> bytes:
    """Write an event as the stream has it."""
    return b"event: ring\nid: %b\ndata: %b\n\n" % (
        shown.version.encode(),
        encode(summary(shown)),
    )
