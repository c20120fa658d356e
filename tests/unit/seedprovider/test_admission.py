"""Blank disks that come into a ring as new members, one at a time."""

from dataclasses import replace

import pytest

from seedprovider.decision import (
    Act,
    Policy,
    Promise,
    Rule,
    Seeds,
    TakeTurn,
    WriteEntry,
)
from seedprovider.model import (
    Disk,
    DiskState,
    EntryState,
    PeerState,
    PodUid,
    Process,
    RingId,
    Turn,
)
from seedprovider.protocol import decide
from tests.fakes.decisions import carried_out, withheld
from tests.fakes.situations import (
    EMPTY,
    OTHER_RING,
    RING,
    Stage,
    address,
    asker,
    disk,
    entry,
    host,
    peer,
    pod,
    pvc,
    record,
    uid,
)

# -- racks ------------------------------------------------------------------------------------


def two_racks_begun() -> Stage:
    """Give a ring with a node in each of two racks; others come."""
    stage = Stage().ring_of(0, 1)
    for n, rack in ((0, "a"), (1, "b")):
        stage.member(n, peer(1 - n), rack=rack)
    return stage


def coming(stage: Stage, n: int, rack: str | None, process: Process) -> Stage:
    return stage.says(n, EMPTY, mode="STARTING", process=process, rack=rack)


def test_each_rack_gets_one_node_before_any_gets_two() -> None:
    stage = coming(two_racks_begun(), 2, "a", Process.STARTING)
    coming(stage, 3, "c", Process.STARTING)

    reason = withheld(stage.ask(2), Rule.JOIN_WAIT)

    assert reason == f"{pod(3)} goes first: it will be the first node of rack c"
    assert isinstance(stage.ask(3), Act)


@pytest.mark.parametrize(
    ("rack", "process"),
    [
        ("b", Process.STARTING),
        (None, Process.STARTING),
        ("c", Process.STOPPED),
    ],
    ids=["its rack has a node", "its rack is not known", "it does not start"],
)
def test_nobody_waits_for_a_pod_that_brings_no_new_rack(
    rack: str | None, process: Process
) -> None:
    stage = coming(two_racks_begun(), 2, "a", Process.STARTING)
    coming(stage, 3, rack, process)

    assert isinstance(stage.ask(2), Act)


def test_nobody_waits_for_a_lost_disk_because_of_its_rack() -> None:
    """It takes its old host's place, and that host has a rack of its own already."""
    stage = coming(two_racks_begun(), 2, "a", Process.STARTING)
    coming(stage, 3, "c", Process.STARTING)
    stage.ledger[pod(3)] = entry(3)
    lost = f"waiting for member {pod(3)}"

    assert lost in withheld(stage.ask(2), Rule.JOIN_WAIT)


def test_a_ring_without_known_racks_lets_in_whoever_has_the_turn() -> None:
    stage = coming(Stage().ring_of(0, 1), 2, None, Process.STARTING)
    coming(stage, 3, "c", Process.STARTING)

    assert isinstance(stage.ask(2), Act)


def test_a_node_whose_mark_is_not_written_yet_is_waited_for_by_its_name() -> None:
    stage = Stage().ring_of(0)
    stage.member(0, peer(1))
    stage.says(1, Disk(DiskState.JOINING, RING, host(1)), mode="NORMAL")
    stage.exists(2)

    reason = withheld(stage.ask(2), Rule.JOIN_WAIT)

    assert reason == f"waiting for {pod(1)}: its disk is joining"


# -- joining ----------------------------------------------------------------------------------


def test_a_joiner_enters_the_ledger_then_takes_the_turn_then_gets_the_members() -> None:
    stage = Stage().ring_of(0, 1)

    steps, decision = carried_out(stage, 2)

    assert steps == [WriteEntry, TakeTurn]
    assert isinstance(decision, Seeds)
    assert (decision.seeds, decision.replace) == ((address(0), address(1)), None)
    assert stage.ledger[pod(2)].state is EntryState.JOINING


def test_a_joiner_that_starts_again_takes_its_turn_again() -> None:
    stage = Stage().ring_of(0, 1)
    _, first = carried_out(stage, 2)

    assert carried_out(stage, 2) == ([TakeTurn], first)


def test_one_joiner_waits_for_the_other() -> None:
    stage = Stage().ring_of(0, 1)
    carried_out(stage, 2)
    stage.says(2, disk(2, DiskState.JOINING), mode="STARTING")

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_turn_is_free_when_its_holder_is_a_member() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1, 2)

    steps, _ = carried_out(stage, 3)

    assert steps == [WriteEntry, TakeTurn]


def test_a_turn_is_free_when_its_holders_pod_is_another_by_now() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), PodUid("uid-old")), version="7")).ring_of(0, 1)
    stage.exists(2)

    assert isinstance(stage.ask(3), Act)


def test_a_turn_is_free_when_its_holders_cassandra_is_seen_stopped() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.says(2, disk(2, DiskState.JOINING), process=Process.STOPPED)

    assert isinstance(stage.ask(3), Act)


def test_a_turn_is_free_when_its_holder_has_left_the_ring_and_its_entry_is_deleted() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.says(2, disk(2, DiskState.LEFT), mode="DECOMMISSIONED", process=Process.ANSWERING)

    assert isinstance(stage.ask(3), Act)


@pytest.mark.parametrize("process", [Process.ANSWERING, Process.STARTING, Process.UNKNOWN])
def test_a_turn_is_not_free_while_its_holder_may_run(process: Process) -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.says(2, disk(2, DiskState.JOINING), process=process)

    withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_turn_is_free_when_its_holder_only_waits_as_it_may_wait_for_us() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.says(2, EMPTY, process=Process.STARTING)

    assert isinstance(stage.ask(3), Act)


def test_a_turn_is_not_free_once_its_holder_was_promised_the_ring() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.says(2, Disk(DiskState.EMPTY, RING), process=Process.STARTING)

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


@pytest.mark.parametrize("process", [Process.STARTING, Process.UNKNOWN])
@pytest.mark.parametrize("has_entry", [True, False])
def test_a_deleted_lease_lets_nobody_in_beside_one_that_may_be_joining(
    process: Process, *, has_entry: bool
) -> None:
    stage = Stage().ring_of(0, 1)
    if has_entry:
        stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)
    stage.says(2, Disk(DiskState.EMPTY, RING), process=process)

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_deleted_lease_lets_nobody_in_beside_one_that_is_silent() -> None:
    stage = Stage().ring_of(0, 1).exists(2)

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_deleted_lease_lets_nobody_in_beside_a_joiner_that_no_slice_has_yet() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)
    stage.pods[pod(2)] = uid(2)

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_without_a_lease_nobody_waits_for_a_disk_that_is_a_members() -> None:
    stage = Stage().ring_of(0, 1)
    stage.says(2, disk(2), process=Process.STARTING)  # withheld, say, as its host was removed

    assert isinstance(stage.ask(3), Act)


def test_whom_an_approval_gave_up_keeps_nobody_from_joining_what_was_founded() -> None:
    stage = Stage(approved=pod(0)).ring_of(0).exists(2)

    assert isinstance(stage.ask(1), Act)


def test_what_an_approval_gave_up_is_the_silent_alone() -> None:
    stage = Stage(approved=pod(0)).ring_of(0)
    stage.says(2, Disk(DiskState.EMPTY, RING), process=Process.STARTING)

    assert pod(2) in withheld(stage.ask(1), Rule.JOIN_WAIT)


def test_without_a_lease_nobody_waits_for_one_that_has_left() -> None:
    decommissioned, scaled_up_again = Stage().ring_of(0, 1), Stage().ring_of(0, 1)
    decommissioned.says(2, disk(2, DiskState.LEFT), mode="DECOMMISSIONED")
    scaled_up_again.ledger[pod(2)] = entry(2, state=EntryState.LEFT)
    scaled_up_again.pods[pod(2)] = uid(2)  # and has no address yet

    for stage in (decommissioned, scaled_up_again):
        assert isinstance(stage.ask(3), Act)


@pytest.mark.parametrize("process", [Process.STARTING, Process.STOPPED])
def test_nobody_waits_for_one_that_only_wanted_to_join(process: Process) -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)
    stage.says(2, EMPTY, process=process)

    assert isinstance(stage.ask(3), Act)


def test_a_joiner_promises_before_it_takes_the_turn() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)
    stage.exists(2)
    decision = decide(asker(2), stage.view(), Policy())

    assert isinstance(decision, Act)
    assert decision.step == Promise(RING)


def test_a_turn_is_not_free_because_its_holder_is_silent() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.exists(2)

    withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_nobody_joins_while_a_member_of_the_ledger_is_not_confirmed() -> None:
    stage = Stage().ring_of(0, 1, 2)
    del stage.reports[pod(2)]

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_nobody_joins_while_a_member_is_without_address() -> None:
    stage = Stage(volumes={pod(2): pvc(2)}).ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2)

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_member_that_is_gone_with_its_volume_and_unknown_to_all_is_not_waited_for() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2)

    assert isinstance(stage.ask(3), Act)


def test_nobody_joins_while_a_member_does_not_know_whether_another_is_up() -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(0, peer(1, up=None))

    withheld(stage.ask(3), Rule.JOIN_WAIT)


@pytest.mark.parametrize("state", [PeerState.JOINING, PeerState.LEAVING, PeerState.MOVING])
def test_nobody_joins_while_a_node_is_on_its_way(state: PeerState) -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(0, peer(1), peer(2, state=state))

    assert state.value in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_nobody_joins_while_the_ring_has_a_member_that_no_pod_runs() -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(0, peer(1), peer(8, up=False))

    assert host(8) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_nobody_joins_while_a_member_sees_another_down() -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(0, peer(1, up=False))

    withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_joiners_own_last_attempt_in_gossip_does_not_hold_it_up() -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(0, peer(1), peer(2, state=PeerState.JOINING))

    assert isinstance(stage.ask(2, disk(2, DiskState.JOINING)), Act)


def test_a_pod_that_left_may_join_anew() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, state=EntryState.LEFT)

    steps, decision = carried_out(stage, 2)

    assert steps == [WriteEntry, TakeTurn]
    assert isinstance(decision, Seeds)
    assert decision.replace is None


def test_a_ledger_entry_of_a_ring_that_is_gone_means_nothing() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = replace(entry(2), ring_id=OTHER_RING)

    _, decision = carried_out(stage, 2)

    assert isinstance(decision, Seeds)
    assert decision.replace is None


# -- promises ---------------------------------------------------------------------------------


@pytest.mark.parametrize("promised", [None, OTHER_RING])
def test_nobody_is_let_in_before_all_are_told_that_it_may_be_on_its_way(
    promised: RingId | None,
) -> None:
    stage = Stage(record=record()).says(1, EMPTY)
    stage.exists(0)
    decision = decide(asker(0, promised=promised), stage.view(), Policy())

    assert isinstance(decision, Act)
    assert decision.step == Promise(RING)


def test_nobody_founds_beside_one_that_was_promised_a_ring() -> None:
    promised = Disk(DiskState.EMPTY, RING)
    stage = Stage().says(1, promised, process=Process.STARTING)

    assert pod(1) in withheld(stage.ask(0), Rule.FOUND_BLOCKED)


def test_two_that_were_promised_different_rings_do_not_both_found() -> None:
    promised = Disk(DiskState.EMPTY, OTHER_RING)
    stage = Stage(record=record()).says(1, promised, process=Process.STARTING)

    withheld(stage.ask(0), Rule.JOIN_WAIT)
