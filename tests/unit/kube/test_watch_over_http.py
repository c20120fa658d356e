"""Every way in which a server was seen to end, break or garble a watch, over real HTTP.

Nobody sleeps: pauses are injected, counted, and held where something has to happen meanwhile.
"""

import asyncio
from pathlib import Path

import pytest

from localring.apiserver import Fault, Kind
from seedprovider.kube.collection import Bounds
from seedprovider.kube.errors import (
    Expired,
    Forbidden,
    KubeError,
    Malformed,
    Silent,
    Unauthorized,
    Unavailable,
)
from seedprovider.kube.events import Bookmarked, Opened
from seedprovider.kube.reflector import (
    MAX_CLEAN_PAUSE_SECONDS,
    MAX_PAUSE_SECONDS,
    MAX_RESUMES,
)
from tests.fakes.kubestage import Stage, stage_in


def kinds(stage: Stage) -> set[type[KubeError]]:
    return {type(failure) for failure in stage.mirror.heard}


async def test_follows_what_is_created_changed_and_deleted(stage: Stage) -> None:
    stage.put("old")
    async with stage.following() as mirror:
        await stage.caught_up()
        stage.put("new", "1")
        stage.put("new", "2")
        stage.drop("old")
        await stage.caught_up()

    assert [each.body.data for each in mirror.view.objects.values()] == [{"text": "2"}]
    assert stage.api.requests.count(verb="list") == 1
    assert stage.api.requests.count(verb="watch") == 1
    assert stage.mirror.heard == []


async def test_an_empty_collection_is_known_to_be_empty(stage: Stage) -> None:
    async with stage.following() as mirror:
        await mirror.newer_than(0)

    assert mirror.synced
    assert mirror.view.objects == {}


async def test_watches_that_end_at_once_are_resumed_with_a_pause_before_each(
    stage: Stage,
) -> None:
    with stage.api.faults.active(Fault(kind=Kind.END_WATCH)):
        async with stage.following():
            await stage.pauses.at_least(MAX_RESUMES - 1)

    assert stage.verbs()[:MAX_RESUMES] == ["list"] + ["watch"] * (MAX_RESUMES - 1)
    assert stage.mirror.heard == []


async def test_watches_that_end_before_they_say_anything_do_not_make_it_blind(
    stage: Stage,
) -> None:
    with stage.api.faults.active(Fault(kind=Kind.END_WATCH)):
        async with stage.following() as mirror:
            await mirror.told_of(Opened)
            stage.put("late")
            await stage.caught_up()

    assert len(stage.pauses.taken) == MAX_RESUMES
    assert max(stage.pauses.taken) == MAX_CLEAN_PAUSE_SECONDS


async def test_a_bookmark_proves_life_and_is_resumed_from(tmp_path: Path) -> None:
    async with stage_in(tmp_path, bookmark_seconds=0.05) as stage, stage.following() as mirror:
        await mirror.told_of(Opened)
        stage.api.store.create("pods", {"metadata": {"name": "elsewhere"}}, "ns")
        mirror.now = 60.0
        mirror.told.clear()
        await mirror.told_of(Bookmarked)
        assert mirror.last_proof_of_life == 60.0
        stage.pauses.hold_next()
        stage.api.end_watches()
        await stage.pauses.held()
        stage.api.store.compact()
        stage.pauses.let_go()
        stage.put("late")
        await stage.caught_up()

        assert stage.verbs() == ["list", "watch", "watch"]
        assert mirror.heard == []


@pytest.mark.parametrize("as_status", [False, True], ids=["event", "status"])
async def test_what_was_deleted_behind_a_compaction_is_found_missing(
    stage: Stage, *, as_status: bool
) -> None:
    if as_status:
        stage.api.faults.add(Fault(kind=Kind.EXPIRED_AS_STATUS))
    stage.put("kept")
    stage.put("lost")
    async with stage.following():
        await stage.mirror.told_of(Opened)
        stage.pauses.hold_next()
        stage.api.cut_watches()
        await stage.pauses.held()
        stage.drop("lost")
        stage.api.store.compact()
        stage.pauses.let_go()
        await stage.caught_up()
        await stage.mirror.told_of(Opened, times=2 if as_status else 3)

    assert stage.verbs() == ["list", "watch", "watch", "list", "watch"]
    assert kinds(stage) == {Unavailable, Expired}


@pytest.mark.parametrize("as_status", [False, True], ids=["event", "status"])
async def test_a_server_that_always_answers_410_makes_no_busy_loop(
    stage: Stage, *, as_status: bool
) -> None:
    faults = [Fault(kind=Kind.EXPIRE, verb="watch")]
    if as_status:
        faults.append(Fault(kind=Kind.EXPIRED_AS_STATUS))
    stage.api.faults.replace(faults)
    async with stage.following():
        await stage.pauses.at_least(12)
        await stage.pauses.hold()
        asked = [stage.api.requests.count(verb=verb) for verb in ("list", "watch")]
        assert asked == [len(stage.pauses.taken)] * 2
        stage.api.faults.clear()
        stage.put("late")
        stage.pauses.let_go()
        await stage.caught_up()

    assert max(stage.pauses.taken) == MAX_PAUSE_SECONDS


async def test_after_an_outage_it_resumes_where_it_was(stage: Stage) -> None:
    stage.put("kept")
    async with stage.following() as mirror:
        await mirror.told_of(Opened)
        known = mirror.view
        await stage.api.refuse()
        await stage.pauses.at_least(4)
        assert mirror.view is known
        assert isinstance(mirror.last_failure, Unavailable)
        await stage.pauses.hold()
        await stage.api.accept()
        stage.put("late")
        stage.pauses.let_go()
        await stage.caught_up()

    assert stage.verbs() == ["list", "watch", "watch"]
    assert mirror.last_failure is None


async def test_an_outage_before_the_first_list_ends_in_a_list(stage: Stage) -> None:
    await stage.api.refuse()
    stage.put("early")
    async with stage.following() as mirror:
        await stage.pauses.at_least(3)
        assert not mirror.synced
        await stage.api.accept()
        await stage.caught_up()


async def test_a_replaced_token_is_picked_up_without_listing_again(stage: Stage) -> None:
    async with stage.following():
        await stage.mirror.told_of(Opened)
        stage.api.tokens.symmetric_difference_update({"good", "better"})
        stage.api.cut_watches()
        await stage.pauses.at_least(3)
        stage.token_file.write_text("better")
        stage.put("late")
        await stage.caught_up()

    assert kinds(stage) == {Unavailable, Unauthorized}
    assert stage.api.requests.count(verb="list") == 1


async def test_a_connection_that_died_unnoticed_is_given_up_and_the_gap_closed(
    stage: Stage,
) -> None:
    async with stage.following(Bounds(silence_seconds=0.2)):
        await stage.caught_up()
        with stage.api.faults.active(Fault(kind=Kind.HALF_OPEN)):
            stage.put("late")
            await stage.caught_up()

    assert Silent in kinds(stage)
    assert kinds(stage) <= {Silent}


async def test_a_watch_that_is_never_taken_up_is_given_up(tmp_path: Path) -> None:
    async with stage_in(tmp_path, request_seconds=0.2) as stage:
        with stage.api.faults.active(Fault(kind=Kind.HANG, verb="watch")):
            async with stage.following():
                await stage.pauses.at_least(2)

        assert kinds(stage) == {Unavailable}


async def test_a_watch_may_last_longer_than_any_other_request(tmp_path: Path) -> None:
    async with (
        stage_in(tmp_path, request_seconds=0.1, bookmark_seconds=0.05) as stage,
        stage.following() as mirror,
    ):
        await mirror.told_of(Bookmarked, times=6)

        assert mirror.heard == []
        assert stage.verbs() == ["list", "watch"]


async def test_a_right_taken_away_shows_its_reason_and_leaves_the_view(stage: Stage) -> None:
    stage.put("kept")
    async with stage.following() as mirror:
        await mirror.told_of(Opened)
        known = mirror.view
        with stage.api.faults.active(Fault(kind=Kind.FORBID)):
            stage.api.cut_watches()
            await stage.pauses.at_least(5)
            assert mirror.view is known
            assert isinstance(mirror.last_failure, Forbidden)
            assert "forbidden" in mirror.last_failure.reason
        stage.put("late")
        await stage.caught_up()


async def test_without_the_right_to_watch_the_view_still_moves_on(stage: Stage) -> None:
    with stage.api.faults.active(Fault(kind=Kind.FORBID, verb="watch")):
        async with stage.following():
            await stage.pauses.at_least(2)
            stage.put("late")
            await stage.caught_up()

    assert kinds(stage) == {Forbidden}


@pytest.mark.parametrize(
    ("kind", "error"), [(Kind.GARBAGE_LIST, Malformed), (Kind.TRUNCATED_LIST, Unavailable)]
)
async def test_a_broken_list_never_empties_the_view(
    stage: Stage, kind: Kind, error: type[KubeError]
) -> None:
    stage.put("kept")
    async with stage.following() as mirror:
        await mirror.told_of(Opened)
        known = mirror.view
        stage.api.store.compact()
        with stage.api.faults.active(Fault(kind=kind)):
            stage.api.faults.add(Fault(kind=Kind.EXPIRE, verb="watch", times=1))
            stage.api.cut_watches()
            await stage.pauses.at_least(6)
            assert mirror.view is known
        stage.put("late")
        await stage.caught_up()

    assert error in kinds(stage)


@pytest.mark.parametrize("kind", [Kind.GARBAGE_LINE, Kind.OVERSIZED_LINE])
async def test_a_line_that_is_no_event_leads_to_a_new_list(stage: Stage, kind: Kind) -> None:
    stage.put("kept")
    async with stage.following():
        await stage.caught_up()
        stage.api.faults.add(Fault(kind=kind, times=3))
        await stage.pauses.at_least(3)
        stage.put("late")
        await stage.caught_up()

    assert kinds(stage) == {Malformed}
    assert stage.api.requests.count(verb="list") == 4


async def test_a_busy_server_is_given_the_time_it_asks_for(stage: Stage) -> None:
    with stage.api.faults.active(Fault(kind=Kind.THROTTLE, seconds=7, times=2)):
        async with stage.following():
            await stage.caught_up()

    assert stage.pauses.taken[:2] == [7.0, 7.0]


async def test_a_failing_server_is_asked_ever_more_rarely(stage: Stage) -> None:
    with stage.api.faults.active(Fault(kind=Kind.FAIL, status=500, times=4)):
        async with stage.following():
            await stage.caught_up()

    assert stage.pauses.taken[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])


async def test_events_that_come_late_come_in_the_end(stage: Stage) -> None:
    async with stage.following():
        await stage.mirror.told_of(Opened)
        with stage.api.faults.active(Fault(kind=Kind.LAG)):
            stage.put("a")
            stage.put("b")
            stage.drop("a")
        await stage.caught_up()

    assert stage.mirror.heard == []


async def test_a_list_of_old_state_is_caught_up_by_the_watch_after_it(stage: Stage) -> None:
    stage.put("old")
    past = stage.api.store.version
    stage.drop("old")
    stage.put("new")
    with stage.api.faults.active(Fault(kind=Kind.STALE_LIST, version=past)):
        async with stage.following():
            await stage.caught_up()


async def test_being_cancelled_closes_the_watch(stage: Stage) -> None:
    async with stage.following() as mirror:
        await mirror.told_of(Opened)
        assert stage.api.open_watches == 1
    async with asyncio.timeout(10):
        await stage.api.until_open_watches(0)


async def test_a_list_comes_in_pages_of_one_version(stage: Stage) -> None:
    for name in "abcdefg":
        stage.put(name)
    listed = await stage.collection(Bounds(page_size=3)).list()

    assert [each.key.name for each in listed.objects] == list("abcdefg")
    assert listed.version == stage.api.store.version
    assert stage.api.requests.count(verb="list") == 3


async def test_a_list_is_begun_again_when_its_next_page_expired(stage: Stage) -> None:
    for name in "abc":
        stage.put(name)
    stage.api.faults.add(Fault(kind=Kind.EXPIRE, verb="list", times=1))
    listed = await stage.collection(Bounds(page_size=2)).list()

    assert [each.key.name for each in listed.objects] == list("abc")
    assert stage.api.requests.count(verb="list") == 4


async def test_a_list_whose_pages_always_expire_gives_up(stage: Stage) -> None:
    for name in "abc":
        stage.put(name)
    stage.api.faults.add(Fault(kind=Kind.EXPIRE, verb="list"))

    with pytest.raises(Expired):
        await stage.collection(Bounds(page_size=2)).list()
    assert stage.api.requests.count(verb="list") == 6


async def test_a_watch_asks_for_bookmarks_and_for_an_end(stage: Stage) -> None:
    async with stage.following():
        await stage.mirror.told_of(Opened)
    watch = next(r for r in stage.api.requests if r.verb == "watch")

    assert watch.query["allowWatchBookmarks"] == "true"
    assert 225 <= int(watch.query["timeoutSeconds"]) <= 375
    assert watch.client == "unit/1"
