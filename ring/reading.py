"""What was read of one source, how old it is, and why it could not be read anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Never, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Reading(Generic[T_co]):
    """The last that is known of a source; one that was never read is unknown, not empty.

    Attributes:
        value: as last read; None before, or where the thing itself is known not to be there.
        age: seconds since it was known to be so: read, or asked for and found unchanged; None
            where it was never read.
        failure: why the last attempt failed, one line; empty where it succeeded.
        broken: objects that are there and make no sense, by name, each with what is wrong; they
            are left out of ``value``.  Whatever else is missing in it may be one of them.

    """

    value: T_co | None = None
    age: float | None = None
    failure: str = ""
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """What is wrong with it, one line; empty where nothing is."""
        return self.failure or next(iter(self.broken.values()), "")

    def is_fresh(self, limit: float) -> bool:
        """Say whether it is known and no older than ``limit`` seconds."""
        return self.age is not None and self.age <= limit

    def is_whole(self, limit: float) -> bool:
        """Say whether what is missing in it is surely not there."""
        return self.is_fresh(limit) and not self.broken

    def is_stale(self, limit: float) -> bool:
        """Say whether the source itself does not tell: not for what is only broken."""
        return not self.is_fresh(limit) and not (self.age is None and self.broken)

    def fresh(self, limit: float) -> T_co | None:
        """Return the value where it is fresh, else None."""
        return self.value if self.is_fresh(limit) else None


UNREAD: Final[Reading[Never]] = Reading()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Up to which age in seconds a source counts as known.

    Attributes:
        sidecar: of a sidecar's word and of the heartbeat in it, together.  Sidecars are asked
            each second; they themselves call a node silent after as long.
        cql: of what a node said by CQL; it is asked once a cycle whether that still holds.
        kubernetes: of a watch.  Its bookmarks come about once a minute: three were missed.

    """

    sidecar: float = 10.0
    cql: float = 60.0
    kubernetes: float = 180.0
