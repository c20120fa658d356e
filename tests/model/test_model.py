"""The share of the model checker that goes with every test run; for all, `make model-check`."""

import os
import random

import pytest

from tests.model import mutants, starts, walks
from tests.model import state as m
from tests.model.__main__ import SHARE, Run, search, told
from tests.model.equivalent import EQUIVALENT
from tests.model.seeing import Brain
from tests.model.settling import Settler

SEED = int(os.environ.get("MODEL_SEED") or random.SystemRandom().randrange(2**32))
"""Printed with every failure; set MODEL_SEED to repeat one."""
SAMPLE = 4
MUTANTS = list(mutants.mutants())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("run", SHARE, ids=lambda run: f"{run.start}-{run.pods}")
def test_every_law_holds_in_every_order_of_events(run: Run) -> None:
    made, _, found = search(run, loud=False)

    assert found is None, (
        f"{found.text}\n{told(starts.STARTS[run.start](run.pods), found.path)}"
    )
    assert made.complete


@pytest.mark.timeout(600)
@pytest.mark.parametrize("start", sorted(starts.STARTS))
def test_every_law_holds_on_random_walks_of_five_pods(start: str) -> None:
    settler = Settler(Brain())
    for number in range(3):
        chance = random.Random(f"{SEED}/{start}/{number}")  # noqa: S311 -- to be repeated
        found = walks.walk(settler, starts.STARTS[start](5), 120, 2, chance)
        assert found is None, f"MODEL_SEED={SEED}, walk {number}: {found}"


@pytest.fixture(scope="module")
def corpus() -> mutants.Corpus:
    return mutants.corpus(whole=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(SAMPLE))
def test_the_model_notices_a_guard_that_is_off(number: int, corpus: mutants.Corpus) -> None:
    chance = random.Random(SEED)  # noqa: S311 -- to be repeated
    mutant = chance.sample(MUTANTS, SAMPLE)[number]
    verdict = mutants.judge(mutant, corpus)

    known = mutant.name in EQUIVALENT or verdict.places == 0
    assert verdict.caught or known, f"MODEL_SEED={SEED}: {mutant.name} is missed"


def test_every_guard_that_is_said_to_be_harmless_is_still_there() -> None:
    assert EQUIVALENT.keys() <= {mutant.name for mutant in MUTANTS}


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
