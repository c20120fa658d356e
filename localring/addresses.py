"""Loopback addresses: a range of its own for each ring, so that two rings at once never meet.

Every address in 127.0.0.0/8 can be bound without any set-up.  A range is a /24; a ring claims
one by binding a socket in it, which the kernel undoes with the process.
"""

import errno
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from localring.errors import StageError

NETWORKS = IPv4Network("127.64.0.0/10")  # 127.64 to 127.127: far from 127.0.0.1 and 127.0.1.1
CLAIM_HOST = 254
CLAIM_PORT = 7
TRIES = 64
LISTENING = "0A"  # st in /proc/net/tcp

Choose = Callable[[Sequence[IPv4Network]], IPv4Network]


@dataclass(frozen=True, slots=True)
class Range:
    """A claimed /24.

    Attributes:
        network: the /24.

    """

    network: IPv4Network

    def host(self, number: int) -> IPv4Address:
        """Return the address that ends in ``number``, 1 to 253."""
        if not 1 <= number < CLAIM_HOST:
            raise StageError(f"no address {number} in {self.network}")
        return self.network[number]


@contextmanager
def claimed_range(
    ports: Sequence[int],
    within: IPv4Network = NETWORKS,
    choose: Choose = random.choice,
) -> Iterator[Range]:
    """Claim a /24 of ``within`` in which nothing listens, for the length of the context.

    Raises:
        StageError: one of ``ports`` is taken by a process that listens on all addresses, or no
            range is free.

    """
    networks = list(within.subnets(new_prefix=24))
    for _ in range(TRIES):
        network = choose(networks)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as claim:
            if not _bind(claim, network[CLAIM_HOST], CLAIM_PORT) or _listeners(network):
                continue
            for port in ports:
                _check_free(network[1], port)
            yield Range(network)
            return
    raise StageError(f"no free /24 found in {within} after {TRIES} tries")


def _bind(bound: socket.socket, address: IPv4Address, port: int) -> bool:
    try:
        bound.bind((str(address), port))
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            return False
        raise StageError(f"cannot bind {address}: {error.strerror}") from error
    return True


def _check_free(address: IPv4Address, port: int) -> None:
    """Nothing listens in the range, so only a wildcard listener can be in the way."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if not _bind(probe, address, port):
            raise StageError(
                f"port {port} is taken on every address (0.0.0.0) by another process; "
                f"`ss -tlnp 'sport = :{port}'` shows which"
            )


def _listeners(network: IPv4Network) -> list[IPv4Address]:
    """Return who listens in ``network``; /proc/net/tcp has addresses in little-endian hex."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    local = (row[1].partition(":")[0] for row in rows if row[3] == LISTENING)
    addresses = (IPv4Address(bytes.fromhex(text)[::-1]) for text in local)
    return [address for address in addresses if address in network]
