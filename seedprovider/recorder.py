"""Keeps the journal: takes lines at no cost to whoever decides, and writes them beside.

Best effort by design: a decision never waits for the journal and never fails for it. What could
not be kept is said in the journal itself, so that no reader takes a gap for silence.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from seedprovider import journal
from seedprovider.decision import Decision, Policy
from seedprovider.journal import Began, Decided, Full, Lost, Own, Purpose
from seedprovider.model import Asker, Endpoint, Report, View

LIMIT_BYTES: Final = 64 * 2**20
"""Some hours of a ring of three that is hard at work; a quiet one writes next to nothing."""
TAIL_BYTES: Final = 256
"""Room for the line that says that the bound is reached."""
QUEUE: Final = 1000
"""Lines that wait for the disk; each holds a view, most of which it shares with others."""
FLUSH_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class Recorder:
    """Appends lines to one file, in a thread of its own, up to a bound."""

    def __init__(
        self,
        path: Path,
        *,
        limit_bytes: int = LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Begin to write; nothing that goes wrong with the file is ever raised."""
        self._path = path
        self._limit = limit_bytes
        self._clock = clock
        self._wall = wall
        self._lines: queue.Queue[journal.Any | None] = queue.Queue(QUEUE)
        self._lost = 0
        self._own: Report | None = None
        self._running: journal.Outcome | None = None
        self._thread = threading.Thread(target=self._write_all, daemon=True, name="journal")
        self._thread.start()

    def note(self, line: journal.Any) -> None:
        """Keep a line, with the time put in; lost where the disk is slower than they come."""
        stamped = msgspec.structs.replace(line, at=self._clock(), wall=self._wall())
        try:
            if self._lost:
                lost = Lost(at=stamped.at, wall=stamped.wall, lines=self._lost)
                self._lines.put_nowait(lost)
                self._lost = 0
            self._lines.put_nowait(stamped)
        except queue.Full:
            self._lost += 1

    def began(self, own: Endpoint) -> None:
        """Note that the sidecar of this pod starts."""
        self.note(Began(pod=own.pod, uid=own.uid, address=own.address))

    def decided(
        self,
        purpose: Purpose,
        looked: float,
        taken: tuple[Asker, View, Policy],
        decision: Decision,
    ) -> None:
        """Note a decision; one about a running node only if it is another than the last."""
        outcome = journal.outcome_of(decision)
        if purpose is Purpose.RUNNING:
            if outcome == self._running:
                return
            self._running = outcome
        asker, view, policy = taken
        self.note(
            Decided(
                purpose=purpose,
                looked=looked,
                asker=asker,
                view=view,
                policy=policy,
                outcome=outcome,
            )
        )

    def own(self, report: Report) -> None:
        """Note what others are told of the node beside us, if that is new."""
        timeless = replace(report, received=0.0, heartbeat_age=None)
        if timeless != self._own:
            self._own = timeless
            self.note(Own(report=report))

    def close(self) -> None:
        """Write what is there, for a short time."""
        try:
            self._lines.put(None, timeout=FLUSH_SECONDS)
        except queue.Full:
            return
        self._thread.join(FLUSH_SECONDS)

    # -- in the thread ------------------------------------------------------------------------

    def _write_all(self) -> None:
        try:
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            log.warning("no journal: %s: %s", self._path, error.strerror or error)
            self._drop_all()
            return
        try:
            self._write_to(descriptor)
        except (OSError, msgspec.MsgspecError, TypeError) as error:
            log.warning("the journal ends: %s: %s", self._path, error)
        finally:
            os.close(descriptor)
        self._drop_all()

    def _write_to(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        while (line := self._lines.get()) is not None:
            text = journal.encode(line)
            if size + len(text) + TAIL_BYTES > self._limit:
                full = Full(at=line.at, wall=line.wall, limit_bytes=self._limit)
                _write_whole(descriptor, journal.encode(full))
                log.warning("the journal has reached its %d bytes and ends", self._limit)
                return
            _write_whole(descriptor, text)
            size += len(text)
        self._lines.put(None)  # so that those who come after are dropped, not kept

    def _drop_all(self) -> None:
        """Go on emptying the queue, so that nobody keeps views for nothing."""
        while self._lines.get() is not None:
            pass


def _write_whole(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]
