"""One container of a pod: its process, started again with growing pauses when it ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from localring.cache import Tell
from localring.errors import ProcessFailedError
from localring.process import Process, how_it_ended


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a container is started again.

    Attributes:
        first: seconds after the first end; doubles from then on.  The kubelet's is 10.
        longest: seconds it never grows beyond.  The kubelet's is 300.
        forgiven: seconds of running after which it begins anew.  The kubelet's is 600.

    """

    first: float = 0.5
    longest: float = 8.0
    forgiven: float = 60.0

    def pause(self, failures: int) -> float:
        """Return the pause after ``failures`` ends in a row."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30))


class Container:
    """Keeps one process running until it is stopped.

    Attributes:
        name: for messages.
        restarting: whether an ended process is started again; may be changed at any time.
        restarts: how often that was done.

    """

    def __init__(
        self, name: str, start: Callable[[], Awaitable[Process]], backoff: Backoff, tell: Tell
    ) -> None:
        self.name = name
        self.restarting = True
        self.restarts = 0
        self._start = start
        self._backoff = backoff
        self._tell = tell
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._may_start = asyncio.Lock()

    @property
    def process(self) -> Process:
        """The process last started; `ProcessFailedError` before the first start."""
        if self._process is None:
            raise ProcessFailedError(f"{self.name} was never started")
        return self._process

    @property
    def started(self) -> bool:
        """Whether it ever was."""
        return self._process is not None

    @property
    def running(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._process is not None and self._process.running

    async def run(self) -> None:
        """Start it, and again whenever it ends, until `stop`, or until it may not restart.

        Cancelling kills the process.
        """
        failures = 0
        clock = asyncio.get_running_loop().time
        try:
            while not self._stopping.is_set():
                async with self._may_start:
                    began = clock()
                    self._process = await self._start()
                if self._stopping.is_set():  # while it was being started
                    return
                code = await self._process.wait()
                if self._stopping.is_set() or not self.restarting:
                    return
                failures = 1 if clock() - began > self._backoff.forgiven else failures + 1
                pause = self._backoff.pause(failures)
                self._tell(f"{self.name}: {how_it_ended(code)}, again in {pause:g} s")
                self.restarts += 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
        finally:
            await self.kill()

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let it not be started for as long as the block runs; what runs goes on."""
        async with self._may_start:
            yield

    async def stop(self, grace: float) -> None:
        """SIGTERM, SIGKILL after ``grace`` seconds; it is not started again."""
        self._stopping.set()
        if self._process is not None:
            await self._process.stop(grace)

    async def kill(self) -> None:
        """SIGKILL; it is started again unless stopped."""
        if self._process is not None:
            await self._process.kill()
