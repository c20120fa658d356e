"""Measures now and then whether tokens are more uneven than luck explains, beside the cycle."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import numpy as np

from ring.errors import RingError
from ring.health import Assessor
from ring.judged import Judged
from ring.model import Local, RingState
from ring.skew import ROUNDS, Skew, skew

PERIOD: Final = 30.0
"""Seconds between looks; a ring that changed is measured when two looks see the same."""
FEWEST_ROUNDS: Final = 40
MOST_WORK: Final = 20_000
"""Nodes times rounds: a ring of a thousand takes seconds of one core, once after a change."""


Skews = Mapping[str, Sequence[Skew]]


class Skewing:
    """Keeps the skews of a ring; `run` it as a task.

    Args:
        judged: returns the last cycle's outcome.
        tell: takes what was measured.

    """

    def __init__(
        self,
        judged: Callable[[], Judged | None],
        tell: Callable[[Skews], None],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._judged, self._tell, self._sleep = judged, tell, sleep
        self._seen: object = None
        self._measured: object = None

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.look()
            await self._sleep(PERIOD)

    async def look(self) -> None:
        """Measure where the ring is another than when it was measured, and has settled."""
        judged = self._judged()
        if judged is None or not judged.verdict.is_possible:
            return
        ring = judged.snapshot.ring
        shape = tuple((n.host_id, n.dc, n.rack, n.tokens) for n in ring.nodes), ring.keyspaces
        settled, self._seen = shape == self._seen, shape
        if settled and shape != self._measured:
            skews = await asyncio.to_thread(measure, ring)
            self._measured = shape
            self._tell(skews)


def measure(ring: RingState) -> Skews:
    """Return the skew of every keyspace; none where the ring is such that there is none."""
    rounds = min(ROUNDS, max(FEWEST_ROUNDS, MOST_WORK // max(1, len(ring.nodes))))
    rng = np.random.default_rng()
    try:
        assessor = Assessor(ring.nodes)
        known = {
            replication: skew(assessor.placement(replication), replication, rng, rounds)
            for replication in {each.replication for each in ring.keyspaces}
            if not isinstance(replication, Local)
        }
    except RingError:
        return {}
    return {
        each.name: known[each.replication]
        for each in ring.keyspaces
        if each.replication in known
    }
