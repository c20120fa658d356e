"""Logs that are kept and become one: nothing is lost, nothing is told twice."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.history import LOG_LIMIT, Change, What
from ring.past import MOST, MOST_BYTES, SAME_SECONDS, Past, decoded, encoded, merged
from tests.unit.ring.strategies import host

changes = st.builds(
    Change,
    what=st.sampled_from(What),
    at=st.floats(0, 1e10),
    host_id=st.none() | st.integers(0, 3).map(host),
    pod=st.sampled_from(["", "cassandra-0"]),
    was=st.text(max_size=20),
    now=st.text(max_size=20),
    seconds=st.none() | st.floats(0, 1e6),
)
near = st.builds(
    Change,
    what=st.sampled_from([What.WENT_DOWN, What.CAME_BACK]),
    at=st.floats(0, 4 * SAME_SECONDS),
    host_id=st.integers(0, 1).map(host),
    seconds=st.none() | st.sampled_from([0.0, 5.0, 50.0]),
)


@given(st.lists(changes, max_size=30))
def test_what_was_written_is_read(log: list[Change]) -> None:
    assert decoded(encoded(log)) == Past(tuple(log))


def test_the_last_changes_are_kept_and_no_more_than_fit() -> None:
    many = [Change(what=What.RESTARTED, at=float(n)) for n in range(MOST + 5)]
    long = [Change(what=What.RESTARTED, at=float(n), was="é" * 1000) for n in range(MOST)]

    assert decoded(encoded(many)).changes == tuple(many[-MOST:])
    assert len(encoded(long).encode()) <= MOST_BYTES
    read = decoded(encoded(long)).changes
    assert read == tuple(long[-len(read) :])


@pytest.mark.parametrize(
    "line",
    [
        *("hello", "[]", "[" * 10_000, '{"at":1}', "", '{"at":1,"what":"joined","now":1}'),
        *('{"at":1e300,"what":"joined"}', '{"at":1,"what":"joined","hostId":"me"}'),
        '{"at":1,"what":"\x1b[31m' + "x" * 10_000 + '"',
    ],
    ids=range(9),
)
def test_a_line_that_cannot_be_read_is_left_out_and_told_of(line: str) -> None:
    one, two = (Change(what=What.RESTARTED, at=at) for at in (1.0, 2.0))
    past = decoded(f"{encoded([one])}\n{line}\n{encoded([two])}")

    assert (past.changes, past.strange) == ((one, two), ())
    (why,) = past.unread
    assert why.startswith("line 2: ")
    assert len(why) < 300
    assert why.isprintable()


def test_of_what_is_too_much_the_last_is_read_or_none() -> None:
    line = '{"at":1,"what":"joined"}'

    assert len(decoded("\n".join([line] * (MOST + 1))).changes) == MOST
    assert decoded(line + " " * MOST_BYTES).changes == ()


def test_a_kind_that_is_not_known_is_kept_in_its_place() -> None:
    later = '{"at":2,"what":"moved","to":"here"}'
    log = [Change(what=What.RESTARTED, at=at) for at in (1.0, 3.0)]
    text = encoded(log, decoded(later).strange)

    assert text.split("\n")[1] == later
    assert decoded(text).changes == tuple(log)
    assert later not in encoded(
        [Change(what=What.RESTARTED, at=3.0)] * MOST, decoded(later).strange
    )


def test_a_change_of_a_time_to_come_was_now() -> None:
    log = [Change(what=What.RESTARTED, at=at) for at in (1.0, 5e3, 6e3)]

    assert [each.at for each in decoded(encoded(log), 100.0).changes] == [1.0, 100.0, 100.0]


@given(st.lists(near, max_size=12), st.lists(near, max_size=12))
def test_merging_again_changes_nothing_and_loses_nothing(
    ours: list[Change], kept: list[Change]
) -> None:
    ours, kept = sorted(ours, key=lambda c: c.at), sorted(kept, key=lambda c: c.at)
    log = merged(ours, kept)

    assert merged(log, kept) == log
    assert Counter((x.what, x.host_id, x.at) for x in ours) <= Counter(
        (x.what, x.host_id, x.at) for x in log
    )
    for each in kept:
        same = [x for x in log if (x.what, x.host_id) == (each.what, each.host_id)]
        assert any(abs(x.at - each.at) <= SAME_SECONDS for x in same)
    assert list(log) == sorted(log, key=lambda c: c.at)


def test_what_two_replicas_saw_is_one_change_and_a_second_one_is_another() -> None:
    def down(at: float) -> Change:
        return Change(what=What.WENT_DOWN, at=at, host_id=host(0))

    assert merged([down(100)], [down(103)]) == (down(100),)
    assert merged([down(100)], [down(98), down(110)]) == (down(100), down(110))
    assert merged([down(100)], [down(100 + SAME_SECONDS + 1)]) == (down(100), down(131))


@pytest.mark.parametrize(("ours", "kept"), [(5.0, 9e3), (9e3, 5.0), (None, 9e3), (9e3, None)])
def test_of_a_change_that_both_saw_the_longer_duration_counts(
    ours: float | None, kept: float | None
) -> None:
    def back(at: float, seconds: float | None) -> Change:
        return Change(what=What.CAME_BACK, at=at, host_id=host(0), seconds=seconds)

    assert merged([back(100, ours)], [back(101, kept)]) == (back(100, 9e3),)


def test_a_log_that_became_too_long_loses_its_oldest() -> None:
    ours = [Change(what=What.RESTARTED, at=float(n)) for n in range(LOG_LIMIT)]
    kept = [Change(what=What.JOINED, at=-1.0), Change(what=What.JOINED, at=5e3)]

    log = merged(ours, kept)
    assert (len(log), log[0].at, log[-1].what) == (LOG_LIMIT, 1.0, What.JOINED)
