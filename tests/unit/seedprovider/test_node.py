"""What nodes and sidecars say over HTTP: taken whole, or the wrong field is named."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.model import Disk, DiskState, Peer, PeerState, Process
from seedprovider.node import (
    MAX_TEXT,
    BadInputError,
    encode_disk,
    encode_heartbeat,
    parse_address,
    parse_heartbeat,
    parse_report,
    parse_uuid,
)

RING, HOST, OTHER = (str(UUID(int=n)) for n in (0xA, 0x100, 0x101))

BEAT: dict[str, Any] = {
    "version": 1,
    "shim": "0.1.0",
    "cassandra": "5.0.9",
    "cluster": "Test Cluster",
    "mode": "NORMAL",
    "hostId": HOST,
    "address": "10.0.0.1",
    "dc": "datacenter1",
    "rack": "rack1",
    "native": True,
    "load": 123456.0,
    "seeds": ["10.0.0.2"],
    "disk": {"state": "member", "ringId": RING, "hostId": HOST, "pvcUid": "9d7a"},
    "peersHash": "9f86d081884c7d65",
    "peers": [{"hostId": OTHER, "address": "10.0.0.2", "up": True, "state": "normal"}],
}
REPORT: dict[str, Any] = {
    "pod": "cassandra-0",
    "podUid": "uid-0",
    "namespace": "default",
    "service": "cassandra",
    "pvcUid": "9d7a",
    "ringId": RING,
    "address": "10.0.0.1",
    "disk": {"state": "member", "ringId": RING, "hostId": HOST, "pvcUid": "9d7a"},
    "rack": "zone-a",
    "cassandra": "answering",
    "heartbeat": {"ageSeconds": 0.4, **BEAT},
}


def beat_with(**changes: object) -> bytes:
    return json.dumps({**BEAT, **changes}).encode()


def report_with(**changes: object) -> bytes:
    return json.dumps({**REPORT, **changes}).encode()


def told(body: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        parse_heartbeat(body)
    return str(caught.value)


def report_told(body: bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        parse_report(body, "10.0.0.1", 5.0)
    return str(caught.value)


# -- heartbeats --------------------------------------------------------------------------------


def test_every_field_of_the_contract_is_taken() -> None:
    received = parse_heartbeat(json.dumps(BEAT).encode())
    beat = received.beat

    assert (beat.mode, beat.host_id, beat.address) == ("NORMAL", HOST, "10.0.0.1")
    assert (beat.dc, beat.rack, beat.native) == ("datacenter1", "rack1", True)
    assert beat.seeds == {"10.0.0.2"}
    assert beat.disk == Disk(DiskState.MEMBER, RING, HOST, "9d7a")
    assert beat.peers == (Peer(OTHER, "10.0.0.2", up=True, state=PeerState.NORMAL),)
    assert received.peers_hash == "9f86d081884c7d65"
    assert received.extra == {
        "shim": "0.1.0",
        "cassandra": "5.0.9",
        "cluster": "Test Cluster",
        "load": 123456.0,
    }


def test_all_that_may_be_unknown_may_be_null() -> None:
    kept = {"mode": "STARTING", "disk": {"state": "empty", "ringId": None, "hostId": None}}
    nothing = dict.fromkeys(BEAT.keys() - {"version", "mode", "disk"})
    received = parse_heartbeat(json.dumps({**nothing, **kept}).encode())

    assert received == parse_heartbeat(json.dumps(kept).encode())
    assert (received.beat.seeds, received.beat.peers, received.peers_hash) == (None, None, None)


def test_no_peers_at_all_is_not_the_same_as_not_sent() -> None:
    assert parse_heartbeat(beat_with(peers=[])).beat.peers == ()
    assert parse_heartbeat(beat_with(seeds=[])).beat.seeds == frozenset()


def test_fields_of_a_newer_shim_are_passed_over() -> None:
    body = beat_with(version=2, news={"a": [1]}, disk={"state": "left", "size": 1})

    assert parse_heartbeat(body).beat.disk == Disk(DiskState.LEFT)


def test_a_peer_that_the_failure_detector_does_not_know_is_neither_up_nor_down() -> None:
    peers = [{"hostId": OTHER, "address": "10.0.0.2", "up": None, "state": "joining"}]

    assert parse_heartbeat(beat_with(peers=peers)).beat.peers == (
        Peer(OTHER, "10.0.0.2", None, PeerState.JOINING),
    )


def test_identifiers_and_addresses_arrive_in_canonical_form() -> None:
    host = UUID(int=0xABCDEF)
    beat = parse_heartbeat(beat_with(hostId=str(host).upper(), address="FD00::00:A")).beat

    assert (beat.host_id, beat.address) == (str(host), "fd00::a")


GOOD_PEER = {"hostId": OTHER, "address": "10.0.0.2", "up": True, "state": "normal"}


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("mode", None, "mode"),
        ("mode", 1, "mode"),
        ("mode", "x" * (MAX_TEXT + 1), "mode"),
        ("cluster", "x" * (MAX_TEXT + 1), "cluster"),
        ("dc", "x" * (MAX_TEXT + 1), "dc"),
        ("rack", "x" * (MAX_TEXT + 1), "rack"),
        ("peersHash", "x" * (MAX_TEXT + 1), "peers"),
        ("hostId", "1", "hostId"),
        ("hostId", HOST + "0", "hostId"),
        ("address", "", "address"),
        ("address", "cassandra-0", "address"),
        ("address", "10.0.0.1:7000", "address"),
        ("address", "fe80::1%x\nX-Replace: 10.0.0.9", "address"),
        ("native", 1, "native"),
        ("native", "true", "native"),
        ("load", "1", "load"),
        ("seeds", "10.0.0.2", "seeds"),
        ("seeds", [None], "seeds"),
        ("seeds", ["a"], "seeds"),
        ("disk", None, "disk"),
        ("disk", {}, "disk"),
        ("disk", {"state": "foreign"}, "disk"),
        ("disk", {"state": "member", "ringId": "1"}, "disk.ringId"),
        ("disk", {"state": "member", "hostId": "1"}, "disk.hostId"),
        ("disk", {"state": "member", "pvcUid": "x" * (MAX_TEXT + 1)}, "disk.pvcUid"),
        ("peers", {}, "peers"),
        ("peers", [{**GOOD_PEER, "hostId": ""}], "peers.hostId"),
        ("peers", [{**GOOD_PEER, "hostId": "1"}], "peers.hostId"),
        ("peers", [{**GOOD_PEER, "hostId": None}], "peers"),
        ("peers", [{**GOOD_PEER, "address": "a"}], "peers.address"),
        ("peers", [{**GOOD_PEER, "state": "up"}], "peers"),
        ("peers", [{**GOOD_PEER, "up": "yes"}], "peers"),
        ("peers", [GOOD_PEER, 1], "peers"),
    ],
)
def test_a_malformed_field_is_named(field: str, value: object, named: str) -> None:
    text = told(beat_with(**{field: value}))

    assert named in text
    assert len(text) < 2 * MAX_TEXT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b"\xff",
        b'{"mode":"\\ud800"}',
        b"[" * 10**5,
        b'{"a":' * 10**5,
        beat_with(load=7).replace(b'"load": 7', b'"load": 7e999'),
    ],
)
def test_what_is_no_json_object_is_refused_and_never_fails_otherwise(body: bytes) -> None:
    told(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_heartbeat_or_refused(body: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_heartbeat(body)


# -- round trips -------------------------------------------------------------------------------

uuids = st.uuids().map(str)
addresses = st.ip_addresses().map(str)
words = st.text(max_size=20)
disks = st.fixed_dictionaries(
    {"state": st.sampled_from([state.value for state in DiskState])},
    optional={
        "ringId": st.none() | uuids,
        "hostId": st.none() | uuids,
        "pvcUid": st.none() | st.text(min_size=1, max_size=40),
    },
)
peer_lists = st.lists(
    st.fixed_dictionaries(
        {
            "hostId": uuids,
            "address": addresses,
            "up": st.sampled_from([True, False, None]),
            "state": st.sampled_from([state.value for state in PeerState]),
        }
    ),
    max_size=4,
)
beats = st.fixed_dictionaries(
    {"mode": words, "disk": disks},
    optional={
        "shim": st.none() | words,
        "cassandra": st.none() | words,
        "cluster": st.none() | words,
        "hostId": st.none() | uuids,
        "address": st.none() | addresses,
        "dc": st.none() | words,
        "rack": st.none() | words,
        "native": st.none() | st.booleans(),
        "load": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "seeds": st.none() | st.lists(addresses, max_size=4),
        "peersHash": st.none() | words,
        "peers": st.none() | peer_lists,
    },
)


@given(beats, st.floats(0, 1e6))
def test_a_heartbeat_passed_on_is_read_by_another_sidecar_as_it_was_said(
    said: dict[str, Any], age: float
) -> None:
    received = parse_heartbeat(json.dumps(said).encode())
    passed = encode_heartbeat(received, age, with_peers=True)
    report = parse_report(report_with(heartbeat=passed), "10.0.0.1", 5.0)

    assert report.report.heartbeat == received.beat
    assert report.peers_hash == received.peers_hash
    assert report.report.heartbeat_age == pytest.approx(age, abs=0.001)
    assert passed.items() >= received.extra.items()


@given(beats)
def test_without_peers_all_else_is_passed_on(said: dict[str, Any]) -> None:
    received = parse_heartbeat(json.dumps(said).encode())
    whole = encode_heartbeat(received, 1.0, with_peers=True)
    short = encode_heartbeat(received, 1.0, with_peers=False)

    assert short == {name: value for name, value in whole.items() if name != "peers"}


@given(disks)
def test_a_disk_is_read_as_it_was_shown(said: dict[str, Any]) -> None:
    disk = parse_heartbeat(beat_with(disk=said)).beat.disk

    assert parse_heartbeat(beat_with(disk=encode_disk(disk))).beat.disk == disk


# -- reports -----------------------------------------------------------------------------------


def test_every_field_of_a_report_is_taken() -> None:
    said = parse_report(json.dumps(REPORT).encode(), "10.9.9.9", 5.0)
    report = said.report

    assert (said.namespace, said.service, said.peers_hash) == (
        "default",
        "cassandra",
        "9f86d081884c7d65",
    )
    assert (report.pod, report.pod_uid, report.pvc_uid) == ("cassandra-0", "uid-0", "9d7a")
    assert (report.ring_id, report.process) == (RING, Process.ANSWERING)
    assert report.rack == "zone-a"
    assert (report.heartbeat_age, report.received) == (0.4, 5.0)
    assert report.heartbeat == parse_heartbeat(json.dumps(BEAT).encode()).beat


def test_the_address_of_a_report_is_where_it_was_reached_not_what_it_says() -> None:
    assert parse_report(report_with(address="10.0.0.1"), "10.9.9.9", 5.0).report.address == (
        "10.9.9.9"
    )


def test_a_sidecar_that_knows_nothing_yet_has_a_report_all_the_same() -> None:
    body = report_with(
        pvcUid=None, ringId=None, disk={"state": "unknown"}, cassandra="unknown", heartbeat=None
    )
    said = parse_report(body, "10.0.0.1", 5.0)

    assert said.report.disk == Disk(DiskState.UNKNOWN)
    assert (said.report.heartbeat, said.report.heartbeat_age, said.peers_hash) == (None,) * 3


@pytest.mark.parametrize(
    "field", ["pod", "podUid", "namespace", "service", "disk", "cassandra"]
)
def test_a_report_without_a_needed_field_is_refused(field: str) -> None:
    body = json.dumps({name: value for name, value in REPORT.items() if name != field})

    assert field in report_told(body.encode())


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("ringId", "1", "ringId"),
        ("cassandra", "fine", "cassandra"),
        ("disk", {"state": "wet"}, "disk"),
        ("heartbeat", {"ageSeconds": 1}, "heartbeat"),
        ("heartbeat", {**BEAT, "ageSeconds": "1"}, "heartbeat.ageSeconds"),
        ("heartbeat", {**BEAT, "ageSeconds": -0.5}, "heartbeat.ageSeconds"),
        ("heartbeat", {**BEAT, "ageSeconds": 1, "hostId": "1"}, "hostId"),
        ("heartbeat", BEAT, "ageSeconds"),
        ("pod", "x" * (MAX_TEXT + 1), "pod"),
        ("podUid", "x" * (MAX_TEXT + 1), "podUid"),
        ("namespace", "x" * (MAX_TEXT + 1), "namespace"),
        ("service", "x" * (MAX_TEXT + 1), "service"),
        ("pvcUid", "x" * (MAX_TEXT + 1), "pvcUid"),
        ("rack", "x" * (MAX_TEXT + 1), "rack"),
    ],
)
def test_a_malformed_field_of_a_report_is_named(field: str, value: object, named: str) -> None:
    assert named in report_told(report_with(**{field: value}))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_refused(body: bytes) -> None:
    report_told(body)


# -- identifiers -------------------------------------------------------------------------------


@given(st.uuids())
def test_a_uuid_is_canonical_whatever_its_spelling(uuid: UUID) -> None:
    spellings = (str(uuid), str(uuid).upper(), uuid.hex, f"{{{uuid}}}", uuid.urn)

    assert {parse_uuid(text, "x") for text in spellings} == {str(uuid)}


def test_no_uuid_and_an_empty_one_mean_not_known() -> None:
    assert parse_uuid(None, "x") is parse_uuid("", "x") is None


@given(st.text(min_size=1))
def test_any_text_is_a_uuid_or_refused_by_name(text: str) -> None:
    try:
        outcome = str(UUID(parse_uuid(text, "hostId") or ""))
    except BadInputError as error:
        outcome = str(error)

    assert outcome.startswith("hostId: ") or str(UUID(outcome)) == outcome


def test_an_address_is_known_or_none_and_never_empty() -> None:
    assert parse_address(None, "x") is None
    with pytest.raises(BadInputError, match="x: '' is not an IP address"):
        parse_address("", "x")
