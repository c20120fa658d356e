"""Every guard of the protocol turned off in turn.

A guard is a condition of an ``if``, a part of an ``and`` or ``or``, a filter of a comprehension
or the guard of a ``case``. One is turned off by making the condition false, or by leaving the
part or the filter out. `watching` tells of a decision which guards it rests on.
"""

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from seedprovider import admission, duties, evidence, founding, protocol

MODULES: tuple[ModuleType, ...] = (protocol, admission, founding, evidence, duties)
NOTE = "__guard__"


@dataclass(frozen=True)
class Mutant:
    """One guard turned off; `name` says where and which, `number` which of all."""

    module: ModuleType
    function: str
    name: str
    number: int
    tree: ast.Module


@dataclass(frozen=True)
class _Guard:
    """A guard in a syntax tree.

    Attributes:
        holder, place: the node that has it, and the attribute, or the part of a list.
        matters: the truth that it has where turning it off makes a difference.

    """

    text: str
    holder: ast.AST
    place: str | ast.expr
    matters: bool

    def turn_off(self) -> None:
        """Make the condition false, or leave the part out."""
        if isinstance(self.place, str):
            setattr(self.holder, self.place, ast.Constant(value=False))
            return
        parts = self._parts()
        parts.remove(self.place)
        if len(parts) == 1 and isinstance(self.holder, ast.BoolOp):
            parts.append(copy.deepcopy(parts[0]))  # one that is left alone: joined with itself

    def watch(self, number: int) -> None:
        """Let the guard tell its truth whenever it is looked at."""
        if isinstance(self.place, str):
            setattr(self.holder, self.place, _noted(getattr(self.holder, self.place), number))
        else:
            parts = self._parts()
            parts[parts.index(self.place)] = _noted(self.place, number)

    def _parts(self) -> list[ast.expr]:
        holder = self.holder
        assert isinstance(holder, ast.BoolOp | ast.comprehension)
        return holder.values if isinstance(holder, ast.BoolOp) else holder.ifs


def _noted(part: ast.expr, number: int) -> ast.expr:
    arguments = [ast.Constant(value=number), part]
    return ast.Call(func=ast.Name(id=NOTE, ctx=ast.Load()), args=arguments, keywords=[])


def _guards(function: ast.FunctionDef) -> Iterator[_Guard]:
    for node in ast.walk(function):
        if isinstance(node, ast.If | ast.IfExp):
            yield _Guard(f"if {ast.unparse(node.test)}", node, "test", matters=True)
        elif isinstance(node, ast.match_case) and node.guard is not None:
            yield _Guard(f"case … if {ast.unparse(node.guard)}", node, "guard", matters=True)
        elif isinstance(node, ast.BoolOp):
            either = isinstance(node.op, ast.Or)
            for part in node.values:
                text = f"… {'or' if either else 'and'} {ast.unparse(part)}"
                yield _Guard(text, node, part, matters=either)
        elif isinstance(node, ast.comprehension):
            for part in node.ifs:
                yield _Guard(f"for … if {ast.unparse(part)}", node, part, matters=False)


def _functions(module: ModuleType) -> tuple[ast.Module, list[ast.FunctionDef]]:
    tree = ast.parse(Path(str(module.__file__)).read_text())
    return tree, [each for each in tree.body if isinstance(each, ast.FunctionDef)]


def mutants() -> Iterator[Mutant]:
    """Give every mutant, in the order of the files."""
    number, names = 0, set[str]()
    for module in MODULES:
        stem = module.__name__.rpartition(".")[2]
        _, functions = _functions(module)
        for function in functions:
            for at in range(sum(1 for _ in _guards(function))):
                twin = copy.deepcopy(function)
                guard = list(_guards(twin))[at]
                guard.turn_off()
                tree = ast.fix_missing_locations(_only(twin))
                name = f"{stem}.{function.name}: {guard.text}"
                while name in names:
                    name += ", again"
                names.add(name)
                yield Mutant(module, function.name, name, number, tree)
                number += 1


def _only(function: ast.FunctionDef) -> ast.Module:
    """Return a module with this function alone, so that its annotations are not evaluated."""
    later = ast.ImportFrom(module="__future__", names=[ast.alias(name="annotations")], level=0)
    return ast.Module(body=[later, function], type_ignores=[])


@contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """Let the product decide as the mutant does, whoever has imported its function."""
    with _exchanged([(mutant.module, mutant.function, mutant.tree)]):
        yield


@contextmanager
def watching() -> Iterator[set[int]]:
    """Let guards tell when they matter: their numbers are put into the set that is given."""
    noted: set[int] = set()
    matters: list[bool] = []
    trees = []
    for module in MODULES:
        _, functions = _functions(module)
        for function in functions:
            for guard in list(_guards(function)):
                guard.watch(len(matters))
                matters.append(guard.matters)
            trees.append((module, function.name, ast.fix_missing_locations(_only(function))))

    def note(number: int, truth: object) -> object:
        if bool(truth) is matters[number]:
            noted.add(number)
        return truth

    for module in MODULES:
        setattr(module, NOTE, note)
    try:
        with _exchanged(trees):
            yield noted
    finally:
        for module in MODULES:
            delattr(module, NOTE)


@contextmanager
def _exchanged(trees: list[tuple[ModuleType, str, ast.Module]]) -> Iterator[None]:
    """Give functions other code; whoever holds the function runs that."""
    genuine = []
    for module, name, tree in trees:
        function: FunctionType = getattr(module, name)
        made: dict[str, FunctionType] = {}
        exec(compile(tree, str(module.__file__), "exec"), made)  # noqa: S102
        genuine.append((function, function.__code__))
        function.__code__ = made[name].__code__
    try:
        yield
    finally:
        for function, code in genuine:
            function.__code__ = code
