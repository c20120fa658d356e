"""How fast placement, ownership, health and what-if are, against Cassandra and the driver.

All in one run, on the same random topologies: Cassandra's own classes in a warmed-up JVM
(`tests/oracle`), cassandra-driver's token map, and ours.  Reading the ring into each one's own
form is not measured.  ``--memory FILE`` is the child process whose peak memory is told.
"""

import argparse
import gc
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from cassandra.metadata import Murmur3Token, NetworkTopologyStrategy
from cassandra.policies import SimpleConvictionPolicy
from cassandra.pool import Host

from bench.figures import Figure, at_least, at_most, publish, spread
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
from ring.stopping import stop_each
from ring.tokens import TokenRing, token_ring
from tests.oracle.oracle import Oracle, oracle

DCS = 3
WARM_UP = 2  # rounds of the JVM that do not count; C2 has compiled everything after one
ROUNDS = 9
OUR_ROUNDS = 15
SLOW_ROUNDS = 3  # of what takes seconds
MIB = 2**20


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


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return seconds for each round after a first one that does not count."""
    work()
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


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
) -> tuple[list[Figure], float]:
    """Compare one ring with both peers; return also our own median in milliseconds."""
    three = rf(3, 3, 3)
    theirs = java(cassandra, nodes, three, rounds)  # first: while it starts, it takes a core
    drivers = timed(driver(nodes, three), rounds)
    ring = token_ring(nodes)
    mine = timed(lambda: ours(ring, three), OUR_ROUNDS)
    a, b, c = (statistics.median(each) * 1e3 for each in (mine, theirs, drivers))
    figures = [
        Figure(name=f"{size}: Cassandra's Java ({in_ms(theirs)})", value=b, unit="ms"),
        Figure(
            name=f"{size}: cassandra-driver, map alone ({in_ms(drivers)})", value=c, unit="ms"
        ),
    ]
    if least:
        figures.append(at_least(f"{size}: faster than Java", b / a, "times", least[0]))
        figures.append(at_least(f"{size}: faster than the driver", c / a, "times", least[1]))
    return [Figure(name=f"{size}: ours ({in_ms(mine)})", value=a, unit="ms"), *figures], a


def in_ms(times: Sequence[float]) -> str:
    """Return lowest, median and highest in milliseconds."""
    return spread([1e3 * each for each in times])


def other_racks(rng: random.Random, base: float) -> list[Figure]:
    """Measure factors that are not the number of racks, against the row where they are."""
    figures = []
    for factor, racks in ((3, 2), (3, 5), (5, 3)):
        ring = token_ring(nodes_of(rng, 1000, 256, racks))
        times = timed(lambda ring=ring, n=factor: ours(ring, rf(n, n, n)))
        median = statistics.median(times) * 1e3
        name = f"RF {factor} on {racks} racks, {median:.3g} ms ({in_ms(times)})"
        figures.append(at_most(name, median / base, "times RF 3 on 3", 2))
    return figures


def health(nodes: list[Node]) -> list[Figure]:
    """Measure the health of 100 keyspaces on the large ring, and what follows a change."""
    seen = [
        node.as_liveness(Liveness.DOWN if n % 50 == 0 else Liveness.UP)
        for n, node in enumerate(nodes)
    ]
    ring = token_ring(seen)
    five = timed(lambda: [Planner(ring).place(each).replicas for each in FIVE])
    fresh = timed(lambda: judged_afresh(seen, ring))
    assessor = Assessor(seen)
    assessor.health(HUNDRED)
    changed = [seen[0], seen[1].as_liveness(Liveness.DOWN), *seen[2:]]
    change = timed(lambda: assessor.health(HUNDRED, changed))
    each = timed(lambda: stop_all(assessor, seen))
    median = statistics.median
    ratio = median(fresh) / median(five)
    return [
        Figure(name=f"five placements ({in_ms(five)})", value=median(five) * 1e3, unit="ms"),
        at_most(
            f"health of 100 keyspaces, all levels ({in_ms(fresh)})", ratio, "times five", 1.2
        ),
        at_most(f"one node changed ({in_ms(change)})", median(change) * 1e3, "ms", 50),
        at_most(f"each of 1,000 nodes stopped ({in_ms(each)})", median(each), "s", 1),
    ]


def judged_afresh(nodes: list[Node], ring: TokenRing) -> None:
    """Place and judge, with nothing known but the ring itself."""
    Assessor(nodes, ring).health(HUNDRED)


def stop_all(assessor: Assessor, nodes: list[Node]) -> None:
    """Judge 100 keyspaces, then stop each node in turn for each of their replications."""
    answers = assessor.health(HUNDRED, nodes)
    for one in {id(each): each for each in answers.values()}.values():
        stop_each(nodes, one)


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
    rng = random.Random(given.seed)  # noqa: S311 -- a ring, not a secret
    large, small = nodes_of(rng, 1000, 256, 3), nodes_of(rng, 100, 16, 3)
    with oracle("-Xmx3g") as cassandra:
        figures, base = peers(cassandra, large, "1,000 x 256", SLOW_ROUNDS, (30, 40))
        more, little = peers(cassandra, small, "100 x 16", 100, None)
    figures += [*more, at_most("100 x 16: ours", little, "ms", 3)]
    figures += other_racks(rng, base)
    figures += health(large)
    publish("ring", [*figures, peak_memory(large)])


if __name__ == "__main__":
    main()
