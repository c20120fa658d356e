"""How fast placement, ownership, health and what-if are, against Cassandra and the driver.

All in one run, on the same random topologies: Cassandra's own classes in a warmed-up JVM
(`tests/oracle`), cassandra-driver's token map, and ours.  Reading the ring into each one's own
form is not measured.  ``--memory FILE`` is the child process whose peak memory is told.
"""

import argparse
import gc
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from cassandra.metadata import Murmur3Token, NetworkTopologyStrategy
from cassandra.policies import SimpleConvictionPolicy
from cassandra.pool import Host

from bench.figures import Figure, at_most, median_of, paired_ratio, publish, ratio
from ring.health import Assessor
from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    Factor,
    HostId,
    Keyspace,
    Liveness,
    Node,
    Replication,
    RingState,
    Simple,
    Topology,
)
from ring.ownership import effective_shares
from ring.placement import Planner
from ring.ringfile import dump, parse
from ring.tokens import TokenRing, token_ring
from ring.verdicts import each_stopped
from tests.oracle.oracle import Oracle, oracle

DCS = 3
WARM_UP = 2  # rounds of the JVM that do not count; C2 has compiled everything after one
ROUNDS = 9
OUR_ROUNDS = 15
SLOW_ROUNDS = 3  # of what takes seconds
MIB = 2**20

T = TypeVar("T")


def rf(*replicas: int) -> Topology:
    """Return NetworkTopologyStrategy with these factors."""
    return Topology(tuple((f"dc{i}", Factor(n)) for i, n in enumerate(replicas) if n))


FIVE: tuple[Replication, ...] = (
    rf(3, 3, 3),
    rf(3, 2),
    rf(5, 5, 5),
    Simple(Factor(3)),
    rf(0, 0, 1),
)
HUNDRED = tuple(Keyspace(f"ks{i}", FIVE[i % len(FIVE)]) for i in range(100))


def nodes_of(rng: random.Random, count: int, tokens: int, racks: int) -> list[Node]:
    """Return nodes spread over data centres and racks, with random tokens."""
    drawn: set[int] = set()
    while len(drawn) < count * tokens:
        drawn.add(rng.randint(MIN_TOKEN + 1, MAX_TOKEN))
    pool = list(drawn)
    rng.shuffle(pool)
    return [
        Node(
            host_id=HostId(UUID(int=n + 1)),
            dc=f"dc{n % DCS}",
            rack=f"rack{n // DCS % racks}",
            tokens=tuple(pool[n * tokens : (n + 1) * tokens]),
        )
        for n in range(count)
    ]


def timed(
    work: Callable[[T], object], given: Callable[[], T], rounds: int = ROUNDS
) -> list[float]:
    """Return seconds for each round after a first one that does not count.

    What is worked on is made anew for each round, outside of the clock, so that nothing is
    remembered from the round before.
    """
    return [once(work, given()) for _ in range(rounds + 1)][1:]


def by_turns(
    first: Callable[[], float], second: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Return the seconds of two works that take turns, after one round that does not count."""
    rounds = [(first(), second()) for _ in range(ROUNDS + 1)][1:]
    return [one for one, _ in rounds], [other for _, other in rounds]


def once(work: Callable[[T], object], given: T) -> float:
    """Return the seconds of one round."""
    gc.collect()
    start = time.perf_counter()
    work(given)
    return time.perf_counter() - start


def unread(ring: TokenRing) -> Callable[[], TokenRing]:
    """Return a maker of rings of which nothing has been computed yet."""
    return lambda: replace(ring)


def ours(ring: TokenRing, replication: Replication) -> None:
    """Compute all replicas in order and every node's effective share, from nothing."""
    placement = Planner(ring).place(replication)
    _ = placement.replicas
    effective_shares(placement)


def driver(nodes: Sequence[Node], replication: Topology) -> Callable[[], object]:
    """Return the driver's replica map, ready to be computed."""
    owner = {}
    for n, node in enumerate(nodes):
        host = Host(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", SimpleConvictionPolicy)
        host.set_location_info(node.dc, node.rack)
        owner.update({Murmur3Token(token): host for token in node.tokens})
    strategy = NetworkTopologyStrategy({dc: str(factor) for dc, factor in replication.factors})
    ring = sorted(owner)
    return lambda: strategy.make_token_replica_map(owner, ring)


def java(
    cassandra: Oracle, nodes: list[Node], replication: Topology, rounds: int
) -> list[float]:
    """Return seconds of effective ownership, which places every token first."""
    cassandra.load(nodes, [Keyspace("ks", replication)])
    return [owning for _, owning in cassandra.times("ks", WARM_UP + rounds)][WARM_UP:]


def peers(
    cassandra: Oracle,
    nodes: list[Node],
    size: str,
    rounds: int,
    least: tuple[float, float] | None,
) -> list[Figure]:
    """Compare one ring with both peers; our own figure comes first."""
    three = rf(3, 3, 3)
    theirs = java(cassandra, nodes, three, rounds)  # first: while it starts, it takes a core
    replica_map = driver(nodes, three)
    drivers = timed(lambda _: replica_map(), lambda: None, rounds)
    mine = timed(lambda ring: ours(ring, three), unread(token_ring(nodes)), OUR_ROUNDS)
    figures = [
        median_of(f"{size}: ours", mine),
        median_of(f"{size}: Cassandra's Java", theirs),
        median_of(f"{size}: cassandra-driver, map alone", drivers),
    ]
    if least:
        java_times = ratio(f"{size}: faster than Java", theirs, mine)
        driver_times = ratio(f"{size}: faster than the driver", drivers, mine)
        figures += [java_times.at_least(least[0]), driver_times.at_least(least[1])]
    return figures


def other_racks(rng: random.Random, base: Callable[[], TokenRing]) -> list[Figure]:
    """Measure factors that are not the number of racks, against the ring where they are."""
    figures = []
    for factor, racks in ((3, 2), (3, 5), (5, 3)):
        other = unread(token_ring(nodes_of(rng, 1000, 256, racks)))
        times, like = by_turns(
            lambda n=factor, ring=other: once(lambda own: ours(own, rf(n, n, n)), ring()),
            lambda: once(lambda own: ours(own, rf(3, 3, 3)), base()),
        )
        name = f"RF {factor} on {racks} racks"
        figures.append(median_of(name, times))
        figures.append(paired_ratio(f"{name}, against RF 3 on 3", times, like).at_most(2))
    return figures


def health(nodes: list[Node]) -> list[Figure]:
    """Measure the health of 100 keyspaces on the large ring, and what follows a change."""
    states = {0: Liveness.DOWN, 1: Liveness.UNKNOWN}
    seen = [each.as_liveness(states.get(n % 50, Liveness.UP)) for n, each in enumerate(nodes)]
    ring = unread(token_ring(seen))
    five, fresh = by_turns(
        lambda: once(place_five, ring()),
        lambda: once(lambda own: Assessor(seen, own).health(HUNDRED), ring()),
    )
    assessor = Assessor(seen)
    assessor.health(HUNDRED)
    changed = [*seen[:2], seen[2].as_liveness(Liveness.DOWN), *seen[3:]]
    change = timed(lambda _: assessor.health(HUNDRED, changed), lambda: None)
    state = RingState(tuple(seen), HUNDRED)
    each = timed(lambda state: each_stopped(state, []), lambda: state)
    name = "health of 100 keyspaces, all levels"
    return [
        median_of("five placements", five),
        median_of(name, fresh),
        paired_ratio(f"{name}, against five placements", fresh, five).at_most(1.2),
        median_of("one node changed: health of 100 keyspaces", change).at_most(50),
        median_of("each of 1,000 nodes stopped: verdicts", each, "s").at_most(1),
    ]


def place_five(ring: TokenRing) -> None:
    """Place the five replications, with nothing known but the ring itself."""
    for replication in FIVE:
        _ = Planner(ring).place(replication).replicas


def peak_memory(nodes: list[Node]) -> Figure:
    """Measure a process that reads the large ring's file, places, shares and judges it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ring.json"
        file.write_bytes(dump(RingState(tuple(nodes), HUNDRED)))
        command = [sys.executable, "-m", "bench.bench_ring", "--memory", str(file)]
        done = subprocess.run(command, check=True, capture_output=True, timeout=300)  # noqa: S603 -- ourselves
    return at_most("peak memory, large ring", float(done.stdout), "MiB", 400)


def use_memory(file: Path) -> None:
    """Do once what is usually done with a ring file, and print the peak in MiB."""
    state = parse(file.read_bytes())
    assessor = Assessor(state.nodes)
    placement = assessor.placement(FIVE[0])
    _ = placement.replicas
    effective_shares(placement)
    assessor.health(state.keyspaces)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB)


def main() -> None:
    """Measure everything and publish it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--memory", type=Path)
    options.add_argument("--seed", type=int, default=None)
    given = options.parse_args()
    if given.memory:
        use_memory(given.memory)
        return
    seed = secrets.randbelow(2**32) if given.seed is None else given.seed
    rng = random.Random(seed)  # noqa: S311 -- a ring, not a secret
    large, small = nodes_of(rng, 1000, 256, 3), nodes_of(rng, 100, 16, 3)
    with oracle("-Xmx3g") as cassandra:
        figures = peers(cassandra, large, "1,000 x 256", SLOW_ROUNDS, (30, 40))
        little, *more = peers(cassandra, small, "100 x 16", 100, None)
    figures += [little.at_most(3), *more]
    figures += other_racks(rng, unread(token_ring(large)))
    figures += health(large)
    publish("ring", [*figures, peak_memory(large)], seed)


if __name__ == "__main__":
    main()
