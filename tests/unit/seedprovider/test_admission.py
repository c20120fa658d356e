"""The rows of the table for blank disks: founding, joining, replacing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Rule,
    Seeds,
    TakeTurn,
    Withheld,
    WriteEntry,
    WriteRecord,
)
from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    EntryState,
    Origin,
    Peer,
    PeerState,
    PodUid,
    Process,
    PvcUid,
    RingId,
    Turn,
)
from seedprovider.protocol import decide
from tests.fakes.situations import (
    EMPTY,
    FRESH,
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


def withheld(decision: Decision, rule: Rule) -> str:
    assert isinstance(decision, Withheld), decision
    assert decision.rule is rule
    return decision.reason


def new_record(decision: Decision) -> WriteRecord:
    assert isinstance(decision, Act), decision
    assert isinstance(decision.step, WriteRecord)
    return decision.step


# -- racks -----------------------------------------------------------------------------------


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


# -- founding --------------------------------------------------------------------------------


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


# -- a record that was lost ------------------------------------------------------------------


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


# -- joining ---------------------------------------------------------------------------------


def join(stage: Stage, n: int) -> tuple[list[object], Decision]:
    """Carry out the steps as the API server would, until there is an answer."""
    steps: list[object] = []
    taken: str | None = None
    for _ in range(5):
        decision = stage.ask(n, turn_version=taken)
        if not isinstance(decision, Act):
            return steps, decision
        steps.append(type(decision.step))
        match decision.step:
            case WriteEntry(written):
                stage.ledger[written.pod] = replace(written, version="w")
            case TakeTurn(holder, _):
                taken = f"{stage.turn.version}+"
                stage.turn = Turn(holder=holder, version=taken)
    raise AssertionError(steps)


def test_a_joiner_enters_the_ledger_then_takes_the_turn_then_gets_the_members() -> None:
    stage = Stage().ring_of(0, 1)

    steps, decision = join(stage, 2)

    assert steps == [WriteEntry, TakeTurn]
    assert isinstance(decision, Seeds)
    assert (decision.seeds, decision.replace) == ((address(0), address(1)), None)
    assert stage.ledger[pod(2)].state is EntryState.JOINING


def test_a_joiner_that_starts_again_takes_its_turn_again() -> None:
    stage = Stage().ring_of(0, 1)
    _, first = join(stage, 2)

    assert join(stage, 2) == ([TakeTurn], first)


def test_one_joiner_waits_for_the_other() -> None:
    stage = Stage().ring_of(0, 1)
    join(stage, 2)
    stage.says(2, disk(2, DiskState.JOINING), mode="STARTING")

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


def test_a_turn_is_free_when_its_holder_is_a_member() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1, 2)

    steps, _ = join(stage, 3)

    assert steps == [WriteEntry, TakeTurn]


def test_a_turn_is_free_when_its_holders_pod_is_another_by_now() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), PodUid("uid-old")), version="7")).ring_of(0, 1)
    stage.exists(2)

    assert isinstance(stage.ask(3), Act)


def test_a_turn_is_free_when_its_holders_cassandra_is_seen_stopped() -> None:
    stage = Stage(turn=Turn(holder=(pod(2), uid(2)), version="7")).ring_of(0, 1)
    stage.says(2, disk(2, DiskState.JOINING), process=Process.STOPPED)

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
def test_a_deleted_lease_lets_nobody_in_beside_one_that_may_be_joining(
    process: Process,
) -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)
    stage.says(2, Disk(DiskState.EMPTY, RING), process=process)

    assert pod(2) in withheld(stage.ask(3), Rule.JOIN_WAIT)


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

    steps, decision = join(stage, 2)

    assert steps == [WriteEntry, TakeTurn]
    assert isinstance(decision, Seeds)
    assert decision.replace is None


def test_a_ledger_entry_of_a_ring_that_is_gone_means_nothing() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = replace(entry(2), ring_id=OTHER_RING)

    _, decision = join(stage, 2)

    assert isinstance(decision, Seeds)
    assert decision.replace is None


# -- replacing a lost disk -------------------------------------------------------------------


def lost_disk(*sees: Peer) -> Stage:
    """Pods 0 and 1 are members and see these peers; the disk of pod 2 is lost."""
    stage = Stage(record=record())
    stage.member(0, peer(1), *sees).member(1, peer(0), *sees)
    stage.ledger[pod(2)] = entry(2)
    return stage


def test_a_lost_disk_comes_back_in_the_place_of_the_host_it_was() -> None:
    stage = lost_disk(Peer(host(2), Address("10.0.0.77"), up=False, state=PeerState.NORMAL))

    steps, decision = join(stage, 2)

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
    stage.ledger[pod(3)] = entry(3)
    stage.exists(3)

    assert pod(3) in withheld(stage.ask(2), Rule.REPLACE_WAIT)


def test_a_member_that_is_proven_stopped_need_not_be_heard() -> None:
    stage = lost_disk(peer(2, up=False))
    stage.ledger[pod(3)] = entry(3)
    stage.says(3, disk(3), process=Process.STOPPED)

    assert isinstance(stage.ask(2), Act)


def test_two_lost_disks_come_back_one_after_the_other() -> None:
    stage = lost_disk(peer(2, up=False), peer(3, up=False))
    stage.ledger[pod(3)] = entry(3)
    stage.says(2, EMPTY, process=Process.STARTING).says(3, EMPTY, process=Process.STOPPED)
    _, first = join(stage, 2)
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

    steps, decision = join(stage, 2)

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


# -- promises --------------------------------------------------------------------------------


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


# -- pause -----------------------------------------------------------------------------------


def founding() -> Stage:
    return Stage().says(1, EMPTY)


def orphaned() -> Stage:
    return Stage(record=record(9)).says(1, EMPTY)


def lost_record() -> Stage:
    return Stage().says(1, disk(1)).says(2, disk(2))


def joining() -> Stage:
    return Stage().ring_of(1, 2)


def replacing() -> Stage:
    stage = Stage(record=record())
    stage.member(1, peer(2), peer(0, up=False)).member(2, peer(1), peer(0, up=False))
    stage.ledger[pod(0)] = entry(0)
    return stage


@pytest.mark.parametrize("situation", [founding, orphaned, lost_record, joining, replacing])
def test_while_paused_nobody_new_is_let_in_and_no_step_is_taken(
    situation: Callable[[], Stage],
) -> None:
    stage = situation()
    assert not isinstance(stage.ask(0), Withheld)
    stage.paused = "storage is being moved"

    assert "storage is being moved" in withheld(stage.ask(0), Rule.PAUSED)


def test_members_are_served_while_paused() -> None:
    stage = Stage(paused="storage is being moved").ring_of(0, 1)

    assert isinstance(stage.ask(1, disk(1)), Seeds)


def test_one_that_died_before_its_mark_was_written_is_a_member_while_paused_too() -> None:
    stage = Stage(paused="storage is being moved").ring_of(0, 1)
    stage.member(0, peer(1), peer(2))

    assert isinstance(stage.ask(2, disk(2, DiskState.JOINING)), Seeds)
