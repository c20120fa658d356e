"""How a running node's seeds are led along, and whose word is asked for it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.decision import Rule, Seeds
from seedprovider.model import Disk, DiskState
from seedprovider.steering import (
    SPARE,
    next_seeds,
    running_disk,
    unsafe_of,
    volume_changed,
    worth_asking,
)
from tests.fakes.situations import OTHER_RING, RING, Stage, address, disk, pod, pvc

OWN = "10.0.0.1"
ALL = tuple(f"10.0.0.{n}" for n in range(1, 7))
NONE: frozenset[str] = frozenset()


def answer(*seeds: str) -> Seeds:
    return Seeds(seeds=seeds, ring_id=RING, rule=Rule.MEMBER_CONFIRMED, reason="r")


# -- the next list -----------------------------------------------------------------------------

answers = st.lists(st.sampled_from(ALL), unique=True, min_size=1, max_size=5)
in_uses = st.frozensets(st.sampled_from(ALL[1:]), max_size=5)  # gossip never holds itself


def gossip_takes(seeds: tuple[str, ...]) -> frozenset[str]:
    return frozenset(seeds) - {OWN}


@given(answers, in_uses, st.frozensets(st.sampled_from(ALL), max_size=3))
def test_a_node_is_never_told_an_empty_list(
    wanted: list[str], in_use: frozenset[str], unsafe: frozenset[str]
) -> None:
    assert next_seeds(answer(*wanted), in_use, OWN, unsafe)


@given(answers, in_uses)
def test_what_gossip_uses_changes_by_one_address_at_a_time_and_comes_to_the_answer(
    wanted: list[str], in_use: frozenset[str]
) -> None:
    for _ in in_use ^ gossip_takes(tuple(wanted)):
        told = gossip_takes(next_seeds(answer(*wanted), in_use, OWN, NONE))
        assert len(told ^ in_use) == 1
        in_use = told

    assert in_use == gossip_takes(tuple(wanted))
    assert next_seeds(answer(*wanted), in_use, OWN, NONE) == tuple(wanted)


@given(answers, in_uses)
def test_the_node_itself_is_told_where_the_answer_has_it_and_only_there(
    wanted: list[str], in_use: frozenset[str]
) -> None:
    told = next_seeds(answer(*wanted), in_use, OWN, NONE)

    assert (OWN in told) == (OWN in wanted)


@given(answers)
def test_a_version_that_cannot_say_what_it_uses_is_told_the_answer(wanted: list[str]) -> None:
    assert next_seeds(answer(*wanted), None, OWN, NONE) == tuple(wanted)


def test_an_address_where_another_ring_answers_goes_together_with_the_first_addition() -> None:
    told = next_seeds(
        answer(ALL[1], ALL[2]), frozenset({ALL[4], ALL[5]}), OWN, frozenset(ALL[4:])
    )

    assert told == (ALL[1],)


def test_a_list_of_the_node_alone_is_led_to_one_removal_at_a_time() -> None:
    told = next_seeds(answer(OWN), frozenset({ALL[1], ALL[2]}), OWN, NONE)

    assert told == (OWN, ALL[2])


# -- whose word is worth asking for ------------------------------------------------------------


def test_a_handful_is_asked_in_a_ring_of_any_size() -> None:
    view = Stage().ring_of(*range(50)).view()
    asked = worth_asking(view.endpoints, {}, NONE, 3)

    assert [endpoint.pod for endpoint in asked] == [pod(n) for n in range(3 + SPARE)]


def test_one_of_every_rack_is_asked() -> None:
    view = Stage().ring_of(*range(12)).view()
    racks = {pod(n): "b" if n > 9 else "a" for n in range(12)}

    assert pod(10) in {
        endpoint.pod for endpoint in worth_asking(view.endpoints, racks, NONE, 1)
    }


def test_a_seed_in_use_is_asked_wherever_it_stands_even_if_it_terminates() -> None:
    view = Stage().ring_of(*range(9)).exists(8, terminating=True).view()
    asked = worth_asking(view.endpoints, {}, frozenset({address(8)}), 1)

    assert pod(8) in {endpoint.pod for endpoint in asked}


def test_a_pod_that_terminates_takes_nobodys_place() -> None:
    view = Stage().ring_of(*range(9)).exists(0, terminating=True).view()
    asked = worth_asking(view.endpoints, {}, NONE, 1)

    assert [endpoint.pod for endpoint in asked] == [pod(n) for n in range(1, 2 + SPARE)]


# -- disks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("its_disk", "ring", "counts"),
    [
        (disk(0), RING, True),
        (disk(0), None, True),
        (disk(0), OTHER_RING, False),
        (disk(0, DiskState.JOINING), RING, False),
        (disk(0, DiskState.LEFT), RING, False),
        (Disk(DiskState.UNMARKED), None, False),
        (Disk(DiskState.MEMBER), RING, False),
    ],
)
def test_a_running_node_is_led_only_on_the_disk_of_a_member_of_this_ring(
    its_disk: Disk, ring: str | None, *, counts: bool
) -> None:
    assert running_disk(its_disk, ring) == (its_disk if counts else None)


def test_a_member_on_another_volume_than_its_mark_says_was_restored_or_moved() -> None:
    assert volume_changed(disk(0), pvc(1))
    assert not volume_changed(disk(0), pvc(0))


def test_an_unknown_volume_has_not_changed() -> None:
    assert not volume_changed(disk(0), None)
    assert not volume_changed(replace(disk(0), pvc_uid=None), pvc(1))
    assert not volume_changed(disk(0, DiskState.JOINING), pvc(1))


# -- where it is not safe ----------------------------------------------------------------------


def test_addresses_of_strangers_and_of_other_rings_are_unsafe() -> None:
    stage = Stage(strangers={address(7): "ns/other/x-0"}).ring_of(0, 1)
    stage.says(2, disk(2, ring=OTHER_RING))

    assert unsafe_of(stage.view(), RING) == {address(2), address(7)}


def test_a_blank_disk_is_of_no_ring_though_its_mark_may_name_one() -> None:
    stage = Stage().ring_of(0, 1).says(2, Disk(DiskState.EMPTY, OTHER_RING))

    assert unsafe_of(stage.view(), RING) == frozenset()


def test_a_silent_or_unmarked_pod_is_not_unsafe() -> None:
    stage = Stage().ring_of(0, 1).exists(2).says(3, Disk(DiskState.UNMARKED))

    assert unsafe_of(stage.view(), RING) == frozenset()
