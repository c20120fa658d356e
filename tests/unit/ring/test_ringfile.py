"""Ring files: read with care, written back the same, mistakes told with their place."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ring.errors import InputError
from ring.jsonkeys import repeated_key
from ring.model import Factor, Keyspace, Liveness, Local, Mode, RingState, Simple, Topology
from ring.ringfile import dump, parse
from tests.unit.ring.strategies import node, states

HOST = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"


def form(**changes: object) -> dict[str, Any]:
    fields = {
        "host_id": HOST,
        "address": "10.0.0.1",
        "dc": "dc1",
        "rack": "r1",
        "state": "UN",
        "tokens": ["-42"],
    }
    return fields | changes


def read(nodes: list[dict[str, Any]], **keyspaces: dict[str, Any]) -> RingState:
    return parse(json.dumps({"nodes": nodes, "keyspaces": keyspaces}).encode())


@given(states(moving=True))
def test_what_is_written_is_read_back_the_same(state: RingState) -> None:
    known = set(state.dcs)
    kept = [
        each
        for each in state.keyspaces
        if not isinstance(each.replication, Topology)
        or known & set(dict(each.replication.factors))  # else it is refused, see below
    ]
    state = replace(state, keyspaces=tuple(kept))

    assert parse(dump(state)) == state


def test_everything_that_a_node_can_say_is_kept() -> None:
    state = RingState(
        (
            node(0, -42, mode=Mode.MOVING, moving_to=7, kubernetes_node="worker-1"),
            node(1, 5, liveness=Liveness.DOWN),
            node(2, 5, mode=Mode.JOINING, replaces=node(1).host_id),
        ),
        (
            Keyspace("a", Simple(Factor(2))),
            Keyspace("b", Topology((("dc1", Factor(3, 1)),))),
            Keyspace("c", Local()),
        ),
    )

    assert parse(dump(state)) == state


def test_a_node_without_a_state_is_unknown_not_up() -> None:
    fields = form()
    del fields["state"]

    assert read([fields]).nodes[0].liveness is Liveness.UNKNOWN


def test_a_factor_for_every_data_centre_is_spread_as_cassandra_does_at_creation() -> None:
    nodes = [form(), form(host_id=OTHER, dc="dc2", tokens=["1"])]
    options = {"class": "NetworkTopologyStrategy", "replication_factor": "3", "dc2": "1"}

    assert read(nodes, ks=options).keyspaces[0].replication == Topology(
        (("dc1", Factor(3)), ("dc2", Factor(1)))
    )


def test_fully_qualified_strategies_are_known_too() -> None:
    options = {"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": 2}

    assert read([form()], ks=options).keyspaces[0].replication == Simple(Factor(2))


NTS = "NetworkTopologyStrategy"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no JSON: the file is empty"),
        (b" \n", "no JSON: the file is empty"),
        (b'{"nodes": [\n  {"ho', "line 2, column 7: no JSON: it ends in the middle of a value"),
        (b'{"nodes": [], "old": [[{"a": 1}, {"b": 2, "b": 3}]]}', "old[0][1].b: this key is"),
        (b'{"nodes": [\n  {,}]}', "line 2, column 4: no JSON"),
        (b"\xff", "line 1"),
        (b'{"old":' + b"[" * 100_000, "no JSON: it is nested beyond all use"),
        (
            b'{"nodes": [], "old":' + b"[" * 990 + b"]" * 990 + b"}",
            "it is nested beyond all use",
        ),
        (b"[]", "Expected object"),
        (b"{}", "missing required field nodes"),
        (b'{"nodes": []}', "nodes: the ring is empty"),
        (b'{"nodes": [{}]}', "nodes[0]: Object missing required field host_id"),
    ],
)
def test_what_is_no_ring_file_is_refused_with_its_line(text: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host_id": "me"}, "nodes[1].host_id: 'me' is not a UUID"),
        ({"host_id": HOST}, f"nodes[1].host_id: {HOST} is nodes[0] already"),
        ({"tokens": ["7", "-42"]}, "nodes[1].tokens[1]: token -42 is of nodes[0] already"),
        ({"tokens": ["5", "5"]}, "nodes[1].tokens[1]: token 5 is of nodes[1] already"),
        ({"tokens": ["five"]}, "nodes[1].tokens[0]: no token"),
        ({"tokens": ["9223372036854775808"]}, "nodes[1].tokens[0]: no token"),
        ({"tokens": "5"}, "nodes[1].tokens: Expected array"),
        ({"state": "XN"}, "nodes[1].state: 'XN' is not"),
        ({"dc": ""}, "nodes[1].dc"),
        ({"moving_to": "1"}, "nodes[1].moving_to: a node in state UN does not move"),
        ({"state": "UM", "moving_to": "-42"}, "nodes[1].moving_to: token -42 is taken"),
        ({"replaces": HOST}, "nodes[1].replaces: a node in state UN replaces none"),
        (
            {"state": "UJ", "replaces": "00000000-0000-0000-0000-000000000009"},
            "nodes[1].replaces: no node is",
        ),
    ],
)
def test_a_wrong_node_is_told_with_its_place(changes: dict[str, Any], said: str) -> None:
    other: dict[str, Any] = {"host_id": OTHER, "tokens": ["1"]}

    with pytest.raises(InputError) as caught:
        read([form(), form(**(other | changes))])

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"class": NTS, "dc1": "many"}, "keyspaces.ks.dc1: 'many' is not a replication factor"),
        ({"class": NTS, "dc1": "-1"}, "keyspaces.ks.dc1: '-1' is not a replication factor"),
        ({"class": NTS, "dc1": "3/3"}, "keyspaces.ks.dc1: 3 transient replicas of 3"),
        ({"class": NTS, "nowhere": "3"}, "keyspaces.ks.nowhere: unknown data centre"),
        ({"class": NTS, "DC1": "3", "dc1": "3"}, "keyspaces.ks.DC1: unknown data centre DC1"),
        ({"class": NTS}, "keyspaces.ks: NetworkTopologyStrategy names no data centre"),
        ({"class": "SimpleStrategy"}, "keyspaces.ks: SimpleStrategy needs"),
        ({"class": "SimpleStrategy", "replication_factor": "x"}, "keyspaces.ks.replication_f"),
        (
            {"class": "SimpleStrategy", "replication_factor": "1", "dc1": "3"},
            "keyspaces.ks.dc1",
        ),
        ({"class": "OldStrategy"}, "keyspaces.ks.class: OldStrategy is no replication"),
        ({"dc1": "3"}, "keyspaces.ks: the replication has no class"),
    ],
)
def test_a_wrong_keyspace_is_told_with_its_place(options: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read([form()], ks=options)

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"class": NTS, "dc1": True}, "keyspaces.ks.dc1"),
        ({"class": NTS, "dc1": 3.5}, "keyspaces.ks.dc1"),
        ({"class": NTS, "dc1": None}, "keyspaces.ks.dc1"),
        ({"class": ["x"], "dc1": "3"}, "keyspaces.ks.class"),
        (3, "keyspaces.ks"),
        (None, "keyspaces.ks"),
    ],
)
def test_an_option_of_the_wrong_type_is_told_with_its_place(
    options: object, place: str
) -> None:
    with pytest.raises(InputError) as caught:
        read([form()], ks=options)  # type: ignore[arg-type]

    assert caught.value.place == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"nodes": [NODE], "nodes": [NODE]}', "nodes"),
        ('{"nodes": [NODE, {"tokens": [], "dc": "a", "tokens": []}]}', "nodes[1].tokens"),
        ('{"nodes": [NODE], "keyspaces": {"ks": {}, "ks": {}}}', "keyspaces.ks"),
        (
            '{"nodes": [NODE], "keyspaces": {"ks": {"dc1": 1, "dc\\u0031": 2}}}',
            "keyspaces.ks.dc1",
        ),
    ],
)
def test_a_key_that_is_there_twice_is_told_with_its_place(text: str, place: str) -> None:
    data = text.replace("NODE", json.dumps(form())).encode()

    assert repeated_key(data) == place


def test_keys_are_repeated_only_within_one_object() -> None:
    assert repeated_key(b'{"a": {"a": [{"a": 1}, {"a": 1}]}, "b": 1e999}') is None


def test_a_ring_that_only_joining_nodes_are_in_is_empty() -> None:
    with pytest.raises(InputError, match="no node owns a token"):
        read([form(state="UJ")])


def test_two_data_centres_may_differ_in_case_alone() -> None:
    nodes = [form(), form(host_id=OTHER, dc="DC1", tokens=["1"])]
    options = {"class": NTS, "dc1": "1", "DC1": "1"}

    assert len(read(nodes, ks=options).keyspaces) == 1
