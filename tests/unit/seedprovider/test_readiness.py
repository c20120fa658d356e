"""When a pod counts as ready: by its node's own word, and once by its peers'."""

from dataclasses import replace

import pytest

from seedprovider.model import Disk, DiskState, Heartbeat
from seedprovider.readiness import BEAT_SECONDS, not_ready, unseen_by
from tests.fakes.situations import OTHER_RING, RING, Stage, disk, host, peer, pod

SERVING = Heartbeat(mode="NORMAL", native=True, disk=Disk(DiskState.MEMBER))


def test_a_normal_node_that_serves_cql_is_ready() -> None:
    assert not_ready(SERVING, 0.0) is None


def test_a_heartbeat_counts_for_ten_seconds_and_no_longer() -> None:
    assert not_ready(SERVING, BEAT_SECONDS) is None
    assert not_ready(SERVING, BEAT_SECONDS + 0.001) == "Cassandra sends no heartbeat"


def test_before_the_first_heartbeat_cassandra_has_not_started() -> None:
    assert not_ready(None, None) == "Cassandra has not started"


@pytest.mark.parametrize("mode", ["STARTING", "JOINING", "LEAVING", "DRAINED", "MOVING", ""])
def test_any_other_mode_is_told(mode: str) -> None:
    assert not_ready(replace(SERVING, mode=mode), 0.0) == f"Cassandra is {mode}"


@pytest.mark.parametrize("native", [False, None])
def test_a_node_that_does_not_or_may_not_serve_cql_is_not_ready(*, native: bool | None) -> None:
    text = not_ready(replace(SERVING, native=native), 0.0)

    assert text == "Cassandra does not serve CQL"


def test_a_node_that_all_see_up_is_unseen_by_nobody() -> None:
    view = Stage().ring_of(0, 1, 2).view()

    assert unseen_by(view, pod(0), RING, host(0)) == ()


@pytest.mark.parametrize("up", [False, None])
def test_who_sees_it_down_or_does_not_know_is_named(*, up: bool | None) -> None:
    stage = Stage().ring_of(0, 1, 2).member(1, peer(0, up=up), peer(2))

    assert unseen_by(stage.view(), pod(0), RING, host(0)) == (pod(1),)


def test_who_does_not_know_the_host_at_all_is_named() -> None:
    stage = (
        Stage().ring_of(0, 1, 2).member(2, peer(1)).says(1, disk(1), mode="NORMAL", peers=None)
    )

    assert unseen_by(stage.view(), pod(0), RING, host(0)) == (pod(1), pod(2))


def test_another_host_of_the_same_pod_is_not_this_one() -> None:
    view = Stage().ring_of(0, 1).view()

    assert unseen_by(view, pod(0), RING, host(9)) == (pod(1),)


def test_only_members_that_are_confirmed_just_now_hold_a_node_up() -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(2, age=60.0)  # silent for a minute
    stage.says(3, disk(3), mode="JOINING").says(4, disk(4, ring=OTHER_RING), mode="NORMAL")

    assert unseen_by(stage.view(), pod(0), RING, host(0)) == ()
