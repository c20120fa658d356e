"""What is found about sources that are silent, refused or old."""

from dataclasses import replace

import pytest

from ring.finding import Severity
from ring.reading import Reading
from ring.words import Row
from tests.unit.ring.found import found, kinds, only
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World


def test_a_silent_sidecar_is_unknown_and_not_down() -> None:
    world = World(3)
    world.seats[1].heard = False
    (finding,) = found(world)

    assert finding.kind == "sidecar-silent"
    assert finding.evidence["pods"]["cassandra-1"]["why"] == "connection refused"


def test_a_sidecar_that_nobody_asked_is_silent_too() -> None:
    world = World(3)
    observed = world.observed()
    world.stale["sidecars"] = {  # type: ignore[assignment]
        name: said for name, said in observed.sidecars.items() if name != "cassandra-2"
    }

    assert list(found(world)[0].evidence["pods"]) == ["cassandra-2"]


def test_a_sidecar_that_answers_as_another_pod_is_not_heard_and_named() -> None:
    world = World(3)
    sidecars = world.observed().sidecars
    world.stale["sidecars"] = sidecars | {"cassandra-1": sidecars["cassandra-0"]}  # type: ignore[operator, assignment]
    (finding,) = found(world)

    assert finding.kind == "sidecar-silent"
    assert "cassandra-1 answers as pod cassandra-0" in finding.what


@pytest.mark.parametrize("change", [{"phase": "Pending"}, {"terminating": True}], ids=str)
def test_a_pod_that_only_starts_or_ends_is_not_expected_to_answer(
    change: dict[str, object],
) -> None:
    world = World(3)
    seat = world.seats[1]
    seat.heard, seat.pod = False, replace(seat.pod, **change)  # type: ignore[arg-type]

    assert found(world) == []


def test_a_process_that_listens_and_says_nothing_is_found() -> None:
    world = World(3)
    world.seats[1].speaks = False

    assert kinds(world) == ["node-silent"]


@pytest.mark.parametrize(
    "reading", [Reading({}, 900.0, "timed out"), Reading(None, None, "403")]
)
def test_what_the_api_server_does_not_tell_is_named(reading: Reading[object]) -> None:
    world = World(3)
    world.stale["machines"] = reading
    (finding,) = found(world)

    assert finding.kind == "kubernetes-stale"
    assert finding.what == f"The API server does not tell of machines: {reading.failure}"


@pytest.mark.parametrize("source", ["pods", "ledger", "claims", "stateful_sets"])
def test_an_object_that_makes_no_sense_is_named_and_nothing_is_missed_for_it(
    source: str,
) -> None:
    world = World(3)
    world.seats[1].heard = source != "claims"  # else nobody looks for a claim
    world.broken.append((source, "cassandra" if source == "stateful_sets" else "cassandra-1"))
    finding = only(world, "object-unreadable")

    assert finding.what.startswith(f"{source}: cassandra")
    assert finding.evidence["count"] == 1
    assert set(kinds(world)) <= {"object-unreadable", "sidecar-silent"}
    snapshot = world.snapshot()
    assert [each.name for each in snapshot.members] == [each.name for each in world.seats]
    assert snapshot.members[1].exists is (None if source == "pods" else True)


def test_a_pod_that_makes_no_sense_and_is_silent_is_unknown_and_not_gone() -> None:
    world = World(3)
    world.seats[1].heard = False
    world.down(1)
    world.broken.append(("pods", "cassandra-1"))

    member = world.snapshot().members[1]
    assert (member.runs, member.exists) == (None, None)
    assert "member-without-pod" not in kinds(world)


def test_a_member_without_an_entry_may_be_whose_entry_makes_no_sense() -> None:
    world = World(3)
    world.seats[1].heard = False
    world.broken.append(("ledger", "cassandra-1"))

    assert [each.pod for each in world.snapshot().members] == ["cassandra-0", "cassandra-2", ""]
    assert set(kinds(world)) == {"object-unreadable", "sidecar-silent"}


def test_cql_that_fails_on_one_contact_matters_less_than_on_all() -> None:
    world = World(3)
    facts = dict(world.observed().facts)
    first, second = facts
    world.stale["facts"] = {  # type: ignore[assignment]
        first: facts[first],
        second: Reading(None, None, "timed out"),
    }
    assert [(each.kind, each.severity) for each in found(world)] == [
        ("cql-unreadable", Severity.INFO)
    ]

    world.stale["facts"] = {  # type: ignore[assignment]
        address: replace(reading, age=900.0, failure="bad password")
        for address, reading in facts.items()
    }
    (finding,) = found(world)
    assert (finding.severity, "bad password" in finding.what) == (Severity.WARNING, True)


def test_a_ring_of_which_nothing_can_be_read_is_no_crash() -> None:
    world = World(3)
    for source in (
        "pods",
        "claims",
        "machines",
        "stateful_sets",
        "endpoints",
        "record",
        "turn",
    ):
        world.stale[source] = Reading(None, None, "connection refused")
    world.stale["ledger"] = Reading(None, None, "connection refused")
    world.stale["facts"] = {}  # type: ignore[assignment]
    world.stale["sidecars"] = {}  # type: ignore[assignment]

    assert kinds(world) == ["kubernetes-stale", "cql-unreadable"]


def test_a_keyspace_with_an_unknown_strategy_is_named() -> None:
    world = World(3)
    world.keyspaces["odd"] = {"class": "com.example.Strategy"}

    assert kinds(world) == ["keyspace-unreadable"]
    assert found(world)[0].evidence["keyspace"] == "odd"


def test_a_member_whose_place_is_unknown_is_named() -> None:
    world = World(3)
    world.ghosts.append(Row(host_id=host(9), address="10.0.0.9"))

    assert "place-unknown" in kinds(world)


def test_the_worst_comes_first() -> None:
    world = World(4)
    world.strangers((0, 1), (2, 3))
    world.seats[3].row = replace(world.seats[3].row, schema="another")
    order = [each.severity for each in found(world)]

    assert order == sorted(order, key=[*Severity][::-1].index)
