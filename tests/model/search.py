"""Breadth first through all worlds that a number of faults and moves can lead to.

Layer k holds the worlds after k faults. Every layer but the last is gone through until nothing
new is found, then every fault is tried on every world of it. The last one, if any fault came
before, ends after so many moves. A world that an earlier layer holds is not looked at again:
all that it leads to without a fault is in that layer, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tests.model import state as m
from tests.model.moves import Label
from tests.model.shard import NOWHERE, Breach, Figures, Shard


class Found(NamedTuple):
    """A law that does not hold, and the way there: labels from the start, canonical worlds."""

    text: str
    path: tuple[Label, ...]


@dataclass
class Bounds:
    """How far a search goes.

    Attributes:
        faults: so many at the most.
        moves: after the last fault; before it as many as there are.
        worlds: give up after so many, 0 for no limit.

    """

    faults: int = 2
    moves: int = 12
    worlds: int = 0


class Keeper(Protocol):
    """A shard, here or in another process: a call of it is begun, and waited for later."""

    def call(self, what: str, *arguments: Any) -> None:  # noqa: ANN401 -- of the method
        """Begin to do something with the shard: the name of a method."""
        ...

    def result(self) -> Any:  # noqa: ANN401 -- of the method
        """Wait for what was begun, and return what came of it."""
        ...


@dataclass
class Near:
    """A shard in this process."""

    shard: Shard
    _begun: tuple[str, tuple[Any, ...]] = ("", ())

    def call(self, what: str, *arguments: Any) -> None:  # noqa: ANN401
        self._begun = what, arguments

    def result(self) -> Any:  # noqa: ANN401
        what, arguments = self._begun
        return getattr(self.shard, what)(*arguments)


@dataclass
class Search:
    """One run; the figures are of distinct worlds.

    Attributes:
        layers: worlds in all after 0, 1, … faults.
        closed: whether nothing new was left to find in the last layer.
        complete: whether it was not given up for the number of worlds.

    """

    keepers: Sequence[Keeper]
    bounds: Bounds
    layers: list[int] = field(default_factory=list)
    figures: dict[int, Figures] = field(default_factory=dict)
    closed: bool = True
    complete: bool = True
    tell: Callable[["Search"], None] = lambda _: None

    @property
    def worlds(self) -> int:
        """Distinct worlds so far."""
        return sum(each.worlds for each in self.figures.values())

    @property
    def moves(self) -> int:
        """Moves and faults tried so far."""
        return sum(each.moves for each in self.figures.values())

    def run(self, starts: Sequence[m.World]) -> Found | None:
        """Go through everything; return the first law that is found broken."""
        found = self._first(self._all("begin", starts))
        for used in range(self.bounds.faults + 1):
            last = used == self.bounds.faults
            found = found or self._layer(self.bounds.moves if last and used else None)
            if found is not None:
                return found
            self.layers.append(self.worlds)
            if last or not self.complete:
                return None
            found = self._step("fail")
        return found

    def hear(self, number: int, figures: Figures) -> None:
        """Take a word of progress of one shard."""
        self.figures[number] = figures
        self.tell(self)

    def resolved(self) -> dict[tuple[str, str], int]:
        """Return what an operator had to resolve, and how, with how often."""
        total: dict[tuple[str, str], int] = {}
        for each in self._all("resolved"):
            for key, count in each.items():
                total[key] = total.get(key, 0) + count
        return total

    def kept(self) -> list[Found]:
        """Return what was found broken where the search goes on past that, one of a kind."""
        breaches = [breach for kept in self._all("kept") for breach in kept]
        return [found for each in breaches if (found := self._first([each])) is not None]

    def _layer(self, most: int | None) -> Found | None:
        """Go on for so many moves, or to the end; worlds are kept for the next layer then."""
        steps = 0
        while self._left() and self.complete:
            if steps == most:
                self.closed = False
                return None
            steps += 1
            found = self._step("move_and_keep" if most is None else "move")
            if found is not None:
                return found
        return None

    def _step(self, what: str) -> Found | None:
        found = self._first(self._all(what))
        if found is None and len(self.keepers) > 1:
            sent = self._all("parcels")
            for number, keeper in enumerate(self.keepers):
                keeper.call("take", [each[number] for each in sent if each[number]])
            found = self._first([keeper.result() for keeper in self.keepers])
        self._left()
        self.complete = not any(self._all("is_full"))
        return found

    def _left(self) -> int:
        self.figures = dict(enumerate(self._all("figures")))
        return sum(each.left for each in self.figures.values())

    def _all(self, what: str, *arguments: Any) -> list[Any]:  # noqa: ANN401 -- of the method
        for keeper in self.keepers:
            keeper.call(what, *arguments)
        return [keeper.result() for keeper in self.keepers]

    def _first(self, breaches: Sequence[Breach | None]) -> Found | None:
        for breach in breaches:
            if breach is not None:
                last = () if breach.label is None else (breach.label,)
                return Found(breach.text, (*self.path(breach.world), *last))
        return None

    def path(self, world: int) -> tuple[Label, ...]:
        """Return the labels on the way from a start to a world."""
        way: list[Label] = []
        while world != NOWHERE:
            index, shard = divmod(world, len(self.keepers))
            self.keepers[shard].call("found_from", index)
            world, label = self.keepers[shard].result()
            way.append(label)
        return tuple(reversed(way[:-1]))
