"""The JSON form of a ring is as documented, whatever is known of it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ring.finding import Case, Kind
from ring.findings import findings
from ring.history import History
from ring.objects import EntryState
from ring.picture import as_json
from ring.reading import Reading
from ring.words import DiskState, PeerState, Row
from tests.unit.ring.schema import faults
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

DOCS = Path(__file__).parents[3] / "docs"
AT = 1767225600.0


def documented() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((DOCS / "schemas" / "ring.json").read_text())
    return schema


def shown(world: World) -> dict[str, Any]:
    before, now = World(len(world.seats)).snapshot(), world.snapshot()
    history = History().after(before, AT).after(now, AT + 1)
    case = Case(snapshot=now, history=history)
    body = as_json(now, findings(case), history.log, AT + 1.5)
    read: dict[str, Any] = json.loads(json.dumps(body))
    assert read == body  # nothing that JSON has no form for
    return read


def healthy(_: World) -> None:
    pass


def troubled(world: World) -> None:
    world.down(1)
    world.cut((2,), (0, 3, 4, 5))
    world.seats[3].heard = False
    world.ghosts.append(Row(host_id=host(9), address="10.0.0.9", dc="dc1", rack="a"))
    world.keyspaces["odd"] = {"class": "Odd"}
    world.record = None
    world.gone.add(5)


def apart(world: World) -> None:
    world.strangers((0, 1, 2), (3, 4, 5))
    world.seats[0].row = Row(host_id=host(0), schema="another")


def blind(world: World) -> None:
    for source in ("pods", "claims", "machines", "record", "ledger", "turn"):
        world.stale[source] = Reading(None, None, "403 Forbidden")
    for seat in world.seats:
        seat.heard = False


@pytest.mark.parametrize("change", [healthy, troubled, apart, blind])
def test_a_picture_is_as_documented(change: Callable[[World], None]) -> None:
    world = World(6)
    change(world)

    assert list(faults(documented(), shown(world))) == []


def test_who_sees_whom_is_one_letter_a_pair() -> None:
    world = World(4)
    world.unseen(3, by=(0,))
    world.sees[1, 3] = None
    world.seats[2].heard = False
    world.strange.add((3, 0))

    assert shown(world)["sees"]["rows"] == [".UUD", "U.U?", "??.?", "-UU."]


def test_what_is_unknown_is_null_and_not_empty() -> None:
    world = World(3)
    blind(world)
    picture = shown(world)

    assert (picture["pods"], picture["ringId"], picture["certain"]) == (None, None, False)
    assert {each["podExists"] for each in picture["members"]} == {None}
    assert picture["sources"]["kubernetes"]["pods"] == {
        "fresh": False,
        "ageSeconds": None,
        "failure": "403 Forbidden",
    }


def test_a_member_is_told_with_its_votes_and_who_disagrees() -> None:
    world = World(4)
    world.unseen(3, by=(0,))
    member = shown(world)["members"][3]

    assert member["votes"] == {"up": 3, "down": 1, "undecided": 0, "silent": 0}
    assert member["dissenters"] == [str(host(0))]


def test_who_is_on_the_way_is_told_with_the_tokens_that_it_takes_if_these_are_known() -> None:
    world = World(4)
    world.ghosts.append(replace(world.seats[3].row))
    for number, new in ((2, 7), (3, 8)):
        seat = world.seats[number]
        seat.mode, world.states[number] = "JOINING", PeerState.JOINING
        seat.row = replace(seat.row, host_id=host(new), tokens=())
        seat.disk = replace(seat.disk, state=DiskState.JOINING, host_id=host(new))
    old = world.seats[3].entry
    world.seats[3].entry = replace(old, state=EntryState.JOINING)
    world.seats[2].entry = replace(world.seats[2].entry, host_id=None, state=EntryState.JOINING)
    joins, replaces = shown(world)["pending"]

    assert (joins["state"], joins["known"], joins["tokens"]) == ("UJ", False, None)
    assert (replaces["known"], replaces["replaces"]) == (True, str(host(3)))
    assert len(replaces["tokens"]) == 4


def test_the_history_is_told_with_its_times() -> None:
    world = World(4)
    world.down(1)

    assert shown(world)["history"] == [
        {
            "what": "went-down",
            "at": "2026-01-01T00:00:01.000Z",
            "hostId": str(host(1)),
            "pod": "cassandra-1",
            "was": None,
            "now": None,
            "seconds": None,
        }
    ]


def test_every_kind_of_finding_is_explained_and_in_the_schema() -> None:
    page = (DOCS / "findings.md").read_text()
    schema = documented()["properties"]["findings"]["items"]["properties"]["kind"]

    assert re.findall(r"^\| `([a-z-]+)`", page, re.MULTILINE) == [*Kind]
    assert schema["enum"] == [*Kind]
