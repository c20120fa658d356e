"""Follows a manager's stream in a thread of its own, and comes back whenever it is cut."""

import random
import threading
from collections.abc import Callable
from typing import Final

from ring.client.errors import AccessError
from ring.client.manager import Manager

FIRST_PAUSE: Final = 0.5  # seconds before a stream that ended is asked for again
LONGEST_PAUSE: Final = 10.0


class Follower:
    """Tells when there is a new picture.

    Attributes:
        news: set when there is one, and when the stream ends or comes back.
        problem: why there is no stream now; empty while there is one.

    """

    def __init__(
        self,
        connect: Callable[[], Manager],
        jitter: Callable[[], float] = random.random,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        """``connect`` is called anew for each stream: credentials may have expired."""
        self.news = threading.Event()
        self.problem = ""
        self._connect, self._jitter, self._first_pause = connect, jitter, first_pause
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._manager: Manager | None = None
        self._last = ""
        self._thread = threading.Thread(target=self._run, name="ring-stream", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, patience: float = 2.0) -> None:
        """End the thread; it is a daemon, should the network hold it for longer."""
        self._ended.set()
        with self._lock:
            if self._manager is not None:
                self._manager.abort()
        self._thread.join(patience)

    def _run(self) -> None:
        pause = self._first_pause
        while not self._ended.is_set():
            heard = False
            try:
                heard = self._follow()
                problem = "the stream ended"  # such as when the manager is updated
            except AccessError as error:
                problem = error.problem
            if self._ended.is_set():
                return
            pause = self._first_pause if heard else min(2 * pause, LONGEST_PAUSE)
            self.problem = problem
            self.news.set()
            self._ended.wait(pause * (0.5 + self._jitter()))

    def _follow(self) -> bool:
        """Read one stream to its end; say whether anything was heard."""
        heard = False
        with self._connect() as manager:
            with self._lock:
                self._manager = manager
            try:
                for version in manager.events(self._last):
                    if self._ended.is_set():
                        break
                    heard = True
                    if self.problem or (version and version != self._last):
                        self._last, self.problem = version or self._last, ""
                        self.news.set()
            finally:
                with self._lock:
                    self._manager = None
        return heard
