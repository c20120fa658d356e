"""The cycle: at once when there is news, and no failure of it ends it."""

import asyncio
from collections.abc import Mapping

import pytest

from ring.judged import judge
from ring.latest import Latest
from ring.manager import Manager, addresses, candidates, in_turn, revision
from ring.objects import Pod
from ring.observed import Observation
from ring.reading import UNREAD, Reading
from ring.words import Facts, Sidecar
from tests.unit.ring.serving import AT
from tests.unit.ring.worlds import World


class Sources:
    """All three sources over a world; `broken` makes observing raise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broken = False
        self.looks = 0

    def observed(self) -> Observation:
        self.looks += 1
        if self.broken:
            raise RuntimeError("cannot look")
        return self.world.observed()


class Words:
    def __init__(self, sources: Sources, name: str) -> None:
        self._sources, self._name = sources, name

    def readings(self) -> Mapping[str, Reading[Sidecar]]:
        found: Mapping[str, Reading[Sidecar]] = getattr(
            self._sources.world.observed(), self._name
        )
        return found


class Facts_(Words):  # noqa: N801 -- the same of another type
    def readings(self) -> Mapping[str, Reading[Facts]]:  # type: ignore[override]
        return self._sources.world.observed().facts


def made(world: World, interval: float = 3600.0) -> tuple[Sources, Latest, Manager]:
    sources, latest = Sources(world), Latest(replica="r")
    manager = Manager(
        sources,
        Words(sources, "sidecars"),
        Facts_(sources, "facts"),
        latest,
        interval=interval,
        wall=lambda: AT,
    )
    return sources, latest, manager


async def until_version(latest: Latest, version: str) -> None:
    async with asyncio.timeout(10):
        while (shown := latest.shown()) is None or shown.version != version:
            await latest.other_than(shown.version if shown else "", 1)


async def test_news_begins_a_cycle_at_once() -> None:
    _, latest, manager = made(World(3))
    task = asyncio.create_task(manager.run())
    try:
        await until_version(latest, "r-1")
        manager.notice("sidecar")
        await until_version(latest, "r-2")
    finally:
        task.cancel()

    assert manager.counts.events["sidecar"] == 1


async def test_a_cycle_that_fails_is_not_the_end_and_leaves_the_picture() -> None:
    sources, latest, manager = made(World(3))
    task = asyncio.create_task(manager.run())
    try:
        await until_version(latest, "r-1")
        sources.broken = True
        manager.notice("kubernetes")
        async with asyncio.timeout(10):
            while not manager.counts.failures:  # noqa: ASYNC110 -- a counter tells nobody
                await asyncio.sleep(0.01)
        sources.broken = False
        manager.notice("kubernetes")
        await until_version(latest, "r-2")
    finally:
        task.cancel()

    assert manager.counts.cycles == 2


async def test_the_picture_is_as_old_as_the_look_that_it_rests_on() -> None:
    _, latest, manager = made(World(3))
    judged = await manager.cycle()
    shown = latest.shown()

    assert shown
    assert shown.judged is judged
    assert 0 <= shown.age < 10


@pytest.mark.parametrize("jump", [-4 * 3600.0, 4 * 3600.0])
def test_a_clock_that_is_set_changes_no_duration_and_makes_no_repair_due(jump: float) -> None:
    world = World(4)
    first = judge(world.observed(), AT, clock=100.0)
    world.down(1)
    second = judge(world.observed(), AT + 5, first, clock=105.0)
    third = judge(World(4).observed(), AT + 10 + jump, second, clock=110.0)

    assert [each.seconds for each in third.history.log] == [None, 5.0]
    assert "repair-due" not in {each.kind for each in third.found}


def test_pods_are_asked_where_kubernetes_last_knew_them() -> None:
    world = World(3)
    world.seats[1].pod = Pod(name="cassandra-1", uid="pod-1", address="", machine="w")
    assert addresses(world.observed()) == {
        "cassandra-0": "10.0.0.0",
        "cassandra-2": "10.0.0.2",
    }


def test_where_pods_are_not_known_those_of_the_endpoint_slices_are_asked() -> None:
    world = World(3)
    world.stale["pods"] = UNREAD

    assert set(addresses(world.observed())) == {"cassandra-0", "cassandra-1", "cassandra-2"}


def test_nodes_are_read_where_members_serve_racks_in_turn() -> None:
    world = World(7)
    world.down(0)
    observed = world.observed()
    found = candidates(observed, judge(observed, AT))

    assert "10.0.0.0" not in found
    assert {int(address[-1]) % 3 for address in found[:3]} == {0, 1, 2}


def test_before_anything_is_known_of_members_every_pod_may_be_read() -> None:
    assert candidates(World(2).observed(), None) == ["10.0.0.0", "10.0.0.1"]


def test_turns() -> None:
    placed = [("a", "1"), ("a", "2"), ("b", "3"), ("c", "4")]

    assert in_turn(placed) == ["1", "3", "4", "2"]


def test_tokens_may_have_changed_when_members_did_and_not_when_one_is_down() -> None:
    world = World(4)
    whole = revision(judge(world.observed(), AT))
    world.down(1)
    assert revision(judge(world.observed(), AT)) == whole
    world.seats[2].mode = "LEAVING"

    assert revision(judge(world.observed(), AT)) != whole
