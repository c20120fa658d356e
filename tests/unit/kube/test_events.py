"""What lists and watch lines mean, and which of them are refused."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.kube.errors import Expired, KubeError, Malformed
from seedprovider.kube.events import (
    Bookmarked,
    Key,
    Object,
    Removed,
    Upserted,
    decode_event,
    decode_object,
    decode_page,
    decode_status,
    discard,
)


class Data(msgspec.Struct):
    data: dict[str, str] = {}


decode = msgspec.json.Decoder(Data).decode

META = {"name": "a", "namespace": "ns", "uid": "u1", "resourceVersion": "7"}
POD = {"kind": "ConfigMap", "metadata": META, "data": {"x": "1"}, "more": {"deep": [1, {}]}}


def line(kind: str, body: object) -> bytes:
    return msgspec.json.encode({"type": kind, "object": body})


def page(**changed: object) -> bytes:
    good = {"kind": "ConfigMapList", "metadata": {"resourceVersion": "9"}, "items": [POD]}
    return msgspec.json.encode(good | changed)


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED"])
def test_added_and_modified_both_upsert_with_only_what_the_caller_decodes(kind: str) -> None:
    expected = Object(Key("ns", "a"), "u1", "7", Data({"x": "1"}))

    assert decode_event(line(kind, POD), decode) == Upserted(expected)


def test_deleted_needs_no_body_that_the_caller_can_decode() -> None:
    event = line("DELETED", POD | {"data": 5})

    assert decode_event(event, decode) == Removed(Key("ns", "a"), "u1", "7")


def test_a_bookmark_carries_only_a_version() -> None:
    bookmark = line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "7"}})

    assert decode_event(bookmark, decode) == Bookmarked("7")


@pytest.mark.parametrize(
    "status",
    [{"code": 410}, {"reason": "Expired"}, {"reason": "Gone", "message": "too old"}],
    ids=str,
)
def test_an_error_event_of_410_says_that_history_expired(status: dict[str, Any]) -> None:
    with pytest.raises(Expired) as caught:
        decode_event(line("ERROR", status), decode)

    assert caught.value.status == 410


def test_any_other_error_event_is_malformed_and_keeps_the_servers_words() -> None:
    with pytest.raises(Malformed, match="etcd is unwell") as caught:
        decode_event(line("ERROR", {"code": 500, "message": "etcd is unwell"}), decode)

    assert caught.value.status == 500


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        line("ADDED", None),
        line("ADDED", {"metadata": {"name": "a"}}),
        line("ADDED", {"metadata": META | {"resourceVersion": ""}}),
        line("ADDED", {"metadata": META | {"resourceVersion": 7}}),
        line("ADDED", POD | {"data": ["not", "a", "mapping"]}),
        line("BOOKMARK", {"metadata": {"resourceVersion": "0"}}),
        line("BOOKMARK", {}),
        line("SURPRISE", POD),
        b'{"type":"ADDED"}',
    ],
    ids=lambda bad: repr(bad[:150]),
)
def test_a_line_that_is_no_event_is_malformed(bad: bytes) -> None:
    with pytest.raises(Malformed):
        decode_event(bad, decode)


@given(st.binary(max_size=200))
def test_no_bytes_make_decoding_raise_anything_but_our_own_errors(junk: bytes) -> None:
    with pytest.raises(KubeError):
        decode_event(junk, decode)
    with pytest.raises(KubeError):
        decode_page(junk, decode)
    decode_status(junk)


@pytest.mark.parametrize(
    "changed",
    [
        {"items": None},
        {"items": {}},
        {"items": [POD, {}]},
        {"items": [POD | {"data": 1}]},
        {"kind": "Status"},
        {"kind": "ConfigMap"},
        {"kind": None},
        {"metadata": {}},
        {"metadata": {"resourceVersion": ""}},
        {"metadata": {"resourceVersion": "0"}},
    ],
    ids=str,
)
def test_what_is_not_a_list_beyond_doubt_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode_page(page(**changed), decode)


@pytest.mark.parametrize("missing", ["kind", "items", "metadata"])
def test_a_list_without_one_of_its_parts_is_refused(missing: str) -> None:
    whole = msgspec.json.decode(page())
    del whole[missing]

    with pytest.raises(Malformed):
        decode_page(msgspec.json.encode(whole), decode)


def test_a_page_names_the_next_one_and_the_last_page_names_none() -> None:
    marked = {"resourceVersion": "9", "continue": "abc", "remainingItemCount": 3}

    assert decode_page(page(metadata=marked), decode).next == "abc"
    assert decode_page(page(metadata=marked | {"continue": ""}), decode).next == ""
    assert decode_page(page(), decode).next == ""


def test_an_empty_list_is_a_list() -> None:
    assert decode_page(page(items=[]), decode).objects == ()


@pytest.mark.parametrize("error", [ValueError("v"), TypeError("t"), KeyError("k")])
def test_an_object_that_the_callers_decoder_refuses_is_malformed(error: Exception) -> None:
    def refuse(_raw: bytes) -> None:
        raise error

    with pytest.raises(Malformed):
        decode_object(msgspec.json.encode(POD), refuse)


def test_cluster_scoped_objects_have_an_empty_namespace() -> None:
    raw = b'{"metadata":{"name":"node-1","resourceVersion":"3"}}'

    assert decode_object(raw, discard) == Object(Key("", "node-1"), "", "3", None)
