"""Command line of the model checker: `python -m tests.model check | walk | mutants`.

Exit codes: 0 every law holds; 1 one does not, with the story of how; 2 the command is wrong;
130 a search was interrupted.
"""

# ruff: noqa: T201 -- a command line

import argparse
import random
import sys
from collections.abc import Sequence

from tests.model import corpus, holding, mutants, noticing, walks
from tests.model.checking import check, told
from tests.model.deciding import Brain
from tests.model.equivalent import EQUIVALENT
from tests.model.held import HELD
from tests.model.settling import Settler
from tests.model.starts import STARTS


def walk(options: argparse.Namespace) -> int:
    """Walk at random."""
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}: {options.walks} walks of {options.steps} steps, {options.pods} pods")
    settler = Settler(Brain())
    for number in range(options.walks):
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 -- to be repeated
        name = chance.choice(sorted(STARTS))
        start = STARTS[name](options.pods)
        found = walks.walk(settler, start, options.steps, options.faults, chance)
        if found is not None:
            print(f"BROKEN in walk {number} ({name}): {found.text}")
            print("\n".join(f"{at:3}. {label}" for at, label in enumerate(found.path, 1)))
            return 1
    print(f"every law holds; {len(settler.good):,} worlds were followed to a whole ring")
    return 0


def turn_off(options: argparse.Namespace) -> int:
    """Turn guards off in turn: all, or those that are named."""
    every = list(mutants.mutants())
    chosen = [each for each in every if each.name.startswith(options.only)]
    made = corpus.corpus(whole=options.whole)
    known = noticing.recorded()
    caught = known.copy() if options.only else {}
    missed = noticed = failed = 0
    for mutant in chosen:
        verdict = noticing.judge(mutant, made)
        if not verdict.breaks_a_law:
            before = noticing.as_before(mutant, known)
            if before and (before.breaks_a_law or not verdict.caught):
                verdict = before
        if verdict.caught is None:
            why = EQUIVALENT.get(mutant.name) or HELD.get(mutant.name)
            missed += why is None
            state = f"no law needs it: {why}" if why else f"MISSED ({verdict.places} places)"
            print(f"{mutant.name}\n  {state}", flush=True)
            continue
        caught[mutant.name] = verdict
        noticed += verdict.breaks_a_law
        failed += not verdict.breaks_a_law
        print(f"{mutant.name}\n  caught: {verdict.caught}", flush=True)
        if options.stories:
            with mutants.installed(mutant):
                print(told(noticing.BEGINNINGS[verdict.start], verdict.path))
    if options.write:
        noticing.record({each.name: caught[each.name] for each in every if each.name in caught})
    print(
        f"{len(chosen)} guards turned off: {noticed} break a law, "
        f"{failed} make the product fail, "
        f"{len(chosen) - noticed - failed - missed} are on a list, "
        f"{missed} missed"
    )
    return 1 if missed else 0


def held(options: argparse.Namespace) -> int:
    """Run the unit tests that are said to hold guards, each with its guard off."""
    named = [each for each in mutants.mutants() if each.name in HELD]
    if options.sample:
        seed = (
            options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
        )
        print(f"seed {seed}: {options.sample} of {len(named)}")
        chance = random.Random(seed)  # noqa: S311 -- to be repeated
        named = chance.sample(named, min(options.sample, len(named)))
    wrong = [each.name for each in named if not holding.holds(each, HELD[each.name])]
    for name in wrong:
        print(f"{name}\n  NOT HELD by {HELD[name]}")
    print(f"{len(named)} guards turned off, {len(wrong)} not held by the test that is named")
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("check", help="every order of events within the bounds")
    one.add_argument("--share", action="store_true", help="the part that takes a minute")
    one.add_argument("--start", choices=sorted(STARTS), help="one search, from this start")
    one.add_argument("--pods", type=int, default=3)
    one.add_argument("--faults", type=int, default=2, help="at the most (default 2)")
    one.add_argument("--moves", type=int, default=12, help="after the last (default 12)")
    one.add_argument("--worlds", type=int, default=0, help="give up after so many")
    one.add_argument("--processes", type=int, default=1, help="that share the worlds")
    one.add_argument("--on", action="store_true", help="go on past a broken law")
    one.set_defaults(run=check)
    two = commands.add_parser("walk", help="random walks over more pods")
    two.add_argument("--pods", type=int, default=5)
    two.add_argument("--walks", type=int, default=200)
    two.add_argument("--steps", type=int, default=300)
    two.add_argument("--faults", type=int, default=2, help="in each walk (default 2)")
    two.add_argument("--seed", type=int)
    two.set_defaults(run=walk)
    three = commands.add_parser("mutants", help="turn every guard off in turn")
    three.add_argument("--whole", action="store_true", help="a corpus made in many minutes")
    three.add_argument("--only", default="", help="guards whose name begins so")
    three.add_argument("--stories", action="store_true", help="tell how each was caught")
    three.add_argument("--write", action="store_true", help="write caught.json anew")
    three.set_defaults(run=turn_off)
    four = commands.add_parser(
        "held", help="the unit tests that hold what the model leaves out"
    )
    four.add_argument("--sample", type=int, default=0, help="so many, chosen by the seed")
    four.add_argument("--seed", type=int)
    four.set_defaults(run=held)
    options = parser.parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
