"""What is found about racks, replicas, tokens, and what is due."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ring.finding import Case, Finding, Severity, Upkeep
from ring.findings import findings
from ring.history import History
from ring.skew import Skew
from ring.snapshot import RingSnapshot
from ring.words import Disk, DiskState, PeerState
from tests.unit.ring.found import found, only
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

DAY = 86400.0


def nts(**factors: int) -> dict[str, str]:
    return {"class": "NetworkTopologyStrategy", **{dc: str(n) for dc, n in factors.items()}}


def test_a_member_outside_of_its_racks_zone_is_found() -> None:
    world = World(3)
    world.machines["worker-2"] = replace(world.machines["worker-2"], zone="a")
    (finding,) = found(world)

    assert finding.kind == "rack-not-zone"
    assert finding.evidence["pods"] == {"cassandra-2": {"rack": "c", "zone": "a"}}


def test_racks_that_are_no_zones_may_be_anywhere() -> None:
    world = World(3, "r")
    for name in world.machines:
        world.machines[name] = replace(world.machines[name], zone=f"zone-{name}")

    assert found(world) == []


def test_racks_that_differ_by_more_than_one_member_are_uneven() -> None:
    (finding,) = found(World(7, "abcabaa"))

    assert finding.kind == "uneven-racks"
    assert finding.evidence["racks"] == {"a": 4, "b": 2, "c": 1}


def test_two_racks_with_three_replicas_are_found() -> None:
    (finding,) = found(World(4, "ab"))

    assert finding.kind == "two-racks"
    assert finding.evidence["keyspaces"] == ["shop", "system_auth"]


def test_more_replicas_than_racks_are_found_but_for_one_rack() -> None:
    world = World(6, "abc")
    world.keyspaces["wide"] = nts(dc1=5)
    (finding,) = found(world)
    assert (finding.kind, finding.evidence["keyspaces"]) == ("rf-above-racks", {"wide": 5})

    alone = World(6, "a")
    alone.keyspaces["wide"] = nts(dc1=5)
    assert found(alone) == []


@pytest.mark.parametrize(
    "replication", [nts(dc1=4), {"class": "SimpleStrategy", "replication_factor": "4"}]
)
def test_more_replicas_than_members_are_found(replication: dict[str, str]) -> None:
    world = World(3, "a")
    world.keyspaces["wide"] = replication
    (finding,) = found(world)

    assert (finding.kind, finding.severity) == ("rf-above-nodes", Severity.WARNING)
    assert next(iter(finding.evidence["short"].values())) == {"factor": 4, "members": 3}


def test_cassandras_own_keyspaces_that_want_more_members_are_worth_knowing_only() -> None:
    world = World(1)
    world.keyspaces = {"system_traces": {"class": "SimpleStrategy", "replication_factor": "2"}}

    assert [each.severity for each in found(world)] == [Severity.INFO]


def test_logins_on_one_node_are_found_with_the_command_that_spreads_them() -> None:
    world = World(3)
    world.keyspaces["system_auth"] = {"class": "SimpleStrategy", "replication_factor": "1"}
    (finding,) = found(world)

    assert finding.kind == "logins-on-one-node"
    inside = "kubectl -n shop exec cassandra-0 -c cassandra --"
    options = "{'class': 'NetworkTopologyStrategy', 'dc1': '3'}"
    assert finding.commands == (
        f'{inside} cqlsh -e "ALTER KEYSPACE \\"system_auth\\" WITH replication = {options}"',
        f"{inside} nodetool repair -full system_auth",
    )


def test_a_data_centre_without_nodes_is_found_with_the_command_that_drops_it() -> None:
    world = World(3)
    world.keyspaces["Shop"] = nts(dc1=3, old=3)
    (finding,) = found(world)

    assert finding.kind == "dc-without-nodes"
    assert 'ALTER KEYSPACE \\"Shop\\" WITH' in finding.commands[0]
    assert "old" not in finding.commands[0]


def test_logins_are_spread_without_taking_replicas_from_any_data_centre() -> None:
    world = World(8, "a")
    for seat in world.seats[3:]:
        seat.dc = "dc2"
        seat.row, seat.entry = replace(seat.row, dc="dc2"), replace(seat.entry, dc="dc2")
    world.keyspaces["system_auth"] = nts(dc1=1, dc2=5)

    assert "'dc1': '3', 'dc2': '5'" in only(world, "logins-on-one-node").commands[0]


@pytest.mark.parametrize(
    ("replication", "altered"),
    [
        (nts(DC1=3), "'dc1': '3'}"),
        (nts(DC1=5, dc1=2), "'dc1': '2'}"),
        (nts(dc1=2, old=0, older=1), "'dc1': '2'}"),
    ],
)
def test_a_data_centre_in_other_case_is_put_right(
    replication: dict[str, str], altered: str
) -> None:
    world = World(3, "a")
    world.keyspaces["shop"] = replication

    (command,) = only(world, "dc-without-nodes").commands
    assert command.endswith(f"'NetworkTopologyStrategy', {altered}\"")


def unplaced(world: World) -> None:
    seat = world.seats[2]
    seat.row = replace(seat.row, tokens=())


def named_to_harm(world: World) -> None:
    for seat in world.seats:
        seat.dc = 'dc"; touch /tmp/pwned; "'
        seat.row, seat.entry = replace(seat.row, dc=seat.dc), replace(seat.entry, dc=seat.dc)
    world.keyspaces["shop"] |= {seat.dc: "3"}


def elsewhere_alone(world: World) -> None:
    world.keyspaces["shop"] = nts(old=3)


@pytest.mark.parametrize("change", [unplaced, named_to_harm, elsewhere_alone])
def test_a_keyspace_is_not_altered_where_that_could_do_harm(
    change: Callable[[World], None],
) -> None:
    world = World(3, "a")
    world.keyspaces["shop"] = nts(dc1=3, old=3)
    change(world)

    told = [each for each in found(world) if each.kind == "dc-without-nodes"]
    assert told
    assert not any(each.commands for each in told)


@pytest.mark.parametrize(("highest", "told"), [(1.8, ["token-skew"]), (1.2, [])])
def test_skew_is_found_where_random_tokens_do_not_explain_it(
    highest: float, told: list[str]
) -> None:
    skew = Skew("dc1", 3, highest, 0.8, (1.1, 1.4), (0.6, 0.9))
    case = Case(snapshot=World(3).snapshot(), skews={"shop": (skew,)})

    assert [each.kind for each in findings(case)] == told


def test_tokens_that_two_members_own_are_found() -> None:
    world = World(3)
    world.seats[0].row = replace(world.seats[0].row, tokens=world.seats[1].row.tokens)
    finding = found(world)[0]

    assert finding.kind == "token-claimed-twice"
    assert finding.evidence["members"] == [["cassandra-0", "cassandra-1"]]


def told(*pictures: tuple[float, RingSnapshot], upkeep: Upkeep | None = None) -> list[Finding]:
    history = History()
    for at, picture in pictures:
        history = history.after(picture, at)
    case = Case(snapshot=pictures[-1][1], history=history, upkeep=upkeep or Upkeep())
    return list(findings(case))


def replaced() -> RingSnapshot:
    world = World(4)
    seat = world.seats[1]
    seat.row = replace(seat.row, host_id=host(8))
    seat.entry = replace(seat.entry, host_id=host(8))
    seat.disk = replace(seat.disk, host_id=host(8))
    return world.snapshot()


def restored() -> RingSnapshot:
    world = World(4)
    world.seats[1].claim = replace(world.seats[1].claim, uid="another")
    return world.snapshot()


def down() -> RingSnapshot:
    world = World(4)
    world.down(1)
    return world.snapshot()


@pytest.mark.parametrize(("picture", "why"), [(replaced(), "replaced"), (restored(), "volume")])
def test_a_new_disk_wants_a_repair_until_it_had_one(picture: RingSnapshot, why: str) -> None:
    pictures = (0.0, World(4).snapshot()), (10.0, picture)
    (finding,) = told(*pictures)
    member = picture.members[1].host_id

    assert (finding.kind, why in finding.what) == ("repair-due", True)
    assert finding.commands == (
        "kubectl -n shop exec cassandra-1 -c cassandra -- nodetool repair -full",
    )
    assert told(*pictures, upkeep=Upkeep(repaired={member: 5.0}))
    assert told(*pictures, upkeep=Upkeep(repaired={member: 10.0})) == []


@pytest.mark.parametrize(("hours", "kind"), [(2.9, []), (3.1, ["repair-due"])])
def test_who_was_down_for_longer_than_hints_are_kept_wants_a_repair(
    hours: float, kind: list[str]
) -> None:
    up = World(4).snapshot()
    pictures = (0.0, up), (10.0, down()), (10.0 + hours * 3600, up)

    assert [each.kind for each in told(*pictures)] == kind


def test_members_from_before_a_scale_up_want_a_cleanup_once() -> None:
    old, new = World(4).snapshot(), World(6).snapshot()
    (finding,) = told((0.0, old), (DAY, new))
    cleaned = {host(n): 2 * DAY for n in range(4)}

    assert (finding.kind, finding.severity) == ("cleanup-due", Severity.INFO)
    assert finding.evidence["members"] == [f"cassandra-{n}" for n in range(4)]
    assert finding.evidence["joined"] == ["cassandra-4", "cassandra-5"]
    assert told((0.0, old), (DAY, new), upkeep=Upkeep(cleaned=cleaned)) == []


def test_nobody_cleans_up_while_others_are_on_their_way_in() -> None:
    world = World(6)
    seat = world.seats[5]
    seat.mode, world.states[5] = "JOINING", PeerState.JOINING
    seat.disk, seat.entry = Disk(DiskState.JOINING), replace(seat.entry, host_id=None)

    assert told((0.0, World(4).snapshot()), (DAY, world.snapshot())) == []


def test_a_ring_in_which_all_hold_everything_wants_no_cleanup() -> None:
    assert told((0.0, World(2, "a").snapshot()), (DAY, World(3, "a").snapshot())) == []
