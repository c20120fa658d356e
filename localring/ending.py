"""How a command ends on signals: cancelled, so that it cleans up, or at the end of its rest."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Hears signals; to be made where the event loop runs."""

    def __init__(self) -> None:
        self._received: signal.Signals | None = None
        self._resting = False
        self._rested = asyncio.Event()

    async def run(self, command: Coroutine[Any, Any, int]) -> int:
        """Run ``command``; the first signal cancels it, further ones do nothing.

        Gives its exit code, or 128 + n where signal n cancelled it.
        """
        task = asyncio.ensure_future(command)
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._hear, number, task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._received is None:
                raise
            return 128 + self._received

    async def rest(self, seconds: float) -> None:
        """Wait; a Ctrl-C meanwhile ends nothing but the wait."""
        self._resting = True
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rested.wait(), seconds)
        finally:
            self._resting = False

    def _hear(self, number: signal.Signals, task: asyncio.Task[int]) -> None:
        if self._received is not None:
            return
        self._received = number
        if self._resting and number is signal.SIGINT:
            self._rested.set()
        else:
            task.cancel()
