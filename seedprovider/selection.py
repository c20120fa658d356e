"""Which of the eligible members become seeds, and how a list in use changes: pure.

Few, common to all askers, spread over racks, and never replaced as a whole: the overlap of the
old list and the new one is what heals a partition (`Gossiper.maybeGossipToSeed`).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from seedprovider.model import Address, Endpoint, PodName, pod_order

WANTED_OTHERS = 2
"""A node keeps at least two seeds besides itself where two others exist."""


def choose(
    eligible: Iterable[Endpoint], racks: Mapping[PodName, str], count: int
) -> tuple[Endpoint, ...]:
    """Choose up to `count` members, one of each rack at least, the lowest ordinals first.

    Every asker with the same view chooses the same.  The result is in pod order and longer than
    `count` only where there are more racks than that.
    """
    ordered = sorted(eligible, key=lambda endpoint: pod_order(endpoint.pod))
    chosen: dict[PodName, Endpoint] = {}
    seen: set[str | None] = set()
    for endpoint in ordered:
        rack = racks.get(endpoint.pod) or endpoint.zone
        if rack not in seen:
            seen.add(rack)
            chosen[endpoint.pod] = endpoint
    for endpoint in ordered:
        if len(chosen) >= count:
            break
        chosen.setdefault(endpoint.pod, endpoint)
    return tuple(sorted(chosen.values(), key=lambda endpoint: pod_order(endpoint.pod)))


def with_two_others(
    chosen: Sequence[Endpoint], asker: PodName, reserve: Iterable[Endpoint]
) -> tuple[Endpoint, ...]:
    """Add from `reserve`, in order, until two seeds besides the asker are there."""
    result = {endpoint.pod: endpoint for endpoint in chosen}
    for endpoint in reserve:
        if len(result.keys() - {asker}) >= WANTED_OTHERS:
            break
        if endpoint.pod != asker:
            result.setdefault(endpoint.pod, endpoint)
    return tuple(sorted(result.values(), key=lambda endpoint: pod_order(endpoint.pod)))


def step_towards(
    current: Sequence[Address], target: Sequence[Address], unsafe: frozenset[Address]
) -> tuple[Address, ...]:
    """Return the next list on the way from the one in use to the one wanted.

    One address at a time, and every addition before any removal.  Only `unsafe` addresses,
    where another ring answers, go at once.
    """
    kept = [address for address in current if address not in unsafe]
    missing = [address for address in target if address not in kept]
    if missing:
        return tuple(chain(kept, missing[:1]))
    surplus = [address for address in kept if address not in target]
    if surplus:
        kept.remove(surplus[0])
        return tuple(kept)
    return tuple(target)
