"""What a view proves, and what it leaves unknown: conditions that no decision shows alone."""

from dataclasses import replace

import pytest

from seedprovider import evidence
from seedprovider.model import (
    Address,
    Disk,
    DiskState,
    Endpoint,
    Entry,
    EntryState,
    Heartbeat,
    HostId,
    PodName,
    Process,
    Report,
)
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
    pod,
)

JOINING = disk(1, DiskState.JOINING)
UNMARKED = disk(1, DiskState.UNMARKED)


def beats(stage: Stage, n: int, **more: object) -> Stage:
    """Let the node of pod n have said something else."""
    report = stage.reports[pod(n)]
    assert report.heartbeat is not None
    beat: Heartbeat = replace(report.heartbeat, **more)  # type: ignore[arg-type]
    stage.reports[pod(n)] = replace(report, heartbeat=beat)
    return stage


def reports(stage: Stage, n: int, **more: object) -> Stage:
    """Let the sidecar of pod n have said something else."""
    said: Report = replace(stage.reports[pod(n)], **more)  # type: ignore[arg-type]
    stage.reports[pod(n)] = said
    return stage


def confirmed(stage: Stage) -> list[PodName]:
    return [endpoint.pod for endpoint in evidence.confirmed(stage.view(), RING)]


def existing(stage: Stage) -> tuple[Endpoint, ...]:
    return evidence.existing_members(stage.view(), RING)


# -- confirmed members -----------------------------------------------------------------------


def test_a_heartbeat_that_was_old_when_its_sidecar_was_asked_confirms_nobody() -> None:
    stage = Stage().ring_of(0, 1)
    late = evidence.CONFIRM_SECONDS + 0.1

    assert confirmed(reports(stage, 1, heartbeat_age=late)) == [pod(0)]


@pytest.mark.parametrize(
    ("mark", "said"),
    [(host(1), None), (None, None), (host(1), host(9))],
    ids=["not said", "neither says one", "another"],
)
def test_a_node_is_confirmed_only_as_the_host_that_its_mark_names(
    mark: HostId | None, said: HostId | None
) -> None:
    stage = Stage().ring_of(0, 1)
    stage.says(1, replace(disk(1), host_id=mark), mode="NORMAL")

    assert confirmed(beats(stage, 1, host_id=said)) == [pod(0)]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [(address(9), address(9)), (None, address(1))],
    ids=["said", "not said"],
)
def test_a_member_is_where_its_node_says_and_else_where_its_pod_is(
    said: Address | None, wanted: Address
) -> None:
    stage = beats(Stage().ring_of(1), 1, address=said)

    (member,) = evidence.confirmed(stage.view(), RING)

    assert member.address == wanted


def test_who_has_not_said_whom_it_sees_maps_nobody() -> None:
    stage = Stage().says(1, disk(1), mode="NORMAL", peers=None)

    assert not evidence.maps_as_member(stage.view(), RING, host(0))
    assert evidence.addresses_of(stage.view(), RING, host(0)) == frozenset()


# -- the ledger ------------------------------------------------------------------------------


def test_entries_of_a_ring_that_is_gone_speak_of_no_member() -> None:
    gone = replace(entry(1), ring_id=OTHER_RING)
    stage = Stage(ledger={pod(0): entry(0), pod(1): gone}).exists(0).exists(1)

    assert list(evidence.ledger_members(stage.view(), RING)) == [pod(0)]
    assert [member.pod for member in existing(stage)] == [pod(0)]


def test_the_ledger_speaks_for_a_disk_that_its_own_sidecar_cannot_read() -> None:
    stage = Stage(ledger={pod(1): entry(1)}).says(1, disk(1, DiskState.UNKNOWN))

    assert [member.pod for member in existing(stage)] == [pod(1)]


@pytest.mark.parametrize(
    "held",
    [entry(1, state=EntryState.JOINING), replace(entry(1), addresses=())],
    ids=["joining", "no address"],
)
def test_a_silent_pod_is_no_member_by_an_entry_without_membership_or_address(
    held: Entry,
) -> None:
    assert existing(Stage(ledger={pod(1): held}).exists(1)) == ()


# -- other disks -----------------------------------------------------------------------------


def others(stage: Stage) -> dict[PodName, Disk]:
    return dict(evidence.other_disks(asker(0), stage.view()))


def test_without_a_live_read_every_pod_ever_heard_of_has_a_disk() -> None:
    stage = Stage(live=False, ledger={pod(2): entry(2)}).exists(1, volume=False)

    assert set(others(stage)) == {pod(1), pod(2)}


def test_a_pod_whose_claim_is_not_bound_has_no_disk() -> None:
    stage = Stage().exists(1).exists(2)
    stage.volumes[pod(1)] = None

    assert set(others(stage)) == {pod(2)}


@pytest.mark.parametrize(
    ("read", "mode", "beat", "wanted"),
    [
        (JOINING, "NORMAL", {}, disk(1).state),
        (JOINING, "JOINING", {}, DiskState.JOINING),
        (JOINING, "NORMAL", {"host_id": None}, DiskState.UNKNOWN),
        (JOINING, "NORMAL", {"disk": disk(1)}, DiskState.UNKNOWN),
        (EMPTY, "STARTING", {}, DiskState.EMPTY),
        (EMPTY, "STARTING", {"disk": disk(1)}, DiskState.UNKNOWN),
    ],
    ids=[
        "a member without its mark",
        "on its way in",
        "a member without a host",
        "another disk under a member",
        "starting",
        "another disk under one that starts",
    ],
)
def test_a_blank_disk_is_what_its_sidecar_and_its_node_agree_on(
    read: Disk, mode: str, beat: dict[str, object], wanted: DiskState
) -> None:
    stage = beats(Stage().says(1, read, mode=mode), 1, **beat)

    assert others(stage)[pod(1)].state is wanted


# -- what a pod may be doing -----------------------------------------------------------------


def test_only_a_promised_disk_may_be_underway_and_silence_does_not_speak_against_it() -> None:
    promised = Disk(DiskState.EMPTY, RING)
    starting = Stage().says(1, EMPTY, mode="STARTING", process=Process.STARTING)
    silent = Stage().exists(1)

    assert not evidence.may_be_underway(starting.view(), pod(1), EMPTY)
    assert evidence.may_be_underway(silent.view(), pod(1), promised)


def test_a_silent_pod_is_stopped_only_where_a_live_read_has_no_such_pod() -> None:
    assert not evidence.proven_stopped(Stage(live=False).view(), pod(1))
    assert not evidence.proven_stopped(Stage().exists(1).view(), pod(1))
    assert evidence.proven_stopped(Stage().view(), pod(1))


def test_who_starts_on_a_disk_with_data_neither_waits_nor_comes_in() -> None:
    for held in (disk(1), UNMARKED):
        stage = Stage().says(1, held, mode="STARTING", process=Process.STARTING)
        view = stage.view()

        assert not evidence.proven_waiting(view, pod(1))
        assert not evidence.proven_coming(view, pod(1))
        assert not evidence.proven_no_member(view, pod(1))


def test_a_silent_pod_is_not_known_to_come_in() -> None:
    assert not evidence.proven_coming(Stage().exists(1).view(), pod(1))
