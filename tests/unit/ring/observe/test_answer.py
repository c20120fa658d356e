"""Answers as bytes: however they are cut in pieces, and bytes that are none."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.observe.answer import MOST_HEAD, Answer, AnswerReader, BadAnswerError

MOST = 2**20
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
bodies = st.binary(max_size=300)


def plain(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\ndate: %b\r\nX: y\r\n\r\n"
        % (
            len(body),
            DATE.encode(),
        )
        + body
    )


def chunked(body: bytes, size: int) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: %b\r\n\r\n" % DATE.encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    coded = b"".join(b"%X;x=y\r\n%b\r\n" % (len(each), each) for each in pieces)
    return head + coded + b"0\r\nDate: another\r\n\r\n"


def fed(raw: bytes, cuts: list[int]) -> Answer | None:
    """Give bytes to a reader in pieces; only the last may complete the answer."""
    reader = AnswerReader(MOST)
    places = sorted({0, len(raw), *(each % (len(raw) + 1) for each in cuts)})
    answer = None
    for start, end in itertools.pairwise(places):
        assert answer is None
        answer = reader.feed(raw[start:end])
    return answer


@given(bodies, st.lists(st.integers(0, 10_000), max_size=5), st.integers(1, 400))
def test_an_answer_is_the_same_however_it_comes(
    body: bytes, cuts: list[int], size: int
) -> None:
    expected = Answer(200, "OK", DATE, body, lasts=True)

    assert fed(plain(body), cuts) == expected
    assert fed(chunked(body, size), cuts) == expected


@given(bodies)
def test_without_a_length_the_end_of_the_connection_ends_it(body: bytes) -> None:
    reader = AnswerReader(MOST)

    assert reader.feed(b"HTTP/1.1 404 Not Found\r\n\r\n" + body) is None
    assert reader.ended() == Answer(404, "Not Found", None, body, lasts=False)


@pytest.mark.parametrize(
    ("head", "lasts"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close", False),
        (b"HTTP/1.0 200\r\nContent-Length: 0", False),
        (b"HTTP/1.0 200\r\nContent-Length: 0\r\nConnection: Keep-Alive", True),
        (b"HTTP/1.1 204 No Content", True),
    ],
)
def test_a_connection_lasts_as_the_answer_says(head: bytes, lasts: bool) -> None:  # noqa: FBT001
    answer = AnswerReader(MOST).feed(head + b"\r\n\r\n")

    assert answer
    assert answer.lasts is lasts


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.7\r\n\r\n", "no answer by HTTP/1.1"),
        (b"HTTP/4.7 200 OK\r\n\r\n", "no answer by HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MOST_HEAD, "without an end of its head"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "Duplicate Content-Length",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "more was sent"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", "over 1 MiB"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST + 1), "over 1 MiB"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "not asked for"),
        (CHUNKED + b"z\r\n", "chunk size"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n"
            + b"x" * (MOST + 1),
            "over 1 MiB",
        ),
        (b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP 101 is no"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "HTTP 100 is no"),
    ],
    ids=range(13),
)
def test_what_is_no_answer_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(BadAnswerError, match=said):
        AnswerReader(MOST).feed(raw)


@pytest.mark.parametrize(
    "part",
    [b"X: y\r\n" * 1000, b"x" * 9000],
    ids=["fields", "a field"],
)
def test_what_follows_a_body_has_an_end(part: bytes) -> None:
    reader = AnswerReader(MOST)
    reader.feed(CHUNKED + b"0\r\nX: y")
    for _ in range(2 * MOST // len(part)):
        reader.feed(part)

    with pytest.raises(BadAnswerError, match="more is sent than"):
        reader.feed(part * (2 * MOST_HEAD // len(part)))


def test_an_answer_that_stops_half_way_is_none() -> None:
    for raw in (plain(b"ab")[:-1], chunked(b"ab", 1)[:-1], b"HTTP/1.1"):
        reader = AnswerReader(MOST)
        reader.feed(raw)

        with pytest.raises(ConnectionResetError):
            reader.ended()
