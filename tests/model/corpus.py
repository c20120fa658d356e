"""Every answer that searches of the product as it is took, and where: mutants are held to it.

Only from where a mutant answers otherwise on can its worlds differ. One that never does, but in
words, cannot be noticed by any run of the searches that made the corpus.
"""

from dataclasses import dataclass, field

from tests.model import deciding, laws, mutants, starts
from tests.model import state as m
from tests.model.deciding import Brain, Question, Told
from tests.model.packing import Covers, Hashes
from tests.model.search import Bounds, Near, Search
from tests.model.shard import Shard

ENOUGH = 400
"""So many candidates are asked first, spread over all; all others only if none differs."""

Start = tuple[str, int]


@dataclass
class Corpus:
    """Every answer that searches of the product as it is took, and where.

    Attributes:
        searches: the start of each, and the search.
        answers: question, answer, and which of the searches came to it in which world.
        resting: by a guard's number, the answers in which it mattered.

    """

    searches: list[tuple[Start, Search]] = field(default_factory=list)
    answers: list[tuple[Question, Told, int, int, m.World]] = field(default_factory=list)
    resting: dict[int, list[int]] = field(default_factory=dict)

    def add(self, start: Start, bounds: Bounds) -> None:
        """Search from `start`; the laws are checked elsewhere."""
        name, size = start
        shard = Shard(Brain(), keep_sources=True)
        search = Search([Near(shard)], bounds)
        search.run([starts.STARTS[name](size)])
        which = len(self.searches)
        self.searches.append((start, search))
        took = list(shard.brain.answers.items())
        ends = [first for first, _, _ in shard.sources[1:]] + [len(took)]
        with mutants.watching() as noted:
            for (first, index, world), end in zip(shard.sources, ends, strict=True):
                for question, told in took[first:end]:
                    noted.clear()
                    deciding.think(question)
                    for number in noted:
                        self.resting.setdefault(number, []).append(len(self.answers))
                    self.answers.append((question, told, which, index, world))
        shard.sources.clear()
        shard.seen, shard.raw = Covers(), Hashes()

    def otherwise(self, mutant: mutants.Mutant) -> list[tuple[int, int, m.World]]:
        """Return places in which the mutant, installed now, answers otherwise."""
        candidates = self.resting.get(mutant.number, [])
        few = spread(candidates, ENOUGH)
        return self._differing(few) or self._differing(candidates)

    def _differing(self, candidates: list[int]) -> list[tuple[int, int, m.World]]:
        places: dict[tuple[int, int], m.World] = {}
        for number in candidates:
            question, told, which, index, world = self.answers[number]
            if (which, index) not in places and _differs(question, told):
                places[which, index] = world
        return [(*place, world) for place, world in places.items()]


def _differs(question: Question, told: Told) -> bool:
    """Whether an answer is another one, or gives other advice, and not only other words."""
    try:
        now = deciding.think(question)
    except Exception:  # noqa: BLE001 -- a mutant may do anything
        return True
    if laws.advises_to_empty(now) != laws.advises_to_empty(told):
        return True
    return now._replace(reason="") != told._replace(reason="")


def spread(places: list, count: int) -> list:
    """Return the first ones, which are the nearest, and some of all others."""
    half = count // 2
    if len(places) <= count:
        return places
    rest = places[half:]
    return places[:half] + rest[:: -(-len(rest) // half)]


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
