"""What single conditions of the protocol are there for, where no order of events shows it.

The model (tests/model) leaves out racks, pods that terminate, sidecars that have not said all
and disks that cannot be read; `tests/model/held.py` names these tests.
"""

from dataclasses import replace

import pytest

from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Refused,
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
    PeerState,
    PodUid,
    Process,
    Record,
    Turn,
)
from seedprovider.protocol import decide
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

UNMARKED = disk(0, DiskState.UNMARKED)
HELD = Turn(holder=(pod(2), uid(2)), version="t")


def seeds_of(decision: Decision) -> tuple[Address, ...]:
    assert isinstance(decision, Seeds), decision
    return decision.seeds


def rule_of(decision: Decision) -> Rule:
    return decision.rule


# -- a disk of another ring ------------------------------------------------------------------


def test_what_the_mark_of_an_empty_disk_says_of_another_ring_does_not_matter() -> None:
    decision = Stage().ring_of(0, 1).ask(2, Disk(DiskState.EMPTY, OTHER_RING))

    assert rule_of(decision) is Rule.JOIN


@pytest.mark.parametrize(
    "stage",
    [
        Stage(record=replace(record(how=Origin.ADOPTED), adopted=((pod(0), None),))),
        Stage(record=record(), ledger={pod(0): entry(0)}),
        Stage(record=record()).says(0, disk(0), mode="NORMAL"),
    ],
    ids=["adopted", "a member in the ledger", "a member that runs"],
)
def test_a_foreign_disk_is_given_up_for_a_ring_that_has_members(stage: Stage) -> None:
    decision = stage.ask(1, disk(1, ring=OTHER_RING))

    assert isinstance(decision, Refused)
    assert "empty the data directory" in decision.reason


# -- members ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "its_disk",
    [Disk(DiskState.MEMBER, None, host(1)), Disk(DiskState.MEMBER, RING, None)],
    ids=["no ring", "no host"],
)
def test_a_mark_that_names_no_ring_or_no_host_serves_nobody(its_disk: Disk) -> None:
    assert rule_of(Stage().ring_of(0, 2).ask(1, its_disk)) is Rule.DISK_UNKNOWN


def test_a_member_that_terminates_is_no_seed_where_others_are() -> None:
    stage = Stage().ring_of(0, 1, 2, 3)
    stage.exists(0, terminating=True)

    assert address(0) not in seeds_of(stage.ask(3, disk(3)))
    assert address(0) not in seeds_of(let_in(stage, 4))


def test_members_that_all_terminate_are_seeds_still() -> None:
    stage = Stage().ring_of(0, 1, 3)
    for n in (0, 1, 3):
        stage.exists(n, terminating=True)

    all_three = (address(0), address(1), address(3))
    assert seeds_of(stage.ask(2, disk(2))) == all_three
    assert seeds_of(let_in(stage, 2)) == all_three


def test_a_member_that_starts_alone_is_itself_at_its_present_address_only() -> None:
    stage = Stage(record=record()).says(1, disk(1))

    assert seeds_of(stage.ask(1, disk(1), address=address(9))) == (address(9),)


# -- copies ----------------------------------------------------------------------------------


def test_an_old_word_of_a_twin_is_none() -> None:
    stage = Stage().ring_of(0, 1)
    twin = replace(disk(2), host_id=host(1))
    stage.says(2, twin, mode="NORMAL", age=60)

    assert seeds_of(stage.ask(1, disk(1)))


def test_a_twin_that_runs_on_an_emptied_disk_is_one_still() -> None:
    stage = Stage().ring_of(0)
    stage.says(2, EMPTY, mode="NORMAL")
    stage.reports[pod(2)] = replace(
        stage.reports[pod(2)],
        heartbeat=replace(stage.reports[pod(2)].heartbeat, host_id=host(1)),  # type: ignore[type-var]
    )

    assert isinstance(stage.ask(1, disk(1)), Refused)


def test_a_twin_that_runs_is_genuine_whatever_the_ledger_says() -> None:
    stage = Stage().ring_of(0)
    stage.ledger[pod(1)] = entry(1)
    stage.says(2, replace(disk(2), host_id=host(1)), mode="NORMAL")

    assert isinstance(stage.ask(1, disk(1)), Refused)


def test_a_pod_that_says_which_host_it_is_is_not_what_its_entry_says() -> None:
    stage = Stage().ring_of(0, 2)
    stage.ledger[pod(2)] = replace(entry(2), host_id=host(1))

    assert seeds_of(stage.ask(1, disk(1)))


def test_of_two_stopped_twins_the_one_in_the_ledger_is_genuine() -> None:
    twin = replace(disk(2), host_id=host(1))
    stage = Stage(record=record()).says(2, twin)
    stage.ledger[pod(1)] = replace(entry(1), host_id=host(7), state=EntryState.JOINING)
    stage.ledger[pod(2)] = replace(entry(2), host_id=host(1))
    assert isinstance(stage.ask(1, disk(1)), Refused)

    stage.ledger[pod(2)] = replace(entry(2), host_id=host(8))
    decision = stage.ask(1, disk(1))
    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.MEMBER_CLONED


def test_a_host_of_before_that_left_does_not_stand_for_the_present_one() -> None:
    stage = Stage().ring_of(0, 2)
    stage.ledger[pod(1)] = replace(entry(1), host_id=host(7), state=EntryState.LEFT)

    assert seeds_of(stage.ask(1, disk(1)))


# -- disks without marks ---------------------------------------------------------------------


def unmarked(*numbers: int) -> Stage:
    stage = Stage(record=record(how=Origin.ADOPTED))
    for n in numbers:
        stage.ledger[pod(n)] = entry(n)
        stage.says(n, UNMARKED)
    return stage


def test_an_unmarked_member_follows_those_that_run_before_those_that_are_silent() -> None:
    stage = unmarked(0).member(1)
    stage.exists(2).ledger[pod(2)] = entry(2)

    assert seeds_of(stage.ask(0, UNMARKED)) == (address(1),)


def test_an_unmarked_member_follows_marked_ones_that_are_stopped() -> None:
    stage = unmarked(0).says(1, disk(1))

    assert seeds_of(stage.ask(0, UNMARKED)) == (address(1),)


def test_an_unmarked_member_is_not_its_own_seed_by_its_ledger_entry() -> None:
    stage = unmarked(0).member(1)
    stage.reports.pop(pod(0))
    stage.reports.pop(pod(1))

    assert seeds_of(stage.ask(0, UNMARKED)) == (address(1),)


def test_unmarked_members_lead_each_other_only_where_they_are_known_and_stay() -> None:
    stage = unmarked(0, 1, 2, 3)
    stage.exists(1, terminating=True)
    stage.ledger.pop(pod(2))

    assert seeds_of(stage.ask(0, UNMARKED, address=address(9))) == (address(3), address(9))


def test_a_volume_that_nobody_knows_was_not_adopted() -> None:
    stage = unmarked(0, 1)
    stage.ledger.pop(pod(1))
    stage.reports[pod(1)] = replace(stage.reports[pod(1)], pvc_uid=None)
    stage.record = replace(record(how=Origin.ADOPTED), adopted=((pod(1), None),))

    assert seeds_of(stage.ask(0, UNMARKED)) == (address(0),)


def test_an_entry_without_a_host_does_not_speak_against_an_adoption() -> None:
    stage = unmarked(0)
    stage.ledger[pod(0)] = entry(0, known=False, state=EntryState.JOINING)
    stage.record = replace(record(how=Origin.ADOPTED), adopted=((pod(0), pvc(0)),))

    assert rule_of(stage.ask(0, UNMARKED)) is Rule.UNMARKED_MEMBER


# -- coming in -------------------------------------------------------------------------------


def test_nobody_comes_in_while_it_is_not_known_whether_there_is_a_record() -> None:
    assert rule_of(Stage(record_known=False).ask(0)) is Rule.API_AWAY


def test_an_unknown_volume_is_not_the_one_that_is_not_there() -> None:
    stage = Stage().ring_of(0, 1).exists(2, volume=False)

    assert rule_of(stage.ask(2, pvc_uid=None)) is Rule.VOLUME_UNKNOWN


def let_in(stage: Stage, n: int, **more: object) -> Decision:
    """Let a pod ask that has its entry, its turn and its promise."""
    host_id = stage.ledger[pod(n)].host_id if pod(n) in stage.ledger else None
    mine = entry(n, known=host_id is not None, state=EntryState.JOINING)
    stage.ledger[pod(n)] = mine
    stage.turn = Turn(holder=(pod(n), uid(n)), version="t")
    return stage.ask(n, turn_version="t", promised=RING, **more)


def test_nobody_is_led_to_itself_or_to_whoever_has_its_address() -> None:
    stage = Stage().ring_of(0, 1)
    stage.says(2, disk(2), mode="NORMAL").says(3, disk(3), mode="NORMAL")

    others = (address(0), address(1))
    assert seeds_of(let_in(stage, 2, address=address(9))) == (*others, address(3))
    assert seeds_of(let_in(stage, 2, address=address(3))) == others


def test_a_pod_that_is_there_is_not_gone_because_its_volume_is_not() -> None:
    stage = Stage(turn=Turn(version="t")).ring_of(0, 1)
    stage.exists(3, volume=False).ledger[pod(3)] = entry(3)

    assert pod(3) in stage.ask(2).reason
    assert rule_of(stage.ask(2)) is Rule.JOIN_WAIT


def test_who_has_not_said_whom_it_sees_is_waited_for() -> None:
    stage = Stage().ring_of(0, 1)
    stage.says(1, disk(1), mode="NORMAL", peers=None)
    assert rule_of(stage.ask(2)) is Rule.JOIN_WAIT

    stage.ledger[pod(2)] = entry(2)
    assert rule_of(stage.ask(2)) is Rule.REPLACE_WAIT


def test_a_member_that_no_pod_runs_is_waited_for_though_it_is_up() -> None:
    stage = Stage(record=record()).member(0, peer(1), peer(7)).member(1, peer(0), peer(7))

    assert rule_of(stage.ask(2)) is Rule.JOIN_WAIT


def test_a_claim_keeps_what_the_entry_has() -> None:
    stage = Stage().ring_of(0, 1)
    before = stage.ledger[pod(2)] = replace(entry(2), host_id=None, state=EntryState.JOINING)
    stage.exists(2)

    decision = stage.ask(2, pvc_uid=pvc(2), uid=PodUid("anew"))

    assert isinstance(decision, Act)
    assert isinstance(decision.step, WriteEntry)
    written = decision.step.entry
    assert (written.addresses, written.version) == (before.addresses, before.version)


def test_an_entry_of_an_earlier_pod_does_not_end_the_turn_of_the_present_one() -> None:
    stage = Stage(turn=HELD).ring_of(0, 1).says(2, EMPTY, mode="JOINING")
    stage.ledger[pod(2)] = replace(entry(2), pod_uid=PodUid("earlier"), state=EntryState.LEFT)

    assert rule_of(stage.ask(3)) is Rule.JOIN_WAIT


def test_a_promise_to_a_lost_disk_comes_before_its_turn() -> None:
    stage = Stage().ring_of(0, 1)
    stage.member(0, peer(1), peer(2, up=False)).member(1, peer(0), peer(2, up=False))
    stage.ledger[pod(2)] = entry(2, state=EntryState.JOINING)
    stage.exists(2)

    first = decide(asker(2), stage.view(), Policy())
    then = decide(asker(2, promised=RING), stage.view(), Policy())

    assert isinstance(first, Act)
    assert isinstance(first.step, Promise)
    assert isinstance(then, Act)
    assert isinstance(then.step, TakeTurn)


@pytest.mark.parametrize("up", [True, False])
def test_a_lost_disk_waits_for_a_joiner_that_is_not_its_own_last_attempt(*, up: bool) -> None:
    stage = Stage().ring_of(0)
    stage.ledger[pod(2)] = entry(2)
    lost, own = peer(2, up=False), peer(5, state=PeerState.JOINING, up=up)

    stage.member(0, lost, own)
    assert rule_of(stage.ask(2)) is Rule.REPLACE_WAIT
    assert rule_of(stage.ask(2, replace(disk(5, DiskState.JOINING)))) is Rule.REPLACE


# -- founding and rebuilding -----------------------------------------------------------------


def test_a_lower_ordinal_that_terminates_is_not_waited_for() -> None:
    stage = Stage().says(0, EMPTY, terminating=True).says(1, EMPTY)

    assert rule_of(stage.ask(1)) is Rule.FOUND


def rebuilt(stage: Stage) -> Record:
    decision = stage.ask(9)
    assert isinstance(decision, Act), decision
    assert isinstance(decision.step, WriteRecord)
    return decision.step.record


def test_only_marks_of_members_that_name_a_ring_speak_for_one() -> None:
    stage = Stage().says(0, disk(0))
    for n in (1, 2):
        stage.says(n, disk(n, DiskState.LEFT, OTHER_RING))
    assert rebuilt(stage).ring_id == RING

    nameless = Stage().says(0, disk(0)).says(1, disk(1, ring=None)).says(2, disk(2, ring=None))
    assert rule_of(nameless.ask(9)) is Rule.REBUILD_BLOCKED


def test_an_unmarked_node_speaks_for_the_ring_of_marked_members_alone() -> None:
    def stage(other: Disk, **its: PeerState) -> Stage:
        made = Stage().says(0, disk(0)).says(1, other, process=Process.STOPPED)
        seen = peer(1, **its)
        return made.says(2, UNMARKED, mode="NORMAL", peers=(seen,)).says(3, UNMARKED)

    marked = disk(1)
    assert rebuilt(stage(marked)).ring_id == RING
    joining = stage(marked, state=PeerState.JOINING)
    assert rule_of(joining.ask(9)) is Rule.REBUILD_BLOCKED
    for other in (disk(1, DiskState.LEFT), disk(1, ring=None)):
        assert rule_of(stage(other).ask(9)) is Rule.REBUILD_BLOCKED


def test_a_mark_without_a_ring_does_not_make_an_unmarked_node_speak_for_two() -> None:
    stage = Stage().says(0, disk(0)).says(1, disk(1, ring=None))
    stage.says(2, UNMARKED, mode="NORMAL", peers=(peer(0), peer(1)))

    assert rebuilt(stage).ring_id == RING


def test_an_unmarked_node_that_has_not_said_whom_it_sees_speaks_for_none() -> None:
    stage = Stage().says(0, disk(0)).says(1, UNMARKED, mode="NORMAL", peers=None)

    assert rule_of(stage.ask(9)) is Rule.REBUILD_BLOCKED


def test_a_founders_own_entry_is_not_another_pods() -> None:
    stage = Stage(record=record()).exists(0)
    stage.ledger[pod(0)] = entry(0, known=False, state=EntryState.JOINING)

    assert rule_of(stage.ask(0)) is Rule.FOUNDER
