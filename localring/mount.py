"""Where a sidecar finds Cassandra's data directory: a mount of its own, which may be lost."""

from dataclasses import dataclass
from pathlib import Path

GONE = "gone"


@dataclass(frozen=True, slots=True)
class Mount:
    """A link to the directory; one that leads nowhere is a volume that cannot be read.

    Attributes:
        path: what the sidecar is told.
        data: where it leads.

    """

    path: Path
    data: Path

    def mend(self) -> None:
        """Let the directory be read, from the start or again."""
        self._lead_to(self.data)

    def lose(self) -> None:
        """Let nothing be read through it; Cassandra has a mount of its own."""
        self._lead_to(self.data.with_name(GONE))

    def _lead_to(self, target: Path) -> None:
        fresh = self.path.with_name(f"{self.path.name}.new")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh.symlink_to(target)
        fresh.replace(self.path)
