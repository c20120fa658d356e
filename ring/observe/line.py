"""A connection to one sidecar that stays open between questions."""

import asyncio
import ipaddress
import time
from collections.abc import Callable
from typing import Final, cast
from urllib.parse import quote

from ring.observe.answer import LONG, Answer, AnswerReader, BadAnswerError

AGENT: Final = "ring-manager"
ROOM: Final = 2**18
"""Bytes that are read at once of an answer whose turn it is; of others as few as are short."""


class Line:
    """Asks one address, one question at a time.

    Whoever is done with it, or no longer waits for an answer, has to `close` it.

    Args:
        most: bytes of an answer.
        room: where bytes are put as they come, shared by all lines of one event loop.
        clock: monotonic seconds.

    """

    def __init__(
        self,
        address: str,
        port: int,
        most: int,
        room: memoryview,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address, self._port, self._most = address, port, most
        self._room, self._clock = room, clock
        self._wire: _Wire | None = None
        self._question: tuple[str | None, bytes] | None = None

    @property
    def answered(self) -> float:
        """When the last answer began, by the clock."""
        return self._wire.answered if self._wire else self._clock()

    async def ask(self, peers: str | None) -> Answer | None:
        """Ask for ``/v1/node``; return None where the answer is a long one: `rest` reads that.

        Args:
            peers: the hash of the peers that are known.

        Raises:
            OSError: where there is none.

        """
        question = self._written(peers)
        wire = self._wire
        if wire is not None and wire.free:
            try:
                return await self._waited(wire.ask(question))
            except ConnectionError:
                if wire.begun:
                    raise  # else it was closed as it was asked: connections that are idle are
        self._wire = wire = await self._connect()
        return await self._waited(wire.ask(question))

    async def rest(self) -> Answer:
        """Read the answer that is a long one."""
        if self._wire is None:
            raise ConnectionResetError("disconnected")
        answer = await self._waited(self._wire.rest())
        if answer is None:
            raise BadAnswerError("an answer without an end")
        return answer

    def close(self) -> None:
        """Close the connection; the next question opens one."""
        if self._wire is not None:
            self._wire.abort()
            self._wire = None

    async def _connect(self) -> "_Wire":
        self.close()
        try:
            ipaddress.ip_address(self._address)
        except ValueError:
            raise BadAnswerError(f"{self._address!r} is no IP address") from None
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(
            lambda: _Wire(self._most, self._room, self._clock), self._address, self._port
        )
        return wire

    async def _waited(self, coming: "asyncio.Future[Answer | None]") -> Answer | None:
        try:
            return await coming
        except BaseException:
            self.close()  # nobody knows what else would come
            raise

    def _written(self, peers: str | None) -> bytes:
        """Write a question; the one before is kept, as most are the same."""
        if self._question is None or self._question[0] != peers:
            query = f"?peers={quote(peers, safe='')}" if peers else ""
            text = (
                f"GET /v1/node{query} HTTP/1.1\r\n"
                f"Host: {host_in_url(self._address)}:{self._port}\r\n"
                f"User-Agent: {AGENT}\r\nAccept: */*\r\n\r\n"
            )
            self._question = peers, text.encode()
        return self._question[1]


class _Wire(asyncio.BufferedProtocol):
    """One TCP connection."""

    def __init__(self, most: int, room: memoryview, clock: Callable[[], float]) -> None:
        self._most, self._room, self._clock = most, room, clock
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[Answer | None] | None = None
        self._may_read_all = False
        self.begun = False
        self.answered = 0.0

    @property
    def closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    @property
    def free(self) -> bool:
        """Whether it may be asked: an answer that was not read to its end is still coming."""
        return self._reader is None and not self.closing

    def ask(self, question: bytes) -> "asyncio.Future[Answer | None]":
        """Send a question; the future has the answer, or None where it is a long one."""
        self.begun, self._may_read_all = False, False
        self._reader = AnswerReader(self._most)
        coming = self._wait()
        if self._transport is not None:
            self._transport.write(question)
        return coming

    def rest(self) -> "asyncio.Future[Answer | None]":
        """Go on with a long answer."""
        self._may_read_all = True
        coming = self._wait()
        if self.closing or self._transport is None:
            self._fail(ConnectionResetError("disconnected"))
        else:
            self._transport.resume_reading()
        return coming

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._room if self._may_read_all else self._room[:LONG]

    def buffer_updated(self, nbytes: int) -> None:
        reader = self._reader
        if reader is None:
            self.abort()  # nobody asked
            return
        if not self.begun:
            self.begun, self.answered = True, self._clock()
        try:
            answer = reader.feed(self._room[:nbytes])
        except BadAnswerError as error:
            self._fail(error)
            return
        if answer is not None:
            self._done(answer)
        elif reader.is_long and not self._may_read_all and self._transport is not None:
            self._transport.pause_reading()
            self._tell(None)

    def eof_received(self) -> None:
        if self._reader is not None and self.begun:
            try:
                self._done(self._reader.ended())
            except OSError as error:
                self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("disconnected"))

    def _wait(self) -> "asyncio.Future[Answer | None]":
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def _done(self, answer: Answer) -> None:
        self._reader = None
        if not answer.lasts and self._transport is not None:
            self._transport.close()
        self._tell(answer)

    def _tell(self, answer: Answer | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _fail(self, error: Exception) -> None:
        waiter, self._waiter, self._reader = self._waiter, None, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        self.abort()


def room() -> memoryview:
    """Make what lines share."""
    return memoryview(bytearray(ROOM))


def host_in_url(address: str) -> str:
    """Write an address as URLs have it."""
    return f"[{address}]" if ":" in address else address
