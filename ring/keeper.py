"""Keeps the ConfigMap with contact points, on the replica that leads."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ring.contact_points import contact_points
from ring.judged import Shown
from ring.kept import CONFLICT, Kept, Store
from ring.observe.errors import KubeError

PERIOD: Final = 5.0
"""Seconds between two looks, more or less, and so between two writes at least."""

log = logging.getLogger(__name__)


class Keeper:
    """Writes what applications need; `run` it as a task."""

    def __init__(
        self,
        store: Store,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        port: int,
        *,
        shown: Callable[[], Shown | None],
        leads: Callable[[], bool],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._port = port
        self._map = Kept(
            store,
            f"/api/v1/namespaces/{namespace}/configmaps",
            namespace,
            name,
            {"apiVersion": "v1", "kind": "ConfigMap"},
            labels,
        )
        self._shown, self._leads, self._sleep = shown, leads, sleep
        self.writes = 0
        self.failure = ""

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            await self.step()
            await self._sleep(PERIOD * (0.8 + 0.4 * random.random()))  # noqa: S311 -- jitter

    async def step(self) -> None:
        """Write the contact points where this replica leads, and they are others than there."""
        if not self._leads():
            self.failure = ""  # the writes are another's
            return
        shown = self._shown()
        if shown is None or shown.stale:
            return
        try:
            found = await self._map.read()
            before = self._map.data(found)
            data = contact_points(shown.judged, before, self._port)
            if data is not None and self._leads():
                await self._map.write(found, {"data": before | data})
                self.writes += 1
                log.info("contact points are now %s", data)
            self.failure = ""
        except KubeError as error:
            if error.status != CONFLICT and self.failure != str(error):
                log.warning("contact points cannot be kept: %s", error)
            self.failure = "" if error.status == CONFLICT else str(error)
