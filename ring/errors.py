"""Every error this package raises on purpose, and what the caller may do about it."""

from uuid import UUID


class RingError(Exception):
    """Base of the family; catch it at the CLI and in the manager's cycle, nowhere else."""


class InputError(RingError):
    """What was given cannot be a ring, a keyspace or a question about one.

    Attributes:
        place: where it is, as a path such as ``nodes[3].tokens[0]``; empty for the whole.

    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place, problem)
        self.place, self.problem = place, problem

    def __str__(self) -> str:
        """Say where, then what."""
        return f"{self.place}: {self.problem}" if self.place else self.problem


class UnknownNodeError(RingError):
    """A question names a node, rack, data centre or keyspace that there is not."""


class DuplicateTokenError(RingError):
    """Two nodes hold one token, and neither replaces the other."""

    def __init__(self, token: int, first: UUID, second: UUID) -> None:
        super().__init__(token, first, second)
        self.token, self.first, self.second = token, first, second

    def __str__(self) -> str:
        """Name both, because one of them is the mistake."""
        return f"token {self.token} belongs to {self.first} and to {self.second}"


class TooLittleKnownError(RingError):
    """The ring is not known well enough to answer; later it may be."""


class TooLargeError(RingError):
    """The answer would not fit in memory: ranges times replicas are beyond all use."""
