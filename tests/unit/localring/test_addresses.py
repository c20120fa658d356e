import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

import pytest

from localring.addresses import claimed_range
from localring.errors import StageError

LAB = IPv4Network("127.62.8.0/22")


def in_turn(networks: Sequence[IPv4Network]) -> IPv4Network:
    """Always the first: what is taken has to be noticed."""
    return networks[0]


def test_two_rings_at_once_get_two_ranges() -> None:
    with claimed_range((), LAB) as one, claimed_range((), LAB) as other:
        assert one.network != other.network


def test_a_range_in_which_somebody_listens_is_passed_over() -> None:
    order = iter(LAB.subnets(new_prefix=24))
    with (
        socket.create_server(("127.62.8.77", 0)),
        claimed_range((), LAB, lambda _: next(order)) as it,
    ):
        assert it.network == IPv4Network("127.62.9.0/24")


def test_when_every_range_is_taken_it_says_so() -> None:
    one = IPv4Network("127.62.12.0/24")
    with (
        claimed_range((), one),
        pytest.raises(StageError, match="no free /24"),
        claimed_range((), one),
    ):
        pass


def test_a_port_that_is_taken_on_all_addresses_is_named() -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:  # noqa: S104 -- what is tested
        port = everywhere.getsockname()[1]
        with (
            pytest.raises(StageError, match=f"port {port} is taken"),
            claimed_range((port,), LAB),
        ):
            pass


def test_addresses_are_within_the_range() -> None:
    with claimed_range((), IPv4Network("127.62.13.0/24"), in_turn) as it:
        assert it.host(7) == IPv4Address("127.62.13.7")
        with pytest.raises(StageError):
            it.host(254)
