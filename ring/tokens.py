"""The token ring as sorted arrays: who owns which token, and how wide each range is.

It is Cassandra's ``TokenMetadata`` in numbers.  A range is named by the token that it ends at:
range ``i`` is ``(tokens[i-1], tokens[i]]``, the first one wraps, a lone one is everything.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ring.errors import DuplicateTokenError
from ring.model import RING_SIZE, Mode, Node

Indexes = NDArray[np.intp]
Tokens = NDArray[np.int64]
Widths = NDArray[np.uint64]

HALVES = np.uint64(32)
LOW = np.uint64(2**32 - 1)


@dataclass(frozen=True, eq=False)
class TokenRing:
    """Tokens and their owners.  Nodes are numbers: places in the sequence it was made from.

    Attributes:
        tokens: strictly ascending.
        owner: node of each token.
        dc: number of each node's data centre, a place in ``dcs``.
        rack: number of each node's rack; racks of different data centres differ.
        dcs: names, sorted.
        member: whether a node is in the topology.  One whose every token was taken over by
            its replacement still is, and still counts as a node and in its rack
            (``TokenMetadata.updateNormalTokens`` leaves it there).

    """

    tokens: Tokens
    owner: Indexes
    dc: Indexes
    rack: Indexes
    dcs: tuple[str, ...]
    member: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of nodes, those without tokens included."""
        return len(self.dc)

    @cached_property
    def widths(self) -> Widths:
        """Width of each range in tokens, exact; of a lone range 2^64 - 1, one too few."""
        return widths_of(self.tokens)

    @cached_property
    def halves(self) -> tuple[Widths, Widths]:
        """Upper and lower 32 bits of the widths, for sums beyond 64 bits."""
        return halves(self.widths)

    def ends_at(self, tokens: Tokens) -> Indexes:
        """Return, for each token, the range that holds it (``TokenMetadata.firstToken``)."""
        return ends_at(self.tokens, tokens)

    def without(self, nodes: Collection[int]) -> "TokenRing":
        """Return the ring after these nodes left it for good."""
        gone = np.zeros(self.size, np.bool_)
        gone[list(nodes)] = True
        keep = ~gone[self.owner]
        return self._changed(self.tokens[keep], self.owner[keep], self.member & ~gone)

    def with_tokens(self, node: int, tokens: Sequence[int]) -> "TokenRing":
        """Return the ring in which ``node`` has these tokens and no others.

        Tokens of others go over to it.  Source: ``TokenMetadata.updateNormalTokens``.
        """
        new = np.unique(np.array(tokens, np.int64))
        keep = (self.owner != node) & ~np.isin(self.tokens, new)
        joined = np.concatenate([self.tokens[keep], new])
        owner = np.concatenate([self.owner[keep], np.full(len(new), node)])
        order = np.argsort(joined, kind="stable")
        member = self.member.copy()
        member[node] = True
        return self._changed(joined[order], owner[order], member)

    def _changed(
        self, tokens: Tokens, owner: Indexes, member: NDArray[np.bool_]
    ) -> "TokenRing":
        return TokenRing(tokens, owner, self.dc, self.rack, self.dcs, member)


def ends_at(ends: Tokens, tokens: Tokens) -> Indexes:
    """Return, for each of ``tokens``, which of the ranges with these ends holds it."""
    found = np.searchsorted(ends, tokens)
    found[found == len(ends)] = 0
    return found


def united(tokens: Tokens, others: Tokens) -> Tokens:
    """Return the tokens of both, each once; both ascend strictly.

    A stable sort merges two ascending runs in one pass; ``union1d`` takes several times that.
    """
    if np.array_equal(tokens, others):
        return tokens
    both = np.sort(np.concatenate([tokens, others]), kind="stable")
    new = np.ones(len(both), np.bool_)
    new[1:] = both[1:] != both[:-1]
    return np.asarray(both[new])


def widths_of(tokens: Tokens) -> Widths:
    """Return the distance from each token's predecessor, around the ring.

    Unsigned arithmetic wraps as the ring does.  2^64 does not fit: a lone range is given as
    2^64 - 1, which `total_width` and the shares put right.
    """
    unsigned = tokens.view(np.uint64)
    widths = unsigned - np.roll(unsigned, 1)
    if len(tokens) == 1:
        widths[0] = RING_SIZE - 1
    return widths


def halves(widths: Widths) -> tuple[Widths, Widths]:
    """Split widths into their upper and lower 32 bits."""
    return widths >> HALVES, widths & LOW


def token_ring(nodes: Sequence[Node]) -> TokenRing:
    """Make the ring of the nodes that own tokens now: all but joining ones.

    Raises:
        DuplicateTokenError: where two of them hold one token.

    """
    dcs = tuple(sorted({node.dc for node in nodes}))
    dc_number = {name: number for number, name in enumerate(dcs)}
    racks = {place: n for n, place in enumerate(sorted({(x.dc, x.rack) for x in nodes}))}
    owning = [node.tokens if node.mode is not Mode.JOINING else () for node in nodes]
    counts = [len(tokens) for tokens in owning]
    flat = np.fromiter((t for tokens in owning for t in tokens), np.int64, sum(counts))
    owner = np.repeat(np.arange(len(nodes), dtype=np.intp), counts)
    order = np.argsort(flat, kind="stable")
    tokens, owner = flat[order], owner[order]
    twice = np.flatnonzero(tokens[1:] == tokens[:-1])
    if len(twice):
        at = int(twice[0])
        first, second = nodes[owner[at]].host_id, nodes[owner[at + 1]].host_id
        raise DuplicateTokenError(int(tokens[at]), first, second)
    return TokenRing(
        tokens,
        owner,
        np.array([dc_number[node.dc] for node in nodes], np.intp),
        np.array([racks[node.dc, node.rack] for node in nodes], np.intp),
        dcs,
        np.array(counts, np.intp) > 0,
    )
