"""What counts as a change of the ring, and what is only not known."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.history import LOG_LIMIT, Change, History, What
from ring.reading import Reading
from ring.snapshot import RingSnapshot
from ring.words import Disk, DiskState, PeerState
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

Break = Callable[[World], None]


def shown(*pictures: RingSnapshot) -> list[tuple[What, str]]:
    history = History()
    for number, picture in enumerate(pictures):
        history = history.after(picture, 100.0 * number)
    return [(each.what, each.pod) for each in history.log]


def broken(*breaks: Break, nodes: int = 4) -> RingSnapshot:
    world = World(nodes)
    for each in breaks:
        each(world)
    return world.snapshot()


def down(number: int) -> Break:
    return lambda world: world.down(number)


def silent(number: int) -> Break:
    def change(world: World) -> None:
        world.seats[number].heard = False
        world.unseen(number, by=(0,))

    return change


def moved(world: World) -> None:
    world.seats[1].pod = replace(world.seats[1].pod, address="10.0.1.1")


def restarted(world: World) -> None:
    world.seats[1].pod = replace(world.seats[1].pod, restarts=1)


def restored(world: World) -> None:
    world.seats[1].claim = replace(world.seats[1].claim, uid="another")


def altered(world: World) -> None:
    for seat in world.seats:
        seat.row = replace(seat.row, schema="another")


def replaced(world: World) -> None:
    seat = world.seats[1]
    seat.row = replace(seat.row, host_id=host(8))
    seat.entry = replace(seat.entry, host_id=host(8))
    seat.disk = replace(seat.disk, host_id=host(8))


def deaf(world: World) -> None:
    for seat in world.seats:
        seat.heard = False
    world.stale["ledger"] = Reading(None, None, "timed out")


BREAKS: list[Break] = [down(1), silent(2), moved, restarted, restored, altered, replaced, deaf]


@given(st.lists(st.sampled_from(BREAKS), unique=True))
def test_the_same_picture_twice_is_no_change(breaks: list[Break]) -> None:
    picture = broken(*breaks)

    assert shown(picture, picture) == []
    assert shown(broken(), picture, picture) == shown(broken(), picture)


@pytest.mark.parametrize(
    ("change", "there", "back"),
    [
        (down(1), What.WENT_DOWN, What.CAME_BACK),
        (moved, What.ADDRESS_CHANGED, What.ADDRESS_CHANGED),
        (restarted, What.RESTARTED, What.RESTARTED),
        (restored, What.VOLUME_CHANGED, What.VOLUME_CHANGED),
        (replaced, What.REPLACED, What.REPLACED),
    ],
)
def test_a_change_and_its_reverse_are_both_told(change: Break, there: What, back: What) -> None:
    assert shown(broken(), broken(change), broken()) == [
        (there, "cassandra-1"),
        (back, "cassandra-1"),
    ]


def test_a_new_schema_is_told_when_all_agree_on_it() -> None:
    def begun(world: World) -> None:
        world.seats[0].row = replace(world.seats[0].row, schema="another")

    assert shown(broken(), broken(begun)) == []
    assert shown(broken(), broken(begun), broken(altered)) == [(What.SCHEMA_CHANGED, "")]


def test_joining_and_leaving_are_told_with_the_pod() -> None:
    fewer, more = broken(), broken(nodes=5)

    assert shown(fewer, more, fewer) == [
        (What.JOINED, "cassandra-4"),
        (What.LEFT, "cassandra-4"),
    ]


def test_who_is_on_its_way_in_has_not_joined() -> None:
    def joining(world: World) -> None:
        seat = world.seats[4]
        seat.mode, world.states[4] = "JOINING", PeerState.JOINING
        seat.disk = Disk(DiskState.JOINING, seat.disk.ring_id)
        seat.entry = replace(seat.entry, host_id=None)

    assert shown(broken(), broken(joining, nodes=5)) == []


def test_unknown_is_not_down_and_not_gone() -> None:
    assert shown(broken(), broken(silent(2))) == []
    assert shown(broken(), broken(deaf)) == []
    assert shown(broken(), broken(deaf), broken(silent(2)), broken()) == []


def test_what_was_down_before_it_was_unknown_goes_down_once() -> None:
    told = shown(broken(), broken(down(1)), broken(deaf), broken(down(1)), broken())

    assert told == [(What.WENT_DOWN, "cassandra-1"), (What.CAME_BACK, "cassandra-1")]


def test_who_came_back_was_down_from_when_it_was_first_seen_so() -> None:
    history = History()
    for at, picture in ((0.0, broken()), (10.0, broken(down(1))), (20.0, broken(deaf))):
        history = history.after(picture, at)

    assert history.after(broken(), 70.0).log[-1].seconds == 60.0


def test_who_was_found_down_was_so_since_others_saw_it_go_down() -> None:
    past = tuple(
        Change(what=what, at=at, host_id=host(number))
        for what, at, number in (
            (What.WENT_DOWN, 50.0, 1),
            (What.WENT_DOWN, 50.0, 2),
            (What.CAME_BACK, 60.0, 2),
        )
    )
    for log, seconds in ((past, 1960.0), (past[1:], 10.0)):
        found = replace(History().after(broken(down(1), down(2)), 2000.0), log=log)
        back = found.after(broken(), 2010.0).log[len(log) :]

        assert [(each.what, each.pod, each.seconds) for each in back] == [
            (What.CAME_BACK, "cassandra-1", seconds),
            (What.CAME_BACK, "cassandra-2", 10.0),
        ]


def test_members_found_when_the_manager_starts_have_not_joined() -> None:
    assert shown(broken(deaf), broken(silent(2)), broken()) == []


def test_a_replaced_host_that_gossip_still_knows_is_told_once() -> None:
    def lingering(world: World) -> None:
        replaced(world)
        world.ghosts.append(World(4).seats[1].row)

    told = [(What.REPLACED, "cassandra-1")]

    assert shown(broken(), broken(lingering)) == told
    assert shown(broken(), broken(lingering), broken(lingering), broken(replaced)) == told


def test_the_log_keeps_the_last_changes_and_no_more() -> None:
    history, here, there = History(), broken(), broken(moved)
    for number in range(LOG_LIMIT + 10):
        history = history.after(there if number % 2 else here, float(number))

    assert len(history.log) == LOG_LIMIT
    assert history.log[-1].at == LOG_LIMIT + 9
    assert [each.at for each in history.since(LOG_LIMIT)] == [
        float(at) for at in range(LOG_LIMIT, LOG_LIMIT + 10)
    ]
