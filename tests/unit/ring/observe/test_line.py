"""A line to a sidecar: kept, replaced when it was closed, never read past what was asked."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ring.observe.answer import LONG, BadAnswerError
from ring.observe.line import Line, room

HOST = "127.71.0.9"
MOST = 2**22
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@asynccontextmanager
async def line_to(talk: Talk, space: memoryview | None = None) -> AsyncGenerator[Line]:
    """Yield a line to a server that talks so on each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    line = Line(HOST, server.sockets[0].getsockname()[1], MOST, space or room())
    try:
        async with asyncio.timeout(20):
            yield line
    finally:
        line.close()
        server.close()
        await server.wait_closed()


async def body(line: Line, peers: str | None = None) -> bytes:
    found = await line.ask(peers) or await line.rest()
    return found.body


async def test_one_connection_serves_many_questions_that_say_what_is_known() -> None:
    connections, asked = 0, []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
            writer.write(answer(b"%d" % len(asked)))

    async with line_to(talk) as line:
        said = [await body(line, peers) for peers in (None, "a b&\r\n", "a b&\r\n")]

    assert said == [b"1", b"2", b"3"]
    assert connections == 1
    assert asked == [
        b"GET /v1/node HTTP/1.1",
        b"GET /v1/node?peers=a%20b%26%0D%0A HTTP/1.1",
        b"GET /v1/node?peers=a%20b%26%0D%0A HTTP/1.1",
    ]


async def test_a_line_that_was_closed_as_it_was_asked_is_replaced_once() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        if connections < 3:
            writer.write(answer(b"%d" % connections))
            await reader.readuntil(b"\r\n\r\n")  # and closes without a word

    async with line_to(talk) as line:
        assert await body(line) == b"1"
        assert await body(line) == b"2"
        with pytest.raises(ConnectionError, match="disconnected"):
            await line.ask(None)

    assert connections == 3


async def test_a_long_answer_waits_for_its_turn_in_the_other_end() -> None:
    long, space = b"x" * (3 * 2**20), room()
    sent = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=0)
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(long))
            await writer.drain()
            sent.set()

    async with line_to(talk, space) as line:
        assert await line.ask(None) is None
        assert not any(space[LONG:])  # no more of it was taken
        assert (await line.rest()).body == long
        assert sent.is_set()
        assert await body(line) == long  # and the line is as it was


async def test_what_is_sent_unasked_ends_the_line_and_is_no_answer() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"%d" % connections))
        await writer.drain()
        if connections == 1:
            await asyncio.sleep(0.05)
            writer.write(answer(b"unasked"))
        await reader.read()

    async with line_to(talk) as line:
        first = await body(line)
        await asyncio.sleep(0.2)
        assert [first, await body(line)] == [b"1", b"2"]


async def test_who_no_longer_waits_gets_no_old_answer_the_next_time() -> None:
    asked = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            number = asked
            await asyncio.sleep(0.3 if number == 1 else 0)
            writer.write(answer(b"%d" % number))

    async with line_to(talk) as line:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await line.ask(None)
        assert await body(line) == b"2"


async def test_an_answer_that_nobody_read_to_its_end_is_not_the_next_ones() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"%d" % connections * 2 * LONG))
        await reader.read()

    async with line_to(talk) as line:
        assert await line.ask(None) is None
        assert await body(line) == b"2" * 2 * LONG


@pytest.mark.parametrize("address", ["cassandra-0", "", "127.0.0.1\r\nX: y"])
async def test_only_addresses_are_asked(address: str) -> None:
    with pytest.raises(BadAnswerError, match="is no IP address"):
        await Line(address, 1, MOST, room()).ask(None)
