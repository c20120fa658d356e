"""Millions of worlds in little room: sets of hashes, and worlds as a few numbers each."""

from array import array
from collections.abc import Iterator, Sequence

from tests.model import state as m

Row = Sequence[int]
"""A world as the numbers of its parts: its pods, its ledger, its maps, and all else."""
POD, LEDGER, MAPS, REST, LABEL = range(5)
"""Kinds of parts, numbered apart; a label is no part of a world and is numbered with them."""
TO_BITS, BITS = 8, 40
"""Of one old word as a number: the pods that it is for, and the word besides."""
TO, OLD = (1 << TO_BITS) - 1, (1 << BITS) - 1
FULL = 0.66
"""Share of a table that may be in use before it is made twice as large."""


class Hashes:
    """A set of 64-bit hashes in some 16 bytes each, a sixth of what a `set` takes.

    A table of open addressing with linear probing. Zero marks a free place, so the hash 0 is
    kept as 1.
    """

    __slots__ = ("_count", "_mask", "_most", "_table")

    def __init__(self, room: int = 1 << 10) -> None:
        self._count = 0
        self._make(room)

    def _make(self, room: int) -> None:
        self._table = array("q", bytes(8 * room))
        self._mask = room - 1
        self._most = int(room * FULL)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: int) -> bool:
        key = key or 1
        table, mask = self._table, self._mask
        at = (key ^ key >> 32) & mask
        while held := table[at]:
            if held == key:
                return True
            at = (at + 1) & mask
        return False

    def add(self, key: int) -> bool:
        """Put a hash in; return whether it is new."""
        key = key or 1
        table, mask = self._table, self._mask
        at = (key ^ key >> 32) & mask
        while held := table[at]:
            if held == key:
                return False
            at = (at + 1) & mask
        table[at] = key
        self._count += 1
        if self._count > self._most:
            self._grow()
        return True

    def _grow(self) -> None:
        before = self._table
        self._make(2 * len(before))
        table, mask = self._table, self._mask
        for key in before:
            if key:
                at = (key ^ key >> 32) & mask
                while table[at]:
                    at = (at + 1) & mask
                table[at] = key


class Covers:
    """The worlds that a search has found, but for those that another one *covers*.

    One world covers another if both are of the same present, and every old word of the other
    is one of its own, for the same pods at least.  Whatever can happen in the other can happen
    in it, too: an old word takes no choice away, and nothing but a choice rests on one.
    """

    __slots__ = ("_held", "_words", "count")

    def __init__(self) -> None:
        self._held: dict[int, tuple[int, ...]] = {}
        self._words: dict[tuple, int] = {}
        self.count = 0

    def add(self, key: int, world: m.World) -> bool:
        """Put a world in, and those out that it covers; return False if one covers it.

        `key`: hash of what is present in it (`state.present`).
        """
        olds = self._olds(world)
        held = self._held.get(key, ())
        if olds in held or any(_covers(each, olds) for each in held):
            return False
        kept = [each for each in held if not _covers(olds, each)]
        self._held[key] = (*kept, olds)
        self.count += 1 + len(kept) - len(held)
        return True

    def stands(self, world: m.World) -> bool:
        """Whether no other world covers one that was put in."""
        return self._olds(world) in self._held[hash(m.present(world))]

    def has(self, key: int, world: m.World) -> bool:
        """Whether one is there that covers the world."""
        olds = self._olds(world)
        return any(_covers(each, olds) for each in self._held.get(key, ()))

    def _olds(self, world: m.World) -> int:
        """Return the old words of a world as one number, `BITS` for each pod."""
        olds = 0
        for at, pod in enumerate(world.pods):
            old = pod.old
            if old:
                *said, to, record = old
                word = self._words.setdefault((*said, record), len(self._words) + 1)
                olds |= (word << TO_BITS | sum(1 << n for n in to)) << BITS * at
        return olds


def _covers(one: int, two: int) -> bool:
    while two:
        old, held = two & OLD, one & OLD
        if old and (old >> TO_BITS != held >> TO_BITS or old & ~held & TO):
            return False
        one >>= BITS
        two >>= BITS
    return True


class Packer:
    """Numbers for the parts that worlds are made of: most are in thousands of worlds."""

    def __init__(self) -> None:
        self._numbers: tuple[dict[tuple, int], ...] = tuple({} for _ in range(LABEL + 1))
        self._parts: tuple[list[tuple], ...] = tuple([] for _ in range(LABEL + 1))

    def number(self, kind: int, part: tuple) -> int:
        """Return the number of a part."""
        numbers = self._numbers[kind]
        number = numbers.get(part)
        if number is None:
            number = numbers[part] = len(numbers)
            self._parts[kind].append(part)
        return number

    def part(self, kind: int, number: int) -> tuple:
        """Return the part that has the number."""
        return self._parts[kind][number]

    def pack(self, world: m.World) -> list[int]:
        """Return a world as numbers: three and one for each pod."""
        pods, record, ledger, turn, maps, *rest = world
        row = [self.number(POD, pod) for pod in pods]
        row.append(self.number(LEDGER, ledger))
        row.append(self.number(MAPS, maps))
        row.append(self.number(REST, (record, turn, *rest)))
        return row

    def unpack(self, row: Row) -> m.World:
        """Return the world that the numbers stand for."""
        parts = self._parts
        *pods, ledger, maps, rest = row
        record, turn, *others = parts[REST][rest]
        held = parts[POD]
        return m.World(
            tuple([held[number] for number in pods]),
            record,
            parts[LEDGER][ledger],
            turn,
            parts[MAPS][maps],
            *others,
        )

    def counts(self) -> list[int]:
        """Return how many parts there are of each kind."""
        return [len(parts) for parts in self._parts]

    def since(self, counts: Sequence[int]) -> list[list[tuple]]:
        """Return the parts of each kind that are newer than these counts."""
        return [parts[first:] for parts, first in zip(self._parts, counts, strict=True)]


class Rows:
    """Worlds in the order in which they were put in, each with its number in the search."""

    def __init__(self, pods: int) -> None:
        self._width = pods + 4
        self._numbers = array("I")

    def __len__(self) -> int:
        return len(self._numbers) // self._width

    def append(self, index: int, row: Row) -> None:
        """Put a world in."""
        self._numbers.append(index)
        self._numbers.extend(row)

    def extend(self, other: "Rows") -> None:
        """Put all worlds of another one in."""
        self._numbers.extend(other._numbers)

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        numbers, width = self._numbers, self._width
        for at in range(0, len(numbers), width):
            yield numbers[at], numbers[at + 1 : at + width]
