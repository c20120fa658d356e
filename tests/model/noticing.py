"""Whether the model notices that a guard of the protocol is turned off.

The search for a broken law begins where the corpus tells that the mutant answers otherwise.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.model import laws, mutants, starts
from tests.model import state as m
from tests.model.corpus import Corpus, Start, spread
from tests.model.deciding import Brain
from tests.model.faults import faults
from tests.model.moves import Broken, Label, moves
from tests.model.search import Bounds, Near, Search
from tests.model.settling import Settler
from tests.model.shard import Shard, tidy

PLACES = 8
"""Worlds in which a mutant answers otherwise that are tried, spread over all of them."""
BEYOND = (Bounds(faults=0, moves=12, worlds=500), Bounds(faults=1, moves=8, worlds=1000))
"""How far is searched from each: first without another fault, then with one."""
UNREMEMBERED = {("duties", name) for name in ("record_missing", "_standing", "vanished")}
"""Functions that are asked beside the questions of the corpus: a search with one of their
guards off begins at the start."""
DIRECT = (
    (("blank", 1), Bounds(faults=2, moves=6)),
    (("blank", 2), Bounds(faults=1, moves=2)),
    (("older", 2), Bounds(faults=1, moves=4)),
    (("whole", 2), Bounds(faults=1, moves=6)),
    (("whole", 3), Bounds(faults=1, moves=3)),
)
FAILS = "it fails: "
BEGINNINGS: dict[Start, m.World] = {
    (name, size): m.canonical(start(size))
    for name, start in starts.STARTS.items()
    for size in (1, 2, 3)
}
"""Worlds that ways on record begin in, as the product makes them: a mutant may make none."""
RECORDED = Path(__file__).with_name("caught.json")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        caught: the law that it breaks, None where it breaks none.
        places: in how many of the worlds that were asked it answers otherwise.
        start, path: the way there, where it is caught.

    """

    caught: str | None
    places: int
    start: Start = ("", 0)
    path: tuple[Label, ...] = ()

    @property
    def breaks_a_law(self) -> bool:
        """Whether it breaks a law, and is not only a mistake that Python finds."""
        return self.caught is not None and not self.caught.startswith(FAILS)


def judge(mutant: mutants.Mutant, made: Corpus) -> Verdict:
    """Search from the places where the mutant answers otherwise until a law is broken.

    Where it only fails, which the types of the product would tell as well, the search goes on.
    """
    best = Verdict(None, 0)
    with mutants.installed(mutant):
        for verdict in _verdicts(mutant, made):
            if best.caught is None:
                best = verdict
            if verdict.breaks_a_law:
                return verdict
    return best


def _verdicts(mutant: mutants.Mutant, made: Corpus) -> Iterator[Verdict]:
    """Give what is found in one place after the other; the first ones may be without a law."""
    places = made.otherwise(mutant)
    yield Verdict(None, len(places))
    for bounds in BEYOND:
        for which, index, world in spread(places, PLACES):
            found = _broken_from(world, bounds)
            if found is None:
                continue
            start, search = made.searches[which]
            way = (*search.path(index), *found[1])
            # The mutant may have taken another way long before.
            broken = _broken_on(start, way)
            if broken is not None:
                yield Verdict(broken, len(places), start, way)
    if (mutant.module.__name__.rpartition(".")[2], mutant.function) in UNREMEMBERED:
        for start, bounds in DIRECT:
            found = _broken_from(BEGINNINGS[start], bounds)
            if found is not None:
                yield Verdict(found[0], 0, start, found[1])


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
        return f"{FAILS}{type(error).__name__}: {error}", ()
    return (found.text, found.path) if found else None


class AnotherWayError(Exception):
    """The product, as installed now, does not go the way that is on record."""


def breaks(start: Start, path: tuple[Label, ...]) -> str | None:
    """Go a way that is on record; return the law that is broken on it, at its end or near it.

    Raises `AnotherWayError`.
    """
    brain = Brain()
    world = BEGINNINGS[start]
    for label in path:
        try:
            after = _after(brain, world, label)
        except AnotherWayError:
            raise
        except Exception as error:  # noqa: BLE001 -- a mutant may do anything
            return f"{FAILS}{type(error).__name__}: {error}"
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
        broken = _broken_on(verdict.start, verdict.path)
    return replace(verdict, caught=broken) if broken else None


def _broken_on(start: Start, way: tuple[Label, ...]) -> str | None:
    try:
        return breaks(start, way)
    except AnotherWayError:
        return None


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
