"""Which error a status is, and what an error tells the caller to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.kube.errors import (
    REASON_LIMIT,
    AlreadyExists,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    KubeError,
    NotFound,
    Unauthorized,
    Unavailable,
    from_status,
    parse_retry_after,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, Invalid),
        (400, Invalid),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (408, Unavailable),
        (409, Conflict),
        (410, Expired),
        (415, Invalid),
        (422, Invalid),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
def test_each_status_is_one_kind_of_error(status: int, kind: type[KubeError]) -> None:
    error = from_status(status, "why")

    assert type(error) is kind
    assert (error.status, error.reason) == (status, "why")


def test_409_on_a_create_means_that_the_name_is_taken() -> None:
    assert type(from_status(409, "", creating=True)) is AlreadyExists


@pytest.mark.parametrize(("status", "unknown"), [(429, False), (408, False), (500, True)])
def test_only_a_server_error_leaves_the_outcome_of_a_write_open(
    status: int, *, unknown: bool
) -> None:
    error = from_status(status, "", write=True)

    assert isinstance(error, Unavailable)
    assert error.outcome_unknown is unknown


def test_reading_never_has_an_unknown_outcome() -> None:
    error = from_status(500, "")

    assert isinstance(error, Unavailable)
    assert not error.outcome_unknown


def test_retrying_helps_where_time_or_a_new_token_can_help() -> None:
    helped = {status for status in range(300, 600) if from_status(status, "").retry_may_help}

    assert helped == {401, 408, 410, 429, *range(500, 600)}


@given(st.text(max_size=3000))
def test_a_reason_is_one_printable_line_of_bounded_length(text: str) -> None:
    reason = KubeError(text).reason

    assert len(reason) <= REASON_LIMIT
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0", 0.0),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_nothing(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header) == seconds
