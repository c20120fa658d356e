"""What a watch makes of answers that are silent, garbage, or break what reads them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest

from ring.observe.bodies import decoded
from ring.observe.errors import KubeError, Malformed
from ring.observe.watching import SILENCE_SECONDS, Collection, Watch
from tests.unit.ring.serving import Time

LIST = b'{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[]}'


class Done(BaseException):
    """The script is at its end."""


class Script:
    """A server whose watches are played one after the other, each with its lines."""

    def __init__(self, *watches: Callable[[], list[bytes]]) -> None:
        self.time = Time()
        self.left = list(watches)
        self.asked: list[str] = []
        self.ages: list[float | None] = []
        self.watch: Watch[str] = Watch(
            self,
            Collection(name="pods", path="/pods", query=self.query, decode=self.decode),
            lambda: None,
            clock=self.time,
            sleep=self.sleep,
        )

    async def query(self) -> Mapping[str, str]:
        return {}

    def decode(self, raw: bytes) -> str:
        if b"bug" in raw:
            raise KeyError("bug")
        return raw.decode()

    async def sleep(self, _: float) -> None:
        self.ages.append(self.watch.reading().age)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        del path, query
        self.asked.append("list")
        return LIST

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, str], silence: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        del path, query, silence
        self.asked.append("watch")
        if not self.left:
            raise Done
        play = self.left.pop(0)

        async def said() -> AsyncIterator[bytes]:
            for line in play():
                yield line

        yield said()

    async def run(self) -> None:
        with pytest.raises(Done):
            async with asyncio.timeout(10):
                await self.watch.run()


def test_all_garbage_has_one_name() -> None:
    decode = msgspec.json.Decoder(dict[str, str]).decode
    for raw in (b"<html>", b'{"x":"\xff"}', b"[" * 100_000, b'{"x":1}'):
        with pytest.raises(Malformed, match="Lease"):
            decoded("Lease", decode, raw)
    assert issubclass(Malformed, KubeError)


async def test_a_watch_that_opens_and_says_nothing_makes_nothing_known_and_is_no_way() -> None:
    def silent() -> list[bytes]:
        script.time.now += SILENCE_SECONDS
        raise KubeError("no answer in time")

    script = Script(silent)
    await script.run()

    assert script.ages == [SILENCE_SECONDS]
    assert script.asked == ["list", "watch", "list", "watch"]


async def test_a_watch_with_bookmarks_is_taken_up_where_its_connection_ended() -> None:
    def quiet() -> list[bytes]:
        script.time.now += SILENCE_SECONDS
        return [b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}']

    script = Script(quiet)
    await script.run()

    assert script.ages == [0]
    assert script.asked == ["list", "watch", "watch"]


async def test_a_failure_that_nobody_foresaw_is_a_reading_and_not_the_end() -> None:
    script = Script(lambda: [b'{"type":"ADDED","object":{"metadata":{"name":"bug"}}}'])
    await script.run()

    assert script.asked == ["list", "watch", "list", "watch"]
