"""May this pod stop: yes only where it is known that nothing is lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ring.comparing import compare
from ring.errors import UnknownNodeError
from ring.finding import Case
from ring.findings import findings
from ring.gate import DEFAULT_TERMS, GateAnswer, Terms, as_json, decide
from ring.history import History
from ring.levels import Level
from ring.objects import Turn
from ring.reading import UNREAD, Reading
from ring.snapshot import RingSnapshot
from ring.stopping_pods import Stopping, named, on_machine
from ring.verdicts import change
from ring.whatif import stopped
from ring.words import Disk, DiskState, PeerState
from tests.unit.ring.schema import faults
from tests.unit.ring.strategies import host
from tests.unit.ring.troubles import Trouble, troubled, troubles
from tests.unit.ring.worlds import RING, World

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "schemas" / "gate.json").read_text())
LOCAL_ONE = {"class": "SimpleStrategy", "replication_factor": "1"}


def ask(world: World, *pods: str, terms: Terms = DEFAULT_TERMS) -> GateAnswer:
    snapshot = world.snapshot()
    return judged(snapshot, named(snapshot, pods), terms)


def judged(
    snapshot: RingSnapshot, stopping: Stopping, terms: Terms = DEFAULT_TERMS
) -> GateAnswer:
    answer = decide(snapshot, findings(Case(snapshot=snapshot)), stopping, terms)
    assert list(faults(SCHEMA, json.loads(json.dumps(as_json(answer))))) == []
    return answer


def codes(answer: GateAnswer) -> list[str]:
    return [each.code for each in answer.reasons]


def test_one_pod_of_a_healthy_ring_may_stop_and_the_answer_says_what_is_left() -> None:
    answer = ask(World(3), "cassandra-1")

    assert (answer.allowed, answer.reasons, answer.warnings) == (True, (), ())
    shop = as_json(answer)["keyspaces"]["shop"][0]
    assert (shop["level"], shop["operation"]) == ("QUORUM", "read")
    assert shop["before"]["margin"] == {"worst": 1, "best": 1}
    assert shop["after"]["margin"] == {"worst": 0, "best": 0}


def test_a_second_pod_may_not_stop_and_the_reason_counts_replicas() -> None:
    world = World(3)
    world.down(0)
    answer = ask(world, "cassandra-1")

    reason = next(each for each in answer.reasons if each.evidence.get("keyspace") == "shop")
    assert reason.what == (
        "shop: QUORUM read would fail for 100.0% of the ring"
        " (replicas to spare: +0 now, -1 after)"
    )
    assert [each.code for each in answer.warnings] == ["member-down"]


def test_a_pod_of_the_same_rack_may_stop_beside_one_that_is_down() -> None:
    world = World(6)
    world.down(0)

    assert ask(world, "cassandra-3").allowed
    assert not ask(world, "cassandra-4").allowed


def test_pods_that_stop_together_are_judged_together() -> None:
    assert ask(World(6), "cassandra-0", "cassandra-3").allowed
    assert not ask(World(6), "cassandra-0", "cassandra-1").allowed


def test_what_is_down_already_may_stop_whatever_is_wrong_elsewhere() -> None:
    world = World(3)
    world.down(0)
    world.record = None
    answer = ask(world, "cassandra-0")

    assert (answer.allowed, answer.idle) == (True, True)
    assert "record-missing" in [each.code for each in answer.warnings]


def test_who_runs_on_its_own_side_of_a_cut_may_not_stop_though_most_see_it_down() -> None:
    world = World(3)
    world.cut((0,), (1,), (2,))
    answer = ask(world, "cassandra-1")

    assert answer.idle is False
    assert "network-cut" in codes(answer)


def test_levels_and_keyspaces_that_matter_can_be_named() -> None:
    world = World(3)
    world.keyspaces = {**world.keyspaces, "scratch": LOCAL_ONE}

    assert codes(ask(world, "cassandra-1")) == ["level-lost"]
    assert ask(world, "cassandra-1", terms=Terms(keyspaces=["shop"])).allowed
    assert not ask(world, "cassandra-1", terms=Terms(keyspaces=["scratch"])).allowed
    strict = ask(world, "cassandra-1", terms=Terms(levels=[Level.ALL], keyspaces=["shop"]))
    assert codes(strict) == ["level-lost"]
    with pytest.raises(UnknownNodeError, match="nowhere"):
        ask(world, "cassandra-1", terms=Terms(keyspaces=["nowhere"]))


def joining(world: World) -> None:
    world.seats[4].mode, world.states[4] = "JOINING", PeerState.JOINING
    world.turn = Turn("cassandra-4", "pod-4")


def leaving(world: World) -> None:
    world.seats[4].mode, world.states[4] = "LEAVING", PeerState.LEAVING


def turn_taken(world: World) -> None:
    world.turn = Turn("cassandra-7", "pod-7")


def unrecorded(world: World) -> None:
    world.record = None


def unread_pods(world: World) -> None:
    world.stale["pods"] = UNREAD


def old_ledger(world: World) -> None:
    world.stale["ledger"] = Reading(world.observed().ledger.value, 600.0, "gone away")


def no_cql(world: World) -> None:
    world.stale["facts"] = {}  # type: ignore[assignment]


def old_cql(world: World) -> None:
    facts = world.observed().facts
    world.stale["facts"] = {  # type: ignore[assignment]
        address: Reading(each.value, 300.0, "timed out") for address, each in facts.items()
    }


def strange_keyspace(world: World) -> None:
    world.keyspaces["odd"] = {"class": "org.example.Odd"}


def nobody_heard(world: World) -> None:
    for seat in world.seats:
        seat.heard = False


def cut(world: World) -> None:
    world.cut((0, 1, 2), (3, 4, 5))


def two_rings(world: World) -> None:
    world.strangers((0, 1, 2), (3, 4, 5))


def lone_view(world: World) -> None:
    world.unseen(3, by=(5,))


def schema_apart(world: World) -> None:
    seat = world.seats[0]
    seat.row = replace(seat.row, schema="another")


def odd_pod(world: World) -> None:
    world.broken.append(("pods", "cassandra-4"))


def odd_record(world: World) -> None:
    world.broken.append(("record", "cassandra-ring"))


def tokenless(world: World) -> None:
    for seat in world.seats:
        seat.row = replace(seat.row, tokens=())


def unplaced(world: World) -> None:
    seat = world.seats[5]
    seat.row = replace(seat.row, tokens=())


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (joining, "change-under-way"),
        (leaving, "change-under-way"),
        (turn_taken, "change-under-way"),
        (unrecorded, "record-missing"),
        (unread_pods, "kubernetes-stale"),
        (old_ledger, "kubernetes-stale"),
        (odd_pod, "object-unreadable"),
        (odd_record, "object-unreadable"),
        (no_cql, "cql-unreadable"),
        (old_cql, "cql-unreadable"),
        (strange_keyspace, "keyspace-unreadable"),
        (nobody_heard, "nobody-heard"),
        (cut, "network-cut"),
        (two_rings, "two-rings"),
        (lone_view, "lone-view"),
        (schema_apart, "schema-disagreement"),
        (tokenless, "tokens-unknown"),
        (unplaced, "place-unknown"),
    ],
)
def test_trouble_forbids_to_stop_a_pod_that_else_might(
    trouble: Callable[[World], None], code: str
) -> None:
    world = World(6)
    assert ask(world, "cassandra-1").allowed
    trouble(world)
    answer = ask(world, "cassandra-1")

    assert not answer.allowed
    assert code in codes(answer)


def test_the_one_that_sees_others_down_alone_may_be_restarted() -> None:
    world = World(6)
    lone_view(world)

    assert ask(world, "cassandra-5").allowed


@pytest.mark.parametrize("ends", ["terminating", "draining", "deleted"])
def test_a_member_that_ends_is_counted_as_down_before_gossip_says_so(ends: str) -> None:
    world = World(3)
    seat = world.seats[0]
    if ends == "terminating":
        seat.pod = replace(seat.pod, terminating=True)
    elif ends == "draining":
        seat.mode = "DRAINING"
    else:
        world.gone.add(0)
    answer = ask(world, "cassandra-1")

    assert not answer.allowed
    assert answer.unknown == (host(0),)


def test_repair_due_and_pods_that_are_not_ready_are_told_and_do_not_forbid() -> None:
    before, world = World(3).snapshot(), World(3)
    seat = world.seats[2]
    seat.claim = replace(seat.claim, uid="restored")
    seat.pod = replace(seat.pod, ready=False)
    snapshot = world.snapshot()
    history = History().after(before, 0.0).after(snapshot, 1.0)
    found = findings(Case(snapshot=snapshot, history=history))
    answer = decide(snapshot, found, named(snapshot, ["cassandra-1"]))

    assert answer.allowed
    assert [each.code for each in answer.warnings] == ["repair-due", "pod-not-ready"]


def test_draining_a_machine_stops_all_that_is_on_it() -> None:
    world = World(6)
    for number in (1, 2):
        seat = world.seats[number]
        seat.pod = replace(seat.pod, machine="worker-0")
    snapshot = world.snapshot()
    answer = judged(snapshot, on_machine(snapshot, "worker-0"))

    assert answer.stopping.pods == ("cassandra-0", "cassandra-1", "cassandra-2")
    assert codes(answer) == ["level-lost", "level-lost"]
    empty = judged(snapshot, on_machine(snapshot, "worker-2"))
    assert (empty.allowed, empty.stopping.pods) == (True, ())


def test_a_machine_that_seems_empty_is_not_while_pods_are_unknown() -> None:
    world = World(6)
    seat = world.seats[1]
    seat.pod = replace(seat.pod, machine="worker-0")
    world.stale["pods"] = Reading(world.observed().pods.value, 900.0, "gone away")
    snapshot = world.snapshot()

    assert not judged(snapshot, on_machine(snapshot, "worker-1")).allowed


def test_a_pod_is_found_by_host_id_and_address_too_and_others_are_refused() -> None:
    snapshot = World(3).snapshot()
    wanted = named(snapshot, ["cassandra-1"])

    assert named(snapshot, [str(host(1)).upper()]) == wanted
    assert named(snapshot, ["10.0.0.1"]) == wanted
    for wrong in ("", "cassandra", "10.0.0.9"):
        with pytest.raises(UnknownNodeError, match="no pod of cassandra is"):
            named(snapshot, [wrong])
    with pytest.raises(UnknownNodeError, match="no Kubernetes node is 'worker-9'"):
        on_machine(snapshot, "worker-9")
    with pytest.raises(UnknownNodeError):
        on_machine(snapshot, "")


@pytest.mark.parametrize(
    ("disk", "allowed"),
    [
        (DiskState.EMPTY, True),
        (DiskState.LEFT, True),
        (DiskState.JOINING, False),
        (DiskState.UNMARKED, False),
        (DiskState.UNKNOWN, False),
    ],
)
def test_a_pod_that_is_no_member_may_stop_only_where_its_disk_surely_holds_nothing(
    disk: DiskState,
    allowed: bool,  # noqa: FBT001
) -> None:
    world = World(4)
    seat = world.seats[3]
    seat.mode, seat.disk = "STARTING", Disk(disk, RING)
    seat.entry = replace(seat.entry, host_id=None)
    world.strangers((3,), (0, 1, 2))
    answer = ask(world, "cassandra-3")
    assert answer.allowed is allowed

    world.turn = Turn("cassandra-3", "pod-3")
    assert not ask(world, "cassandra-3").allowed


@settings(max_examples=150)
@given(troubles(), st.integers(1, 6), st.sets(st.integers(0, 5), min_size=1, max_size=3))
def test_yes_means_that_stopping_loses_no_level_that_decides(
    found: list[Trouble], factor: int, numbers: set[int]
) -> None:
    snapshot = troubled(found, factor).snapshot()
    pods = [f"cassandra-{n}" for n in numbers]
    if not all(pod in snapshot.who.by_pod for pod in pods):
        return
    answer = judged(snapshot, named(snapshot, pods))
    if not answer.allowed:
        assert answer.reasons
        return
    if not any(node.tokens for node in snapshot.ring.nodes):
        assert answer.idle  # nobody was read by CQL
        return
    after = stopped(snapshot.ring, answer.stopping.hosts)
    verdict = change(snapshot.ring, after, compare(snapshot.ring, after), [])

    assert verdict["safe"]
    assert verdict["healthy"] or answer.idle
