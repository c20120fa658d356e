"""Questions that overlap, and explanations asked for by many: what the engine does once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from localring.apiserver import Fault
from localring.apiserver import Kind as FaultKind
from seedprovider.cache import Remembered
from seedprovider.decision import Rule, Seeds, TakeTurn, Withheld
from seedprovider.engine import FRESH_SECONDS
from seedprovider.kube.events import Listed
from seedprovider.model import Disk, DiskState, Entry, EntryState, Turn, View
from seedprovider.objects import entry_body, record_body
from seedprovider.question import Question
from tests.fakes.desk import BLANK, HOST, Desk, Neighbour
from tests.fakes.situations import RING, asker, host, record

EVERYTHING = Fault(kind=FaultKind.HANG)


async def test_a_blank_disk_is_let_in_by_what_the_api_server_says_now(desk: Desk) -> None:
    answered = await desk.engine.answer(BLANK)

    assert isinstance(answered.answer, Seeds)
    assert answered.answer.seeds == (HOST,)


async def test_before_a_record_is_written_every_sidecar_is_asked_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, ages = desk.engine.look, list[tuple[float, int]]()

    async def noted(max_age: float) -> View:
        written = desk.api.requests.count(verb="create", resource="configmaps")
        ages.append((max_age, written))
        return await look(max_age)

    monkeypatch.setattr(desk.engine, "look", noted)
    await desk.engine.answer(BLANK)

    before = [age for age, written in ages if written == 0]
    assert before == [FRESH_SECONDS, 0.0]


async def test_the_same_question_twice_at_a_time_is_one_admission(desk: Desk) -> None:
    with desk.api.faults.active(EVERYTHING):
        asking = [asyncio.create_task(desk.engine.answer(BLANK)) for _ in range(3)]
        await desk.looked(1)
    first, *others = [each.answer for each in await asyncio.gather(*asking)]

    assert isinstance(first, Seeds)
    assert others == [first, first]
    assert desk.api.requests.count(verb="create", resource="configmaps") == 1


async def test_a_question_that_takes_anothers_place_leaves_that_one_an_answer(
    desk: Desk,
) -> None:
    other = Question(Disk(DiskState.JOINING, RING), HOST, ())
    with desk.api.faults.active(EVERYTHING):
        first = asyncio.create_task(desk.engine.answer(other))
        await desk.looked(1)
        second = asyncio.create_task(desk.engine.answer(BLANK))
        await desk.looked(2)
        third = asyncio.create_task(desk.engine.answer(BLANK))
        answer = (await first).answer
        assert isinstance(answer, Withheld)
        assert answer.rule is Rule.API_AWAY

    assert (await second).answer == (await third).answer
    assert isinstance((await second).answer, Seeds)


async def test_many_who_want_an_explanation_share_one_look_however_slow_it_is(
    desk: Desk,
) -> None:
    with desk.api.faults.active(EVERYTHING):
        asking = [asyncio.create_task(desk.engine.suppose(asker(1))) for _ in range(5)]
        await desk.looked(1)
        desk.now[0] += 2 * FRESH_SECONDS
    await asyncio.gather(*asking)

    assert desk.api.requests.count(resource="services") == 1
    desk.now[0] += 2 * FRESH_SECONDS
    await desk.engine.suppose(asker(1))
    assert desk.api.requests.count(resource="services") == 2


async def test_an_explanation_asks_the_api_server_where_a_watch_leaves_a_doubt(
    desk: Desk,
) -> None:
    ring = record_body(replace(record(), version=None), "ns", "cassandra")
    desk.api.store.create("configmaps", ring, "ns")
    desk.world.maps.take(await desk.registry.config_maps().list())
    desk.world.slices.take(Listed((), "1"))

    told = await desk.engine.suppose(asker(1, Disk(DiskState.UNMARKED)))

    assert told.answer.rule is Rule.UNMARKED_STRANGER


async def test_an_explanation_takes_no_step(desk: Desk) -> None:
    await desk.engine.suppose(asker(0))

    assert {each.verb for each in desk.api.requests} <= {"get", "list"}


async def test_a_pause_is_told_as_an_event_and_holds_until_it_is_taken_back(
    desk: Desk,
) -> None:
    service = desk.api.store.get("services", "cassandra", "ns")
    service["metadata"]["annotations"] = {"cassandra-k8s-ring.io/pause": "moving storage"}
    desk.api.store.replace("services", "cassandra", service, "ns")
    paused = (await desk.engine.answer(BLANK)).answer
    async with asyncio.timeout(30):
        await desk.api.requests.until(1, verb="create", resource="events")
    (event,) = desk.api.store.list("events", "ns")
    desk.api.store.patch("services", "cassandra", {"metadata": {"annotations": None}}, "ns")

    assert isinstance(paused, Withheld)
    assert (event["reason"], event["message"]) == ("AdmissionPaused", paused.reason)
    assert isinstance((await desk.engine.answer(BLANK)).answer, Seeds)


async def test_a_word_of_before_a_step_is_not_used_after_it_though_the_question_was_lost(
    desk: Desk, neighbour: Neighbour
) -> None:
    assert "cassandra-1" in (await desk.engine.look(FRESH_SECONDS)).reports
    neighbour.mute = True
    desk.now[0] += FRESH_SECONDS

    assert "cassandra-1" in (await desk.engine.look(FRESH_SECONDS)).reports
    assert "cassandra-1" not in (await desk.engine.look(0.0)).reports


async def test_a_word_of_before_the_turn_was_read_does_not_tell_whether_its_holder_stopped(
    desk: Desk, neighbour: Neighbour
) -> None:
    await desk.engine.look(FRESH_SECONDS)
    neighbour.mute = True
    desk.now[0] += 1
    lease = {
        "metadata": {"name": "cassandra-join"},
        "spec": {"holderIdentity": "cassandra-1/u"},
    }
    desk.api.store.create("leases", lease, "ns")

    assert "cassandra-1" not in (await desk.engine.look(FRESH_SECONDS)).reports


async def test_a_node_that_is_let_in_is_shown_as_on_its_way_until_it_is_withheld(
    desk: Desk,
) -> None:
    answer = (await desk.engine.answer(BLANK)).answer
    assert isinstance(answer, Seeds)
    assert desk.engine.asker(BLANK.disk).promised == answer.ring_id

    service = desk.api.store.get("services", "cassandra", "ns")
    service["metadata"]["annotations"] = {"cassandra-k8s-ring.io/pause": "moving storage"}
    desk.api.store.replace("services", "cassandra", service, "ns")
    assert isinstance((await desk.engine.answer(BLANK)).answer, Withheld)
    assert desk.engine.asker(BLANK.disk).promised is None


async def test_a_record_read_just_now_goes_before_a_watch_that_stands(desk: Desk) -> None:
    answer = (await desk.engine.answer(BLANK)).answer

    assert isinstance(answer, Seeds)
    assert desk.world.heard_record is None
    assert desk.world.is_behind
    assert desk.world.ring_id == answer.ring_id


async def test_a_watch_that_has_moved_goes_before_what_was_read_earlier(desk: Desk) -> None:
    await desk.engine.answer(BLANK)
    desk.world.remembered = Remembered(
        service="cassandra",
        pod="cassandra-0",
        pod_uid="u",
        pvc_uid=None,
        record=record(),
        endpoints=(),
        ledger={},
        seeds=(),
        saved_at=0.0,
    )  # what is heard where no watch has begun

    assert not desk.world.is_behind
    assert desk.world.record == record()


async def test_a_record_that_is_read_away_again_is_away(desk: Desk) -> None:
    await desk.engine.answer(BLANK)
    desk.api.store.delete("configmaps", "cassandra-ring", "ns")
    await desk.engine.look(0.0)

    assert desk.world.record is None


@pytest.mark.parametrize("disk", [BLANK.disk, Disk(DiskState.MEMBER, RING, host(0))])
async def test_a_node_whose_disk_the_sidecar_cannot_read_waits_and_is_told_of_the_mount(
    desk: Desk, tmp_path: Path, disk: Disk
) -> None:
    (tmp_path / "system").symlink_to(tmp_path / "a volume that is not mounted")
    answer = (await desk.engine.answer(Question(disk, HOST, ()))).answer

    assert isinstance(answer, Withheld)
    assert answer.rule is Rule.DISK_UNKNOWN
    assert "mount" in answer.reason
    assert desk.api.requests.count(verb="create", resource="configmaps") == 0
    assert desk.world.own.promised is None


async def test_a_promise_is_taken_back_where_the_disk_cannot_be_read_any_more(
    desk: Desk, tmp_path: Path
) -> None:
    assert isinstance((await desk.engine.answer(BLANK)).answer, Seeds)
    (tmp_path / "system").symlink_to(tmp_path / "a volume that is not mounted")
    desk.now[0] += 1
    await desk.engine.answer(BLANK)

    assert desk.world.own.promised is None


async def test_a_sidecar_that_hangs_keeps_no_member_in_doubt_though_it_has_the_turn(
    desk: Desk, neighbour: Neighbour
) -> None:
    own, store = desk.world.own, desk.api.store
    entry = Entry(
        pod=own.pod,
        ring_id=RING,
        pod_uid=own.uid,
        pvc_uid=None,
        host_id=host(5),
        state=EntryState.MEMBER,
    )
    store.create(
        "configmaps", record_body(replace(record(), version=None), "ns", "cassandra"), "ns"
    )
    store.create("configmaps", entry_body(entry, "ns", "cassandra"), "ns")
    holder = ("cassandra-1", neighbour.uid)
    await desk.registry.take(TakeTurn(holder, Turn()), "2026-01-02T03:04:05.678901Z")
    desk.world.maps.take(await desk.registry.config_maps().list())
    desk.world.slices.take(Listed((), "1"))
    neighbour.hangs = True
    question = Question(Disk(DiskState.MEMBER, RING, host(0)), HOST, ())
    answer = (await desk.engine.answer(question)).answer

    assert answer.rule is Rule.MEMBER_REPLACED
