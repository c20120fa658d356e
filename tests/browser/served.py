"""The manager's real application on loopback, in a thread of its own, as a browser meets it."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from ring.web import make_app
from tests.unit.ring.serving import Stage

T = TypeVar("T")
PATIENCE = 30.0  # seconds for anything that runs in the thread


@dataclass
class Served:
    """A stage that a browser looks at.

    Attributes:
        prefix: path that the page is served under, as by the API server's proxy.

    """

    stage: Stage
    loop: asyncio.AbstractEventLoop
    prefix: str = ""
    port: int = 0
    runner: web.AppRunner | None = None
    asked: list[str] | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}{self.prefix}/"

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the thread, which has the pictures."""

        async def called() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(PATIENCE)

    def show(self) -> None:
        """Publish the stage's world as it is now."""
        self.call(self.stage.show)

    def start(self) -> None:
        """Serve, on the port of before if there was one."""
        asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(PATIENCE)

    def stop(self) -> None:
        """Serve no more; the picture is kept."""
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result(PATIENCE)

    async def _start(self) -> None:
        app = make_app(self.stage.latest)
        if self.prefix:
            outer = web.Application()
            outer.add_subapp(self.prefix, app)
            app = outer
        self.runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self.runner.addresses[0][1]

    async def _stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None


@contextlib.contextmanager
def served(stage: Stage, prefix: str = "") -> Iterator[Served]:
    """Serve a stage until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = Served(stage, loop, prefix)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
