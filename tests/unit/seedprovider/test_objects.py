"""Ring record, ledger and join turn as Kubernetes objects: what is written is read back."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider import objects
from seedprovider.model import Entry, EntryState, Origin, Record, Stay, Turn
from seedprovider.node import BadInputError

RING, HOST = str(UUID(int=0xA)), str(UUID(int=0x100))
AT = "2026-01-02T03:04:05.678901Z"

uuids = st.uuids().map(str)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
pods = st.builds("{}-{}".format, names, st.integers(0, 99))
known = st.text(min_size=1, max_size=40)
versions = st.none() | st.integers(1).map(str)
records = st.builds(
    Record,
    ring_id=uuids,
    founder=pods,
    founder_pvc_uid=st.none() | known,
    how=st.sampled_from(Origin),
    at=st.text(max_size=30),
    version=versions,
)
entries = st.builds(
    Entry,
    pod=pods,
    ring_id=uuids,
    pod_uid=st.text(max_size=40),
    pvc_uid=st.none() | known,
    host_id=st.none() | uuids,
    state=st.sampled_from(EntryState),
    dc=st.none() | known,
    rack=st.none() | known,
    addresses=st.lists(
        st.builds(Stay, st.ip_addresses().map(str), st.text(max_size=30)), max_size=8
    ).map(tuple),
    version=versions,
)


def sent(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as it arrives: over JSON, as every client sends it."""
    return json.loads(msgspec.json.encode(body))


def version_of(body: dict[str, Any]) -> str | None:
    return body["metadata"].get("resourceVersion")


@given(records)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    body = sent(objects.record_body(record, "ns", "cassandra"))
    read = objects.parse_record(body["data"], version_of(body))

    assert read == record


@given(entries)
def test_a_ledger_entry_is_read_as_it_was_written(entry: Entry) -> None:
    body = sent(objects.entry_body(entry, "ns", "cassandra"))
    read = objects.parse_entry(body["data"], version_of(body))

    assert read == entry


@given(records | entries)
def test_a_config_map_holds_only_texts_as_the_api_wants(kept: Record | Entry) -> None:
    make = objects.record_body if isinstance(kept, Record) else objects.entry_body
    body = make(kept, "ns", "cassandra")

    assert all(isinstance(value, str) for value in body["data"].values())


@given(pods, uuids, versions)
def test_a_turn_is_read_as_it_was_written(pod: str, uid: str, version: str | None) -> None:
    body = sent(objects.turn_body((pod, uid), Turn(version=version), "ns", "cassandra", AT))
    lease = msgspec.convert(body, objects.Lease)

    assert objects.parse_turn(lease, "7").holder == (pod, uid)
    assert version_of(body) == version


def lease(**spec: object) -> objects.Lease:
    return msgspec.json.decode(msgspec.json.encode({"spec": spec}), type=objects.Lease)


# -- names and labels as in the contract -------------------------------------------------------


def test_objects_are_named_as_the_contract_says() -> None:
    assert objects.record_name("cassandra") == "cassandra-ring"
    assert objects.entry_name("cassandra-0") == "cassandra-0-member"
    assert objects.turn_name("cassandra") == "cassandra-join"


def test_every_object_carries_the_labels_that_select_it() -> None:
    record = Record(
        ring_id=RING, founder="c-0", founder_pvc_uid=None, how=Origin.FOUNDED, at=AT
    )
    entry = Entry(
        pod="c-0", ring_id=RING, pod_uid="u", pvc_uid=None, host_id=None, state=EntryState.LEFT
    )
    bodies = [
        objects.record_body(record, "ns", "c"),
        objects.entry_body(entry, "ns", "c"),
        objects.turn_body(None, Turn(), "ns", "c", AT),
    ]

    for body in bodies:
        labels = body["metadata"]["labels"]
        assert ",".join(f"{key}={value}" for key, value in labels.items()) == objects.selector(
            "c"
        )
        assert body["metadata"]["namespace"] == "ns"
        assert "resourceVersion" not in body["metadata"]


def test_the_ledger_holds_addresses_as_the_contract_shows_them() -> None:
    entry = Entry(
        pod="c-0",
        ring_id=RING,
        pod_uid="u",
        pvc_uid=None,
        host_id=None,
        state=EntryState.JOINING,
        addresses=(Stay("10.0.0.2", "t2"), Stay("10.0.0.1", "t1")),
    )
    data = objects.entry_body(entry, "ns", "c")["data"]

    assert json.loads(data["addresses"]) == [
        {"address": "10.0.0.2", "since": "t2"},
        {"address": "10.0.0.1", "since": "t1"},
    ]
    assert data["hostId"] == ""


def test_a_free_turn_names_nobody_and_a_held_one_since_when() -> None:
    free = objects.turn_body(None, Turn(version="3"), "ns", "c", AT)["spec"]
    held = objects.turn_body(("c-0", "u"), Turn(version="3"), "ns", "c", AT)["spec"]

    assert free["holderIdentity"] == ""
    assert held["holderIdentity"] == "c-0/u"
    assert held["acquireTime"] == held["renewTime"] == AT


def test_a_turn_counts_how_often_it_changed_hands() -> None:
    was = objects.parse_turn(lease(holderIdentity="", leaseTransitions=4), "3")
    taken = objects.turn_body(("c-0", "u"), was, "ns", "c", AT)["spec"]
    held = objects.parse_turn(lease(**taken), "4")
    freed = objects.turn_body(None, held, "ns", "c", AT)["spec"]

    assert (taken["leaseTransitions"], freed["leaseTransitions"]) == (5, 5)


# -- garbage -----------------------------------------------------------------------------------

RECORD = {"ringId": RING, "founder": "c-0", "founderPvcUid": "p", "how": "founded", "at": AT}
ENTRY = {"ringId": RING, "pod": "c-0", "podUid": "u", "state": "member", "hostId": HOST}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ringId": ""}, "ringId"),
        ({"ringId": "1"}, "ringId"),
        ({"how": ""}, "how"),
        ({"how": "bought"}, "how"),
    ],
)
def test_a_broken_record_is_an_error_and_not_a_missing_one(
    changes: dict[str, str], named: str
) -> None:
    with pytest.raises(BadInputError, match=named):
        objects.parse_record({**RECORD, **changes}, "1")


@pytest.mark.parametrize("missing", ["ringId", "how"])
def test_a_record_lacks_nothing_that_decides(missing: str) -> None:
    data = {name: value for name, value in RECORD.items() if name != missing}

    with pytest.raises(BadInputError, match=missing):
        objects.parse_record(data, "1")


@pytest.mark.parametrize(
    "changes",
    [
        {"ringId": ""},
        {"ringId": "x"},
        {"hostId": "x"},
        {"pod": ""},
        {"state": ""},
        {"state": "gone"},
        {"addresses": "["},
        {"addresses": "{}"},
        {"addresses": '[{"since":"t"}]'},
        {"addresses": '["10.0.0.1"]'},
        {"addresses": "[" * 10**5},
    ],
)
def test_a_broken_entry_is_an_error_as_it_may_hide_a_member(changes: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        objects.parse_entry({**ENTRY, **changes}, "1")


def test_an_entry_without_what_may_be_unknown_is_whole() -> None:
    entry = objects.parse_entry({"ringId": RING, "pod": "c-0", "state": "joining"}, "1")

    assert (entry.pvc_uid, entry.host_id, entry.dc, entry.rack) == (None,) * 4
    assert entry.addresses == ()


def test_an_address_that_is_none_is_left_out_of_an_entry() -> None:
    stays = '[{"address":"10.0.0.1"},{"address":"db","since":"t"},{"address":"FD00::0A"}]'
    entry = objects.parse_entry({**ENTRY, "addresses": stays}, "1")

    assert entry.addresses == (Stay("10.0.0.1", ""), Stay("fd00::a", ""))


data = st.dictionaries(st.sampled_from([*RECORD, *ENTRY, "addresses"]), st.text(max_size=60))


@given(data)
def test_any_texts_are_a_record_and_an_entry_or_refused(texts: dict[str, str]) -> None:
    for parse in (objects.parse_record, objects.parse_entry):
        try:
            ring = parse(texts, "1").ring_id
        except BadInputError as error:
            ring = str(error)
        assert ring


@pytest.mark.parametrize("spec", [{}, {"holderIdentity": None}, {"holderIdentity": ""}])
def test_a_lease_without_a_holder_is_free(spec: dict[str, Any]) -> None:
    assert objects.parse_turn(lease(**spec), "3") == Turn(version="3")


@pytest.mark.parametrize(
    ("identity", "holder"),
    [("somebody", ("somebody", "")), ("a/b/c", ("a", "b/c")), ("/", ("", ""))],
)
def test_a_holder_that_is_none_of_ours_holds_the_turn_all_the_same(
    identity: str, holder: tuple[str, str]
) -> None:
    assert objects.parse_turn(lease(holderIdentity=identity), "3").holder == holder


def test_no_or_an_empty_annotation_is_no_pause() -> None:
    assert objects.parse_pause({}) is None
    assert objects.parse_pause({objects.PAUSE: ""}) is None


@given(st.text(min_size=1))
def test_any_other_annotation_pauses_with_a_reason_of_one_short_line(value: str) -> None:
    reason = objects.parse_pause({objects.PAUSE: value})

    assert reason
    assert reason.isprintable()
    assert len(reason) <= objects.MAX_PAUSE_REASON
