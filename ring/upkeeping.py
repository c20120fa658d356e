"""Looks up now and then who was repaired since, but only while a repair is due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol
from uuid import UUID

from ring.errors import RingError
from ring.finding import Kind, Upkeep
from ring.judged import Judged
from ring.model import HostId
from ring.repairs import RepairHistory, repaired

PERIOD: Final = 60.0
"""Seconds between looks: the history is read whole each time, and repairs take hours."""
ASKED: Final = 2
"""Nodes that are tried in one look."""


class Historian(Protocol):
    """One node; both methods block."""

    def repairs(self, since: float) -> RepairHistory:
        """Return what it knows of repairs that began later; raise with one line if nothing."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class Upkeeping:
    """Keeps what is known of repairs; `run` it as a task.

    Args:
        judged: returns the last cycle's outcome.
        make: makes a node of an address.
        candidates: returns addresses, best first, as they are now.
        tell: takes what was found out.

    """

    def __init__(
        self,
        judged: Callable[[], Judged | None],
        make: Callable[[str], Historian],
        candidates: Callable[[], Sequence[str]],
        tell: Callable[[Upkeep], None],
        *,
        period: float = PERIOD,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._judged, self._make, self._candidates = judged, make, candidates
        self._tell, self._period, self._sleep = tell, period, sleep
        self._known = Upkeep()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self._sleep(self._period)

    async def look(self) -> None:
        """Read the history of repairs, where one is due."""
        judged = self._judged()
        due = due_since(judged) if judged else {}
        if judged is None or not due:
            return
        failure = "nobody can be asked"
        for address in self._candidates()[:ASKED]:
            try:
                found = await asyncio.to_thread(self._read, address, judged, due)
            except Exception as error:  # noqa: BLE001 -- a node's failure, whatever it is
                failure = str(error) or type(error).__name__
                continue
            self._known = Upkeep(repaired={**self._known.repaired, **found})
            break
        else:
            self._known = replace(self._known, failure=failure)
        self._tell(self._known)

    def _read(
        self, address: str, judged: Judged, due: dict[HostId, float]
    ) -> dict[HostId, float]:
        node = self._make(address)
        try:
            history = node.repairs(min(due.values()))
        finally:
            node.close()
        try:
            return repaired(judged.snapshot.ring, history, due.keys())
        except RingError:
            return {}  # no tokens are known, or two members own one: findings of their own


def due_since(judged: Judged) -> dict[HostId, float]:
    """Return members that are due for a repair, with the time of the reason."""
    return {
        HostId(UUID(host)): float(reason["at"])
        for each in judged.found
        if each.kind is Kind.REPAIR_DUE
        for host, reason in each.evidence["members"].items()
    }
