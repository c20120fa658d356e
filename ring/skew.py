"""Whether a ring is as even as luck allows, and which tokens would make it more so.

Random tokens are never even, so a ring is compared with many random rings of the same shape:
same data centres, racks, nodes and numbers of tokens.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ring.errors import InputError
from ring.model import MIN_TOKEN, RING_SIZE, Replication
from ring.ownership import effective_shares
from ring.placement import Placement, Planner
from ring.tokens import TokenRing

ROUNDS = 200  # random rings: the band's ends then rest on 5 of them at each side
MOST_TOKENS = 1536  # DatabaseDescriptor.MAX_NUM_TOKENS
TAIL = 0.025  # of the random rings lie beyond each end of the band


@dataclass(frozen=True, slots=True)
class Skew:
    """How unevenly one data centre is loaded.

    Attributes:
        dc: its name.
        nodes: those that hold tokens.
        highest: the fullest node's effective share over the mean.
        lowest: the emptiest one's.
        highest_band: between which 95 of 100 random rings have their ``highest``.
        lowest_band: the same for ``lowest``.

    """

    dc: str
    nodes: int
    highest: float
    lowest: float
    highest_band: tuple[float, float]
    lowest_band: tuple[float, float]

    @property
    def explained(self) -> bool:
        """Say whether random tokens explain it: better than them is no fault."""
        return self.highest <= self.highest_band[1] and self.lowest >= self.lowest_band[0]


def skew(
    placement: Placement,
    replication: Replication,
    rng: np.random.Generator,
    rounds: int = ROUNDS,
) -> tuple[Skew, ...]:
    """Compare a placement with random rings, for each data centre that holds data."""
    ring = placement.ring
    here = _extremes(placement)
    drawn = [
        _extremes(Planner(_random_like(ring, rng)).place(replication)) for _ in range(rounds)
    ]
    found = []
    for number, dc in enumerate(ring.dcs):
        if number not in here:
            continue
        random = np.array([each[number] for each in drawn])
        low, high = np.quantile(random, [TAIL, 1 - TAIL], axis=0)
        highest, lowest = here[number]
        nodes = len(np.unique(ring.owner[ring.dc[ring.owner] == number]))
        found.append(
            Skew(
                dc,
                nodes,
                highest,
                lowest,
                (float(low[0]), float(high[0])),
                (float(low[1]), float(high[1])),
            )
        )
    return tuple(found)


def _extremes(placement: Placement) -> dict[int, tuple[float, float]]:
    ring = placement.ring
    shares = effective_shares(placement).astype(np.float64)
    owns = np.bincount(ring.owner, minlength=ring.size) > 0
    found = {}
    for number in range(len(ring.dcs)):
        of_dc = shares[owns & (ring.dc == number)]
        if len(of_dc) and of_dc.sum() > 0:
            found[number] = (
                float(of_dc.max() / of_dc.mean()),
                float(of_dc.min() / of_dc.mean()),
            )
    return found


def _random_like(ring: TokenRing, rng: np.random.Generator) -> TokenRing:
    """Draw a ring in which every node has as many tokens as here."""
    count = len(ring.tokens)
    tokens = np.unique(_draw(rng, count))
    while len(tokens) < count:  # two equal ones among 2^64: about never
        tokens = np.unique(np.concatenate([tokens, _draw(rng, count - len(tokens))]))
    return replace(ring, tokens=tokens, owner=rng.permutation(ring.owner))


def _draw(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    bounds = np.iinfo(np.int64)
    return rng.integers(bounds.min + 1, bounds.max, count, np.int64, endpoint=True)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Tokens for the next node of a rack.

    Attributes:
        tokens: ascending; none is taken.
        share: what the node will own of its rack's ring.
        even: what it would own there if all were equal.

    """

    tokens: tuple[int, ...]
    share: float
    even: float


def suggest(ring: TokenRing, peers: Sequence[int], count: int) -> Suggestion:
    """Suggest ``count`` tokens that relieve the fullest of ``peers`` most.

    Peers are the nodes of the newcomer's rack where replicas go to different racks (each rack
    is then a ring of its own), those of its data centre otherwise; with none of them the tokens
    are spread evenly, besides the tokens there are.

    Raises:
        InputError: where ``count`` is not between 1 and 1,536, Cassandra's limit.

    """
    if not 0 < count <= MOST_TOKENS:
        raise InputError("tokens", f"a node has from 1 to {MOST_TOKENS} tokens, not {count}")
    mine = np.isin(ring.owner, list(peers))
    tokens, owners = ring.tokens[mine].tolist(), ring.owner[mine].tolist()
    taken = set(ring.tokens.tolist())
    if not tokens:
        return Suggestion(tuple(_spread(taken, count)), 1.0, 1.0)
    even = RING_SIZE // (len(set(owners)) + 1)
    found, share = _relieve(tokens, owners, taken, count, even)
    return Suggestion(tuple(sorted(found)), share / RING_SIZE, even / RING_SIZE)


def _relieve(
    tokens: list[int], owners: list[int], taken: set[int], count: int, even: int
) -> tuple[list[int], int]:
    """Cut from the widest range of whoever owns most, again and again."""
    ranges: dict[int, list[tuple[int, int]]] = {}  # owner → heap of (-width, start)
    load: dict[int, int] = {}
    for i, (token, owner) in enumerate(zip(tokens, owners, strict=True)):
        width = (token - tokens[i - 1]) % RING_SIZE or RING_SIZE
        heapq.heappush(ranges.setdefault(owner, []), (-width, tokens[i - 1]))
        load[owner] = load.get(owner, 0) + width
    found: list[int] = []
    share = 0
    for left in range(count, 0, -1):
        owner = max(load, key=lambda each: (load[each], each))
        negative, start = heapq.heappop(ranges[owner])
        # No more than half of a range, and no more in all than an equal share.
        cut = max(1, min(-negative // 2, (even - share) // left))
        token = _wrapped(start + cut)
        while token in taken:
            cut += 1
            token = _wrapped(start + cut)
        heapq.heappush(ranges[owner], (negative + cut, token))
        load[owner] -= cut
        share += cut
        taken.add(token)
        found.append(token)
    return found, share


def _spread(taken: set[int], count: int) -> list[int]:
    found = []
    for i in range(count):
        token = _wrapped(MIN_TOKEN + RING_SIZE * (2 * i + 1) // (2 * count))
        while token in taken:
            token = _wrapped(token + 1)
        found.append(token)
    return sorted(found)


def _wrapped(token: int) -> int:
    return (token - MIN_TOKEN) % RING_SIZE + MIN_TOKEN
