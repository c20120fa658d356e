"""Contact points are members that serve clients; unknown ones stay, none is never said."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ring.contact_points import DC, HOSTS, MOST, PORT, contact_points
from ring.judged import Judged, judge
from ring.manager import candidates
from tests.unit.ring.troubles import unreachable
from tests.unit.ring.worlds import World


def judged(world: World) -> Judged:
    return judge(world.observed(), 1767225600.0)


def listed(data: dict[str, str] | None) -> set[str]:
    assert data is not None
    return set(data[HOSTS].split(","))


def test_all_members_of_a_small_ring_are_listed() -> None:
    assert contact_points(judged(World(3)), None, 9042) == {
        HOSTS: "10.0.0.0,10.0.0.1,10.0.0.2",
        PORT: "9042",
        DC: "dc1",
    }


def test_nothing_is_written_where_nothing_changed() -> None:
    world = World(3)
    data = contact_points(judged(world), None, 9042)

    assert contact_points(judged(world), data, 9042) is None


def test_who_is_down_is_not_listed_and_who_is_unknown_stays() -> None:
    world = World(4)
    before = contact_points(judged(world), None, 9042)
    world.down(1)
    now = contact_points(judged(world), before, 9042)
    for seat in world.seats:
        seat.heard = False
    assert listed(now) == {"10.0.0.0", "10.0.0.2", "10.0.0.3"}

    assert contact_points(judged(world), now, 9042) is None


def test_the_side_of_a_cut_that_is_not_reached_stays() -> None:
    world = World(3)
    before = contact_points(judged(world), None, 9042)
    world.cut((0,), (1, 2))
    unreachable(world, 1, 2)

    assert contact_points(judged(world), before, 9042) is None


def test_a_list_never_becomes_empty() -> None:
    world = World(3)
    before = contact_points(judged(world), None, 9042)
    for seat in world.seats:
        world.down(seat.number)

    assert contact_points(judged(world), before, 9042) is None
    assert contact_points(judged(world), None, 9042) is None


def test_of_a_large_ring_a_few_of_every_rack_are_listed_and_stay() -> None:
    world = World(30)
    first = contact_points(judged(world), None, 9042)
    racks = {seat.rack for seat in world.seats if seat.pod.address in listed(first)}
    assert len(listed(first)) == MOST
    assert racks == {"a", "b", "c"}

    gone = min(listed(first))
    number = next(seat.number for seat in world.seats if seat.pod.address == gone)
    world.down(number)
    second = contact_points(judged(world), first, 9042)
    assert listed(first) - listed(second) == {gone}
    assert len(listed(second)) == MOST


def test_a_member_whose_pod_does_not_exist_is_not_listed() -> None:
    world = World(3)
    world.gone.add(2)

    assert listed(contact_points(judged(world), None, 9042)) == {"10.0.0.0", "10.0.0.1"}


@given(
    st.lists(st.sampled_from(["up", "down", "deaf"]), min_size=3, max_size=7),
    st.booleans(),
)
def test_only_addresses_of_members_are_ever_listed(states: list[str], known: bool) -> None:  # noqa: FBT001
    world = World(len(states))
    before = contact_points(judged(world), None, 9042) if known else None
    for number, state in enumerate(states):
        if state == "down":
            world.down(number)
        world.seats[number].heard = state != "deaf"
    data = contact_points(judged(world), before, 9042)

    if data is not None:
        assert listed(data)
        assert listed(data) <= {seat.pod.address for seat in world.seats}


def test_an_address_that_only_its_node_tells_of_is_neither_listed_nor_logged_in_at() -> None:
    world = World(3)
    observed = world.observed()
    reading = observed.sidecars["cassandra-0"]
    assert reading.value
    assert reading.value.heartbeat
    lie = replace(reading.value.heartbeat, address="192.0.2.9")
    said = replace(reading, value=replace(reading.value, heartbeat=lie))
    observed = replace(observed, sidecars={**observed.sidecars, "cassandra-0": said})
    after = judge(observed, 1767225600.0)

    assert listed(contact_points(after, None, 9042)) == {"10.0.0.1", "10.0.0.2"}
    assert sorted(candidates(observed, after)) == ["10.0.0.1", "10.0.0.2"]
