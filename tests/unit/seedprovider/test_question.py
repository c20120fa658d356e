"""What the seed provider may ask with, and how a malformed question is told."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.model import Disk, DiskState
from seedprovider.node import BadInputError
from seedprovider.question import KNOWN, MAX_CONFIGURED, Question, parse_question

RING = str(UUID(int=0xA))
HOST = str(UUID(int=0x100))


def said_of(*pairs: tuple[str, str]) -> str:
    with pytest.raises(BadInputError) as caught:
        parse_question(pairs)
    return str(caught.value)


def test_a_new_disk_asks_with_its_state_alone() -> None:
    assert parse_question([("disk", "empty")]) == Question(Disk(DiskState.EMPTY), None, ())


def test_all_that_a_mark_says_is_taken_over() -> None:
    question = parse_question(
        [
            ("configured", "10.0.0.2, seed-a.example"),
            ("address", "10.0.0.1"),
            ("pvc", "9d7a"),
            ("host", HOST.upper()),
            ("ring", RING),
            ("disk", "member"),
        ]
    )

    assert question.disk == Disk(DiskState.MEMBER, RING, HOST, "9d7a")
    assert question.address == "10.0.0.1"
    assert question.configured == ("10.0.0.2", "seed-a.example")


@pytest.mark.parametrize("state", ["empty", "joining", "member", "left", "unmarked"])
def test_the_five_states_of_the_contract_can_be_asked_with(state: str) -> None:
    assert parse_question([("disk", state)]).disk.state == state


@pytest.mark.parametrize("state", ["", "unknown", "foreign", "EMPTY", "member "])
def test_any_other_state_is_refused_with_those_there_are(state: str) -> None:
    text = said_of(("disk", state))

    assert text == f"disk={state!r} is not one of empty, joining, member, left, unmarked"


def test_the_state_has_to_be_said() -> None:
    assert said_of().startswith("disk='' is not one of ")


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    text = said_of(("disk", "empty"), ("disc", "empty"))

    assert text == "'disc' is not one of disk, ring, host, pvc, address, configured"


@pytest.mark.parametrize("name", KNOWN)
def test_a_name_is_given_once_even_where_both_values_are_the_same(name: str) -> None:
    pairs = [("disk", "empty")] if name != "disk" else []

    assert said_of(*pairs, (name, "empty"), (name, "empty")) == f"{name} is given twice"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ring", "1"),
        ("ring", RING + "0"),
        ("host", "not-a-uuid"),
        ("address", "cassandra-0"),
        ("address", "10.0.0.1:7000"),
        ("address", "fe80::1%eth0"),
        ("address", "fe80::1%x\nX-Replace: 10.0.0.9"),
        ("pvc", "x" * 257),
        ("configured", "a b"),
        ("configured", "a,b/c"),
        ("configured", "-a"),
        ("configured", "a" * 254),
        ("configured", "a\nb"),
    ],
)
def test_a_malformed_value_is_named(name: str, value: str) -> None:
    assert said_of(("disk", "member"), (name, value)).startswith(name)


@pytest.mark.parametrize("name", ["ring", "host", "pvc", "address", "configured"])
def test_an_empty_value_says_not_known(name: str) -> None:
    assert parse_question([("disk", "empty"), (name, "")]) == parse_question(
        [("disk", "empty")]
    )


@pytest.mark.parametrize("seed", ["10.0.0.1", "::1", "fd00::1", "seed_a", "a.b-c.svc", "1a"])
def test_a_configured_seed_is_a_name_or_an_ip_literal(seed: str) -> None:
    assert parse_question([("disk", "unmarked"), ("configured", seed)]).configured == (seed,)


def test_just_as_many_configured_seeds_as_allowed_are_taken() -> None:
    names = [f"seed-{n}" for n in range(MAX_CONFIGURED)]
    question = parse_question([("disk", "unmarked"), ("configured", ",".join(names))])

    assert question.configured == tuple(names)
    assert said_of(("disk", "unmarked"), ("configured", ",".join([*names, "more"]))) == (
        f"configured names more than {MAX_CONFIGURED} seeds"
    )


def test_gaps_between_configured_seeds_are_passed_over() -> None:
    question = parse_question([("disk", "unmarked"), ("configured", " a,, b ,")])

    assert question.configured == ("a", "b")


texts = st.text(max_size=300)


@given(st.lists(st.tuples(st.sampled_from(KNOWN) | texts, texts), max_size=8))
def test_any_query_is_a_question_or_one_short_reason(pairs: list[tuple[str, str]]) -> None:
    try:
        text = str(parse_question(pairs).disk.state)
    except BadInputError as error:
        text = str(error)

    assert text != DiskState.UNKNOWN
    assert len(text) < 1200
