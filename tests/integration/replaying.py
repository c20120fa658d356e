"""Holds every ring that tests start against the model, while it lives and when it ends."""

import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from localring.ring import LocalRing
from tests.model.replay import ImpossibleError, Replay
from tests.model.traces import Reader

BEHIND_SECONDS = 3.0
"""How long a sidecar may take to write its lines down, on a busy machine too."""


@dataclass
class Witness:
    """One ring; once something impossible was seen it is not looked at any more."""

    folder: Path
    replay: Replay = field(default_factory=Replay)
    broken: bool = False

    def __post_init__(self) -> None:
        self._reader = Reader(self.folder)

    def look(self, horizon: float = float("inf")) -> None:
        """Replay what is new; fail with the story, and keep the journals, if it cannot be."""
        if self.broken:
            return
        try:
            self.replay.feed(self._reader.until(horizon))
        except ImpossibleError as error:
            self.broken = True
            kept = tempfile.mkdtemp(prefix="impossible-")
            shutil.copytree(self.folder, kept, dirs_exist_ok=True)
            raise ImpossibleError(f"{error}\nthe journals are kept in {kept}") from None
        except Exception:
            self.broken = True
            raise


@dataclass
class Witnesses:
    """All rings of a session, an observer of `LocalRing`."""

    seen: list[Witness] = field(default_factory=list)
    _living: dict[int, Witness] = field(default_factory=dict)

    def entered(self, ring: LocalRing) -> None:
        """Begin to look at a ring."""
        witness = Witness(ring.diary.folder)
        self.seen.append(witness)
        self._living[id(ring)] = witness

    def ended(self, ring: LocalRing) -> None:
        """Look at all that is left of one."""
        self._living.pop(id(ring)).look()

    def catch_up(self) -> None:
        """Look at what has happened until a moment ago."""
        for witness in list(self._living.values()):
            witness.look(time.monotonic() - BEHIND_SECONDS)

    def summary(self) -> str:
        """Say how many lines were replayed, and what was left out."""
        lines = sum(witness.replay.replayed for witness in self.seen)
        left = [each for witness in self.seen for each in witness.replay.left_out]
        text = f"{lines} lines of {len(self.seen)} rings replayed, {len(left)} left out"
        reasons = Counter(each.partition(": ")[2] for each in left)
        return "\n".join([text, *(f"  {why} ({count})" for why, count in reasons.items())])
