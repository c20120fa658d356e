"""Random walks: deep, over more pods than can be gone through to the end."""

import random
from collections.abc import Iterator

from tests.model import cassandra, laws
from tests.model import state as m
from tests.model.deciding import Brain
from tests.model.faults import faults
from tests.model.moves import Broken, Label, moves
from tests.model.search import Found
from tests.model.settling import Settler

FAULT_SHARE = 0.06
"""Of the steps of a walk; more would keep every ring from ever being whole."""
SETTLE_EVERY = 25
"""After so many steps a walk is followed to its end as well."""


def options(brain: Brain, world: m.World) -> Iterator[tuple[Label, m.World | Broken]]:
    """Give every move and every fault."""
    yield from moves(brain, world)
    yield from faults(world)


def walk(
    settler: Settler, start: m.World, steps: int, faults_at_most: int, chance: random.Random
) -> Found | None:
    """Walk at random; return the first law that is found broken, with the way there."""
    world, path, left = m.renamed(start), [], faults_at_most
    for number in range(steps):
        bad = left > 0 and chance.random() < FAULT_SHARE
        choices = list(faults(world) if bad else moves(settler.brain, world))
        if not choices:
            choices, bad = list(faults(world)) if left > 0 else [], True
        if not choices:
            break
        left -= bad
        label, after = chance.choice(choices)
        path.append(label)
        if isinstance(after, Broken):
            return Found(after.text, tuple(path))
        world = m.renamed(cassandra.collected(after))
        text = laws.standing(world)
        if text is None and number % SETTLE_EVERY == SETTLE_EVERY - 1:
            text = settler.dead_end(world)
        if text is not None:
            return Found(text, tuple(path))
    text = settler.dead_end(world)
    return Found(text, tuple(path)) if text else None
