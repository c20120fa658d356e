"""What the programs of real rings asked the API server for, against what they may."""

from localring.ring import LocalRing
from tests.fakes.rights import Right, refused


class Asked:
    """Reads the last requests of each ring when it ends, an observer of `LocalRing`."""

    def __init__(self) -> None:
        self.refused: set[tuple[str, Right]] = set()

    def entered(self, ring: LocalRing) -> None:
        """Wait for its end."""

    def ended(self, ring: LocalRing) -> None:
        """Add what a real API server would have refused."""
        self.refused |= refused(ring.api.requests)
