"""By which rules the sidecars of real rings decided, taken from their journals."""

import re
from pathlib import Path

import pytest

from localring.ring import LocalRing
from seedprovider.decision import Rule

provokes = pytest.mark.provokes
"""Says of a story by which rules sidecars decide in it."""
DECIDED = re.compile(rb'"rule":"([a-z-]+)"')


class Decided:
    """Reads the journals of rings, an observer of `LocalRing`."""

    def __init__(self) -> None:
        self._living: set[Path] = set()
        self._seen: set[Rule] = set()

    @property
    def by(self) -> frozenset[Rule]:
        """The rules by which anything was decided so far."""
        for folder in self._living:
            self._seen |= rules_in(folder)
        return frozenset(self._seen)

    def entered(self, ring: LocalRing) -> None:
        """Begin to count a ring in."""
        self._living.add(ring.diary.folder)

    def ended(self, ring: LocalRing) -> None:
        """Read what is left of one."""
        self._living.discard(ring.diary.folder)
        self._seen |= rules_in(ring.diary.folder)


def rules_in(folder: Path) -> set[Rule]:
    journals = [file.read_bytes() for file in folder.iterdir()]
    return {Rule(name.decode()) for text in journals for name in DECIDED.findall(text)}
