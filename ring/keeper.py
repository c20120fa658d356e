"""Keeps the ConfigMap with contact points, on the replica that leads."""

import logging
from collections.abc import Mapping
from typing import Final, Unpack

from ring.contact_points import contact_points
from ring.keeping import Keeping, Ways
from ring.kept import Store

PERIOD: Final = 5.0

log = logging.getLogger(__name__)


class Keeper(Keeping):
    """Writes what applications need."""

    period = PERIOD
    what = "contact points"

    def __init__(
        self,
        store: Store,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        port: int,
        **ways: Unpack[Ways],
    ) -> None:
        super().__init__(store, namespace, name, labels, **ways)
        self._port = port

    async def _look(self) -> bool:
        """Write the contact points where they are others than there."""
        shown = self._shown()
        if shown is None or shown.stale:
            return False
        found = await self._map.read()
        before = self._map.data(found)
        data = contact_points(shown.judged, before, self._port)
        if data is not None and self._leads():
            await self._map.write(found, {"data": before | data})
            self.writes += 1
            log.info("contact points are now %s", data)
        return True
