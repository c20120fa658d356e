"""Waiting for something to become true, with a bound and a word on what is still missing."""

import time
from collections.abc import Callable
from dataclasses import dataclass

PAUSE = 0.5  # seconds between two looks

Missing = Callable[[], str | None]


def wait_until(what: str, missing: Missing, patience: float) -> float:
    """Look until `missing` gives None; return the seconds it took.

    A look that fails counts as one that misses something: pods come and go meanwhile.  Raises
    AssertionError with what was missing last.
    """
    began = time.monotonic()
    while True:
        try:
            lacking = missing()
        except Exception as error:  # noqa: BLE001 - told when the time is up
            lacking = f"{type(error).__name__}: {error}"
        took = time.monotonic() - began
        if lacking is None:
            return took
        if took > patience:
            raise AssertionError(f"{what}: not within {patience:g} s; {lacking}")
        time.sleep(PAUSE)


@dataclass(slots=True)
class Watch:
    """How long something held, as far as one looked.

    Attributes:
        holds: looks.
        seconds: the longest time from one look that found it to hold to another.

    """

    holds: Callable[[], bool]
    seconds: float = 0.0
    _since: float | None = None

    def look(self) -> None:
        """Look once; a look that fails says nothing."""
        try:
            holds = self.holds()
        except Exception:  # noqa: BLE001 - pods come and go meanwhile
            return
        if not holds:
            self._since = None
            return
        now = time.monotonic()
        self._since = self._since or now
        self.seconds = max(self.seconds, now - self._since)

    def look_for(self, seconds: float) -> None:
        """Look again and again for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(PAUSE)
