"""Lost disks that come back in the place of the host they were."""

from dataclasses import replace

import pytest

from seedprovider.decision import (
    Act,
    Rule,
    Seeds,
    TakeTurn,
    Withheld,
    WriteEntry,
)
from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    Peer,
    PeerState,
    Process,
    Turn,
)
from tests.fakes.decisions import carried_out, withheld
from tests.fakes.situations import (
    EMPTY,
    RING,
    Stage,
    address,
    disk,
    entry,
    host,
    peer,
    pod,
    record,
)


def lost_disk(*sees: Peer) -> Stage:
    """Pods 0 and 1 are members and see these peers; the disk of pod 2 is lost."""
    stage = Stage(record=record())
    stage.member(0, peer(1), *sees).member(1, peer(0), *sees)
    stage.ledger[pod(2)] = entry(2)
    return stage


def test_a_lost_disk_comes_back_in_the_place_of_the_host_it_was() -> None:
    stage = lost_disk(Peer(host(2), Address("10.0.0.77"), up=False, state=PeerState.NORMAL))

    steps, decision = carried_out(stage, 2)

    assert steps == [WriteEntry, TakeTurn]
    assert isinstance(decision, Seeds)
    assert decision.seeds == (address(0), address(1))
    assert decision.replace == "10.0.0.77"


@pytest.mark.parametrize("up", [True, None])
def test_a_host_that_some_member_does_not_see_down_is_not_replaced(*, up: bool | None) -> None:
    stage = lost_disk(peer(2, up=False))
    stage.member(1, peer(0), peer(2, up=up))

    assert pod(1) in withheld(stage.ask(2), Rule.REPLACE_WAIT)


def test_a_host_is_not_replaced_while_a_silent_member_may_see_it_alive() -> None:
    stage = lost_disk(peer(2, up=False))
    stage.turn = Turn(version="t")  # free: nobody may be coming in
    stage.ledger[pod(3)] = entry(3)
    stage.exists(3)

    assert pod(3) in withheld(stage.ask(2), Rule.REPLACE_WAIT)


@pytest.mark.parametrize("up", [True, None])
def test_a_host_is_not_replaced_while_a_node_without_an_entry_may_see_it_alive(
    *, up: bool | None
) -> None:
    stage = lost_disk(peer(2, up=False), peer(3, up=up))

    assert host(3) in withheld(stage.ask(2), Rule.REPLACE_WAIT)


def test_a_node_without_an_entry_that_is_down_holds_no_replacement_up() -> None:
    assert isinstance(lost_disk(peer(2, up=False), peer(3, up=False)).ask(2), Act)


def test_a_member_that_is_proven_stopped_need_not_be_heard() -> None:
    stage = lost_disk(peer(2, up=False))
    stage.ledger[pod(3)] = entry(3)
    stage.says(3, disk(3), process=Process.STOPPED)

    assert isinstance(stage.ask(2), Act)


def test_two_lost_disks_come_back_one_after_the_other() -> None:
    stage = lost_disk(peer(2, up=False), peer(3, up=False))
    stage.ledger[pod(3)] = entry(3)
    stage.says(2, EMPTY, process=Process.STARTING).says(3, EMPTY, process=Process.STOPPED)
    _, first = carried_out(stage, 2)
    stage.says(2, Disk(DiskState.EMPTY, RING), process=Process.STARTING)

    assert isinstance(first, Seeds)
    assert isinstance(stage.ask(3), Withheld)


def test_two_lost_disks_whose_nodes_both_wait_in_their_start_are_not_stuck() -> None:
    stage = lost_disk(peer(2, up=False), peer(3, up=False))
    stage.ledger[pod(3)] = entry(3)
    for n in (2, 3):
        stage.says(n, EMPTY, mode="STARTING", process=Process.STARTING)

    assert isinstance(stage.ask(2), Act)


def test_a_lost_host_that_nobody_knows_is_closed_in_the_ledger_and_joins_as_new() -> None:
    stage = lost_disk()

    steps, decision = carried_out(stage, 2)

    assert steps == [WriteEntry, TakeTurn, WriteEntry]
    assert isinstance(decision, Seeds)
    assert decision.replace is None
    assert stage.ledger[pod(2)].host_id is None


def test_a_lost_disk_whose_host_runs_on_in_another_pod_joins_as_new() -> None:
    """Pod 1 was given a copy of the disk of pod 2, which was lost then."""
    stage = Stage().ring_of(0)
    stage.member(0, Peer(host(2), address(1), up=True, state=PeerState.NORMAL))
    stage.member(1).says(1, disk(2), mode="NORMAL", peers=(peer(0),))
    stage.ledger[pod(1)] = replace(entry(1), host_id=host(2))
    stage.ledger[pod(2)] = entry(2)

    steps, decision = carried_out(stage, 2)

    assert steps == [WriteEntry, TakeTurn, WriteEntry]
    assert isinstance(decision, Seeds)
    assert decision.replace is None
    assert stage.ledger[pod(2)].host_id is None


def test_members_that_disagree_about_a_lost_hosts_address_are_not_believed() -> None:
    stage = lost_disk(peer(2, up=False))
    stage.member(
        1, peer(0), Peer(host(2), Address("10.9.9.9"), up=False, state=PeerState.NORMAL)
    )

    assert "10.9.9.9" in withheld(stage.ask(2), Rule.REPLACE_WAIT)


def test_a_lost_disk_waits_while_no_member_runs() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = entry(2)

    assert host(2) in withheld(stage.ask(2), Rule.REPLACE_WAIT)


def test_a_blank_disk_waits_while_the_api_server_is_away_though_members_run() -> None:
    stage = Stage(live=False).ring_of(0, 1)

    withheld(stage.ask(2), Rule.API_AWAY)
