"""What is odd about a ring, and which names can only be slips."""

import pytest

from ring.errors import InputError
from ring.model import Factor, Keyspace, Replication, RingState, Simple, Topology
from ring.remarks import refuse_slips, remarks
from tests.unit.ring.strategies import node

RING = (node(0, 0), node(1, 1), node(2, 2, dc="dc2"))


def over(**factors: int) -> Topology:
    return Topology(tuple(sorted((dc, Factor(n)) for dc, n in factors.items())))


def told(replication: Replication, name: str = "shop") -> list[str]:
    found = remarks(RingState(RING, (Keyspace(name, replication),)))
    return [str(each) for each in found]


def test_a_data_centre_without_nodes_beside_one_with_nodes_is_remarked_on() -> None:
    (remark,) = told(over(dc1=3, old=3))

    assert remark == (
        "keyspaces.shop.old: unknown data centre old: no node is there; the ring has dc1, dc2"
    )
    refuse_slips(Keyspace("shop", over(dc1=3, old=3)), {"dc1", "dc2"}, "here")


def test_a_data_centre_without_nodes_and_without_replicas_is_nothing_odd() -> None:
    assert told(over(dc1=3, old=0)) == []


@pytest.mark.parametrize(
    ("replication", "where"),
    [
        (Simple(Factor(1)), "on the ring"),
        (over(dc1=1), "in dc1"),
        (over(dc1=1, dc2=1), "in dc1"),
    ],
    ids=str,
)
def test_logins_that_hang_on_one_node_of_several_are_remarked_on(
    replication: Replication, where: str
) -> None:
    (remark,) = told(replication, "system_auth")

    assert remark.startswith(
        f"keyspaces.system_auth: one replica {where}: while its node is down"
    )
    assert told(replication, "shop") == []


@pytest.mark.parametrize("replication", [Simple(Factor(3)), over(dc1=2, dc2=1)], ids=str)
def test_logins_with_as_many_replicas_as_there_can_be_are_nothing_odd(
    replication: Replication,
) -> None:
    assert told(replication, "system_auth") == []


def test_logins_on_the_only_node_are_nothing_odd() -> None:
    keyspace = Keyspace("system_auth", Simple(Factor(1)))

    assert remarks(RingState(RING[:1], (keyspace,))) == ()


@pytest.mark.parametrize(
    ("replication", "said"),
    [
        (over(nowhere=3), "here.nowhere: unknown data centre; the ring has dc1, dc2"),
        (over(DC1=3), "here.DC1: unknown data centre DC1: is dc1 meant?"),
        (over(dc1=3, Dc2=3), "here.Dc2: unknown data centre Dc2: is dc2 meant?"),
    ],
    ids=str,
)
def test_data_centres_that_nobody_can_have_meant_are_refused(
    replication: Replication, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        refuse_slips(Keyspace("shop", replication), {"dc1", "dc2"}, "here")

    assert str(caught.value) == said
