"""How fast gossip follows: a slice loses a running member, and gets it back; on a real ring."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from bench.figures import Figure, at_most
from localring.objects import NAMESPACE
from localring.options import Options
from localring.prepare import prepare
from localring.ring import LocalRing

NODES, MOVED, ROUNDS = 3, 2, 5
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.05
LIMIT_SECONDS = 3.0


class Follower:
    """One member whose place in the slice comes and goes, and the others that follow."""

    def __init__(self, ring: LocalRing) -> None:
        self._ring = ring
        self._address = str(ring.pod(MOVED).address)
        self._whole = self._slice()

    def _slice(self) -> dict[str, Any]:
        (piece,) = self._ring.api.store.list("endpointslices", NAMESPACE)
        return piece

    def write(self, *, there: bool) -> None:
        """Send the event: the slice with the member, or without it."""
        piece = self._slice()
        piece["endpoints"] = [
            endpoint
            for endpoint in self._whole["endpoints"]
            if there or endpoint["addresses"] != [self._address]
        ]
        name = piece["metadata"]["name"]
        self._ring.api.store.replace("endpointslices", name, piece, NAMESPACE)

    async def followed(self, *, there: bool) -> None:
        """Wait until the gossip of every other node has the member as a seed, or has it not."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            for ordinal in set(range(NODES)) - {MOVED}:
                while await self._has_it(ordinal) is not there:  # noqa: ASYNC110 -- over HTTP
                    await asyncio.sleep(LOOK_SECONDS)

    async def _has_it(self, ordinal: int) -> bool | None:
        report = await self._ring.report(ordinal)
        return None if report is None else self._address in report.seeds


async def measure_following() -> Figure:
    """Return the seconds from event to the last node's gossip, the slowest of all rounds."""
    times: list[float] = []
    kit = await prepare(_quiet)
    async with LocalRing(kit, Options(), _quiet) as ring:
        ring.start(*range(NODES))
        await ring.wait_until_whole()
        follower = Follower(ring)
        await follower.followed(there=True)
        for turn in range(2 * ROUNDS):
            there = turn % 2 == 1
            sent = time.perf_counter()
            follower.write(there=there)
            await follower.followed(there=there)
            times.append(time.perf_counter() - sent)
    name = "slice event → gossip's seeds on all nodes, slowest"
    slowest = at_most(name, max(times), "s", LIMIT_SECONDS)
    return replace(slowest, low=min(times), high=max(times), rounds=len(times))


def _quiet(_text: str) -> None:
    """Say nothing: the figure is what counts."""
