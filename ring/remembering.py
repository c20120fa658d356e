"""Keeps the ring's last changes in a ConfigMap, so that managers that start later know them."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ring.history import Change
from ring.judged import Shown
from ring.kept import CONFLICT, Found, Kept, Store
from ring.observe.errors import KubeError
from ring.past import MOST, Past, decoded, encoded, merged

PERIOD: Final = 10.0
"""Seconds between two looks, more or less, and so between two writes at least."""
KEY: Final = "changes"
TOLD: Final = 3
"""Lines that are told of where some cannot be read."""

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
        self._text, self._past = "", Past()
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
            self._take(data.get(KEY, ""))
            self._read = True
            await self._keep(found, data)
            self.failure = ""
        except KubeError as error:
            if error.status != CONFLICT and self.failure != str(error):
                log.warning("the history cannot be kept: %s", error)
            self.failure = "" if error.status == CONFLICT else str(error)

    def _take(self, text: str) -> None:
        """Learn what is kept where that is new; warn of what of it is left out."""
        if text == self._text:
            return
        before, self._text, self._past = self._past, text, decoded(text, time.time())
        if self._past.unread and self._past.unread != before.unread:
            log.warning(
                "of what ConfigMap %s has as %s this is no history and is left out: %s",
                self._map.name,
                KEY,
                "; ".join(self._past.unread[:TOLD]),
            )
        self._learn(self._past.changes)

    async def _keep(self, found: Found | None, data: dict[str, str]) -> None:
        shown = self._shown()
        if shown is None or not self._leads():
            return
        changes = merged(shown.judged.history.log, self._past.changes)[-MOST:]
        text = encoded(changes, self._past.strange)
        if text != data.get(KEY, ""):
            await self._map.write(found, {"data": data | {KEY: text}})
            self.writes += 1
            self._text, self._past = text, replace(self._past, changes=changes)
