"""Breadth first through all worlds that a number of faults and moves can lead to.

Layer k holds the worlds after k faults. Within a layer the search goes on for so many moves, or
until nothing new is found; then every fault is tried on every world of it. A world that an
earlier layer holds is not looked at again where that layer was gone through to its end.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.model import cassandra, laws
from tests.model.faults import faults
from tests.model.moves import Broken, Label, moves
from tests.model.seeing import Brain
from tests.model.state import World, canonical


class Found(NamedTuple):
    """A law that does not hold, and the way there: labels from the start, canonical worlds."""

    text: str
    path: tuple[Label, ...]


@dataclass
class Bounds:
    """How far a search goes.

    Attributes:
        faults: so many at the most.
        moves: after each fault; before the first as many as there are.
        worlds: give up after so many, 0 for no limit.

    """

    faults: int = 2
    moves: int = 12
    worlds: int = 0


@dataclass
class Search:
    """One run; the figures are of distinct worlds.

    Attributes:
        closed: by layer, whether nothing new was left to find within it.
        raw: worlds before they were made canonical: most are met again as they are.
        sources: with `keep_sources`, where decisions were first taken: how many there were
            before, the world's number, the world.

    """

    brain: Brain
    bounds: Bounds
    check: Callable[[World], str | None] = lambda _: None
    progress: Callable[["Search"], None] = lambda _: None
    seen: set[int] = field(default_factory=set)
    raw: set[int] = field(default_factory=set)
    parents: array = field(default_factory=lambda: array("q"))
    labels: array = field(default_factory=lambda: array("l"))
    texts: dict[Label, int] = field(default_factory=dict)
    transitions: int = 0
    layers: list[int] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    complete: bool = True
    sources: list[tuple[int, int, World]] = field(default_factory=list)
    keep_sources: bool = False

    def run(self, starts: Iterable[World]) -> Found | None:
        """Go through everything; return the first law that is found broken."""
        layer = [(self._enter(canonical(world), -1, ("", -1, "")), world) for world in starts]
        frontier = [(index, canonical(world)) for index, world in layer if index >= 0]
        for used in range(self.bounds.faults + 1):
            everything: list[tuple[int, World]] = []
            found = self._layer(frontier, everything if used < self.bounds.faults else None)
            if found is not None:
                return found
            self.layers.append(len(self.seen))
            if used == self.bounds.faults or not self.complete:
                return None
            frontier = []
            for index, world in everything:
                found = self._expand(index, world, faults(world), frontier)
                if found is not None:
                    return found
        return None

    def _layer(
        self,
        frontier: list[tuple[int, World]],
        everything: list[tuple[int, World]] | None,
    ) -> Found | None:
        steps = 0
        while frontier and (not self.layers or steps < self.bounds.moves):
            steps += 1
            if everything is not None:
                everything.extend(frontier)
            following: list[tuple[int, World]] = []
            for index, world in frontier:
                found = self._expand(index, world, moves(self.brain, world), following)
                if found is not None or not self.complete:
                    return found
            frontier = following
        if everything is not None:
            everything.extend(frontier)
        self.closed.append(not frontier)
        return None

    def _expand(
        self,
        index: int,
        world: World,
        options: Iterator[tuple[Label, World | Broken]],
        into: list[tuple[int, World]],
    ) -> Found | None:
        known = len(self.brain.decisions)
        found = self._try_all(index, options, into)
        if self.keep_sources and len(self.brain.decisions) > known:
            self.sources.append((known, index, world))
        return found

    def _try_all(
        self,
        index: int,
        options: Iterator[tuple[Label, World | Broken]],
        into: list[tuple[int, World]],
    ) -> Found | None:
        for label, after in options:
            self.transitions += 1
            if isinstance(after, Broken):
                return Found(after.text, (*self.path(index), label))
            raw = hash(after)
            if raw in self.raw:
                continue
            self.raw.add(raw)
            named = canonical(tidy(after))
            new = self._enter(named, index, label)
            if new < 0:
                continue
            text = laws.standing(named) or self.check(named)
            if text is not None:
                return Found(text, self.path(new))
            into.append((new, named))
        if self.bounds.worlds and len(self.seen) > self.bounds.worlds:
            self.complete = False
        return None

    def _enter(self, world: World, parent: int, label: Label) -> int:
        """Return the number of a new world, -1 for one that was there before."""
        key = hash(world)
        if key in self.seen:
            return -1
        self.seen.add(key)
        number = len(self.parents)
        self.parents.append(parent)
        self.labels.append(self.texts.setdefault(label, len(self.texts)))
        if number % 10_000 == 0:
            self.progress(self)
        return number

    def path(self, index: int) -> tuple[Label, ...]:
        """Return the labels on the way from a start to a world."""
        names = list(self.texts)
        way: list[Label] = []
        while index >= 0 and self.parents[index] >= 0:
            way.append(names[self.labels[index]])
            index = self.parents[index]
        return tuple(reversed(way))


def tidy(world: World) -> World:
    """Drop what nothing can depend on any more."""
    return cassandra.collected(world)
