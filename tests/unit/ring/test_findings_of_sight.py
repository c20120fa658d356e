"""What is found about who sees whom, schema versions and clocks."""

from dataclasses import replace

import pytest

from ring.finding import Severity
from ring.reading import Reading
from ring.words import Clock
from tests.unit.ring.found import found, kinds, only
from tests.unit.ring.worlds import World


def test_rings_founded_apart_are_two() -> None:
    world = World(4)
    world.strangers((0, 1), (2, 3))
    finding = only(world, "two-rings")

    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["rings"] == [
        ["cassandra-0", "cassandra-1"],
        ["cassandra-2", "cassandra-3"],
    ]


@pytest.mark.parametrize("islands", [((0, 1), (2, 3)), ((0, 1, 2), (3, 4)), ((0,), (1,))])
def test_a_cut_network_is_a_cut_and_not_two_rings(islands: tuple[tuple[int, ...], ...]) -> None:
    world = World(sum(map(len, islands)))
    world.cut(*islands)
    told = kinds(world)

    assert "network-cut" in told
    assert not {"two-rings", "lone-view", "views-differ"} & set(told)


def test_one_member_that_sees_all_others_down_is_alone_with_it() -> None:
    world = World(4)
    world.unseen(0, 1, 2, by=(3,))
    finding = only(world, "lone-view")

    assert finding.evidence["sees"] == {
        "cassandra-3": ["cassandra-0", "cassandra-1", "cassandra-2"]
    }
    assert finding.commands[1] == (
        "ring gate -n shop --service cassandra cassandra-3"
        " && kubectl -n shop delete pod cassandra-3"
    )
    assert "network-cut" not in kinds(world)


def test_several_members_that_see_one_down_have_another_view() -> None:
    world = World(6)
    world.unseen(5, by=(0, 1))

    (finding,) = found(world)
    assert finding.kind == "views-differ"
    assert "delete" not in " ".join(finding.commands)


def test_members_that_are_down_are_told_together_with_machines_and_racks() -> None:
    world = World(6)
    world.down(1)
    world.down(4)
    finding = only(world, "member-down")

    assert finding.what == "cassandra-1 and cassandra-4 are down"
    assert finding.evidence["racks"] == ["dc1/b"]
    assert finding.evidence["machines"] == ["worker-1", "worker-4"]


def test_schema_versions_that_differ_are_found_among_those_that_are_up() -> None:
    world = World(4)
    world.seats[2].row = replace(world.seats[2].row, schema="another")
    assert only(world, "schema-disagreement").evidence["versions"]["another"] == ["cassandra-2"]

    read = world.observed().facts
    world.stale["facts"] = {
        each: Reading(reading.value, 3600.0, "gone") for each, reading in read.items()
    }
    assert kinds(world) == ["cql-unreadable"]

    world.stale.clear()
    world.down(2)
    assert "schema-disagreement" not in kinds(world)


@pytest.mark.parametrize(
    ("ahead", "error", "severity"),
    [
        (0.7, 0.1, Severity.WARNING),
        (-30.0, 0.1, Severity.CRITICAL),
        (0.7, 0.5, None),
        (0.4, 0.0, None),
    ],
)
def test_a_clock_is_off_where_that_is_sure(
    ahead: float, error: float, severity: Severity | None
) -> None:
    world = World(3)
    for seat in world.seats:
        seat.clock = Clock(5.0, 0.01)  # all the same: the manager's own is off
    world.seats[1].clock = Clock(5.0 + ahead, error)

    told = [(each.kind, each.severity) for each in found(world)]
    assert told == ([("clocks-apart", severity)] if severity else [])
