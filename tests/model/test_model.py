"""The share of the model checker that goes with every test run; for all, `make model-check`."""

import os
import random
import subprocess
import sys
from itertools import permutations

import pytest

from tests.model import holding, mutants, noticing, starts, walks
from tests.model import state as m
from tests.model.checking import SHARE, Run, search, told
from tests.model.deciding import Brain
from tests.model.equivalent import EQUIVALENT
from tests.model.held import HELD
from tests.model.packing import Covers
from tests.model.search import Bounds, Near, Search
from tests.model.settling import Settler
from tests.model.shard import Shard

SEED = int(os.environ.get("MODEL_SEED") or random.SystemRandom().randrange(2**32))
"""Printed with every failure; set MODEL_SEED to repeat one."""
MUTANTS = {mutant.name: mutant for mutant in mutants.mutants()}
CAUGHT = noticing.recorded()
HELD_SAMPLED = 24
WALKS, STEPS = 2, 60


@pytest.mark.timeout(600)
@pytest.mark.parametrize("run", SHARE, ids=lambda run: f"{run.start}-{run.pods}")
def test_every_law_holds_in_every_order_of_events(run: Run) -> None:
    outcome = search(run, tell=False)
    start = starts.STARTS[run.start](run.pods)

    assert [(each.text, told(start, each.path)) for each in outcome.found] == []
    assert outcome.made.complete


@pytest.mark.timeout(600)
@pytest.mark.parametrize("start", sorted(starts.STARTS))
def test_every_law_holds_on_random_walks_of_five_pods(start: str) -> None:
    settler = Settler(Brain())
    for number in range(WALKS):
        chance = random.Random(f"{SEED}/{start}/{number}")  # noqa: S311 -- to be repeated
        found = walks.walk(settler, starts.STARTS[start](5), STEPS, 2, chance)
        assert found is None, f"MODEL_SEED={SEED}, walk {number}: {found}"


# -- guards that are turned off ----------------------------------------------------------------


def test_no_guard_of_the_protocol_is_forgotten() -> None:
    """A new one is judged by `make model-mutants ARGS=--write`, and is on one list after it."""
    lists = [CAUGHT.keys(), EQUIVALENT.keys(), HELD.keys()]

    assert set().union(*lists) == MUTANTS.keys()
    assert sum(len(names) for names in lists) == len(MUTANTS)


@pytest.mark.timeout(600)
def test_a_law_breaks_where_a_guard_is_off() -> None:
    for name, verdict in CAUGHT.items():
        with mutants.installed(MUTANTS[name]):
            broken = noticing.breaks(verdict.start, verdict.path)
        assert broken, f"{name} is not noticed any more"
        assert verdict.breaks_a_law != broken.startswith(noticing.FAILS), f"{name}: {broken}"


@pytest.mark.parametrize("test", sorted(set(HELD.values())))
def test_what_is_said_to_hold_a_guard_is_there(test: str) -> None:
    assert holding.there(test)


@pytest.mark.timeout(600)
def test_what_is_said_to_hold_a_guard_holds_it() -> None:
    command = [sys.executable, "-m", "tests.model", "held"]
    sample = ["--sample", str(HELD_SAMPLED), "--seed", str(SEED)]
    ran = subprocess.run(  # noqa: S603 -- ourselves
        [*command, *sample], check=False, capture_output=True, text=True, timeout=300
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


# -- the search itself -------------------------------------------------------------------------


class EachApart(Covers):
    """Keeps every world, also those that another one covers."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds: dict[m.World, int] = {}

    def add(self, key: int, world: m.World) -> bool:
        is_new = world not in self.worlds
        self.worlds[world] = key
        self.count = len(self.worlds)
        return is_new

    def stands(self, world: m.World) -> bool:
        return world in self.worlds


def gone_through(seen: Covers, start: str, faults: int, moves: int) -> Search:
    brain = Brain()
    shard = Shard(brain, Settler(brain), seen=seen)
    made = Search([Near(shard)], Bounds(faults, moves))
    assert made.run([starts.STARTS[start](2)]) is None
    return made


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("start", "faults", "moves"), [("blank", 1, 5), ("older", 1, 5), ("whole", 2, 1)]
)
def test_what_is_left_out_is_covered_by_what_is_not(
    start: str, faults: int, moves: int
) -> None:
    every, few = EachApart(), Covers()
    gone_through(every, start, faults, moves)
    gone_through(few, start, faults, moves)

    assert few.count < len(every.worlds)
    assert [world for world, key in every.worlds.items() if not covered(few, key, world)] == []


def covered(few: Covers, key: int, world: m.World) -> bool:
    """Whether it is, in one of the orders of its pods that are alike at present."""
    orders = permutations(range(len(world.pods)))
    alike = (m._renamed(world, order) for order in orders)
    return any(few.has(key, each) for each in alike if hash(m.present(each)) == key)


def test_processes_that_share_the_worlds_find_what_one_finds() -> None:
    mutant = MUTANTS["protocol._member: … or _cloned(asker, view, ring, host)"]
    run = Run("blank", 2, Bounds(faults=1, moves=2))
    with mutants.installed(mutant):
        ((alone,), (shared,)) = (
            search(run, processes=count, tell=False).found for count in (1, 2)
        )
        broken = noticing.breaks(("blank", 2), shared.path)

    assert alone.text == shared.text == broken


# -- the model itself --------------------------------------------------------------------------


def test_worlds_that_differ_in_names_alone_are_one() -> None:
    whole = starts.whole(3)
    order = (2, 0, 1)

    assert m.canonical(m._renamed(whole, order)) == m.canonical(whole)


def test_a_fair_run_of_blank_pods_ends_in_one_whole_ring() -> None:
    whole = starts.whole(3)

    assert [pod.run for pod in whole.pods] == [m.NORMAL] * 3
    assert len(whole.maps) == 1
    assert len(whole.maps[0][1]) == 3
