"""Keeps the ring's last changes in a ConfigMap, so that managers that start later know them."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from ring.history import Change
from ring.judged import Shown
from ring.kept import CONFLICT, Found, Kept, Store
from ring.observe.errors import KubeError
from ring.past import MOST, decoded, encoded, merged

PERIOD: Final = 10.0
"""Seconds between two looks, more or less, and so between two writes at least."""
KEY: Final = "changes"

log = logging.getLogger(__name__)


class Remembering:
    """Reads once what was kept, and goes on with it where this replica leads.

    `run` it as a task.

    A write that fails or meets another's loses nothing: the next one begins with what is there.

    Args:
        name: of the ConfigMap.
        shown: returns what is shown now.
        leads: says whether this replica writes.
        learn: takes what was kept.

    """

    def __init__(
        self,
        store: Store,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        *,
        shown: Callable[[], Shown | None],
        leads: Callable[[], bool],
        learn: Callable[[Sequence[Change]], None],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._map = Kept(
            store,
            f"/api/v1/namespaces/{namespace}/configmaps",
            namespace,
            name,
            {"apiVersion": "v1", "kind": "ConfigMap"},
            labels,
        )
        self._shown, self._leads, self._learn, self._sleep = shown, leads, learn, sleep
        self._read = False
        self._last: tuple[Change, ...] = ()
        self._refused = ""
        self.writes = 0
        self.failure = ""

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            await self.step()
            await self._sleep(PERIOD * (0.8 + 0.4 * random.random()))  # noqa: S311 -- jitter

    async def step(self) -> None:
        """Read what is kept, at first and where this replica leads; then write what is new."""
        if self._read and not self._leads():
            self.failure = ""  # the writes are another's
            return
        try:
            found = await self._map.read()
            data = self._map.data(found)
            kept = self._understood(data.get(KEY, ""))
            self._read = True
            if kept != self._last:
                self._last = kept
                self._learn(kept)
            await self._keep(found, data, kept)
            self.failure = ""
        except KubeError as error:
            if error.status != CONFLICT and self.failure != str(error):
                log.warning("the history cannot be kept: %s", error)
            self.failure = "" if error.status == CONFLICT else str(error)

    def _understood(self, text: str) -> tuple[Change, ...]:
        """Return what is kept; nothing, and a warning, where that is no history."""
        try:
            return decoded(text)
        except ValueError as error:
            if text != self._refused:
                log.warning(
                    "what ConfigMap %s has as %s is no history (%s): it begins anew",
                    self._map.name,
                    KEY,
                    error,
                )
            self._refused = text
            return ()

    async def _keep(
        self, found: Found | None, data: dict[str, str], kept: tuple[Change, ...]
    ) -> None:
        shown = self._shown()
        if shown is None or not self._leads():
            return
        changes = merged(shown.judged.history.log, kept)[-MOST:]
        text = encoded(changes)
        if text != data.get(KEY, ""):
            await self._map.write(found, {"data": data | {KEY: text}})
            self.writes += 1
            self._last = changes
