"""The reflector against scripted servers: what it asks next, and how long it waits first."""

from collections.abc import Iterator
from contextlib import aclosing, suppress
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.kube.errors import (
    Expired,
    Forbidden,
    Invalid,
    KubeError,
    Malformed,
    NotFound,
    Silent,
    Unauthorized,
    Unavailable,
)
from seedprovider.kube.events import Bookmarked, Change, Listed, Opened, Upserted
from seedprovider.kube.reflector import (
    MAX_CLEAN_PAUSE_SECONDS,
    MAX_PAUSE_SECONDS,
    MAX_RESUMES,
    MIN_PAUSE_SECONDS,
    STEADY_SECONDS,
    Pace,
    reflect,
)
from tests.fakes.script import Script, ScriptEndedError, opened, thing

EVERY_KIND = [
    Unavailable("x"),
    Silent("x"),
    Unauthorized("x"),
    Forbidden("x"),
    NotFound("x"),
    Invalid("x"),
    Expired("x"),
    Malformed("x"),
]


class Run:
    """One `reflect` until its script ends: what it yielded, how it paused, what it reported."""

    def __init__(self) -> None:
        self.got: list[Change[str]] = []
        self.pauses: list[float] = []
        self.failures: list[KubeError] = []


async def play(script: Script) -> Run:
    run = Run()

    async def sleep(seconds: float) -> None:
        run.pauses.append(seconds)

    changes = reflect(
        script,
        sleep=sleep,
        jitter=lambda: 0.5,
        clock=script.clock,
        on_failure=run.failures.append,
    )
    async with aclosing(changes) as stream:
        with suppress(ScriptEndedError):
            async for change in stream:
                run.got.append(change)
    return run


async def test_lists_then_watches_from_the_lists_version() -> None:
    script = Script([opened(Upserted(thing("a", "101")))])
    run = await play(script)

    assert run.got == [Listed((), "100"), Opened("100"), Upserted(thing("a", "101"))]
    assert script.asked == ["list", "watch 100", "watch 101"]


async def test_resumes_from_the_bookmark_after_a_clean_end() -> None:
    script = Script([opened(Bookmarked("150"))])
    run = await play(script)

    assert script.asked == ["list", "watch 100", "watch 150"]
    assert run.failures == []


async def test_resumes_after_a_cut_without_listing_again() -> None:
    cut = Unavailable("cut")
    script = Script([opened(Upserted(thing("a", "101")), cut), [cut], [cut]])
    run = await play(script)

    assert script.asked == ["list", "watch 100", "watch 101", "watch 101", "watch 101"]
    assert run.failures == [cut, cut, cut]


@pytest.mark.parametrize("error", EVERY_KIND, ids=lambda error: type(error).__name__)
async def test_lists_again_after_everything_but_a_lost_connection(error: KubeError) -> None:
    script = Script([opened(error)])
    await play(script)
    resumed = type(error) in {Unavailable, Unauthorized}

    assert script.asked[2:] == (["watch 100"] if resumed else ["list", "watch 100"])


@pytest.mark.parametrize("error", EVERY_KIND, ids=lambda error: type(error).__name__)
async def test_no_failure_of_a_list_ends_it(error: KubeError) -> None:
    script = Script([], lists=[error, error])
    run = await play(script)

    assert script.asked == ["list", "list", "list", "watch 100"]
    assert run.failures == [error, error]


async def test_a_version_that_never_works_again_is_given_up_in_the_end() -> None:
    refused = [Unavailable("future version", status=504)]
    script = Script(repeat(refused, 2 * MAX_RESUMES))
    await play(script)

    assert script.asked.count("watch 100") == 2 * MAX_RESUMES + 1
    assert 2 <= script.asked.count("list") < MAX_RESUMES + 3
    assert "list" not in script.asked[1 : MAX_RESUMES + 1]


async def test_waits_twice_as_long_after_each_failure_up_to_a_cap() -> None:
    run = await play(Script(repeat([Unavailable("refused")], 10)))

    assert run.pauses[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert max(run.pauses) == MAX_PAUSE_SECONDS


@pytest.mark.parametrize("error", EVERY_KIND, ids=lambda error: type(error).__name__)
async def test_no_failure_repeated_for_ever_becomes_a_busy_loop(error: KubeError) -> None:
    script = Script(repeat(opened(Bookmarked("101"), error), 20))
    run = await play(script)

    assert len(run.pauses) == 20
    assert run.pauses[-5:] == [MAX_PAUSE_SECONDS] * 5


async def test_watches_that_end_at_once_neither_make_it_busy_nor_blind() -> None:
    script = Script(repeat(opened(), 20))
    run = await play(script)

    assert run.pauses[0] == MIN_PAUSE_SECONDS
    assert run.pauses[-5:] == [MAX_CLEAN_PAUSE_SECONDS] * 5
    assert run.failures == []
    assert script.asked[-4:] == ["list", "watch 100"] * 2


async def test_a_watch_that_lasted_ends_the_trouble_before_it() -> None:
    refused = [[Unavailable("refused")]] * 5
    script = Script(
        [*refused, opened(STEADY_SECONDS, Bookmarked("101"), Unavailable("cut")), *refused]
    )
    run = await play(script)

    assert run.pauses[:6] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 0.2])
    assert run.pauses[6] == pytest.approx(0.4)


async def test_a_refused_token_is_tried_again_soon_and_then_ever_more_rarely() -> None:
    refused, stale = Unavailable("refused"), Unauthorized("stale token")
    script = Script([[refused]] * 4 + [[stale]] * 3)
    run = await play(script)

    assert run.pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 0.2, 6.4, 12.8])


@pytest.mark.parametrize(("asked", "waited"), [(0.01, 0.2), (7.0, 7.0), (10_000.0, 60.0)])
async def test_the_servers_retry_after_is_kept_within_bounds(
    asked: float, waited: float
) -> None:
    busy = Unavailable("too many requests", status=429, retry_after_seconds=asked)
    run = await play(Script([[busy]]))

    assert run.pauses == pytest.approx([waited])


async def test_closing_it_closes_the_watch_it_reads() -> None:
    script = Script([opened(Bookmarked("101"))])
    async with aclosing(reflect(script)) as changes:
        async for change in changes:
            if isinstance(change, Opened):
                assert script.open_watches == 1
                break

    assert script.open_watches == 0


errors: st.SearchStrategy[KubeError | None] = st.sampled_from([None, *EVERY_KIND])


@given(st.lists(st.tuples(errors, st.floats(0, 1000)), max_size=40))
def test_every_pause_is_within_its_bounds(ends: list[tuple[KubeError | None, float]]) -> None:
    def pauses() -> Iterator[float]:
        pace = Pace()
        for error, lasted in ends:
            pace = pace.after(error, lasted)
            yield pace.pause_seconds

    assert all(MIN_PAUSE_SECONDS <= pause <= MAX_PAUSE_SECONDS for pause in pauses())
