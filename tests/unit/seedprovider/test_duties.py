"""What the sidecar of a running node writes down: ledger, lost record, adoption."""

from dataclasses import replace

import pytest

from seedprovider.decision import Act, WriteEntry, WriteRecord
from seedprovider.duties import (
    KEPT_ADDRESSES,
    ledger_step,
    record_missing,
    record_step,
    removal_step,
    vanished,
)
from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    Entry,
    EntryState,
    Heartbeat,
    Origin,
    Peer,
    PeerState,
    PodUid,
    Process,
    PvcUid,
    View,
)
from tests.fakes.situations import (
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


def beat(n: int, its_disk: Disk, mode: str = "NORMAL", **more: object) -> Heartbeat:
    plain = Heartbeat(
        mode=mode, host_id=host(n), address=address(n), dc="dc1", rack="a", disk=its_disk
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def written(n: int, said: Heartbeat, view: View, **more: object) -> Entry | None:
    step = ledger_step(asker(n, said.disk, **more), said, view)
    return step.entry if isinstance(step, WriteEntry) else None


def test_a_node_that_became_normal_is_entered_as_a_member() -> None:
    view = Stage(record=record()).view()

    made = written(2, beat(2, disk(2)), view)

    assert made is not None
    assert (made.host_id, made.state, made.pod_uid, made.pvc_uid, made.rack) == (
        host(2),
        EntryState.MEMBER,
        uid(2),
        pvc(2),
        "a",
    )
    assert [stay.address for stay in made.addresses] == [address(2)]


def test_an_entry_that_is_right_is_left_alone() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = replace(entry(2), dc="dc1", rack="a")

    assert written(2, beat(2, disk(2)), stage.view()) is None


def test_a_new_address_is_put_before_the_old_ones_and_eight_are_kept() -> None:
    stage = Stage(record=record())
    for last in range(20):
        moved = beat(2, disk(2), address=Address(f"10.7.0.{last}"))
        made = written(2, moved, stage.view())
        assert made is not None
        stage.ledger[pod(2)] = made

    kept = [stay.address for stay in stage.ledger[pod(2)].addresses]

    assert kept == [f"10.7.0.{n}" for n in range(19, 19 - KEPT_ADDRESSES, -1)]


def test_a_restored_volume_is_entered_with_its_new_claim() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = entry(2)

    made = written(2, beat(2, disk(2)), stage.view(), pvc_uid=PvcUid("pvc-restored"))

    assert made is not None
    assert (made.pvc_uid, made.host_id, made.version) == ("pvc-restored", host(2), "e2")


def test_a_node_on_its_way_in_is_not_entered_as_a_member() -> None:
    view = Stage(record=record()).view()

    assert written(2, beat(2, disk(2, DiskState.JOINING), "JOINING"), view) is None
    assert written(2, beat(2, disk(2, DiskState.JOINING)), view) is None


def test_a_host_id_that_the_mark_does_not_carry_is_not_entered() -> None:
    view = Stage(record=record()).view()

    assert written(2, beat(2, disk(2), host_id=host(9)), view) is None


def test_a_mark_without_a_host_is_not_entered_though_its_node_names_none_either() -> None:
    nameless = replace(disk(2), host_id=None)

    assert written(2, beat(2, nameless, host_id=None), Stage(record=record()).view()) is None


@pytest.mark.parametrize("mode", ["STARTING", "LEAVING"])
def test_a_member_is_entered_anew_only_while_it_is_normal(mode: str) -> None:
    moved = beat(2, disk(2), mode, address=address(9))

    assert written(2, moved, Stage(record=record()).view()) is None


def test_a_node_that_has_not_said_its_address_is_entered_at_its_pods() -> None:
    made = written(2, beat(2, disk(2), address=None), Stage(record=record()).view())

    assert made is not None
    assert [stay.address for stay in made.addresses] == [address(2)]


def test_nothing_is_entered_for_a_disk_of_another_ring_or_without_a_record() -> None:
    foreign = beat(2, disk(2, ring=OTHER_RING))

    assert written(2, foreign, Stage(record=record()).view()) is None
    assert written(2, beat(2, disk(2)), Stage().view()) is None


def test_a_node_that_left_before_its_entry_said_member_does_not_keep_the_turn() -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = entry(2, known=False, state=EntryState.JOINING)

    made = written(2, beat(2, disk(2, DiskState.LEFT), "DECOMMISSIONED"), stage.view())

    assert made == replace(entry(2), state=EntryState.LEFT, addresses=made.addresses)


@pytest.mark.parametrize(
    ("state", "mode"),
    [
        (DiskState.LEFT, "DECOMMISSIONED"),
        (DiskState.LEFT, "NORMAL"),
        (DiskState.MEMBER, "DECOMMISSIONED"),
    ],
    ids=["both say so", "its mark", "its node"],
)
def test_a_node_that_left_is_entered_as_left(state: DiskState, mode: str) -> None:
    stage = Stage(record=record())
    stage.ledger[pod(2)] = entry(2)

    made = written(2, beat(2, disk(2, state), mode), stage.view())

    assert made == replace(entry(2), state=EntryState.LEFT)


@pytest.mark.parametrize(
    "held",
    [
        replace(entry(2), host_id=host(9)),
        replace(
            entry(2, known=False, state=EntryState.JOINING), pod_uid=PodUid("of an earlier pod")
        ),
    ],
    ids=["another member", "an earlier pod that was coming in"],
)
def test_a_node_that_left_closes_no_entry_of_another(held: Entry) -> None:
    stage = Stage(record=record(), ledger={pod(2): held})

    assert written(2, beat(2, disk(2, DiskState.LEFT)), stage.view()) is None


def test_a_record_is_missed_only_where_the_api_server_has_said_that_there_is_none() -> None:
    def missed(stage: Stage, its_disk: Disk) -> bool:
        return record_missing(asker(0, its_disk), beat(0, its_disk), stage.view())

    assert missed(Stage(), disk(0))
    assert missed(Stage(), disk(0, DiskState.UNMARKED))
    assert not missed(Stage(record_known=False), disk(0))
    assert not missed(Stage(record=record()), disk(0))
    assert not missed(Stage(), disk(0, DiskState.EMPTY))


def test_a_node_that_is_normal_misses_its_record_before_its_mark_is_written() -> None:
    joining, stage = disk(0, DiskState.JOINING), Stage()
    stage.says(0, joining)

    assert not record_missing(asker(0, joining), beat(0, joining, "JOINING"), stage.view())
    assert record_missing(asker(0, joining), beat(0, joining), stage.view())
    step = record_step(asker(0, joining), beat(0, joining), stage.view())
    assert isinstance(step, Act)
    assert isinstance(step.step, WriteRecord)
    assert step.step.record.ring_id == RING


def test_a_node_that_has_not_said_its_host_does_not_miss_its_record_yet() -> None:
    joining = disk(0, DiskState.JOINING)

    nameless = beat(0, joining, host_id=None)

    assert not record_missing(asker(0, joining), nameless, Stage().view())


@pytest.mark.parametrize(
    "stage",
    [Stage(live=False), Stage(record_known=False), Stage(record=record())],
    ids=["no live read", "not known", "there is one"],
)
def test_no_record_is_written_before_the_api_server_has_said_that_there_is_none(
    stage: Stage,
) -> None:
    stage.says(0, disk(0)).says(1, disk(1))

    assert "the API server has to say" in str(
        record_step(asker(0, disk(0)), beat(0, disk(0)), stage.view())
    )


def test_a_member_rebuilds_a_lost_record_with_the_ring_of_the_majority() -> None:
    stage = Stage().says(1, disk(1)).says(0, disk(0)).exists(2)

    step = record_step(asker(0, disk(0)), beat(0, disk(0)), stage.view())

    assert isinstance(step, Act)
    assert isinstance(step.step, WriteRecord)
    assert (step.step.record.ring_id, step.step.record.how) == (RING, Origin.REBUILT)


def test_a_member_in_the_minority_does_not_rebuild_a_lost_record() -> None:
    stage = Stage().says(0, disk(0)).exists(1).exists(2)

    assert isinstance(record_step(asker(0, disk(0)), beat(0, disk(0)), stage.view()), str)


UNMARKED = disk(0, DiskState.UNMARKED)


def unmarked_ring(*groups: tuple[int, ...]) -> Stage:
    stage = Stage()
    for group in groups:
        for n in group:
            sees = tuple(peer(other) for other in group if other != n)
            stage.says(n, UNMARKED, mode="NORMAL", peers=sees)
    return stage


def adopt(stage: Stage, said: Heartbeat | None = None) -> Act | str:
    return record_step(asker(0, UNMARKED), said or beat(0, UNMARKED), stage.view())


def put_off(stage: Stage, said: Heartbeat | None = None) -> str:
    reason = adopt(stage, said)
    assert isinstance(reason, str), reason
    return reason


def test_a_running_ring_without_marks_is_adopted() -> None:
    step = adopt(unmarked_ring((0, 1, 2)))

    assert isinstance(step, Act)
    assert isinstance(step.step, WriteRecord)
    assert (step.step.record.ring_id, step.step.record.how) == (FRESH, Origin.ADOPTED)


def test_two_rings_that_were_founded_apart_are_not_adopted_and_both_are_named() -> None:
    reason = put_off(unmarked_ring((0, 1), (2, 3)))

    assert pod(0) in reason
    assert pod(2) in reason


def test_adoption_waits_for_a_heartbeat_from_every_pod_and_every_bound_volume() -> None:
    silent = unmarked_ring((0, 1)).exists(2)
    pending = unmarked_ring((0, 1))
    pending.volumes[pod(5)] = pvc(5)

    assert pod(2) in put_off(silent)
    assert pod(5) in put_off(pending)


@pytest.mark.parametrize(
    "said",
    [beat(0, UNMARKED, "LEAVING"), beat(0, UNMARKED, host_id=None)],
    ids=["it leaves", "it has not said its host"],
)
def test_only_a_member_that_runs_adopts_its_ring(said: Heartbeat) -> None:
    assert "adoption waits" in put_off(unmarked_ring((0, 1)), said)


@pytest.mark.parametrize("unsaid", ["host_id", "peers"])
def test_adoption_waits_for_each_node_to_say_who_it_is_and_whom_it_sees(unsaid: str) -> None:
    stage = unmarked_ring((0, 1))
    report = stage.reports[pod(1)]
    assert report.heartbeat is not None
    half = replace(report.heartbeat, **{unsaid: None})  # type: ignore[arg-type]
    stage.reports[pod(1)] = replace(report, heartbeat=half)

    assert pod(1) in put_off(stage)


def test_adoption_does_not_wait_for_a_pod_whose_claim_was_never_bound() -> None:
    stage = unmarked_ring((0, 1))
    stage.volumes[pod(5)] = None

    assert isinstance(adopt(stage), Act)


@pytest.mark.parametrize(
    ("its_disk", "process"),
    [(UNMARKED, Process.STOPPED), (disk(2, DiskState.EMPTY), Process.ANSWERING)],
    ids=["stopped with data", "running on an emptied disk"],
)
def test_adoption_waits_for_one_that_is_no_newcomer(its_disk: Disk, process: Process) -> None:
    stage = unmarked_ring((0, 1)).says(2, its_disk, process=process)

    assert pod(2) in put_off(stage)


def test_adoption_waits_while_some_disk_is_marked() -> None:
    stage = unmarked_ring((0, 1)).says(2, disk(2), mode="NORMAL")

    assert pod(2) in put_off(stage)


def test_adoption_waits_while_a_sidecar_knows_a_record_that_was_deleted() -> None:
    stage = unmarked_ring((0, 1))
    stage.reports[pod(1)] = replace(stage.reports[pod(1)], ring_id=OTHER_RING)

    reason = put_off(stage)

    assert pod(1) in reason
    assert OTHER_RING in reason


def test_adoption_does_not_wait_for_a_newcomer_that_waits_for_it() -> None:
    stage = unmarked_ring((0, 1))
    stage.says(2, disk(2, DiskState.EMPTY), mode="STARTING", process=Process.STARTING)

    step = adopt(stage)

    assert isinstance(step, Act)
    assert isinstance(step.step, WriteRecord)
    assert step.step.record.adopted == ((pod(0), pvc(0)), (pod(1), pvc(1)))


def seeing(*sees: Peer, mode: str = "NORMAL") -> Heartbeat:
    return beat(0, disk(0), mode, peers=sees)


def test_a_host_that_one_process_had_in_its_ring_and_has_no_more_has_vanished() -> None:
    assert vanished(seeing(peer(1), peer(2)), seeing(peer(1))) == {host(2)}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (seeing(peer(2)), seeing(Peer(host(1), address(2), up=True, state=PeerState.NORMAL))),
        (seeing(peer(2)), seeing(peer(2, up=False))),
        (seeing(peer(2)), seeing(replace(peer(2), address=address(9)))),
        (seeing(peer(2), mode="JOINING"), seeing()),
        (seeing(peer(2)), seeing(mode="LEAVING")),
        (seeing(peer(2)), replace(seeing(), host_id=host(9))),
        (seeing(peer(2, state=PeerState.JOINING)), seeing()),
        (seeing(peer(2)), replace(seeing(), peers=None)),
        (replace(seeing(), peers=None), seeing()),
        (seeing(peer(2)), replace(seeing(), address=address(2))),
    ],
    ids=[
        "address taken over",
        "down",
        "at a new address",
        "on the way",
        "ourselves leaving",
        "another process",
        "a joiner",
        "not said",
        "not said before",
        "by ourselves",
    ],
)
def test_a_host_that_may_only_be_forgotten_has_not_vanished(
    before: Heartbeat, now: Heartbeat
) -> None:
    assert vanished(before, now) == frozenset()


def test_the_entry_of_a_member_that_was_removed_is_closed() -> None:
    stage = Stage().ring_of(0, 1)
    stage.ledger[pod(2)] = entry(2)
    stage.ledger[pod(3)] = entry(3, state=EntryState.JOINING)

    step = removal_step(stage.view(), RING, frozenset({host(2), host(3)}))

    assert step == WriteEntry(entry(2, state=EntryState.LEFT))
    assert removal_step(stage.view(), RING, frozenset({host(3)})) is None


def test_the_entry_of_a_removed_member_that_says_that_it_runs_is_closed_when_it_stops() -> None:
    """A copy of a disk that ran beside the node that was decommissioned, for one."""
    stage = Stage().ring_of(0, 1, 2)

    assert removal_step(stage.view(), RING, frozenset({host(2)})) is None
    stage.says(2, disk(2), process=Process.STOPPED)
    assert removal_step(stage.view(), RING, frozenset({host(2)})) is not None


@pytest.mark.parametrize(
    ("its_disk", "mode"),
    [(disk(7), "NORMAL"), (disk(2), "STARTING")],
    ids=["another host", "only starting"],
)
def test_the_entry_of_a_removed_member_is_closed_where_its_pod_does_not_run_as_it(
    its_disk: Disk, mode: str
) -> None:
    stage = Stage().ring_of(0, 1).says(2, its_disk, mode=mode)
    stage.ledger[pod(2)] = entry(2)

    step = removal_step(stage.view(), RING, frozenset({host(2)}))

    assert step == WriteEntry(entry(2, state=EntryState.LEFT))
