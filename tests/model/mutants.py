"""Every guard of the protocol turned off in turn: the model has to notice each.

A guard is a condition of an ``if``, a part of an ``and`` or ``or``, a filter of a comprehension
or the guard of a ``case``. One is turned off by making the condition false, or by leaving the
part or the filter out. The corpus, every decision that a search of the product as it is took
and where, tells where a mutant decides otherwise: only from there on can its worlds differ, so
the search for a broken law begins there. A mutant that never decides otherwise, but in words,
cannot be noticed by any run of the searches that made the corpus.
"""

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType

from seedprovider import admission, duties, founding, protocol
from tests.model import seeing, starts
from tests.model import state as m
from tests.model.moves import Label
from tests.model.search import Bounds, Search
from tests.model.seeing import Brain, Sight, Told
from tests.model.settling import Settler

MODULES: tuple[ModuleType, ...] = (protocol, admission, founding)
USERS: tuple[ModuleType, ...] = (protocol, admission, founding, duties)
PLACES = 24
"""Worlds in which a mutant decides otherwise that are tried, spread over all of them."""
BEYOND = (Bounds(faults=0, moves=12, worlds=800), Bounds(faults=1, moves=8, worlds=3000))
"""How far is searched from each: first without another fault, then with one."""


@dataclass(frozen=True)
class Mutant:
    """One guard turned off; `name` says where and which."""

    module: ModuleType
    name: str
    tree: ast.Module


def mutants() -> Iterator[Mutant]:
    """Give every mutant, in the order of the files."""
    for module in MODULES:
        path = Path(str(module.__file__))
        tree = ast.parse(path.read_text())
        for function in tree.body:
            if isinstance(function, ast.FunctionDef):
                for number in range(sum(1 for _ in _guards(function))):
                    yield _mutant(module, tree, function, number)


def _mutant(
    module: ModuleType, tree: ast.Module, function: ast.FunctionDef, number: int
) -> Mutant:
    changed = copy.deepcopy(tree)
    twin = next(
        each
        for each in changed.body
        if isinstance(each, ast.FunctionDef) and each.name == function.name
    )
    text, turn_off = list(_guards(twin))[number]
    turn_off()
    ast.fix_missing_locations(changed)
    stem = module.__name__.rpartition(".")[2]
    return Mutant(module, f"{stem}.{function.name}: {text}", changed)


def _guards(function: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    """Give each guard's text and what turns it off."""
    for node in ast.walk(function):
        if isinstance(node, ast.If | ast.IfExp):
            yield f"if {ast.unparse(node.test)}", _never(node, "test")
        elif isinstance(node, ast.match_case) and node.guard is not None:
            yield f"case … if {ast.unparse(node.guard)}", _never(node, "guard")
        elif isinstance(node, ast.BoolOp):
            joint = "and" if isinstance(node.op, ast.And) else "or"
            for part in node.values:
                yield f"… {joint} {ast.unparse(part)}", _without(node, part)
        elif isinstance(node, ast.comprehension):
            for part in node.ifs:
                yield f"for … if {ast.unparse(part)}", _unfiltered(node, part)


def _never(node: ast.AST, name: str) -> object:
    return lambda: setattr(node, name, ast.Constant(value=False))


def _without(node: ast.BoolOp, part: ast.expr) -> object:
    def leave_out() -> None:
        node.values.remove(part)
        if len(node.values) == 1:  # one that is left alone: joined with itself
            node.values.append(copy.deepcopy(node.values[0]))

    return leave_out


def _unfiltered(node: ast.comprehension, part: ast.expr) -> object:
    return lambda: node.ifs.remove(part)


@contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """Let the product decide as the mutant does."""
    twin = ModuleType(mutant.module.__name__)
    twin.__dict__.update({"__file__": mutant.module.__file__})
    exec(compile(mutant.tree, str(mutant.module.__file__), "exec"), twin.__dict__)  # noqa: S102
    patched: list[tuple[ModuleType, str, object]] = []
    for user in USERS:
        for name, value in list(vars(user).items()):
            ours = isinstance(value, FunctionType) and value.__module__ == twin.__name__
            if ours and hasattr(twin, name):
                patched.append((user, name, value))
                setattr(user, name, getattr(twin, name))
    try:
        yield
    finally:
        for user, name, value in patched:
            setattr(user, name, value)


@dataclass
class Corpus:
    """Every decision that searches of the product as it is took, and where.

    Attributes:
        searches: the start of each, and the search.

    """

    searches: list[tuple[m.World, Search]] = field(default_factory=list)

    def add(self, start: m.World, bounds: Bounds) -> None:
        """Search from `start`; the laws are checked elsewhere."""
        search = Search(Brain(), bounds, keep_sources=True)
        search.run([start])
        self.searches.append((start, search))

    def otherwise(self) -> Iterator[tuple[int, int, m.World]]:
        """Give the places in which the product, as installed now, decides otherwise."""
        for which, (_, search) in enumerate(self.searches):
            decisions = list(search.brain.decisions.items())
            ends = [each[0] for each in search.sources[1:]] + [len(decisions)]
            for (first, index, world), end in zip(search.sources, ends, strict=True):
                if any(_differs(*each) for each in decisions[first:end]):
                    yield which, index, world


def _differs(sight: Sight, told: Told) -> bool:
    """Whether a decision is another one, and not only in other words."""
    try:
        now = seeing.think(sight)
    except Exception:  # noqa: BLE001 -- a mutant may do anything
        return True
    return now._replace(reason="") != told._replace(reason="")


def corpus(*, whole: bool) -> Corpus:
    """Return the full corpus, or the share of it that is made in seconds."""
    made = Corpus()
    for start in starts.STARTS.values():
        made.add(start(1), Bounds(faults=3 if whole else 2, moves=12))
    made.add(starts.blank(2), Bounds(faults=1, moves=12))
    made.add(starts.older(2), Bounds(faults=2 if whole else 1, moves=8))
    made.add(starts.whole(3), Bounds(faults=2, moves=8 if whole else 2))
    made.add(starts.blank(3), Bounds(faults=1, moves=4 if whole else 0))
    return made


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        caught: the law that it breaks, None where it breaks none.
        places: in how many worlds it decides otherwise.
        start, path: the way there, where it is caught.

    """

    caught: str | None
    places: int
    start: m.World | None = None
    path: tuple[Label, ...] = ()


def judge(mutant: Mutant, made: Corpus) -> Verdict:
    """Search from the places where the mutant decides otherwise until a law is broken."""
    with installed(mutant):
        places = list(made.otherwise())
        for bounds in BEYOND:
            for which, index, world in _spread(places):
                found = _broken_from(world, bounds)
                if found is not None:
                    start, search = made.searches[which]
                    way = (*search.path(index), *found[1])
                    return Verdict(found[0], len(places), start, way)
        return Verdict(None, len(places))


def _spread(places: list[tuple[int, int, m.World]]) -> list[tuple[int, int, m.World]]:
    half = PLACES // 2
    if len(places) <= PLACES:
        return places
    rest = places[half:]
    return places[:half] + rest[:: max(1, len(rest) // half)]


def _broken_from(world: m.World, bounds: Bounds) -> tuple[str, tuple[Label, ...]] | None:
    brain = Brain()
    settler = Settler(brain)
    try:
        text = settler.dead_end(world)
        if text is not None:
            return text, ()
        found = Search(brain, bounds, settler.dead_end).run([world])
    except Exception as error:  # noqa: BLE001 -- a mutant may do anything
        return f"it fails: {type(error).__name__}: {error}", ()
    return (found.text, found.path) if found else None
