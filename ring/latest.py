"""The newest picture, for all that serve it, and a way to wait for the next."""

import asyncio
import secrets
import time
from collections.abc import Callable

from ring.judged import Judged, Shown

STALE_SECONDS = 20.0  # three cycles of five seconds were missed, and a pause between


class Latest:
    """Holds one picture.  Use it from one event loop.

    ``clock`` gives monotonic seconds: ages do not follow a clock that is put right.
    """

    def __init__(
        self,
        stale_seconds: float = STALE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        replica: str | None = None,
    ) -> None:
        self.stale_seconds = stale_seconds
        self._clock = clock
        self._replica = replica or secrets.token_hex(4)
        self._number = 0
        self._judged: Judged | None = None
        self._taken = 0.0
        self._changed = asyncio.Event()

    def publish(self, judged: Judged, taken: float | None = None) -> None:
        """Show this from now on; it is as of ``taken`` by the clock, without it of now."""
        self._number += 1
        self._judged, self._taken = judged, self._clock() if taken is None else taken
        self._changed.set()
        self._changed = asyncio.Event()

    def shown(self) -> Shown | None:
        """Return what may be shown now; None before the first picture."""
        if self._judged is None:
            return None
        age = max(0.0, self._clock() - self._taken)
        stale = age > self.stale_seconds
        version = f"{self._replica}-{self._number}{'-stale' if stale else ''}"
        return Shown(self._judged, version, age, stale)

    async def other_than(self, version: str, patience: float) -> Shown | None:
        """Return what is shown as soon as its version differs; None after ``patience``."""
        ends = self._clock() + patience
        while (left := ends - self._clock()) > 0:
            shown, changed = self.shown(), self._changed
            if shown is not None and shown.version != version:
                return shown
            if shown is not None and not shown.stale:
                left = min(left, self.stale_seconds - shown.age + 0.01)
            try:
                async with asyncio.timeout(left):
                    await changed.wait()
            except TimeoutError:
                continue
        return None
