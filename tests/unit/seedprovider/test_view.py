"""Which pods there are, at which addresses: from EndpointSlices and from Pods."""

import json
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.model import Endpoint, pod_order
from seedprovider.view import (
    Pod,
    Slice,
    canonical,
    decode_slice,
    endpoints_of,
    endpoints_of_pods,
    family,
)


def named(n: int, address: str | None = None, uid: str = "u", **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    conditions = {k: more.pop(k) for k in ("ready", "serving", "terminating") if k in more}
    return {
        "addresses": [address or f"10.0.0.{n + 1}"],
        "conditions": conditions,
        "targetRef": {"kind": "Pod", "namespace": "ns", "name": f"cassandra-{n}", "uid": uid},
        **more,
    }


def piece(*endpoints: dict[str, Any], kind: str = "IPv4") -> Slice:
    return decode_slice(json.dumps({"addressType": kind, "endpoints": endpoints}).encode())


def pods_of(*slices: Slice, wanted: int = 4) -> list[str]:
    return [endpoint.pod for endpoint in endpoints_of(slices, wanted)]


def only(*slices: Slice) -> Endpoint:
    (endpoint,) = endpoints_of(slices, 4)
    return endpoint


def test_pods_of_many_slices_come_in_the_order_of_their_ordinals() -> None:
    slices = [piece(named(10), named(2)), piece(named(0)), piece(named(1), named(9))]

    assert pods_of(*slices) == [f"cassandra-{n}" for n in (0, 1, 2, 9, 10)]


def test_a_pod_named_by_two_slices_is_one_endpoint() -> None:
    assert pods_of(piece(named(0), named(1)), piece(named(1), named(2))) == [
        "cassandra-0",
        "cassandra-1",
        "cassandra-2",
    ]


def test_of_an_old_pod_and_a_new_one_the_one_that_does_not_terminate_counts() -> None:
    old = piece(named(0, "10.0.0.7", "zz", serving=True, terminating=True))
    new = piece(named(0, "10.0.0.8", "aa", serving=False, terminating=False))

    assert only(old, new).address == only(new, old).address == "10.0.0.8"


def test_of_two_equal_ones_that_serve_counts() -> None:
    idle = piece(named(0, "10.0.0.7", "zz", serving=False))
    ready = piece(named(0, "10.0.0.8", "aa", serving=True))

    assert only(idle, ready).address == only(ready, idle).address == "10.0.0.8"


def test_a_pod_that_is_not_ready_is_there_all_the_same() -> None:
    endpoint = only(piece(named(0, ready=False, serving=False)))

    assert (endpoint.serving, endpoint.terminating) == (False, False)


def test_ready_is_never_read_as_the_service_publishes_pods_that_are_not() -> None:
    assert not only(piece(named(0, ready=True, serving=False))).serving


@pytest.mark.parametrize(
    ("conditions", "serving"),
    [({}, True), ({"serving": None}, True), ({"terminating": True}, False)],
)
def test_unset_serving_reads_as_the_api_says(
    conditions: dict[str, Any], *, serving: bool
) -> None:
    assert only(piece(named(0, **conditions))).serving is serving


def test_the_zone_is_kept_and_all_else_dropped() -> None:
    endpoint = only(piece(named(0, zone="eu-1a", hostname="h", nodeName="n", hints={"x": 1})))

    assert endpoint == Endpoint("cassandra-0", "u", "10.0.0.1", zone="eu-1a")


@pytest.mark.parametrize(
    "raw",
    [
        {"addresses": ["10.0.0.1"]},
        {"addresses": ["10.0.0.1"], "targetRef": None},
        {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Node", "name": "n", "uid": "u"}},
        {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "", "uid": "u"}},
        {**named(0), "addresses": []},
        {**named(0), "addresses": ["db.example"]},
        {**named(0), "addresses": ["fe80::1%eth0"]},
    ],
)
def test_an_endpoint_without_a_pod_or_an_address_is_left_out(raw: dict[str, Any]) -> None:
    assert pods_of(piece(raw, named(5))) == ["cassandra-5"]


@pytest.mark.parametrize(
    "body",
    [
        {"addressType": "IPv4"},
        {"addressType": "IPv4", "endpoints": None},
        {"addressType": "IPv4", "endpoints": []},
        {"addressType": "FQDN", "endpoints": [named(0, "db.example")]},
    ],
)
def test_a_slice_may_name_nobody(body: dict[str, Any]) -> None:
    assert pods_of(decode_slice(json.dumps(body).encode())) == []


@pytest.mark.parametrize(
    "body", [{}, {"addressType": 4}, {"addressType": "IPv4", "endpoints": 1}]
)
def test_what_is_no_slice_is_an_error_and_not_an_empty_slice(body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_slice(json.dumps(body).encode())


def test_of_a_dual_stack_service_only_the_pods_own_family_is_read() -> None:
    four, six = piece(named(0)), piece(named(0, "FD00::0A"), kind="IPv6")

    assert [e.address for e in endpoints_of([four, six], 4)] == ["10.0.0.1"]
    assert [e.address for e in endpoints_of([four, six], 6)] == ["fd00::a"]


raw_endpoints = st.builds(
    lambda n, host, uid, serving, terminating: named(
        n, f"10.0.0.{host}", uid, serving=serving, terminating=terminating
    ),
    st.integers(0, 3),
    st.integers(1, 3),
    st.sampled_from(["a", "b"]),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
)


@given(st.lists(st.lists(raw_endpoints, max_size=3), max_size=4))
def test_the_order_of_slices_and_of_endpoints_in_them_does_not_matter(
    lists: list[list[dict[str, Any]]],
) -> None:
    slices = [piece(*endpoints) for endpoints in lists]
    turned = [piece(*reversed(endpoints)) for endpoints in lists]
    results = {endpoints_of(order, 4) for order in permutations(slices)}

    assert results == {endpoints_of(turned, 4)}
    (found,) = results
    assert [e.pod for e in found] == sorted({e.pod for e in found}, key=pod_order)
    assert {e.pod for e in found} == {r["targetRef"]["name"] for each in lists for r in each}


# -- pods --------------------------------------------------------------------------------------


def a_pod(n: int, meta: dict[str, Any] | None = None, **status: Any) -> Pod:  # noqa: ANN401 -- JSON
    metadata = {"name": f"cassandra-{n}", "uid": f"uid-{n}", **(meta or {})}
    body = {"metadata": metadata, "status": status}
    return msgspec.json.decode(json.dumps(body).encode(), type=Pod)


def test_a_pod_is_the_endpoint_that_slices_will_name_in_time() -> None:
    pods = [a_pod(n, podIP=f"10.0.0.{n}", phase="Running") for n in (10, 2)]
    endpoints = endpoints_of_pods(pods, 4)

    assert endpoints == (
        Endpoint("cassandra-2", "uid-2", "10.0.0.2"),
        Endpoint("cassandra-10", "uid-10", "10.0.0.10"),
    )


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"phase": "Pending"},
        {"phase": "Succeeded", "podIP": "10.0.0.1"},
        {"phase": "Failed", "podIP": "10.0.0.1"},
        {"phase": "Running", "podIP": "fd00::1"},
    ],
)
def test_a_pod_without_an_address_of_our_family_or_that_ended_is_no_endpoint(
    status: dict[str, Any],
) -> None:
    assert endpoints_of_pods([a_pod(0, **status)], 4) == ()


def test_the_second_address_of_a_dual_stack_pod_is_found() -> None:
    pod = a_pod(0, podIP="fd00::1", podIPs=[{"ip": "fd00::1"}, {"ip": "10.0.0.1"}])

    assert endpoints_of_pods([pod], 4)[0].address == "10.0.0.1"
    assert endpoints_of_pods([pod], 6)[0].address == "fd00::1"


def test_a_pod_being_deleted_terminates_and_does_not_serve() -> None:
    deleted = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    (endpoint,) = endpoints_of_pods([a_pod(0, deleted, podIP="10.0.0.1")], 4)

    assert (endpoint.serving, endpoint.terminating) == (False, True)


# -- addresses ---------------------------------------------------------------------------------


@given(st.ip_addresses())
def test_canonical_form_is_kept_and_reached_from_every_spelling(address: object) -> None:
    text = str(address)

    assert canonical(text) == text
    assert canonical(text.upper()) == text
    assert canonical(getattr(address, "exploded")) == text  # noqa: B009 -- of both classes
    assert family(text) == (6 if ":" in text else 4)


@pytest.mark.parametrize(
    "text",
    ["", " ", "localhost", "10.0.0", "010.0.0.1", "10.0.0.1:7000", "10.0.0.1\n", "[::1]", "1"],
)
def test_what_is_no_ip_literal_is_none(text: str) -> None:
    assert canonical(text) is None


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "fe80::1%1", "fe80::1%a\nX-Replace: 10.0.0.9"]
)
def test_a_zone_means_nothing_on_another_machine_and_can_hold_any_text(text: str) -> None:
    assert canonical(text) is None
