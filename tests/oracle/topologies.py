"""Random rings: everything that placement has to get right, often enough to be met."""

import random
from dataclasses import replace
from uuid import UUID

from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    Factor,
    HostId,
    Keyspace,
    Liveness,
    Mode,
    Node,
    Replication,
    Simple,
    Topology,
)

TOKENS_AT_MOST = 150  # Cassandra takes the square of the tokens for every joining node
EXTREMES = (MIN_TOKEN, MIN_TOKEN + 1, MAX_TOKEN, MAX_TOKEN - 1, -1, 0, 1)


def random_nodes(rng: random.Random) -> list[Node]:
    """Return normal nodes: few or many, racks even or not, one token or many."""
    free = _FreeTokens(rng)
    nodes: list[Node] = []
    for dc in range(rng.choice((1, 1, 2, 3, 4))):
        racks = rng.choice((1, 2, 3, 3, 5, 12))
        uneven = rng.random() < 0.3
        vnodes = rng.choice((1, 1, 2, 4, 8, 16, 64))
        for n in range(rng.choice((1, 2, 3, 4, 6, 9, 14, 30))):
            rack = min(rng.randrange(racks), rng.randrange(racks)) if uneven else n % racks
            count = rng.choice((vnodes, vnodes, vnodes, 1))
            nodes.append(_node(len(nodes), dc, rack, free.take(count)))
    rng.shuffle(nodes)
    return nodes


def random_keyspaces(rng: random.Random, nodes: list[Node]) -> list[Keyspace]:
    """Return a simple keyspace and two over the data centres, some of which have no nodes."""
    wanted = [
        Simple(_factor(rng)),
        _topology(rng, sorted({node.dc for node in nodes})),
        _topology(rng, [*sorted({node.dc for node in nodes}), "empty"]),
    ]
    return [Keyspace(f"ks{i}", replication) for i, replication in enumerate(wanted)]


def on_the_move(rng: random.Random, nodes: list[Node]) -> list[Node]:
    """Return the ring with some nodes leaving, joining or replacing, or one moving."""
    free = _FreeTokens(rng, nodes)
    changed = list(nodes)
    for n in rng.sample(range(len(nodes)), min(len(nodes) - 1, rng.randrange(3))):
        changed[n] = replace(nodes[n], mode=Mode.LEAVING)
    settled = [n for n, node in enumerate(changed) if node.mode is Mode.NORMAL]
    if rng.random() < 0.3:
        n = rng.choice(settled)
        changed[n] = replace(nodes[n], mode=Mode.MOVING, moving_to=free.take(1)[0])
        settled.remove(n)
    if settled and rng.random() < 0.3:
        old = nodes[rng.choice(settled)]
        new = replace(old, host_id=_host(len(changed)), replaces=old.host_id)
        changed.append(replace(new, mode=Mode.JOINING))
    for _ in range(rng.randrange(3)):
        like = rng.choice(nodes)
        rack = like.rack if rng.random() < 0.7 else "new"
        joining = replace(
            like, host_id=_host(len(changed)), rack=rack, tokens=free.take(len(like.tokens))
        )
        changed.append(replace(joining, mode=Mode.JOINING))
    return changed


def few_tokens(nodes: list[Node]) -> list[Node]:
    """Return as many of the nodes as have few tokens together."""
    kept: list[Node] = []
    for node in nodes:
        if sum(len(other.tokens) for other in kept) + len(node.tokens) <= TOKENS_AT_MOST:
            kept.append(node)
    return kept


class _FreeTokens:
    """Tokens nobody has, at times crowded together or at the ends of the ring."""

    def __init__(self, rng: random.Random, nodes: list[Node] | None = None) -> None:
        self._rng = rng
        self._taken = {token for node in nodes or () for token in node.tokens}

    def take(self, count: int) -> tuple[int, ...]:
        tokens: list[int] = []
        while len(tokens) < count:
            token = self._draw()
            if token not in self._taken:
                self._taken.add(token)
                tokens.append(token)
        return tuple(tokens)

    def _draw(self) -> int:
        kind = self._rng.random()
        if kind < 0.02:
            return self._rng.choice(EXTREMES)
        if kind < 0.1:
            return self._rng.randint(-500, 5000)
        return self._rng.randint(MIN_TOKEN + 1, MAX_TOKEN)


def _host(number: int) -> HostId:
    return HostId(UUID(int=number))


def _node(number: int, dc: int, rack: int, tokens: tuple[int, ...]) -> Node:
    return Node(host_id=_host(number), dc=f"dc{dc}", rack=f"rack{rack}", tokens=tokens)


def _factor(rng: random.Random) -> Factor:
    replicas = rng.choice((0, 1, 2, 3, 3, 3, 4, 5, 7, 11))
    transient = rng.randrange(1, replicas) if replicas > 1 and rng.random() < 0.15 else 0
    return Factor(replicas, transient)


def _topology(rng: random.Random, dcs: list[str]) -> Replication:
    some = [dc for dc in dcs if rng.random() < 0.9] or dcs[:1]
    return Topology(tuple(sorted((dc, _factor(rng)) for dc in some)))


def seen_differently(rng: random.Random, nodes: list[Node]) -> list[Node]:
    """Return the nodes with some of them down and some unknown."""
    odds = rng.choice(((8, 1, 1), (3, 2, 1), (1, 1, 1)))
    return [node.as_liveness(rng.choices(list(Liveness), odds)[0]) for node in nodes]
