"""Questions through a service proxy, some of whose replicas are dead."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

import pytest

from ring.client.access import Access
from ring.client.errors import UnavailableError
from ring.client.hedged import TIMES, Hedged
from ring.client.transport import Answer, Transport

NOBODY = (503, b'{"kind": "Status", "message": "error trying to reach service"}')
STALE = (503, b'{"error": "the picture is stale", "hint": "ask again"}')
HERE = (200, b'{"version": "here"}')
SILENT = None
SOON = 0.05  # seconds


@dataclass(slots=True)
class Proxy:
    """Sends the n-th question to the n-th replica of a list, and all others to the last."""

    url: str
    replicas: Sequence[tuple[int, bytes] | None]
    late: float
    asked: int = 0
    served: list[asyncio.Future[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.get_running_loop().create_future()
        self.served.append(ended)
        while await until_asked(reader):
            self.asked += 1
            replica = self.replicas[min(self.asked, len(self.replicas)) - 1]
            if replica is None:
                continue
            await asyncio.sleep(self.late if self.asked == 1 else 0)
            status, body = replica
            head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
        writer.close()
        ended.set_result(None)


async def until_asked(reader: asyncio.StreamReader) -> bool:
    try:
        await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True


@asynccontextmanager
async def proxied(
    *replicas: tuple[int, bytes] | None, late: float = 0
) -> AsyncGenerator[Proxy]:
    proxy = Proxy("", replicas, late)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1") as server:
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy
        async with asyncio.timeout(10):  # less than a connection waits for an answer
            await asyncio.gather(*proxy.served)


async def asked(proxy: Proxy, times: int = 1) -> list[Answer]:
    hedged = Hedged(lambda: Transport(Access(proxy.url, proxy="")), patience=SOON)
    with closing(hedged):
        return [await asyncio.to_thread(hedged.get, "/v1/ring") for _ in range(times)]


async def test_a_silent_replica_is_passed_by_and_its_connection_ended() -> None:
    async with proxied(SILENT, SILENT, HERE) as proxy:
        answers = await asked(proxy, times=2)

    assert [each.body for each in answers] == [HERE[1]] * 2
    assert proxy.asked == 4  # the second question goes by the connection that answered


async def test_a_late_answer_still_counts_while_others_are_silent() -> None:
    async with proxied(HERE, SILENT, late=2 * TIMES * SOON) as proxy:
        (answer,) = await asked(proxy)

    assert answer.body == HERE[1]
    assert proxy.asked == TIMES


async def test_where_the_api_server_reaches_nobody_it_is_asked_again() -> None:
    async with proxied(NOBODY, HERE) as proxy:
        (answer,) = await asked(proxy)
    async with proxied(NOBODY) as never:
        (in_vain,) = await asked(never)

    assert (answer.status, proxy.asked) == (200, 2)
    assert ((in_vain.status, in_vain.body), never.asked) == (NOBODY, TIMES)


async def test_what_a_manager_says_is_taken_at_its_first_word() -> None:
    async with proxied(STALE, HERE) as proxy:
        (answer,) = await asked(proxy)

    assert ((answer.status, answer.body), proxy.asked) == (STALE, 1)


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    async with proxied(HERE) as proxy:
        pass
    with pytest.raises(UnavailableError, match="refused"):
        await asked(proxy)


class Writing(Transport):
    """Sends to somebody who has gone."""

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:  # noqa: ARG002
        reading, writing = os.pipe()
        os.close(reading)
        try:
            os.write(writing, b"question")
        except BrokenPipeError:
            return Answer(HERE[0], {}, HERE[1])
        finally:
            os.close(writing)
        raise AssertionError("somebody took it")


def test_a_question_that_nobody_takes_does_not_end_a_command_that_writes() -> None:
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as for an answer
    try:
        answer = Hedged(lambda: Writing(Access("http://localhost"))).get("/v1/ring")
    finally:
        signal.signal(signal.SIGPIPE, before)

    assert answer.body == HERE[1]
