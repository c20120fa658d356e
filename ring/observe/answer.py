"""An answer by HTTP/1.1 from its bytes, as they come (RFC 9112): as much as sidecars are asked.

A client that can do everything takes three times the CPU for a short answer, and a thousand
sidecars are asked each second.
"""

import re
from dataclasses import dataclass
from typing import Final

MOST_HEAD: Final = 2**14
"""Bytes of a status line and its header fields, and of a line between two chunks."""
LONG: Final = 2**14
"""Bytes from which on a body is a long one."""
STATUS: Final = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: ([^\r\n]{0,200}).*)?", re.DOTALL)
LENGTH: Final = re.compile(rb"\d{1,12}")
CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
BODILESS: Final = frozenset({204, 304})


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


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before a body; ``length`` None: it is told by chunks or by the end."""

    status: int
    reason: str
    date: str | None
    lasts: bool
    length: int | None
    chunked: bool


class AnswerReader:
    """Takes the bytes of one answer.

    Args:
        most: bytes of a body.

    """

    __slots__ = ("_body", "_buffer", "_head", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._body = bytearray()
        self._head: _Head | None = None

    @property
    def is_long(self) -> bool:
        """Whether what is still to come may be much."""
        head = self._head
        return head is not None and (head.length is None or head.length > LONG)

    def feed(self, data: bytes | memoryview) -> Answer | None:
        """Take bytes; return the answer where these were its last."""
        self._buffer += data
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n", 0, MOST_HEAD)
            if end < 0:
                if len(self._buffer) > MOST_HEAD:
                    raise BadAnswerError("an answer without an end of its head")
                return None
            self._head = _head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
        return self._advance(self._head)

    def ended(self) -> Answer:
        """Return the answer that the end of the connection completes."""
        head = self._head
        if head is None or head.chunked or head.length is not None:
            raise ConnectionResetError("disconnected in the middle of an answer")
        return self._answer(head, bytes(self._buffer))

    def _advance(self, head: _Head) -> Answer | None:
        if head.chunked:
            whole = self._dechunk()
            self._bound(len(self._body))
            return self._answer(head, bytes(self._body)) if whole else None
        self._bound(len(self._buffer) if head.length is None else head.length)
        if head.length is None or len(self._buffer) < head.length:
            return None
        if len(self._buffer) > head.length:
            raise BadAnswerError("more was sent than an answer")
        return self._answer(head, bytes(self._buffer))

    def _dechunk(self) -> bool:
        """Move whole chunks to the body; say whether the last was among them."""
        buffer = self._buffer
        while (end := buffer.find(b"\r\n", 0, MOST_HEAD)) >= 0:
            said = CHUNK.fullmatch(buffer, 0, end)
            if said is None:
                raise BadAnswerError("chunks that are none")
            size = int(said[1], 16)
            if size == 0:
                return buffer.find(b"\r\n\r\n", end) >= 0  # fields may come after the last
            self._bound(len(self._body) + size)
            if len(buffer) < end + size + 4:
                return False
            self._body += buffer[end + 2 : end + 2 + size]
            del buffer[: end + size + 4]
        if len(buffer) > MOST_HEAD:
            raise BadAnswerError("chunks that are none")
        return False

    def _bound(self, size: int) -> None:
        if size > self._most:
            raise BadAnswerError(f"an answer of over {self._most >> 20} MiB")

    def _answer(self, head: _Head, body: bytes) -> Answer:
        return Answer(head.status, head.reason, head.date, body, head.lasts)


def _head(raw: bytes) -> _Head:
    first, *lines = raw.split(b"\r\n")
    said = STATUS.fullmatch(first)
    if said is None:
        raise BadAnswerError("no answer by HTTP/1.1")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip()
        if name == b"content-length" and fields.get(name, value) != value:
            raise BadAnswerError("an answer of two lengths")
        fields[name] = value
    status = int(said[2])
    chunked = fields.get(b"transfer-encoding", b"").lower()
    if chunked not in {b"", b"chunked"}:
        raise BadAnswerError("an answer in an encoding that was not asked for")
    length = _length(fields, status) if not chunked else None
    connection = fields.get(b"connection", b"keep-alive" if said[1] == b"1" else b"close")
    date = fields.get(b"date")
    return _Head(
        status=status,
        reason=(said[3] or b"").decode("latin-1"),
        date=None if date is None else date.decode("latin-1"),
        lasts=connection.lower() == b"keep-alive" and (length is not None or bool(chunked)),
        length=length,
        chunked=bool(chunked),
    )


def _length(fields: dict[bytes, bytes], status: int) -> int | None:
    if status in BODILESS:
        return 0
    text = fields.get(b"content-length")
    if text is None:
        return None
    if not LENGTH.fullmatch(text):
        raise BadAnswerError("an answer of a length that is no number")
    return int(text)
