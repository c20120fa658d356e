"""A CQL client of a few verbs: enough to probe a node, to write rows and to read them back.

Native protocol version 4, one connection, one request at a time.
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, ip_address
from typing import Any
from uuid import UUID

from localring.errors import StageError
from localring.settings import CQL_PORT
from localring.waiting import wait_until

PROBE_PATIENCE = 2.0  # seconds; a node that serves answers in milliseconds
REQUEST_PATIENCE = 20.0  # seconds; schema changes wait for the whole ring
MAX_FRAME = 16 * 2**20  # bytes; the protocol allows 256 MiB
VERSION = 4
AUTHENTICATE, AUTH_RESPONSE, AUTH_SUCCESS = 0x03, 0x0F, 0x10
ERROR, STARTUP, READY, OPTIONS, SUPPORTED, QUERY, RESULT = (
    0x00,
    0x01,
    0x02,
    0x05,
    0x06,
    0x07,
    0x08,
)
CONSISTENCY = {"ONE": 1, "QUORUM": 4, "ALL": 5, "LOCAL_QUORUM": 6, "LOCAL_ONE": 10}
ROWS = 0x0002
GLOBAL_TABLE, HAS_MORE, NO_METADATA = 0x01, 0x02, 0x04
CUSTOM, LIST, MAP, SET = 0x00, 0x20, 0x21, 0x22

Row = dict[str, Any]


class CqlError(StageError):
    """The node answered a request with an error.

    Attributes:
        code: error code of the native protocol, such as 0x1000 (unavailable).

    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Say the code in hexadecimal, as Cassandra's documentation lists it."""
        return f"CQL error {self.code:#06x}: {self.message}"


class Session:
    """An open connection; get one from `connect`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def execute(self, statement: str, consistency: str = "LOCAL_QUORUM") -> list[Row]:
        """Run one statement; give its rows, none for a statement without.

        Text, numbers, booleans, UUIDs, addresses and collections of them are decoded; other
        types come as bytes.  A result is not paged.
        """
        text = statement.encode()
        body = struct.pack(f">i{len(text)}sHB", len(text), text, CONSISTENCY[consistency], 0)
        opcode, answer = await self._request(QUERY, body)
        if opcode != RESULT:
            raise StageError(f"unexpected answer {opcode:#04x} to a query")
        return _Body(answer).rows()

    async def agree_on_schema(self) -> None:
        """Wait until this node and all its peers have one schema."""

        async def missing() -> str | None:
            versions = await self._schemas()
            return f"{len(versions)} schema versions" if len(versions) > 1 else None

        await wait_until("one schema", missing, patience=REQUEST_PATIENCE)

    async def _schemas(self) -> set[Any]:
        rows = await self.execute("SELECT schema_version FROM system.local", "ONE")
        rows += await self.execute("SELECT schema_version FROM system.peers_v2", "ONE")
        return {row["schema_version"] for row in rows}

    async def say(self, opcode: int, body: bytes, expected: int) -> None:
        """Send a request whose answer carries nothing but its kind."""
        answered, _ = await self._request(opcode, body)
        if answered != expected:
            raise StageError(f"unexpected answer {answered:#04x} to request {opcode:#04x}")

    async def _request(self, opcode: int, body: bytes) -> tuple[int, bytes]:
        async with asyncio.timeout(REQUEST_PATIENCE):
            self._writer.write(struct.pack(">BBhBi", VERSION, 0, 0, opcode, len(body)) + body)
            await self._writer.drain()
            header = await self._reader.readexactly(9)
            _, _, _, answered, length = struct.unpack(">BBhBi", header)
            if not 0 <= length <= MAX_FRAME:
                raise StageError(f"a frame of {length} bytes")
            answer = await self._reader.readexactly(length)
        if answered == ERROR:
            parser = _Body(answer)
            raise CqlError(parser.integer(), parser.string())
        return answered, answer


@asynccontextmanager
async def connect(
    address: IPv4Address,
    login: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Session]:
    """Open a session with the node at ``address``; OSError if nobody listens there.

    Args:
        address: of the node.
        login: name and password, where it asks for them (PasswordAuthenticator).
        tls: how the connection is protected.

    """
    async with asyncio.timeout(REQUEST_PATIENCE):
        reader, writer = await asyncio.open_connection(str(address), CQL_PORT, ssl=tls)
    try:
        session = Session(reader, writer)
        begin = _string_map({"CQL_VERSION": "3.0.0"})
        await session.say(STARTUP, begin, AUTHENTICATE if login else READY)
        if login:
            token = "\0".join(("", *login)).encode()
            body = struct.pack(">i", len(token)) + token
            await session.say(AUTH_RESPONSE, body, AUTH_SUCCESS)
        yield session
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answers_cql(address: IPv4Address) -> bool:
    """Tell whether a node at ``address`` serves clients: it answers OPTIONS."""
    try:
        async with asyncio.timeout(PROBE_PATIENCE):
            reader, writer = await asyncio.open_connection(str(address), CQL_PORT)
            try:
                await Session(reader, writer).say(OPTIONS, b"", SUPPORTED)
            finally:
                writer.close()
    except (OSError, EOFError, StageError):  # TimeoutError is an OSError
        return False
    return True


def _string_map(pairs: dict[str, str]) -> bytes:
    packed = struct.pack(">H", len(pairs))
    for text in (text for pair in pairs.items() for text in pair):
        data = text.encode()
        packed += struct.pack(">H", len(data)) + data
    return packed


class _Body:
    """Reads the parts of one answer in their order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        part = self._data[self._at : self._at + length]
        if len(part) != length:
            raise StageError("an answer that ends too early")
        self._at += length
        return part

    def integer(self) -> int:
        return int.from_bytes(self.take(4), signed=True)

    def short(self) -> int:
        return int.from_bytes(self.take(2))

    def string(self) -> str:
        return self.take(self.short()).decode()

    def value(self) -> bytes | None:
        length = self.integer()
        return None if length < 0 else self.take(length)

    def rows(self) -> list[Row]:
        if self.integer() != ROWS:
            return []
        flags, columns = self.integer(), self.integer()
        if flags & (NO_METADATA | HAS_MORE):
            raise StageError("a result without metadata, or with more pages")
        if flags & GLOBAL_TABLE:
            self.string()
            self.string()
        header = []
        for _ in range(columns):
            if not flags & GLOBAL_TABLE:
                self.string()
                self.string()
            header.append((self.string(), self.type()))
        return [
            {name: _decode(kind, self.value()) for name, kind in header}
            for _ in range(self.integer())
        ]

    def type(self) -> tuple[Any, ...]:
        code = self.short()
        match code:
            case 0x00:
                return (CUSTOM, self.string())
            case 0x20 | 0x22:
                return (code, self.type())
            case 0x21:
                return (code, self.type(), self.type())
            case _:
                return (code,)

    def items(self, kind: tuple[Any, ...]) -> list[Any]:
        return [_decode(kind, self.value()) for _ in range(self.integer())]


def _decode(kind: tuple[Any, ...], data: bytes | None) -> Any:  # noqa: ANN401 -- as the column is
    if data is None:
        return None
    match kind:
        case (0x01 | 0x0A | 0x0D,):
            return data.decode()
        case (0x02 | 0x05 | 0x09 | 0x13 | 0x14,):
            return int.from_bytes(data, signed=True)
        case (0x04,):
            return data != b"\0"
        case (0x0C | 0x0F,):
            return UUID(bytes=data)
        case (0x10,):
            return ip_address(data)
        case (0x20, item):
            return _Body(data).items(item)
        case (0x22, item):
            return set(_Body(data).items(item))
        case (0x21, key, value):
            body = _Body(data)
            return {
                _decode(key, body.value()): _decode(value, body.value())
                for _ in range(body.integer())
            }
        case _:
            return data
