"""What the API server held at which time, as the traces tell it."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Held(NamedTuple):
    """A value and when it was written: not before `since`, not after `by`."""

    since: float
    by: float
    value: Any


@dataclass
class History:
    """The values of one object, in order; None where there is none."""

    values: list[Held] = field(
        default_factory=lambda: [Held(float("-inf"), float("-inf"), None)]
    )

    @property
    def now(self) -> Any:  # noqa: ANN401 -- whatever the object is
        """The last value."""
        return self.values[-1].value

    def put(self, value: object, since: float, by: float) -> None:
        """Write a value."""
        self.values.append(Held(since, by, value))

    def held(self, value: object, since: float, until: float) -> bool:
        """Whether the object may have been so at some time in between."""
        for number, each in enumerate(self.values):
            last = number + 1 == len(self.values)
            end = float("inf") if last else self.values[number + 1].by
            if each.value == value and each.since <= until and end >= since:
                return True
        return False


@dataclass
class KubeLog:
    """All objects, by what they are and whose."""

    objects: dict[Hashable, History] = field(default_factory=dict)

    def of(self, key: Hashable) -> History:
        """Return an object's history."""
        return self.objects.setdefault(key, History())
