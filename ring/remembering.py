"""Keeps the ring's last changes in a ConfigMap, so that managers that start later know them."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Unpack

from ring.history import Change
from ring.keeping import Keeping, Ways
from ring.kept import Found, Store
from ring.past import MOST, Past, decoded, encoded, merged

PERIOD: Final = 10.0
KEY: Final = "changes"
TOLD: Final = 3
"""Lines that are told of where some cannot be read."""

log = logging.getLogger(__name__)


class Remembering(Keeping):
    """Reads once what was kept, and goes on with it where this replica leads.

    A write that fails or meets another's loses nothing: the next one begins with what is there.

    Args:
        learn: takes what was kept.

    """

    period = PERIOD
    what = "the history"

    def __init__(
        self,
        store: Store,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        *,
        learn: Callable[[Sequence[Change]], None],
        **ways: Unpack[Ways],
    ) -> None:
        super().__init__(store, namespace, name, labels, **ways)
        self._learn = learn
        self._has_read = False
        self._text, self._past = "", Past()

    def _is_anothers(self) -> bool:
        return self._has_read and not self._leads()

    async def _look(self) -> bool:
        """Read what is kept, at first and where this replica leads; then write what is new."""
        found = await self._map.read()
        data = self._map.data(found)
        self._take(data.get(KEY, ""))
        self._has_read = True
        await self._keep(found, data)
        return True

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
