"""Who may found a ring on a blank disk, and who rebuilds a record that was lost."""

from dataclasses import replace

import pytest

from seedprovider.decision import (
    Act,
    Rule,
    Seeds,
    Withheld,
)
from seedprovider.model import (
    DiskState,
    EntryState,
    Origin,
    Process,
    PvcUid,
)
from tests.fakes.decisions import new_record, withheld
from tests.fakes.situations import (
    EMPTY,
    FRESH,
    OTHER_RING,
    RING,
    Stage,
    address,
    disk,
    entry,
    host,
    peer,
    pod,
    pvc,
    record,
)

# -- founding ---------------------------------------------------------------------------------


def test_the_lowest_ordinal_founds_when_every_other_disk_is_empty() -> None:
    stage = Stage().says(0, EMPTY).says(1, EMPTY).says(2, EMPTY)

    written = new_record(stage.ask(0)).record

    assert (written.founder, written.ring_id, written.how) == (pod(0), FRESH, Origin.FOUNDED)
    assert written.version is None


def test_higher_ordinals_wait_for_the_lowest() -> None:
    stage = Stage().says(0, EMPTY).says(1, EMPTY).says(2, EMPTY)

    assert pod(0) in withheld(stage.ask(1), Rule.FOUND_WAIT)
    assert pod(0) in withheld(stage.ask(2), Rule.FOUND_WAIT)


def test_after_the_grace_a_higher_ordinal_founds() -> None:
    stage = Stage().says(0, EMPTY).says(1, EMPTY)

    assert new_record(stage.ask(1, waiting=61.0)).record.founder == pod(1)


def test_nobody_founds_while_a_disk_cannot_be_read() -> None:
    stage = Stage().says(0, EMPTY).exists(1)

    assert pod(1) in withheld(stage.ask(0), Rule.FOUND_BLOCKED)
    assert pod(1) in withheld(stage.ask(0, waiting=1e6), Rule.FOUND_BLOCKED)


def test_nobody_founds_over_the_bound_volume_of_a_pod_without_an_address() -> None:
    stage = Stage(volumes={pod(1): pvc(1)})

    assert pod(1) in withheld(stage.ask(0), Rule.FOUND_BLOCKED)


def test_a_volume_that_is_not_bound_yet_holds_nothing() -> None:
    stage = Stage(volumes={pod(1): None})

    assert new_record(stage.ask(0)).record.founder == pod(0)


@pytest.mark.parametrize("state", [DiskState.UNMARKED, DiskState.LEFT, DiskState.UNKNOWN])
def test_nobody_founds_over_a_disk_with_data(state: DiskState) -> None:
    stage = Stage().says(1, disk(1, state))

    withheld(stage.ask(0), Rule.FOUND_BLOCKED)


def test_an_operator_may_approve_a_founder_over_a_disk_that_cannot_be_read() -> None:
    stage = Stage(approved=pod(0)).exists(1)

    assert new_record(stage.ask(0)).record.founder == pod(0)
    withheld(stage.ask(2), Rule.FOUND_BLOCKED)


@pytest.mark.parametrize("mode", ["NORMAL", "JOINING", "LEAVING", "MOVING"])
def test_an_approval_gives_up_disks_and_no_node_that_runs_in_a_ring(mode: str) -> None:
    stage = Stage(approved=pod(0)).says(1, EMPTY, mode=mode)

    assert f"cassandra-1 is {mode}" in withheld(stage.ask(0), Rule.FOUND_BLOCKED)
    stage.says(1, disk(1, DiskState.UNMARKED), mode="STARTING")
    assert new_record(stage.ask(0)).record.founder == pod(0)


def test_an_approved_founder_waits_for_no_lower_ordinal() -> None:
    stage = Stage(approved=pod(2)).says(0, EMPTY).says(1, EMPTY)

    assert new_record(stage.ask(2)).record.founder == pod(2)


def test_a_founder_names_the_pod_that_it_waits_for() -> None:
    stage = Stage(record=record()).says(0, EMPTY).exists(1).says(2, EMPTY)

    assert "disk of cassandra-1 cannot be read" in withheld(stage.ask(0), Rule.JOIN_WAIT)
    assert "cassandra-0 to found" in withheld(stage.ask(2), Rule.JOIN_WAIT)


def test_a_record_whose_disks_are_all_gone_says_that_nobody_will_found_its_ring() -> None:
    rebuilt = replace(record(), how=Origin.REBUILT, founder_pvc_uid=None)
    stage = Stage(record=rebuilt).says(0, EMPTY).says(1, EMPTY)

    assert "has no disk with data" in withheld(stage.ask(0), Rule.JOIN_WAIT)


def test_an_approved_founder_gets_itself_beside_the_disks_that_it_was_approved_over() -> None:
    over = Stage(approved=pod(0), record=record()).says(1, disk(1, ring=OTHER_RING)).exists(2)

    decision = over.ask(0)

    assert isinstance(decision, Seeds)
    assert decision.rule is Rule.FOUNDER


def test_an_approval_does_not_let_a_founder_begin_beside_a_member_of_its_own_ring() -> None:
    stage = Stage(approved=pod(0), record=record()).says(1, disk(1))

    withheld(stage.ask(0), Rule.JOIN_WAIT)


def test_an_approval_of_one_pod_lets_no_other_begin() -> None:
    stage = Stage(approved=pod(1), record=record()).exists(1)

    withheld(stage.ask(0), Rule.JOIN_WAIT)


def test_nothing_is_founded_while_the_api_server_is_away() -> None:
    stage = Stage(live=False, record_known=False)

    withheld(stage.ask(0), Rule.API_AWAY)


def test_the_founder_gets_itself_and_nobody_else_does() -> None:
    stage = Stage(record=record()).says(0, EMPTY).says(1, EMPTY)

    decision = stage.ask(0)

    assert isinstance(decision, Seeds)
    assert decision.seeds == (address(0),)
    assert pod(0) in withheld(stage.ask(1), Rule.JOIN_WAIT)


def test_a_founder_that_died_on_the_way_goes_on() -> None:
    stage = Stage(record=record()).says(1, EMPTY)

    decision = stage.ask(0, disk(0, DiskState.JOINING))

    assert isinstance(decision, Seeds)
    assert decision.rule is Rule.FOUNDER


def test_a_founder_does_not_found_again_while_somebody_may_be_joining() -> None:
    stage = Stage(record=record()).says(1, EMPTY, process=Process.UNKNOWN)
    stage.ledger[pod(1)] = entry(1, known=False, state=EntryState.JOINING)

    assert isinstance(stage.ask(0), Withheld)


def test_a_founder_goes_on_beside_one_that_began_to_join_and_surely_does_not_run() -> None:
    stage = Stage(record=record()).says(1, EMPTY, process=Process.STOPPED)
    stage.ledger[pod(1)] = entry(1, known=False, state=EntryState.JOINING)

    assert isinstance(stage.ask(0), Seeds)


def test_a_founder_whose_disk_was_lost_does_not_found_again() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(0)] = entry(0)

    assert host(0) in withheld(stage.ask(0), Rule.REPLACE_WAIT)


def test_another_takes_over_from_a_founder_whose_volume_is_gone() -> None:
    stage = Stage(record=record(0)).says(1, EMPTY)

    decision = stage.ask(1)

    written = new_record(decision).record
    assert (written.founder, written.ring_id, written.version) == (pod(1), FRESH, "1")
    assert isinstance(decision, Act)
    assert decision.rule is Rule.FOUNDER_TAKEOVER


def test_a_founder_with_a_new_volume_takes_over_from_itself() -> None:
    stage = Stage(record=record(0))
    stage.exists(0)
    stage.volumes[pod(0)] = PvcUid("pvc-new")

    written = new_record(stage.ask(0, pvc_uid=PvcUid("pvc-new"))).record

    assert (written.founder, written.founder_pvc_uid) == (pod(0), "pvc-new")


def test_nobody_takes_over_from_a_founder_whose_volume_was_never_known() -> None:
    stage = Stage(record=replace(record(0), founder_pvc_uid=None)).says(1, EMPTY)

    withheld(stage.ask(1), Rule.JOIN_WAIT)


@pytest.mark.parametrize("uid", [None, "pvc-other"])
def test_a_blank_disk_whose_volume_claim_is_not_found_is_not_let_in(uid: str | None) -> None:
    decision = Stage().says(0, EMPTY).ask(0, pvc_uid=uid)

    withheld(decision, Rule.VOLUME_UNKNOWN)


def test_nobody_founds_beside_a_node_that_runs_on_a_disk_called_empty() -> None:
    stage = Stage().says(1, EMPTY, mode="NORMAL")

    withheld(stage.ask(0), Rule.FOUND_BLOCKED)


def test_nobody_is_told_to_empty_the_disk_of_a_ring_that_is_being_adopted() -> None:
    stage = Stage().says(1, disk(1, DiskState.UNMARKED), mode="NORMAL")

    reason = withheld(stage.ask(0), Rule.FOUND_BLOCKED)

    assert "empty" not in reason
    assert "approve" not in reason


def test_nobody_takes_over_from_a_founder_that_is_only_away() -> None:
    stage = Stage(record=record(0), volumes={pod(0): pvc(0)}).says(1, EMPTY)

    withheld(stage.ask(1), Rule.JOIN_WAIT)


def test_nobody_takes_over_while_some_disk_holds_data() -> None:
    stage = Stage(record=record(0)).says(2, disk(2))

    withheld(stage.ask(1), Rule.JOIN_WAIT)


# -- a record that was lost -------------------------------------------------------------------


def test_a_lost_record_is_rebuilt_with_the_ring_that_most_disks_carry() -> None:
    stage = Stage().says(1, disk(1)).says(2, disk(2)).says(3, disk(3, ring=OTHER_RING))

    written = new_record(stage.ask(0)).record

    assert (written.ring_id, written.how) == (RING, Origin.REBUILT)


def test_a_lost_record_is_not_rebuilt_from_a_minority() -> None:
    stage = Stage().says(1, disk(1)).exists(2)

    withheld(stage.ask(0), Rule.REBUILD_BLOCKED)


def test_a_node_that_just_became_normal_has_a_say_though_its_mark_is_not_written() -> None:
    stage = Stage().says(1, disk(1)).says(2, disk(2, DiskState.JOINING), mode="NORMAL")
    stage.exists(3)

    assert new_record(stage.ask(0)).record.ring_id == RING


def test_unmarked_nodes_that_have_a_marked_member_in_their_ring_speak_for_it() -> None:
    stage = Stage().says(1, disk(1), mode="NORMAL")
    for n in (2, 3):
        stage.says(n, disk(n, DiskState.UNMARKED), mode="NORMAL", peers=(peer(1),))
    assert new_record(stage.ask(0)).record.ring_id == RING

    for n in (2, 3):
        stage.says(n, disk(n, DiskState.UNMARKED), mode="NORMAL", peers=(peer(4),))
    withheld(stage.ask(0), Rule.REBUILD_BLOCKED)


def test_a_decommissioned_disk_has_no_say_in_a_lost_record() -> None:
    stage = Stage().says(1, disk(1)).says(2, disk(2, DiskState.LEFT))

    assert new_record(stage.ask(0)).record.ring_id == RING


def test_a_lost_record_never_leads_to_a_second_ring() -> None:
    stage = Stage(approved=pod(0)).says(1, disk(1))

    assert new_record(stage.ask(0)).record.ring_id == RING
