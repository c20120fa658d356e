"""A watch is the same lines, however the network cuts it up."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.kube.errors import Malformed
from seedprovider.kube.lines import Lines

texts = st.lists(
    st.binary(min_size=1, max_size=20).filter(lambda b: b"\n" not in b and b.strip())
)


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[a:b] for a, b in pairwise(ends)]


@given(texts, st.lists(st.integers(0, 1000)))
def test_where_the_stream_is_cut_makes_no_difference(
    wanted: list[bytes], places: list[int]
) -> None:
    lines = Lines()
    stream = b"".join(text + b"\n" for text in wanted)
    got = [line for chunk in cut(stream, places) for line in lines.feed(chunk)]

    assert got == wanted


def test_a_line_without_its_end_is_never_given_out() -> None:
    lines = Lines()

    assert list(lines.feed(b'{"a":1}\n{"a"')) == [b'{"a":1}']
    assert list(lines.feed(b":2}")) == []


def test_blank_lines_are_skipped() -> None:
    assert list(Lines().feed(b"\n \r\na\n\n")) == [b"a"]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_over_the_limit_is_malformed_before_it_is_whole(end: bytes) -> None:
    lines = Lines(limit_bytes=10)
    assert list(lines.feed(b"123456789")) == []
    with pytest.raises(Malformed, match="longer than 10 bytes"):
        list(lines.feed(b"01" + end))


def test_a_line_of_just_the_limit_passes() -> None:
    assert list(Lines(limit_bytes=10).feed(b"0123456789\n")) == [b"0123456789"]
