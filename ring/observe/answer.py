"""An answer by HTTP/1.1 from its bytes, as they come: llhttp reads it, this bounds it.

A client that can do everything takes three times the CPU for a short answer, and a thousand
sidecars are asked each second.
"""

from dataclasses import dataclass
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MOST_HEAD: Final = 2**14
"""Bytes that may come before a body."""
LONG: Final = 2**14
"""Bytes from which on a body is a long one."""
FRAMED: Final = 2
"""As many times the bytes of a body may come for one: chunks have sizes, fields may follow."""
_BEFORE, _HEAD, _BODY, _WHOLE = range(4)


class BadAnswerError(OSError):
    """What was sent is no answer that is read here; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        date: the header field, as it was sent.
        lasts: whether the connection may be used again.

    """

    status: int
    reason: str
    date: str | None
    body: bytes
    lasts: bool


class AnswerReader:
    """Takes the bytes of one answer.

    Args:
        most: bytes of a body.

    """

    __slots__ = ("_parts",)

    def __init__(self, most: int) -> None:
        self._parts = _Parts(most)

    @property
    def is_long(self) -> bool:
        """Whether what is still to come may be much."""
        parts = self._parts
        return parts.state == _BODY and (parts.length is None or parts.length > LONG)

    def feed(self, data: bytes | memoryview) -> Answer | None:
        """Take bytes; return the answer where these were its last."""
        parts = self._parts
        try:
            parts.parser.feed_data(data)
        except HttpParserError as error:
            told = error.__context__  # what a callback has raised
            if isinstance(told, BadAnswerError):
                raise told from None
            raise BadAnswerError(f"no answer by HTTP/1.1: {error}") from None
        except HttpParserUpgrade:
            raise BadAnswerError("an answer that changes to another protocol") from None
        if parts.state == _WHOLE:
            return parts.answer()
        parts.size += len(data)
        if parts.state <= _HEAD and parts.size > MOST_HEAD:
            raise BadAnswerError("an answer without an end of its head")
        if parts.size > FRAMED * parts.most + MOST_HEAD:
            raise BadAnswerError("an answer of which more is sent than what it says")
        return None

    def ended(self) -> Answer:
        """Return the answer that the end of the connection completes."""
        parts = self._parts
        told = {b"content-length", b"transfer-encoding"} & parts.fields.keys()
        if parts.state != _BODY or told:
            raise ConnectionResetError("disconnected in the middle of an answer")
        return parts.answer()


class _Parts:
    """What llhttp has read; an error that a callback raises comes out of `feed_data`."""

    __slots__ = (
        "body",
        "fields",
        "lasts",
        "length",
        "most",
        "parser",
        "reason",
        "size",
        "state",
    )

    def __init__(self, most: int) -> None:
        self.most = most
        self.parser = HttpResponseParser(self)
        self.state = _BEFORE
        self.size = 0
        self.length: int | None = None
        self.reason = b""
        self.fields: dict[bytes, bytes] = {}
        self.body = bytearray()
        self.lasts = False

    def answer(self) -> Answer:
        status = self.parser.get_status_code()
        del self.parser  # each holds the other, five thousand times in a cycle
        date = self.fields.get(b"date")
        return Answer(
            status,
            self.reason.decode("latin-1"),
            None if date is None else date.decode("latin-1"),
            bytes(self.body),
            self.lasts,
        )

    def on_message_begin(self) -> None:
        if self.state != _BEFORE:
            raise BadAnswerError("more was sent than an answer")
        self.state = _HEAD

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.state == _HEAD:  # those after a body are not asked for
            self.fields[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status < 200:  # noqa: PLR2004 -- RFC 9110 15.2: not the last, and nobody asked for it
            raise BadAnswerError(f"HTTP {status} is no answer")
        if self.fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise BadAnswerError("an answer in an encoding that was not asked for")
        length = self.fields.get(b"content-length")
        if length is not None:
            self.length = int(length)  # llhttp has looked at it
            self._bound(self.length)
        self.lasts = self.parser.should_keep_alive()  # asked later it is always no
        self.state, self.size = _BODY, 0

    def on_body(self, part: bytes) -> None:
        self.body += part
        self._bound(len(self.body))

    def on_message_complete(self) -> None:
        self.state = _WHOLE

    def _bound(self, size: int) -> None:
        if size > self.most:
            raise BadAnswerError(f"an answer of over {self.most >> 20} MiB")
