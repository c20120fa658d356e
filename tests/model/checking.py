"""Searches within bounds, those of `make model-check`, and how they are told of.

Progress is printed every half a minute; one that is interrupted or ended tells how far it
came.
"""

# ruff: noqa: T201 -- a command line

import argparse
import gc
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.model import state as m
from tests.model.deciding import Brain
from tests.model.faults import faults
from tests.model.moves import Label, moves
from tests.model.processes import shards
from tests.model.search import Bounds, Found, Search
from tests.model.settling import Settler
from tests.model.shard import Shard
from tests.model.starts import STARTS
from tests.model.wording import story

REMEMBERED = 200_000
"""Answers that one process remembers, at some KiB each."""
TELL_SECONDS = 30.0
INTERRUPTED = 130
"""Exit code, as a shell has it for SIGINT."""


@dataclass(frozen=True)
class Run:
    """One exhaustive search: pods that start so, with these bounds."""

    start: str
    pods: int
    bounds: Bounds


FULL = (
    *(Run(start, 1, Bounds(faults=3, moves=12)) for start in sorted(STARTS)),
    *(Run(start, 2, Bounds(faults=2, moves=12)) for start in sorted(STARTS)),
    *(Run(start, 3, Bounds(faults=2, moves=12)) for start in ("whole", "older", "blank")),
)
"""What `make model-check` goes through; docs/decisions/0012 has the figures."""
SHARE = (
    Run("blank", 1, Bounds(faults=2, moves=12)),
    Run("whole", 2, Bounds(faults=2, moves=2)),
    Run("whole", 3, Bounds(faults=2, moves=0)),
    Run("older", 2, Bounds(faults=1, moves=12)),
    Run("blank", 2, Bounds(faults=1, moves=12)),
    Run("blank", 3, Bounds(faults=0)),
)
"""What every test run goes through."""


@dataclass(frozen=True)
class Outcome:
    """What came of a search, also of one that was interrupted.

    Attributes:
        rules: what an operator had to resolve, and with which act, and how often.

    """

    made: Search
    found: list[Found]
    rules: dict[tuple[str, str], int]
    interrupted: bool = False


def search(
    run: Run, *, processes: int = 1, tell: bool = True, goes_on: bool = False
) -> Outcome:
    """Go through one run; see `Shard.goes_on`."""
    begun = [STARTS[run.start](run.pods)]
    made = Search([], run.bounds, tell=Teller() if tell else lambda _: None)

    def shard(number: int) -> Shard:
        brain = Brain(REMEMBERED)
        return Shard(brain, Settler(brain), number, processes, run.bounds.worlds, goes_on)

    gc.disable()  # tuples of numbers have no circles to look for, and there are millions
    ends = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with shards(processes, shard, made.hear) as made.keepers:
            found = made.run(begun)
            return Outcome(made, [found] if found else made.kept(), made.resolved())
    except KeyboardInterrupt:
        return Outcome(made, [], {}, interrupted=True)
    finally:
        signal.signal(signal.SIGTERM, ends)
        gc.enable()


@dataclass
class Teller:
    """Prints how far a search is, now and then, and at once what it finds broken."""

    since: float = field(default_factory=time.monotonic)
    last: float = 0.0
    broken: set[str] = field(default_factory=set)

    def __call__(self, made: Search) -> None:
        now = time.monotonic()
        found = {text for each in made.figures.values() for text in each.broken}
        for text in sorted(found - self.broken):
            print(f"  BROKEN, story at the end: {text}", flush=True)
        self.broken |= found
        if now - self.last < TELL_SECONDS:
            return
        self.last, seconds = now, now - self.since
        left = sum(each.left for each in made.figures.values())
        memory = sum(each.memory for each in made.figures.values())
        print(
            f"  … {made.worlds:,} worlds after {len(made.layers)} faults at most, "
            f"{made.worlds / seconds:,.0f} a second; {left:,} to expand in this step; "
            f"{memory:,} MiB, {seconds:,.0f} s",
            flush=True,
        )


def told(start: m.World, path: tuple[Label, ...]) -> str:
    """Return the way from a start as a story, a line for each step."""
    brain = Brain()
    lines = story(start, path, lambda world: (*moves(brain, world), *faults(world)))
    return "\n".join(lines)


def check(options: argparse.Namespace) -> int:
    """Go through all runs, or the one that is named."""
    runs: Sequence[Run] = SHARE if options.share else FULL
    if options.start:
        bounds = Bounds(options.faults, options.moves, options.worlds)
        runs = [Run(options.start, options.pods, bounds)]
    worlds, rules = 0, dict[tuple[str, str], int]()
    rows = ["start  pods  faults  moves       worlds        moves  seconds"]
    since = time.monotonic()
    for run in runs:
        bounds = run.bounds
        print(
            f"{run.start}, {run.pods} pods, up to {bounds.faults} faults, "
            f"{bounds.moves} moves after the last",
            flush=True,
        )
        began = time.monotonic()
        outcome = search(run, processes=options.processes, goes_on=options.on)
        made = outcome.made
        worlds += made.worlds
        for key, count in outcome.rules.items():
            rules[key] = rules.get(key, 0) + count
        for found in outcome.found:
            print(f"BROKEN {found.text}\n{told(STARTS[run.start](run.pods), found.path)}")
        if outcome.found:
            return 1
        limit = "" if made.complete else f"; STOPPED at {bounds.worlds:,} worlds"
        limit = "; INTERRUPTED" if outcome.interrupted else limit
        print(
            f"  {made.worlds:,} distinct worlds, {made.moves:,} moves and faults; in all after "
            f"0, 1, … faults: {', '.join(f'{count:,}' for count in made.layers)}"
            f"{'' if made.closed else ' (bounded by moves)'}{limit}",
            flush=True,
        )
        rows.append(
            f"{run.start:5}  {run.pods:4}  {bounds.faults:6}  {bounds.moves:5}  "
            f"{made.worlds:11,}  {made.moves:11,}  {time.monotonic() - began:7.0f}{limit}"
        )
        if outcome.interrupted:
            print("\n".join(rows))
            return INTERRUPTED
    print("\n".join(rows))
    print(f"every law holds in {worlds:,} distinct worlds, {time.monotonic() - since:.0f} s")
    print("what an operator had to resolve, and did:")
    for (rule, act), count in sorted(rules.items()):
        print(f"  {rule}: {act} ({count:,})")
    return 0
