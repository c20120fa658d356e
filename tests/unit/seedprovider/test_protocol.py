"""The rows of the table for disks with data."""

from dataclasses import replace

import pytest

from seedprovider.decision import Act, Refused, Rule, Seeds, Withheld
from seedprovider.model import (
    Disk,
    DiskState,
    EntryState,
    Origin,
    Peer,
    PeerState,
    PvcUid,
    Source,
    Stay,
    Turn,
)
from tests.fakes.situations import (
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
    uid,
)


def seeds_of(decision: object) -> tuple[str, ...]:
    assert isinstance(decision, Seeds)
    return decision.seeds


def test_a_returning_member_gets_the_confirmed_members() -> None:
    stage = Stage(record=record()).member(0, peer(1), peer(2, up=False))
    stage.member(1, peer(0), peer(2, up=False))

    assert seeds_of(stage.ask(2, disk(2))) == (address(0), address(1))


def test_every_member_gets_the_same_three_of_many() -> None:
    stage = Stage().ring_of(*range(12))

    assert {seeds_of(stage.ask(n, disk(n))) for n in range(3, 12)} == {
        (address(0), address(1), address(2))
    }


def test_a_member_among_the_chosen_still_has_two_others() -> None:
    stage = Stage().ring_of(0, 1, 2, 3)

    assert seeds_of(stage.ask(0, disk(0))) == (address(0), address(1), address(2))


def test_ordinals_sort_as_numbers() -> None:
    stage = Stage().ring_of(2, 10, 9, 11)

    assert seeds_of(stage.ask(11, disk(11))) == (address(2), address(9), address(10))


def test_seeds_spread_over_racks() -> None:
    stage = Stage(record=record())
    for n, rack in enumerate(["a", "a", "a", "b", "c", "d"]):
        stage.member(n, *(peer(o) for o in range(6) if o != n), rack=rack)

    assert seeds_of(stage.ask(0, disk(0))) == (address(0), address(3), address(4), address(5))


def test_one_confirmed_member_is_filled_up_with_a_pod_that_holds_a_disk_of_the_ring() -> None:
    stage = Stage().ring_of(0)
    stage.member(0, peer(1), peer(2))
    for n in (1, 2):
        stage.ledger[pod(n)] = entry(n)
    stage.says(1, disk(1), mode="STARTING")

    assert seeds_of(stage.ask(2, disk(2))) == (address(0), address(1))


def test_a_sidecar_that_spoke_long_ago_confirms_nothing() -> None:
    stage = Stage(record=record()).member(0, peer(1), age=6).member(1, peer(0))

    decision = stage.ask(2, disk(2))

    assert isinstance(decision, Seeds)
    assert address(1) in decision.seeds
    assert decision.rule is Rule.MEMBER_CONFIRMED


def test_in_a_cold_start_members_get_each_other_and_themselves() -> None:
    stage = Stage(record=record())
    for n in range(3):
        stage.ledger[pod(n)] = entry(n)
        stage.says(n, disk(n))

    decision = stage.ask(1, disk(1))

    assert seeds_of(decision) == (address(0), address(1), address(2))
    assert isinstance(decision, Seeds)
    assert decision.rule is Rule.MEMBER_COLD_START


def test_in_a_cold_start_a_high_ordinal_comes_behind_the_common_list() -> None:
    stage = Stage(record=record())
    for n in range(5):
        stage.ledger[pod(n)] = entry(n)
        stage.says(n, disk(n))

    assert seeds_of(stage.ask(4, disk(4))) == (*map(address, (0, 1, 2)), address(4))


def test_in_a_cold_start_silent_pods_count_by_the_ledger() -> None:
    stage = Stage(record=record()).exists(0)
    stage.ledger[pod(0)] = entry(0)

    assert seeds_of(stage.ask(1, disk(1))) == (address(0), address(1))


@pytest.mark.parametrize(
    "its_disk",
    [disk(0, DiskState.EMPTY), disk(0, DiskState.LEFT), disk(0, ring=OTHER_RING)],
    ids=["empty", "left", "of another ring"],
)
def test_in_a_cold_start_a_pod_whose_disk_is_not_a_member_is_no_seed(its_disk: Disk) -> None:
    stage = Stage(record=record()).says(0, its_disk)
    stage.ledger[pod(0)] = entry(0)

    assert seeds_of(stage.ask(1, disk(1))) == (address(1),)


def test_in_a_cold_start_an_address_where_a_stranger_answers_is_no_seed() -> None:
    stage = Stage(record=record(), strangers={address(0): "shop/cassandra/cassandra-7"})
    stage.exists(0)
    stage.ledger[pod(0)] = entry(0)

    assert seeds_of(stage.ask(1, disk(1))) == (address(1),)


def test_a_terminating_pod_is_no_seed_in_a_cold_start() -> None:
    stage = Stage(record=record()).exists(0, terminating=True)
    stage.ledger[pod(0)] = entry(0)

    assert seeds_of(stage.ask(1, disk(1))) == (address(1),)


def test_without_the_api_server_a_member_gets_the_last_good_answer_and_itself() -> None:
    stage = Stage(source=Source.CACHE, live=False, record_known=False, record=record())
    stage.last_good = (address(7), address(8))

    decision = stage.ask(1, disk(1))

    assert seeds_of(decision) == (address(7), address(8), address(1))


def test_the_last_good_answer_loses_addresses_where_strangers_answer() -> None:
    stage = Stage(source=Source.CACHE, live=False, record_known=False)
    stage.last_good = (address(7), address(8))
    stage.strangers = {address(7): "shop/cassandra/cassandra-7"}

    assert seeds_of(stage.ask(1, disk(1))) == (address(8), address(1))


def test_a_member_is_led_back_though_the_record_is_lost() -> None:
    stage = Stage().member(0, peer(1), peer(2)).member(1, peer(0), peer(2))

    assert seeds_of(stage.ask(2, disk(2))) == (address(0), address(1))


@pytest.mark.parametrize("state", [DiskState.MEMBER, DiskState.LEFT, DiskState.JOINING])
def test_a_disk_of_another_ring_is_refused_with_both_rings_named(state: DiskState) -> None:
    decision = Stage().ring_of(0).ask(1, disk(1, state, OTHER_RING))

    assert isinstance(decision, Refused)
    assert decision.rule is Rule.DISK_FOREIGN
    assert RING in decision.reason
    assert OTHER_RING in decision.reason


def test_a_lost_disk_that_is_back_is_not_emptied_for_a_ring_without_members() -> None:
    stage = Stage(record=record())

    decision = stage.ask(1, disk(1, DiskState.MEMBER, OTHER_RING))
    of_a_joiner = stage.ask(1, disk(1, DiskState.JOINING, OTHER_RING))

    assert isinstance(decision, Refused)
    assert "delete the ring record" in decision.reason
    assert "empty" not in decision.reason
    assert "empty the data directory" in of_a_joiner.reason


def test_the_own_entry_of_a_newer_ring_is_no_reason_to_empty_the_disk_of_the_older() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(1)] = entry(1)

    alone = stage.ask(1, disk(1, DiskState.MEMBER, OTHER_RING))
    stage.ledger[pod(0)] = entry(0)
    beside = stage.ask(1, disk(1, DiskState.MEMBER, OTHER_RING))

    assert isinstance(alone, Refused)
    assert "delete the ring record" in alone.reason
    assert isinstance(beside, Refused)
    assert "empty the data directory" in beside.reason


@pytest.mark.parametrize("state", [DiskState.MEMBER, DiskState.LEFT])
def test_nobody_is_told_to_empty_a_disk_by_a_record_that_may_be_older(state: DiskState) -> None:
    stage = Stage(live=False, source=Source.WATCH).ring_of(0)

    decision = stage.ask(1, disk(1, state, OTHER_RING))

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_IN_DOUBT
    assert "empty" not in decision.reason


def test_a_decommissioned_disk_is_refused() -> None:
    decision = Stage().ring_of(0, 1).ask(2, disk(2, DiskState.LEFT))

    assert isinstance(decision, Refused)
    assert decision.rule is Rule.DISK_LEFT


def test_a_host_that_the_ledger_calls_removed_is_withheld() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, state=EntryState.LEFT)

    gone = stage.ask(2, disk(2))

    assert isinstance(gone, Withheld)
    assert gone.rule is Rule.MEMBER_REMOVED
    assert host(2) in gone.reason


def test_a_member_whose_address_another_took_over_comes_back_though_all_forgot_it() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2)

    assert isinstance(stage.ask(2, disk(2)), Seeds)


def test_a_minority_that_does_not_know_a_host_proves_nothing() -> None:
    stage = Stage(record=record()).member(0)
    for n in range(1, 5):
        stage.ledger[pod(n)] = entry(n)

    assert isinstance(stage.ask(4, disk(4)), Seeds)


def test_members_that_have_not_said_whom_they_see_prove_nothing() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(0)] = entry(0)
    stage.says(0, disk(0), mode="NORMAL", peers=None)

    assert isinstance(stage.ask(1, disk(1)), Seeds)


def test_an_old_volume_of_a_replaced_host_is_withheld() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2)
    old = Disk(DiskState.MEMBER, RING, host(9), PvcUid("pvc-old"))

    decision = stage.ask(2, old, pvc_uid=PvcUid("pvc-old"))

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_REPLACED


def new_disk_before_an_old_ledger(source: Source) -> object:
    stage = Stage(record=record(), live=False, source=source)
    stage.ledger[pod(2)] = entry(2)
    new = Disk(DiskState.MEMBER, RING, host(9), PvcUid("pvc-new"))
    return stage.ask(2, new, pvc_uid=PvcUid("pvc-new"))


def test_a_ledger_that_may_be_older_than_the_disk_never_advises_to_empty_it() -> None:
    decision = new_disk_before_an_old_ledger(Source.WATCH)

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_IN_DOUBT
    assert "empty" not in decision.reason


def test_what_a_restarted_sidecar_remembers_of_the_ledger_holds_no_member_up() -> None:
    assert isinstance(new_disk_before_an_old_ledger(Source.CACHE), Seeds)


def test_an_old_disk_on_the_same_volume_is_withheld_with_both_ways_out() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = entry(2)
    old = Disk(DiskState.MEMBER, RING, host(9), PvcUid("pvc-2"))

    decision = stage.ask(2, old)

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_REPLACED
    assert "delete ConfigMap cassandra-2-member" in decision.reason
    assert f"give cassandra-2 the disk of host {host(2)} back" in decision.reason


def test_an_old_disk_may_be_emptied_only_where_members_that_run_do_without_its_host() -> None:
    alone, silent, needed = Stage(record=record()), Stage(record=record()), Stage().ring_of(0)
    silent.exists(0).ledger[pod(0)] = entry(0)
    needed.member(0, peer(9))
    without = Stage().ring_of(0, 1)
    old = Disk(DiskState.MEMBER, RING, host(9), PvcUid("pvc-2"))
    said = []
    for stage in (alone, silent, needed, without):
        stage.ledger[pod(2)] = entry(2)
        said.append(stage.ask(2, old))

    assert [decision.rule for decision in said] == [Rule.MEMBER_REPLACED] * 4
    advised = ["empty the data directory" in decision.reason for decision in said]
    assert advised == [False, False, False, True]


def test_a_removed_disk_is_not_told_to_give_way_to_itself() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(1)] = entry(1, state=EntryState.LEFT)

    decision = stage.ask(1, disk(1))

    assert decision.rule is Rule.MEMBER_REMOVED
    assert "give cassandra-1" not in decision.reason


def test_the_disk_that_replaces_another_comes_back_before_the_ledger_says_so() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = entry(2, state=EntryState.JOINING)

    assert isinstance(stage.ask(2, Disk(DiskState.MEMBER, RING, host(9), PvcUid("x"))), Seeds)


def test_a_member_waits_a_little_for_the_first_word_of_the_api_server() -> None:
    stage = Stage(source=Source.NONE, live=False, record_known=False, last_good=(address(7),))

    early, late = stage.ask(1, disk(1)), stage.ask(1, disk(1), waiting=11.0)

    assert isinstance(early, Withheld)
    assert seeds_of(late) == (address(7), address(1))


def test_a_disk_without_mark_is_led_back_if_it_was_there_when_the_ring_was_adopted() -> None:
    adopted = replace(record(how=Origin.ADOPTED), adopted=((pod(2), pvc(2)),))
    stage = Stage(record=adopted).ring_of(0, 1)

    assert seeds_of(stage.ask(2, disk(2, DiskState.UNMARKED))) == (address(0), address(1))
    assert isinstance(stage.ask(3, disk(3, DiskState.UNMARKED)), Withheld)


def test_an_address_that_the_member_never_had_is_no_seed_while_nobody_vouches_for_it() -> None:
    stage = Stage(record=record()).exists(0)
    stage.ledger[pod(0)] = replace(entry(0), addresses=(Stay(address(8), "t0"),))

    assert seeds_of(stage.ask(1, disk(1))) == (address(1),)


def test_a_copy_of_a_running_members_volume_is_refused() -> None:
    stage = Stage().ring_of(0, 1, 2)
    copy = Disk(DiskState.MEMBER, RING, host(2), PvcUid("pvc-2"))

    decision = stage.ask(3, copy)

    assert isinstance(decision, Refused)
    assert decision.rule is Rule.MEMBER_CLONED
    assert pod(2) in decision.reason


def test_of_two_stopped_disks_with_one_host_id_the_ledger_knows_the_original() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(0)] = entry(0)
    stage.says(0, disk(0)).says(3, disk(0))

    assert isinstance(stage.ask(0, disk(0)), Seeds)
    assert isinstance(stage.ask(3, disk(0)), Refused)


def test_of_two_stopped_disks_with_one_host_id_neither_starts_if_nobody_knows_which() -> None:
    stage = Stage(record=record()).says(0, disk(0)).says(3, disk(0))

    assert isinstance(stage.ask(0, disk(0)), Withheld)
    assert isinstance(stage.ask(3, disk(0)), Withheld)


def test_a_host_id_that_the_ledger_has_in_a_silent_pod_is_withheld() -> None:
    stage = Stage(record=record()).exists(0)
    stage.ledger[pod(0)] = entry(0)

    decision = stage.ask(3, disk(0))

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_CLONED


def test_a_restored_volume_comes_back_as_the_member_it_was() -> None:
    stage = Stage().ring_of(0, 1, 2)

    decision = stage.ask(2, disk(2), pvc_uid=PvcUid("pvc-restored"))

    assert isinstance(decision, Seeds)


def test_a_node_that_died_while_it_took_its_own_hosts_place_goes_on_with_that() -> None:
    stage = Stage(record=record(), turn=Turn(holder=(pod(2), uid(2)), version="7"))
    stage.member(0, peer(1), peer(2, up=False)).member(1, peer(0), peer(2, up=False))
    stage.ledger[pod(2)] = entry(2, state=EntryState.JOINING)

    # At an address that stays Cassandra keeps the host ID.
    decision = stage.ask(2, disk(2, DiskState.JOINING), turn_version="7", promised=RING)

    assert isinstance(decision, Seeds)
    assert (decision.rule, decision.replace) == (Rule.REPLACE, address(2))


@pytest.mark.parametrize("has_entry", [False, True], ids=["no entry", "another entry"])
def test_a_node_that_died_before_its_mark_said_member_is_led_back_as_one(
    *, has_entry: bool
) -> None:
    stage = Stage().ring_of(0, 1, 2)
    del stage.ledger[pod(2)], stage.reports[pod(2)]
    if has_entry:  # as one that joined has, or took the place of a host at another address
        stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)

    decision = stage.ask(2, disk(2, DiskState.JOINING))

    assert isinstance(decision, Seeds)
    assert decision.rule is Rule.MEMBER_CONFIRMED


def test_an_unmarked_disk_without_a_record_gets_the_seeds_configured_before() -> None:
    decision = Stage().ask(0, disk(0, DiskState.UNMARKED), configured=(address(5),))

    assert isinstance(decision, Seeds)
    assert decision.seeds == (address(5),)
    assert decision.ring_id is None


def test_an_unmarked_disk_without_a_record_or_configured_seeds_is_withheld() -> None:
    assert isinstance(Stage().ask(0, disk(0, DiskState.UNMARKED)), Withheld)


def test_an_unmarked_disk_is_withheld_while_nobody_knows_whether_there_is_a_record() -> None:
    stage = Stage(record_known=False, live=False)

    decision = stage.ask(0, disk(0, DiskState.UNMARKED), configured=(address(5),))

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.API_AWAY


def test_an_unmarked_disk_that_the_ledger_knows_is_led_back_without_itself() -> None:
    stage = Stage().ring_of(0, 1, 2)
    stage.says(2, disk(2, DiskState.UNMARKED))

    assert seeds_of(stage.ask(2, disk(2, DiskState.UNMARKED))) == (address(0), address(1))


def test_unmarked_disks_of_an_adopted_ring_start_together_when_all_died_without_marks() -> None:
    adopted = replace(
        record(), how=Origin.ADOPTED, adopted=tuple((pod(n), pvc(n)) for n in range(3))
    )
    stage = Stage(record=adopted)
    for n in (0, 1):
        stage.says(n, disk(n, DiskState.UNMARKED))
    stage.says(2, disk(2, DiskState.EMPTY)).exists(3)

    assert seeds_of(stage.ask(1, disk(1, DiskState.UNMARKED))) == (address(0), address(1))


def test_nobody_is_called_a_stranger_while_its_own_volume_is_not_known() -> None:
    decision = Stage().ring_of(0, 1, 2).ask(2, disk(2, DiskState.UNMARKED), pvc_uid=None)

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.VOLUME_UNKNOWN


def test_an_unmarked_disk_whose_entry_says_joining_is_not_taken_for_a_member() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, state=EntryState.JOINING)

    assert isinstance(stage.ask(2, disk(2, DiskState.UNMARKED)), Withheld)


def test_an_unmarked_disk_that_the_ledger_does_not_know_is_withheld() -> None:
    stage = Stage().ring_of(0, 1)

    decision = stage.ask(2, disk(2, DiskState.UNMARKED))

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.UNMARKED_STRANGER


def test_no_unmarked_disk_is_called_a_stranger_before_a_live_look() -> None:
    stage = Stage(live=False, source=Source.WATCH).ring_of(0, 1)

    decision = stage.ask(2, disk(2, DiskState.UNMARKED))

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_IN_DOUBT
    assert "empty" not in decision.reason


def test_an_unmarked_disk_on_another_volume_than_the_ledgers_is_withheld() -> None:
    stage = Stage().ring_of(0, 1, 2)
    del stage.reports[pod(2)]

    decision = stage.ask(2, disk(2, DiskState.UNMARKED), pvc_uid=PvcUid("pvc-other"))

    assert isinstance(decision, Withheld)


def test_a_disk_that_cannot_be_read_is_withheld() -> None:
    assert isinstance(Stage().ask(0, disk(0, DiskState.UNKNOWN)), Withheld)


def test_a_member_that_left_is_not_waited_for() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2, state=EntryState.LEFT)

    decision = stage.ask(3)

    assert isinstance(decision, Act)
    assert decision.rule is Rule.JOIN


def test_a_leaving_peer_is_still_a_member() -> None:
    stage = Stage(record=record())
    leaving = Peer(host(1), address(1), up=True, state=PeerState.LEAVING)
    stage.member(0, leaving)

    assert isinstance(stage.ask(1, disk(1)), Seeds)
