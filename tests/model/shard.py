"""The worlds of a search that one process keeps: those whose hash is its own to keep.

It expands its worlds, and takes in what they lead to. A world that is another shard's goes into
a parcel for that one.
"""

import re
import resource
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.model import cassandra, laws
from tests.model import state as m
from tests.model.deciding import Brain
from tests.model.faults import faults
from tests.model.moves import Broken, Label, moves
from tests.model.packing import LABEL, Covers, Hashes, Packer, Rows
from tests.model.settling import Settler

NOWHERE = -1
REPORT_EVERY = 500
"""Worlds that are expanded between two words of progress."""


class Breach(NamedTuple):
    """A law that is broken: in a world, or by the move `label` from there."""

    text: str
    world: int
    label: Label | None = None


class Parcel(NamedTuple):
    """Worlds for another shard.

    Attributes:
        sender: number of the shard that has found them.
        parts: parts of each kind that the sender has numbered since its last parcel.
        keys: hashes of what is present in them.
        numbers: for each the world it was found from, the label's number, and its row.

    """

    sender: int
    parts: list[list[tuple]]
    keys: array
    numbers: array


class Figures(NamedTuple):
    """What there is to say of a shard.

    Attributes:
        worlds: that no other covers.
        left: worlds to expand in this step.
        memory: in MiB, at the most so far.
        broken: what was found broken where the search goes on past that.

    """

    worlds: int
    moves: int
    left: int
    memory: int
    broken: tuple[str, ...]


def tidy(world: m.World) -> m.World:
    """Drop what nothing can depend on any more."""
    return cassandra.collected(world)


def owner(key: int, shards: int) -> int:
    """Return whose a world is, by its hash."""
    return (key >> 40) % shards


@dataclass
class Shard:
    """One part of a search; worlds are known outside by number times shards plus shard.

    Attributes:
        settler: follows every world to its end, where there is one.
        number, of: which of how many shards this is.
        room: give up after so many worlds, 0 for no limit.
        goes_on: whether the search goes on past a broken law; one of each kind is kept then.
        raw: worlds before they were made canonical: most are met again as they are.
        sources: with `keep_sources`, where questions first came up: how many there were
            before, the world's number, the world.

    """

    brain: Brain
    settler: Settler | None = None
    number: int = 0
    of: int = 1
    room: int = 0
    goes_on: bool = False
    progress: Callable[[Figures], None] = lambda _: None
    keep_sources: bool = False
    seen: Covers = field(default_factory=Covers)
    raw: Hashes = field(default_factory=Hashes)
    sources: list[tuple[int, int, m.World]] = field(default_factory=list)
    breaches: dict[str, Breach] = field(default_factory=dict)
    moves: int = 0
    full: bool = False

    def __post_init__(self) -> None:
        self._parents, self._labels = array("q"), array("I")
        self._packer = Packer()
        self._told = self._packer.counts()
        self._pods = 0
        self._frontier, self._layer = Rows(0), Rows(0)
        self._outgoing = [(array("q"), array("q")) for _ in range(self.of)]
        self._names: dict[int, list[list[int]]] = {}
        self._left = 0

    # -- what the search asks for --------------------------------------------------------------

    def begin(self, worlds: Sequence[m.World]) -> Breach | None:
        """Take the worlds that the search begins with, so far as they are this shard's."""
        self._pods = len(worlds[0].pods)
        self._frontier, self._layer = Rows(self._pods), Rows(self._pods)
        for world in map(m.canonical, worlds):
            key = hash(m.present(world))
            if owner(key, self.of) == self.number:
                self._enter(key, world, NOWHERE, ("", -1, ""))
        return None

    def move(self) -> Breach | None:
        """Try every move in all worlds of the frontier."""
        return self._expand(self._standing(self._taken()), self._moves)

    def move_and_keep(self) -> Breach | None:
        """Do the same, and keep the worlds, so that faults are tried in them later."""
        rows = self._standing(self._taken())
        self._layer.extend(rows)
        return self._expand(rows, self._moves)

    def fail(self) -> Breach | None:
        """Try every fault in all worlds that were kept."""
        rows, self._layer = self._layer, Rows(self._pods)
        return self._expand(self._standing(rows), faults)

    def _moves(self, world: m.World) -> Iterator[tuple[Label, m.World | Broken]]:
        return moves(self.brain, world)

    def _standing(self, rows: Rows) -> Rows:
        """Leave out what a world found since covers: it may do as much, or more.

        Only between two steps: one that is found later has fewer moves left.
        """
        left = Rows(self._pods)
        for index, row in rows:
            if self.seen.stands(self._packer.unpack(row)):
                left.append(index, row)
        return left

    def _taken(self) -> Rows:
        rows, self._frontier = self._frontier, Rows(self._pods)
        return rows

    def _expand(
        self, rows: Rows, options: Callable[[m.World], Iterator[tuple[Label, m.World | Broken]]]
    ) -> Breach | None:
        self._left = len(rows)
        for index, row in rows:
            world = self._packer.unpack(row)
            known = len(self.brain.answers)
            breach = self._try_all(index, options(world))
            if self.keep_sources and len(self.brain.answers) > known:
                self.sources.append((known, index, world))
            if breach is not None or self.full:
                return breach
            self._left -= 1
            if self._left % REPORT_EVERY == 0:
                self.progress(self.figures())
        return None

    def is_full(self) -> bool:
        """Whether there were more worlds than there is room for."""
        return self.full

    def parcels(self) -> list[Parcel | None]:
        """Hand out what is other shards', by the number of each."""
        parts, self._told = self._packer.since(self._told), self._packer.counts()
        outgoing, self._outgoing = (
            self._outgoing,
            [(array("q"), array("q")) for _ in range(self.of)],
        )
        return [
            None if to == self.number else Parcel(self.number, parts, keys, numbers)
            for to, (keys, numbers) in enumerate(outgoing)
        ]

    def take(self, parcels: Sequence[Parcel]) -> Breach | None:
        """Take in what other shards have found."""
        for parcel in parcels:
            names = self._learn(parcel.sender, parcel.parts)
            width = self._pods + 5
            for at, key in enumerate(parcel.keys):
                parent, label, *row = parcel.numbers[at * width : (at + 1) * width]
                *pods, ledger, maps, rest = row
                ours = [names[0][each] for each in pods]
                ours += [names[1][ledger], names[2][maps], names[3][rest]]
                world = self._packer.unpack(ours)
                name = self._packer.part(LABEL, names[LABEL][label])
                breach = self._enter(key, world, parent, name)
                if breach is not None:
                    return breach
        return None

    def found_from(self, index: int) -> tuple[int, Label]:
        """Return from which world one was found, and by which move."""
        verb, n, more = self._packer.part(LABEL, self._labels[index])
        return self._parents[index], (verb, n, more)

    def figures(self) -> Figures:
        """Return how far it is."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        broken = tuple(each.text for each in self.breaches.values())
        left = self._left or len(self._frontier)
        return Figures(self.seen.count, self.moves, left, memory, broken)

    def resolved(self) -> dict[tuple[str, str], int]:
        """Return how often a rule was what an operator had to resolve, and with which act."""
        return self.settler.rules if self.settler else {}

    def kept(self) -> list[Breach]:
        """Return the first breach of each kind, where the search goes on past them."""
        return list(self.breaches.values())

    # -- within --------------------------------------------------------------------------------

    def _try_all(
        self, index: int, options: Iterator[tuple[Label, m.World | Broken]]
    ) -> Breach | None:
        for label, after in options:
            self.moves += 1
            if isinstance(after, Broken):
                breach = self._noted(Breach(after.text, self._abroad(index), label))
                if breach is not None:
                    return breach
                continue
            if not self.raw.add(hash(after)):
                continue
            world = m.canonical(tidy(after))
            key = hash(m.present(world))
            to = owner(key, self.of)
            if to != self.number:
                self._post(to, key, world, index, label)
                continue
            breach = self._enter(key, world, self._abroad(index), label)
            if breach is not None:
                return breach
        self.full = bool(self.room) and self.seen.count > self.room
        return None

    def _post(self, to: int, key: int, world: m.World, index: int, label: Label) -> None:
        keys, numbers = self._outgoing[to]
        keys.append(key)
        numbers.extend((self._abroad(index), self._packer.number(LABEL, label)))
        numbers.extend(self._packer.pack(world))

    def _enter(self, key: int, world: m.World, parent: int, label: Label) -> Breach | None:
        if not self.seen.add(key, world):
            return None
        index = len(self._parents)
        self._parents.append(parent)
        self._labels.append(self._packer.number(LABEL, label))
        self._frontier.append(index, self._packer.pack(world))
        text = laws.standing(world)
        if text is None and self.settler is not None:
            text = self.settler.dead_end(world)
        return self._noted(Breach(text, self._abroad(index))) if text else None

    def _noted(self, breach: Breach) -> Breach | None:
        """Return a breach that ends the search; keep one of each kind where it goes on."""
        if not self.goes_on:
            return breach
        self.breaches.setdefault(re.sub(r"\d", "n", breach.text), breach)
        return None

    def _abroad(self, index: int) -> int:
        return index * self.of + self.number

    def _learn(self, sender: int, parts: list[list[tuple]]) -> list[list[int]]:
        """Return this shard's numbers for the sender's, by kind, with the new parts in them."""
        names = self._names.setdefault(sender, [[] for _ in parts])
        for kind, (held, new) in enumerate(zip(names, parts, strict=True)):
            held.extend([self._packer.number(kind, part) for part in new])
        return names
