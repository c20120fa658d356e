"""Skew is measured once for a ring that has settled, and is found by the next cycle."""

from dataclasses import replace

from ring.finding import Kind
from ring.judged import Judged, Known, judge
from ring.skewing import Skewing, Skews
from tests.unit.ring.serving import AT
from tests.unit.ring.worlds import World


def lopsided() -> World:
    """Let one node own nearly everything: all others' tokens lie close together."""
    world = World(6)
    for seat in world.seats[1:]:
        tokens = tuple(seat.number * 10 + k for k in range(4))
        seat.row = replace(seat.row, tokens=tokens)
    world.keyspaces = {"shop": {"class": "SimpleStrategy", "replication_factor": "1"}}
    return world


async def test_a_lopsided_ring_is_found_once_it_has_settled() -> None:
    world = lopsided()
    judged: list[Judged] = [judge(world.observed(), AT)]
    told: list[Skews] = []
    skewing = Skewing(lambda: judged[-1], told.append)
    await skewing.look()
    assert told == []
    await skewing.look()
    await skewing.look()

    assert len(told) == 1
    kinds = {
        each.kind
        for each in judge(world.observed(), AT, judged[-1], Known(skews=told[0])).found
    }
    assert Kind.TOKEN_SKEW in kinds


async def test_a_ring_that_changes_is_measured_again_and_one_that_is_unknown_never() -> None:
    judged: list[Judged | None] = [None]
    told: list[Skews] = []
    skewing = Skewing(lambda: judged[-1], told.append)
    await skewing.look()
    for world in (World(3), World(3), World(4), World(4)):
        judged.append(judge(world.observed(), AT))
        await skewing.look()

    assert len(told) == 2
