"""A sleep that does not sleep: it notes each pause, and can hold whoever would sleep next."""

import asyncio
from collections.abc import Callable


class Bell:
    """Rung whenever something happened; whoever waits for a condition then looks again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for ``condition``, which changes only with a ring; 10 s are a failure."""
        async with asyncio.timeout(10):
            while not condition():
                await self._rung.wait()


class Pauses:
    """Injected as ``sleep``: lets pass at once, but for those that `hold` holds."""

    def __init__(self, bell: Bell) -> None:
        self.taken: list[float] = []
        self._bell = bell
        self._passing = asyncio.Event()
        self._passing.set()
        self._held = False

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self._bell.ring()
        await asyncio.sleep(0)
        if not self._passing.is_set():
            self._held = True
            self._bell.ring()
            await self._passing.wait()
            self._held = False

    async def at_least(self, count: int) -> None:
        """Wait until the ``count``-th pause was begun."""
        await self._bell.until(lambda: len(self.taken) >= count)

    def hold_next(self) -> None:
        """Let no pause end from now on."""
        self._passing.clear()

    async def held(self) -> None:
        """Wait until somebody is being held."""
        await self._bell.until(lambda: self._held)

    async def hold(self) -> None:
        """Hold the next pause, and wait for it."""
        self.hold_next()
        await self.held()

    def let_go(self) -> None:
        """Let pass again."""
        self._passing.set()
