"""What random rings have to have shown before their agreement counts for anything."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    Factor,
    Keyspace,
    Liveness,
    Mode,
    Node,
    Simple,
    Topology,
)

SHAPES = {
    "one node",
    "one data centre",
    "several data centres",
    "uneven racks",
    "one token a node",
    "64 tokens a node",
    "different numbers of tokens",
    "an extreme token",
}
REPLICATIONS = {
    "SimpleStrategy",
    "NetworkTopologyStrategy",
    "SimpleStrategy, transient",
    "NetworkTopologyStrategy, transient",
    "SimpleStrategy, factor 0",
    "factor 0 in a data centre",
    "factor 0 in all data centres",
    "data centre without nodes",
    "fewer nodes than the factor",
    "fewer nodes than SimpleStrategy's factor",
    "fewer racks than the factor",
    "as many racks as the factor",
    "more racks than the factor",
    "transient replicas and fewer nodes than the factor",
}
STATES = {"up", "down", "unknown"}
WAYS = {"leaving", "joining", "moving", "replacing"}


def unmet(seen: Counter[str], wanted: Iterable[str]) -> list[str]:
    """Return what was not seen at all."""
    return sorted(each for each in wanted if not seen[each])


def shapes(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what is special about the nodes of a ring."""
    dcs = {node.dc for node in nodes}
    counts = {len(node.tokens) for node in nodes}
    if len(nodes) == 1:
        yield "one node"
    yield "one data centre" if len(dcs) == 1 else "several data centres"
    racks = Counter((node.dc, node.rack) for node in nodes)
    if any(len({n for (of, _), n in racks.items() if of == dc}) > 1 for dc in dcs):
        yield "uneven racks"
    if counts == {1}:
        yield "one token a node"
    if 64 in counts:
        yield "64 tokens a node"
    if len(counts) > 1:
        yield "different numbers of tokens"
    ends = {MIN_TOKEN, MIN_TOKEN + 1, MAX_TOKEN, MAX_TOKEN - 1}
    if any(ends & set(node.tokens) for node in nodes):
        yield "an extreme token"


def replications(nodes: Sequence[Node], keyspaces: Iterable[Keyspace]) -> Iterator[str]:
    """Yield what is special about how keyspaces are replicated on a ring."""
    for keyspace in keyspaces:
        match keyspace.replication:
            case Simple(factor):
                yield "SimpleStrategy"
                if factor.transient:
                    yield "SimpleStrategy, transient"
                if not factor.replicas:
                    yield "SimpleStrategy, factor 0"
                if len(nodes) < factor.replicas:
                    yield "fewer nodes than SimpleStrategy's factor"
            case Topology(factors):
                yield "NetworkTopologyStrategy"
                if not any(factor.replicas for _, factor in factors):
                    yield "factor 0 in all data centres"
                for dc, factor in factors:
                    yield from _in_dc([node for node in nodes if node.dc == dc], factor)


def _in_dc(nodes: Sequence[Node], factor: Factor) -> Iterator[str]:
    if not factor.replicas:
        yield "factor 0 in a data centre"
    elif not nodes:
        yield "data centre without nodes"
    else:
        racks = len({node.rack for node in nodes})
        if len(nodes) < factor.replicas:
            yield "fewer nodes than the factor"
        if racks < factor.replicas:
            yield "fewer racks than the factor"
        elif racks > factor.replicas:
            yield "more racks than the factor"
        else:
            yield "as many racks as the factor"
        if factor.transient:
            yield "NetworkTopologyStrategy, transient"
            if len(nodes) < factor.replicas:
                yield "transient replicas and fewer nodes than the factor"


def states(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield how nodes are seen and what they are about."""
    names = {Liveness.UP: "up", Liveness.DOWN: "down", Liveness.UNKNOWN: "unknown"}
    ways = {Mode.LEAVING: "leaving", Mode.MOVING: "moving"}
    for node in nodes:
        yield names[node.liveness]
        if node.mode is Mode.JOINING:
            yield "replacing" if node.replaces is not None else "joining"
        elif node.mode in ways:
            yield ways[node.mode]
