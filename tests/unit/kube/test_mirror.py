"""The mirror: what each change does to the view, and what a failure leaves alone."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.kube.errors import Forbidden, Malformed, Unavailable
from seedprovider.kube.events import Bookmarked, Change, Key, Listed, Opened, Removed, Upserted
from seedprovider.kube.mirror import Mirror, View, apply
from tests.fakes.script import Script, ScriptEndedError, Thing, opened, thing

names = st.sampled_from("abcd")
versions = st.integers(1, 50).map(str)
things = st.builds(thing, names, versions)
removals = st.builds(lambda n, v: Removed(Key("ns", n), f"uid-{n}", v), names, versions)
changes: st.SearchStrategy[Change[str]] = st.one_of(
    st.builds(Listed, st.lists(things, max_size=4).map(tuple), versions),
    things.map(Upserted),
    removals,
    versions.map(Bookmarked),
    versions.map(Opened),
)

EMPTY: View[str] = View()


def naive(known: Mapping[Key, Thing], change: Change[str]) -> dict[Key, Thing]:
    match change:
        case Listed(objects=listed):
            return {each.key: each for each in listed}
        case Upserted(object=each):
            return {**known, each.key: each}
        case Removed(key=key):
            return {k: v for k, v in known.items() if k != key}
        case _:
            return dict(known)


@given(st.lists(changes, max_size=30))
def test_a_view_holds_what_replaying_every_change_would_hold(
    history: list[Change[str]],
) -> None:
    view = EMPTY
    known: dict[Key, Thing] = {}
    for change in history:
        before, view, known = view, apply(view, change), naive(known, change)

        assert view.objects == known
        assert (view.objects != before.objects) <= (view.revision == before.revision + 1)


@given(st.lists(changes, max_size=10), changes)
def test_the_same_change_twice_makes_a_difference_once(
    history: list[Change[str]], change: Change[str]
) -> None:
    view = EMPTY
    for each in [*history, change]:
        view = apply(view, each)

    assert apply(view, change) is view


def test_the_first_list_counts_even_when_it_is_empty() -> None:
    view = apply(EMPTY, Listed((), "1"))

    assert view.synced
    assert not EMPTY.synced


def test_a_view_once_taken_never_changes() -> None:
    taken = apply(EMPTY, Listed((thing("a", "1"),), "1"))
    apply(taken, Removed(Key("ns", "a"), "uid-a", "2"))

    assert list(taken.objects) == [Key("ns", "a")]
    with pytest.raises(TypeError):
        taken.objects[Key("ns", "b")] = thing("b", "1")  # type: ignore[index]


def test_an_object_made_anew_under_its_name_takes_the_place_of_the_old() -> None:
    old = apply(EMPTY, Listed((thing("a", "5"),), "5"))
    reborn = Upserted(type(thing("a", "5"))(Key("ns", "a"), "another-uid", "5", ""))

    assert apply(old, reborn).objects[Key("ns", "a")].uid == "another-uid"


def test_a_failure_leaves_the_view_and_its_age_alone() -> None:
    mirror = Mirror[str](clock=lambda: 7.0)
    mirror.take(Listed((thing("a", "1"),), "1"))
    view = mirror.view
    mirror.fail(Malformed("garbage"))

    assert mirror.view is view
    assert mirror.last_proof_of_life == 7.0
    assert isinstance(mirror.last_failure, Malformed)
    assert mirror.failures == 1


@pytest.mark.parametrize("sign", [Bookmarked("2"), Upserted(thing("a", "2")), Listed((), "3")])
def test_any_word_of_the_server_proves_life_and_ends_a_failure(sign: Change[str]) -> None:
    now = 1.0
    mirror = Mirror[str](clock=lambda: now)
    mirror.take(Listed((), "1"))
    mirror.fail(Unavailable("away"))
    now = 60.0
    mirror.take(sign)

    assert mirror.last_proof_of_life == 60.0
    assert mirror.last_failure is None


def test_a_watch_taken_up_ends_a_failure_but_does_not_prove_that_the_view_is_fresh() -> None:
    mirror = Mirror[str](clock=lambda: 1.0)
    mirror.fail(Unavailable("away"))
    mirror.take(Opened("1"))

    assert mirror.last_failure is None
    assert mirror.last_proof_of_life is None


def test_what_makes_no_difference_wakes_nobody() -> None:
    woken: list[int] = []
    mirror = Mirror[str](on_change=lambda: woken.append(mirror.view.revision))
    same = Listed((thing("a", "1"),), "1")
    for change in (same, same, Opened("1"), Bookmarked("2"), Upserted(thing("a", "2"))):
        mirror.take(change)

    assert woken == [1, 2]


async def test_waiters_see_the_next_view_and_late_ones_need_not_wait() -> None:
    mirror = Mirror[str]()
    waiters = [asyncio.create_task(mirror.newer_than(0)) for _ in range(3)]
    await asyncio.sleep(0)
    mirror.take(Listed((thing("a", "1"),), "1"))

    assert await asyncio.gather(*waiters) == [mirror.view] * 3
    assert await mirror.newer_than(0) is mirror.view


async def test_run_follows_the_source_and_reports_each_failure_with_its_reason() -> None:
    forbidden = Forbidden("cannot list configmaps", status=403)
    script = Script(
        [opened(Upserted(thing("b", "101")))],
        lists=[forbidden, Listed((thing("a", "1"),), "100")],
    )
    mirror = Mirror[str](clock=script.clock)
    heard: list[object] = []
    with suppress(ScriptEndedError):
        await mirror.run(script, sleep=lambda _: asyncio.sleep(0), on_failure=heard.append)

    assert {key.name for key in mirror.view.objects} == {"a", "b"}
    assert heard == [forbidden]
    assert mirror.last_failure is None
    assert mirror.failures == 1
