"""Which rack a node gets: from its disk, from the ring, from the zones, in this order."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seedprovider.model import Disk, DiskState, Entry, EntryState, PodName
from seedprovider.racks import (
    Ask,
    Fact,
    Node,
    Rack,
    Refused,
    Situation,
    choose_rack,
    rack_name,
    rack_text,
    recorded_rack,
)
from tests.fakes.situations import EMPTY, disk, entry, pod

HERE = "node-0"
MEMBER = disk(0)


def nodes(*zones: str | None, control: str | None = None) -> tuple[Node, ...]:
    """Give a node in each zone, ours in the first; with `control` one that is tainted."""
    plain = tuple(Node(f"node-{n}", zone) for n, zone in enumerate(zones))
    return plain if control is None else (*plain, Node("control", control, control_plane=True))


def ledger(*entries: Entry) -> dict[PodName, Entry]:
    return {each.pod: each for each in entries}


def member(n: int, rack: str | None, state: EntryState = EntryState.MEMBER) -> Entry:
    return replace(entry(n, state=state), rack=rack)


def asked(**known: Any) -> Rack | Refused | Ask:  # noqa: ANN401 -- any field
    usual = {"pod": pod(0), "node": HERE, "disk": EMPTY, "configured": "rack1"}
    return choose_rack(Situation(**{**usual, **known}))


def given_blank(*zones: str | None, beside: tuple[Entry, ...] = (), **known: Any) -> object:  # noqa: ANN401
    return asked(**{"ledger": ledger(*beside), "nodes": nodes(*zones), **known})


def chosen(result: object) -> tuple[str, bool]:
    assert isinstance(result, Rack), result
    return result.name, result.record


def warned(result: object) -> str:
    assert isinstance(result, Rack), result
    return "\n".join(result.warnings)


def refused(result: object) -> str:
    assert isinstance(result, Refused), result
    return result.why


# -- what the disk says ------------------------------------------------------------------------


@pytest.mark.parametrize("state", set(DiskState) - {DiskState.UNKNOWN})
def test_a_disk_keeps_its_first_rack(state: DiskState) -> None:
    result = asked(disk=Disk(state), recorded="a", own=Node(HERE, "a"))

    assert chosen(result) == ("a", False)
    assert warned(result) == ""


def test_a_disk_in_another_zone_than_its_rack_keeps_it_with_a_warning() -> None:
    result = asked(disk=MEMBER, recorded="a", own=Node(HERE, "b"))

    assert chosen(result) == ("a", False)
    assert "node node-0 is in zone b" in warned(result)


def test_a_recorded_rack_is_compared_with_the_zone_only_if_that_can_be_had_at_once() -> None:
    assert asked(disk=MEMBER, recorded="a") == Ask(Fact.OWN_NODE, needed=False)
    away = asked(disk=MEMBER, recorded="a", in_vain=frozenset({Fact.OWN_NODE}))
    assert (chosen(away), warned(away)) == (("a", False), "")


def test_a_recorded_rack_that_is_the_configured_one_is_not_compared_with_zones() -> None:
    assert chosen(asked(disk=MEMBER, recorded="rack1")) == ("rack1", False)


def test_a_disk_that_cannot_be_read_gets_no_rack_at_all() -> None:
    assert "cannot be read" in refused(asked(disk=Disk(DiskState.UNKNOWN), fixed="a"))


# -- a fixed rack ------------------------------------------------------------------------------


def test_a_fixed_rack_needs_nothing_else_and_is_recorded_on_a_blank_disk() -> None:
    assert chosen(asked(fixed="a")) == ("a", True)
    assert chosen(asked(fixed="a", recorded="a")) == ("a", False)


def test_a_fixed_rack_is_not_recorded_on_a_disk_that_may_have_begun_with_another() -> None:
    assert chosen(asked(fixed="a", disk=MEMBER)) == ("a", False)


@pytest.mark.parametrize(("held", "way_out"), [(MEMBER, "decommission"), (EMPTY, "deleted")])
def test_a_fixed_rack_never_moves_a_disk(held: Disk, way_out: str) -> None:
    why = refused(asked(fixed="a", disk=held, recorded="b"))

    assert "SEEDPROVIDER_RACK=a" in why
    assert "first rack is b" in why
    assert way_out in why


# -- data from before --------------------------------------------------------------------------


def test_an_adopted_disk_keeps_the_configured_rack_and_gets_no_record() -> None:
    held = Disk(DiskState.UNMARKED)

    assert asked(disk=held) == Ask(Fact.LEDGER, needed=False)
    assert chosen(asked(disk=held, ledger={})) == ("rack1", False)
    assert chosen(asked(disk=held, in_vain=frozenset({Fact.LEDGER}))) == ("rack1", False)


def test_a_member_without_a_record_is_in_the_rack_that_the_ledger_has_it_in() -> None:
    result = asked(disk=MEMBER, ledger=ledger(member(0, "a")))

    assert chosen(result) == ("a", False)
    assert "the settings say rack1" in warned(result)


@pytest.mark.parametrize(
    "other",
    [
        replace(member(1, "a"), pod=pod(0)),
        member(0, "a", EntryState.JOINING),
        member(0, "a", EntryState.LEFT),
        member(0, None),
        replace(member(0, "a"), host_id=None),
    ],
)
def test_an_entry_that_is_not_of_this_disks_member_says_nothing_of_its_rack(
    other: Entry,
) -> None:
    for held in (MEMBER, Disk(DiskState.UNMARKED)):
        assert chosen(asked(disk=held, ledger=ledger(other))) == ("rack1", False)


def test_an_adopted_disk_whose_rack_nothing_names_is_refused() -> None:
    why = refused(asked(disk=MEMBER, ledger={}, configured=None))

    assert "set SEEDPROVIDER_RACK" in why


def test_a_strange_rack_of_an_adopted_ring_is_left_as_it_is() -> None:
    assert chosen(asked(disk=MEMBER, ledger={}, configured="RAC 1")) == ("RAC 1", False)


# -- a lost disk -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [EntryState.MEMBER, EntryState.JOINING])
def test_a_lost_disk_is_replaced_in_the_rack_that_its_host_was_in(state: EntryState) -> None:
    assert chosen(asked(ledger=ledger(member(0, "b", state)))) == ("b", True)


@pytest.mark.parametrize(
    "own",
    [
        member(0, "b", EntryState.LEFT),
        member(0, None),
        replace(member(0, "b", EntryState.JOINING), host_id=None),
    ],
)
def test_a_pod_that_replaces_nobody_gets_the_rack_of_a_new_node(own: Entry) -> None:
    assert chosen(given_blank("a", "b", "c", beside=(own,))) == ("a", True)


# -- a new node in a ring that does not use zones ----------------------------------------------


def test_a_new_node_joins_the_one_rack_of_a_ring_that_has_no_zones_for_racks() -> None:
    result = given_blank("a", "b", "c", beside=(member(1, "rack1"), member(2, "rack1")))

    assert chosen(result) == ("rack1", True)
    assert "zones are not used here" in warned(result)


def test_among_several_racks_that_are_no_zones_somebody_has_to_choose() -> None:
    beside = (member(1, "r1"), member(2, "r2"))

    assert "set SEEDPROVIDER_RACK" in refused(given_blank("a", "b", "c", beside=beside))
    told = given_blank("a", "b", "c", beside=beside, override="r2", configured="r2")
    assert chosen(told) == ("r2", True)


@pytest.mark.parametrize("state", [EntryState.JOINING, EntryState.LEFT])
def test_only_members_say_what_the_racks_of_the_ring_are(state: EntryState) -> None:
    beside = (member(1, "rack1", state), member(2, None))

    assert chosen(given_blank("a", "b", "c", beside=beside)) == ("a", True)


# -- a new node and the zones ------------------------------------------------------------------


@pytest.mark.parametrize("zones", ["a", "abc", "abcd", "aabbcc"])
def test_zones_are_racks_where_there_is_one_or_three_and_more(zones: str) -> None:
    result = given_blank(*zones)

    assert chosen(result) == ("a", True)
    assert warned(result) == ""


def test_without_zones_the_configured_rack_is_taken_and_recorded() -> None:
    assert chosen(given_blank(None, None)) == ("rack1", True)


def test_two_zones_are_no_racks_unless_they_are_asked_for() -> None:
    result = given_blank("a", "b")

    assert chosen(result) == ("rack1", True)
    assert "SEEDPROVIDER_TWO_RACKS=yes" in warned(result)
    assert chosen(given_blank("a", "b", two_racks=True)) == ("a", True)


def test_a_ring_that_has_zones_for_racks_goes_on_so_when_only_two_are_left() -> None:
    assert chosen(given_blank("a", "b", beside=(member(1, "b"),))) == ("a", True)


def test_nodes_of_the_control_plane_do_not_make_a_third_zone() -> None:
    assert chosen(given_blank("a", nodes=nodes("a", "b", control="c"))) == ("rack1", True)
    own = (Node(HERE, "c", control_plane=True), *nodes("x", "a", "b")[1:])
    assert chosen(given_blank("a", nodes=own)) == ("c", True)


def test_a_node_without_a_zone_among_others_with_one_is_refused() -> None:
    why = refused(given_blank(None, "a", "b", "c"))

    assert "node node-0 has no label topology.kubernetes.io/zone" in why


def test_a_node_that_is_not_among_the_nodes_is_refused() -> None:
    assert "SEEDPROVIDER_NODE_SELECTOR" in refused(given_blank("a", node="elsewhere"))


def test_the_first_node_of_a_rack_in_a_grown_ring_is_warned_of_its_load() -> None:
    grown = tuple(member(n, "b") for n in (1, 2, 3))

    assert "beside 3 members" in warned(given_blank("a", "b", "c", beside=grown))
    assert warned(given_blank("a", "b", "c", beside=grown[:2])) == ""


def test_a_blank_disk_is_never_given_a_rack_that_nothing_names() -> None:
    assert "set SEEDPROVIDER_RACK" in refused(given_blank(None, configured=None))


# -- what would write over the choice ----------------------------------------------------------


@pytest.mark.parametrize("known", [{"fixed": "a"}, {"recorded": "a"}, {}])
def test_a_rack_that_the_entrypoint_would_write_over_is_refused(known: dict[str, Any]) -> None:
    why = refused(
        given_blank("a", "b", "c", own=Node(HERE, "a"), override="r", configured="r", **known)
    )

    assert "CASSANDRA_RACK=r" in why
    assert "remove it" in why


def test_a_rack_that_cannot_be_written_safely_is_refused() -> None:
    assert "cannot be written" in refused(given_blank(None, configured="RAC 1"))


@given(
    st.builds(
        Situation,
        pod=st.just(pod(0)),
        node=st.just(HERE),
        disk=st.just(EMPTY),
        fixed=st.sampled_from(["", "a"]),
        configured=st.sampled_from(["rack1", "a"]),
        override=st.just(""),
        two_racks=st.booleans(),
        ledger=st.lists(
            st.builds(member, st.integers(0, 4), st.sampled_from([None, "a", "rack1"]))
        ).map(lambda entries: ledger(*entries)),
        own=st.builds(Node, st.just(HERE), st.sampled_from([None, "a", "b"])),
        nodes=st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=1).map(
            lambda z: nodes(*z)
        ),
    )
)
def test_a_choice_once_recorded_is_the_same_whatever_becomes_of_the_cluster(
    situation: Situation,
) -> None:
    first = choose_rack(situation)
    assume(isinstance(first, Rack) and first.record)
    assert isinstance(first, Rack)
    later = replace(
        situation, disk=MEMBER, recorded=first.name, ledger={}, nodes=(), own=Node(HERE, "z")
    )

    assert chosen(choose_rack(later)) == (first.name, False)


# -- names and the file ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "a b", "a/b", "a&b", "a\\b", "ä", "a" * 65, "a\n"])
def test_a_name_that_sed_or_a_properties_file_would_change_is_no_rack(text: str) -> None:
    with pytest.raises(ValueError, match="a rack name"):
        rack_name(text)


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_the_rack_file_gives_back_what_was_written(rack: str) -> None:
    assert recorded_rack(rack_text(rack_name(rack)).encode()) == rack


@pytest.mark.parametrize(
    "content", [b"", b"rack=", b"rack=a", b"rack=a\nrack=b\n", b"\xffrack=a\n", b"rack= a\n"]
)
def test_a_rack_file_that_is_not_as_written_is_an_error_and_not_a_missing_one(
    content: bytes,
) -> None:
    with pytest.raises(ValueError, match="rack=NAME"):
        recorded_rack(content)
