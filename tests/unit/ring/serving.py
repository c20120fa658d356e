"""The manager's HTTP API as it is, over a world that a test has made."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from ring.judged import Judged, judge
from ring.latest import Latest
from ring.stream import Streams
from ring.web import AskSeeds, make_app
from tests.unit.ring.worlds import World

AT = 1767225600.0
Client = TestClient[Request, Application]


class Time:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A served world: change the world, then `show` it."""

    def __init__(self, world: World, time: Time | None = None) -> None:
        self.world = world
        self.latest = Latest(clock=time, replica="test") if time else Latest(replica="test")
        self._judged: Judged | None = None
        self._at = AT

    def show(self) -> Judged:
        """Judge the world as it is now and publish it, a second after the last time."""
        self._judged = judge(self.world.observed(), self._at, self._judged)
        self._at += 1
        self.latest.publish(self._judged)
        return self._judged


@asynccontextmanager
async def serving(
    stage: Stage, ask_seeds: AskSeeds | None = None, streams: Streams | None = None
) -> AsyncGenerator[Client]:
    """Serve a stage on loopback."""
    app = make_app(stage.latest, ask_seeds=ask_seeds, streams=streams)
    async with TestClient(TestServer(app)) as client:
        yield client
