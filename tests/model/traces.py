"""Journals read back: every line of one run's sidecars and its stage, in the order of time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from seedprovider import journal

RING = "ring.jsonl"


class TraceError(ValueError):
    """A journal that cannot be replayed; the text says which and why."""


class Happened(NamedTuple):
    """One line.

    Attributes:
        at: seconds on the machine's monotonic clock.
        pod: whose sidecar wrote it; "" for the stage.
        line: what it says; of the stage, plain JSON.

    """

    at: float
    pod: str
    line: Any


class Reader:
    """Reads a folder of journals again and again, each time what is new."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._pods: dict[Path, str] = {}
        self._waiting: list[Happened] = []

    def until(self, horizon: float = float("inf")) -> list[Happened]:
        """Return what happened up to then and was not returned before, in order.

        Other journals may still get lines of before that, within moments: choose it a little
        in the past while the run goes on.
        """
        for path in sorted(self._folder.glob("*.jsonl")):
            self._waiting.extend(self._new(path))
        self._waiting.sort(key=lambda each: each.at)
        found = [each for each in self._waiting if each.at <= horizon]
        self._waiting = self._waiting[len(found) :]
        return found

    def _new(self, path: Path) -> Iterator[Happened]:
        with path.open("rb") as file:
            file.seek(self._offsets.get(path, 0))
            for raw in file:
                if not raw.endswith(b"\n"):
                    break  # still being written
                self._offsets[path] = self._offsets.get(path, 0) + len(raw)
                yield self._parsed(path, raw)

    def _parsed(self, path: Path, raw: bytes) -> Happened:
        if path.name == RING:
            line = msgspec.json.decode(raw)
            return Happened(line["at"], "", line)
        line = journal.decode(raw)
        if isinstance(line, journal.Began):
            self._pods[path] = line.pod
        if path not in self._pods:
            raise TraceError(f"{path}: does not begin with the start of a sidecar")
        return Happened(line.at, self._pods[path], line)


def read(folder: Path) -> list[Happened]:
    """Return all that happened in a run that has ended."""
    return Reader(folder).until()
