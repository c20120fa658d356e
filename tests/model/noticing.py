"""Whether the model notices that a guard of the protocol is turned off.

The corpus, every decision that searches of the product as it is took and where, tells where a
mutant decides otherwise: only from there on can its worlds differ, so the search for a broken
law begins there. A mutant that never decides otherwise, but in words, cannot be noticed by any
run of the searches that made the corpus.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.model import laws, mutants, seeing, starts
from tests.model import state as m
from tests.model.faults import faults
from tests.model.moves import Broken, Label, moves
from tests.model.packing import Covers, Hashes
from tests.model.search import Bounds, Near, Search
from tests.model.seeing import Brain, Sight, Told
from tests.model.settling import Settler
from tests.model.shard import Shard, tidy

PLACES = 8
"""Worlds in which a mutant decides otherwise that are tried, spread over all of them."""
ENOUGH = 400
"""So many candidates are asked first, spread over all; all others only if none differs."""
BEYOND = (Bounds(faults=0, moves=12, worlds=500), Bounds(faults=1, moves=8, worlds=1000))
"""How far is searched from each: first without another fault, then with one."""
RECORDED = Path(__file__).with_name("caught.json")

Start = tuple[str, int]


@dataclass
class Corpus:
    """Every decision that searches of the product as it is took, and where.

    Attributes:
        searches: the start of each, and the search.
        decisions: sight, outcome, and which of the searches came to it in which world.
        resting: by a guard's number, the decisions in which it mattered.

    """

    searches: list[tuple[Start, Search]] = field(default_factory=list)
    decisions: list[tuple[Sight, Told, int, int, m.World]] = field(default_factory=list)
    resting: dict[int, list[int]] = field(default_factory=dict)

    def add(self, start: Start, bounds: Bounds) -> None:
        """Search from `start`; the laws are checked elsewhere."""
        name, size = start
        shard = Shard(Brain(), keep_sources=True)
        search = Search([Near(shard)], bounds)
        search.run([starts.STARTS[name](size)])
        which = len(self.searches)
        self.searches.append((start, search))
        took = list(shard.brain.decisions.items())
        ends = [first for first, _, _ in shard.sources[1:]] + [len(took)]
        with mutants.watching() as noted:
            for (first, index, world), end in zip(shard.sources, ends, strict=True):
                for sight, told in took[first:end]:
                    noted.clear()
                    seeing.think(sight)
                    for number in noted:
                        self.resting.setdefault(number, []).append(len(self.decisions))
                    self.decisions.append((sight, told, which, index, world))
        shard.sources.clear()
        shard.seen, shard.raw = Covers(), Hashes()

    def otherwise(self, mutant: mutants.Mutant) -> list[tuple[int, int, m.World]]:
        """Return places in which the mutant, installed now, decides otherwise."""
        candidates = self.resting.get(mutant.number, [])
        spread = _spread(candidates, ENOUGH)
        return self._differing(spread) or self._differing(candidates)

    def _differing(self, candidates: list[int]) -> list[tuple[int, int, m.World]]:
        places: dict[tuple[int, int], m.World] = {}
        for number in candidates:
            sight, told, which, index, world = self.decisions[number]
            if (which, index) not in places and _differs(sight, told):
                places[which, index] = world
        return [(*place, world) for place, world in places.items()]


def _differs(sight: Sight, told: Told) -> bool:
    """Whether a decision is another one, or gives other advice, and not only other words."""
    try:
        now = seeing.think(sight)
    except Exception:  # noqa: BLE001 -- a mutant may do anything
        return True
    if laws.advises_to_empty(now) != laws.advises_to_empty(told):
        return True
    return now._replace(reason="") != told._replace(reason="")


def corpus(*, whole: bool) -> Corpus:
    """Return the full corpus, or the share of it that is made in seconds."""
    made = Corpus()
    for name in starts.STARTS:
        made.add((name, 1), Bounds(faults=3 if whole else 2, moves=12))
    made.add(("blank", 2), Bounds(faults=1, moves=12))
    made.add(("older", 2), Bounds(faults=2 if whole else 1, moves=8))
    made.add(("whole", 3), Bounds(faults=2, moves=4 if whole else 2))
    made.add(("blank", 3), Bounds(faults=1 if whole else 0, moves=2))
    return made


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        caught: the law that it breaks, None where it breaks none.
        places: in how many of the worlds that were asked it decides otherwise.
        start, path: the way there, where it is caught.

    """

    caught: str | None
    places: int
    start: Start = ("", 0)
    path: tuple[Label, ...] = ()


def judge(mutant: mutants.Mutant, made: Corpus) -> Verdict:
    """Search from the places where the mutant decides otherwise until a law is broken."""
    with mutants.installed(mutant):
        places = made.otherwise(mutant)
        for bounds in BEYOND:
            for which, index, world in _spread(places, PLACES):
                found = _broken_from(world, bounds)
                if found is None:
                    continue
                start, search = made.searches[which]
                way = (*search.path(index), *found[1])
                # The mutant may have taken another way long before.
                if _goes(start, way):
                    return Verdict(found[0], len(places), start, way)
        return Verdict(None, len(places))


def _spread(places: list, count: int) -> list:
    """Return the first ones, which are the nearest, and some of all others."""
    half = count // 2
    if len(places) <= count:
        return places
    rest = places[half:]
    return places[:half] + rest[:: -(-len(rest) // half)]


def _broken_from(world: m.World, bounds: Bounds) -> tuple[str, tuple[Label, ...]] | None:
    brain = Brain()
    settler = Settler(brain)
    try:
        text = settler.dead_end(world)
        if text is not None:
            return text, ()
        shard = Shard(brain, settler, room=bounds.worlds)
        found = Search([Near(shard)], bounds).run([world])
    except Exception as error:  # noqa: BLE001 -- a mutant may do anything
        return f"it fails: {type(error).__name__}: {error}", ()
    return (found.text, found.path) if found else None


class AnotherWayError(Exception):
    """The product, as installed now, does not go the way that is on record."""


def breaks(start: Start, path: tuple[Label, ...]) -> str | None:
    """Go a way that is on record; return the law that is broken on it, at its end or near it.

    Raises `AnotherWayError`.
    """
    name, size = start
    brain = Brain()
    world = m.canonical(starts.STARTS[name](size))
    for label in path:
        try:
            after = _after(brain, world, label)
        except AnotherWayError:
            raise
        except Exception as error:  # noqa: BLE001 -- a mutant may do anything
            return f"it fails: {type(error).__name__}: {error}"
        if isinstance(after, Broken):
            return after.text
        world = m.canonical(tidy(after))
        text = laws.standing(world)
        if text is not None:
            return text
    # Of a mutant that fails it is known from where on, and not in which of the next moves.
    found = _broken_from(world, BEYOND[0])
    return found[0] if found else None


def as_before(mutant: mutants.Mutant, known: dict[str, Verdict]) -> Verdict | None:
    """Return what is on record of a mutant where it breaks a law on that way still."""
    verdict = known.get(mutant.name)
    if verdict is None:
        return None
    with mutants.installed(mutant):
        return verdict if _goes(verdict.start, verdict.path) else None


def _goes(start: Start, way: tuple[Label, ...]) -> bool:
    try:
        return breaks(start, way) is not None
    except AnotherWayError:
        return False


def _after(brain: Brain, world: m.World, label: Label) -> m.World | Broken:
    """Return what a label leads to; reasons may have got other words since it was recorded."""
    options = list(_options(brain, world))
    for same in (lambda each: each == label, lambda each: _wordless(each) == _wordless(label)):
        after = next((after for each, after in options if same(each)), None)
        if after is not None:
            return after
    raise AnotherWayError(label)


def _wordless(label: Label) -> Label:
    verb, n, more = label
    return (verb, n, more.partition(":")[0] if verb == "asks" else more)


def _options(brain: Brain, world: m.World) -> Iterator[tuple[Label, m.World | Broken]]:
    yield from moves(brain, world)
    yield from faults(world)


def recorded() -> dict[str, Verdict]:
    """Return the mutants that were caught, with the way on which each breaks a law."""
    kept = json.loads(RECORDED.read_text())
    return {
        name: Verdict(
            each["breaks"],
            0,
            (each["start"][0], each["start"][1]),
            tuple((verb, n, more) for verb, n, more in each["way"]),
        )
        for name, each in kept.items()
    }


def record(verdicts: dict[str, Verdict]) -> None:
    """Write them down."""
    kept = {
        name: {"breaks": each.caught, "start": each.start, "way": each.path}
        for name, each in verdicts.items()
    }
    RECORDED.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
