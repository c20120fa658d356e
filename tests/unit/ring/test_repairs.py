"""Since when a member is repaired: every range of every table, or not at all."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ring.finding import Kind, Upkeep
from ring.judged import Judged, Known, judge
from ring.model import MAX_TOKEN, MIN_TOKEN
from ring.observe.repairing import full_repairs
from ring.repairs import Repair, RepairHistory, Span, repaired
from ring.upkeeping import Upkeeping
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

EVERYTHING = (MIN_TOKEN, MAX_TOKEN)
ME = host(1)


def since(*repairs: Repair, tables: tuple[str, ...] = ("rows",)) -> float | None:
    history = RepairHistory(tables={"shop": tables, "logs": ()}, repairs=repairs)
    return repaired(World(4).snapshot().ring, history, {ME}).get(ME)


def repair(began: float, *ranges: Span, tables: tuple[str, ...] = ("rows",)) -> Repair:
    return Repair(keyspace="shop", tables=frozenset(tables), began=began, ranges=ranges)


def test_a_member_is_repaired_since_its_oldest_range_was() -> None:
    halves = repair(10.0, (MIN_TOKEN, 0)), repair(20.0, (0, MAX_TOKEN))

    assert since(*halves) == 10.0
    assert since(*halves, repair(30.0, EVERYTHING)) == 30.0
    assert since(repair(30.0, (5, 5))) == 30.0  # all the way round


def test_who_lacks_a_range_or_a_table_is_not_repaired() -> None:
    token = World(4).seats[1].row.tokens[0]

    assert since() is None
    assert since(repair(10.0, (MIN_TOKEN, token - 1), (token, MAX_TOKEN))) is None
    assert since(repair(10.0, EVERYTHING), tables=("rows", "more")) is None
    both = ("rows", "more")
    later = repair(10.0, EVERYTHING, tables=both), repair(20.0, EVERYTHING)
    assert since(*later, tables=both) == 10.0


ROW = {
    "keyspace_name": "shop",
    "columnfamily_names": {"rows"},
    "started_at": datetime(1970, 1, 1, 0, 1),  # noqa: DTZ001 -- as the driver has it
    "finished_at": datetime(1970, 1, 1, 0, 2),  # noqa: DTZ001
    "successful_ranges": {"(-5,7]"},
    "options": {
        "incremental": "false",
        "dataCenters": "[]",
        "hosts": "[]",
        "pullRepair": "false",
        "forceRepair": "false",
    },
}


def test_a_full_repair_of_all_replicas_counts() -> None:
    (found,) = full_repairs([ROW])

    assert found == repair(60.0, (-5, 7))


@pytest.mark.parametrize(
    "change",
    [
        {"finished_at": None},
        {"successful_ranges": None},
        {"successful_ranges": {"garbage"}},
        {"successful_ranges": {"(-5,9223372036854775808]"}},
        {"successful_ranges": 5},
        {"columnfamily_names": None},
        {"started_at": None},
        {"options": {"incremental": None}},
        {"options": None},
        {"options": {**ROW["options"], "incremental": "true"}},  # type: ignore[dict-item]
        {"options": {**ROW["options"], "dataCenters": "[dc1]"}},  # type: ignore[dict-item]
        {"options": {**ROW["options"], "forceRepair": "true"}},  # type: ignore[dict-item]
    ],
)
def test_what_has_not_ended_or_left_somebody_out_does_not_count(change: dict[str, Any]) -> None:
    assert list(full_repairs([{**ROW, **change}])) == []


class Told:
    """A node that knows of some repairs, or fails."""

    def __init__(self, *repairs: Repair, failure: str = "") -> None:
        self._repairs, self._failure = repairs, failure
        self.asked: list[float] = []
        self.closed = 0

    def repairs(self, since: float) -> RepairHistory:
        self.asked.append(since)
        if self._failure:
            raise OSError(self._failure)
        return RepairHistory(tables={"shop": {"rows"}}, repairs=self._repairs)

    def close(self) -> None:
        self.closed += 1


def restored() -> tuple[World, Judged]:
    """Judge a ring of which one member came back on another volume."""
    world = World(4)
    before = judge(world.observed(), 5.0)
    world.seats[1].claim = replace(world.seats[1].claim, uid="another")
    return world, judge(world.observed(), 10.0, before)


async def looked(node: Told, judged: Judged) -> list[Upkeep]:
    told: list[Upkeep] = []
    await Upkeeping(lambda: judged, lambda _: node, lambda: ["10.0.0.1"], told.append).look()
    return told


async def test_a_repair_since_ends_what_was_due() -> None:
    (world, judged), node = restored(), Told(repair(11.0, EVERYTHING))
    (upkeep,) = await looked(node, judged)
    again = judge(world.observed(), 15.0, judged, Known(upkeep=upkeep))

    assert (node.asked, node.closed) == ([10.0], 1)
    assert Kind.REPAIR_DUE in {each.kind for each in judged.found}
    assert Kind.REPAIR_DUE not in {each.kind for each in again.found}


async def test_a_history_that_cannot_be_read_leaves_it_due_and_says_why() -> None:
    (world, judged), node = restored(), Told(failure="no SELECT permission")
    (upkeep,) = await looked(node, judged)
    again = judge(world.observed(), 15.0, judged, Known(upkeep=upkeep))
    (told,) = [each for each in again.found if each.kind is Kind.REPAIR_DUE]

    assert "no SELECT permission" in told.advice
    assert node.closed == 1


async def test_nobody_is_asked_while_nothing_is_due() -> None:
    node = Told()

    assert await looked(node, judge(World(4).observed(), 5.0)) == []
    assert node.asked == []
