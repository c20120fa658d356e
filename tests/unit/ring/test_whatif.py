"""What the words of `ring whatif` do to a ring, and which words are refused."""

import pytest

from ring.errors import InputError, UnknownNodeError
from ring.model import Factor, Keyspace, Liveness, Local, Topology
from ring.whatif_options import Change, changed, handing_over
from tests.unit.ring.rings import STEP, six
from tests.unit.ring.strategies import host, node

DOWN, UNKNOWN = Liveness.DOWN, Liveness.UNKNOWN


def test_draining_a_machine_stops_all_that_run_on_it() -> None:
    after = changed(six(), Change(drain=("worker-1",)))

    assert [each.liveness for each in after.nodes] == [Liveness.UP, Liveness.DOWN] * 3


def test_words_that_name_nothing_are_refused() -> None:
    for change in (
        Change(stop=("10.9.9.9",)),
        Change(drain=("worker-9",)),
        Change(stop_rack=("dc1/z",)),
        Change(lose_dc=("dc9",)),
        Change(alter=("other=SimpleStrategy,replication_factor:1",)),
    ):
        with pytest.raises(UnknownNodeError):
            changed(six(), change)


@pytest.mark.parametrize(
    "change",
    [
        Change(stop_rack=("dc1",)),
        Change(stop=("",)),
        Change(drain=("",)),
        Change(add=("dc1",)),
        Change(add=(f"dc1/a={-3 * STEP}",)),
        Change(add=("dc1/a=9223372036854775808",)),
        Change(alter=("shop",)),
        Change(alter=("shop=SimpleStrategy,three",)),
        Change(alter=("shop=NetworkTopologyStrategy,dc1:3,dc1:5",)),
        Change(alter=("shop=NetworkTopologyStrategy,DC1:3",)),
        Change(alter=("shop=NetworkTopologyStrategy,elsewhere:3",)),
        Change(alter=("shop=LocalStrategy",)),
        Change(alter=("shop=EverywhereStrategy", "shop=EverywhereStrategy")),
        Change(remove=tuple(f"10.0.0.{n}" for n in range(6))),
    ],
    ids=str,
)
def test_words_that_are_not_formed_well_are_refused(change: Change) -> None:
    with pytest.raises(InputError):
        changed(six(), change)


@pytest.mark.parametrize("token", ["many", "1_0", " 7", "7 ", "+7", "٣", "", "7.0", "0x7"])
def test_a_token_is_a_whole_number_in_plain_digits(token: str) -> None:
    with pytest.raises(InputError, match=r"--add: .* is no token"):
        changed(six(), Change(add=(f"dc1/a=1,{token}",)))


def test_words_that_name_nothing_are_told_with_their_option() -> None:
    with pytest.raises(UnknownNodeError, match=r"^--drain: no node is on worker-9$"):
        changed(six(), Change(drain=("worker-9",)))


@pytest.mark.parametrize(
    "change",
    [
        Change(remove=("10.0.0.1",), stop=("10.0.0.1",)),
        Change(remove=("10.0.0.1",), stop=(str(host(1)),)),
        Change(decommission=("10.0.0.1",), stop=("10.0.0.1",)),
        Change(decommission=("10.0.0.1",), remove=("10.0.0.1",)),
        Change(remove=("10.0.0.0", "10.0.0.3"), stop_rack=("dc1/a",)),
    ],
    ids=str,
)
def test_what_is_gone_cannot_be_down_as_well(change: Change) -> None:
    with pytest.raises(InputError, match="leave out one"):
        changed(six(), change)


def test_the_rest_of_a_rack_can_be_down_while_one_of_it_is_gone() -> None:
    after = changed(six(), Change(remove=("10.0.0.0",), stop_rack=("dc1/a",)))

    assert [each.host_id for each in after.nodes if each.liveness is DOWN] == [host(3)]


def test_a_node_that_is_down_has_no_way_to_hand_over_what_it_holds() -> None:
    state = six(seen={1: DOWN, 2: UNKNOWN})

    assert handing_over(state, Change(decommission=("10.0.0.2",))) == {host(2)}
    with pytest.raises(InputError, match=r"--decommission: 10.0.0.1 is down .* ask --remove"):
        changed(state, Change(decommission=("10.0.0.1",)))


def test_a_keyspace_can_be_altered_to_a_data_centre_that_is_added_with_it() -> None:
    words = "shop=NetworkTopologyStrategy,dc2:1"
    after = changed(six(), Change(add=("dc2/a",), alter=(words,)))

    assert after.keyspaces == (Keyspace("shop", Topology((("dc2", Factor(1)),))),)


def test_nothing_is_altered_that_is_not_on_the_ring() -> None:
    with pytest.raises(InputError, match="LocalStrategy"):
        changed(
            six(keyspace=Keyspace("own", Local())),
            Change(alter=("own=SimpleStrategy,replication_factor:1",)),
        )


def test_a_node_can_be_named_by_its_host_id_in_capitals() -> None:
    state = six()
    hexadecimal = node(0xABCDEF - 1, 7)
    after = changed(
        type(state)((*state.nodes, hexadecimal), state.keyspaces),
        Change(stop=(str(hexadecimal.host_id).upper(),)),
    )

    assert after.nodes[-1].liveness is DOWN


def test_an_added_node_gets_tokens_that_nobody_has() -> None:
    after = changed(six(), Change(add=("dc1/a", "dc1/b")))
    tokens = [token for each in after.nodes for token in each.tokens]

    assert len(set(tokens)) == len(tokens) == 8
