"""Keeps a ConfigMap up to date step by step: the loop, and what a failed write means."""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NotRequired, TypedDict

from ring.judged import Shown
from ring.kept import CONFLICT, Kept, Store
from ring.observe.errors import KubeError

HEAD: Final = {"apiVersion": "v1", "kind": "ConfigMap"}

log = logging.getLogger(__name__)


class Ways(TypedDict):
    """What every `Keeping` is given by name."""

    shown: Callable[[], Shown | None]
    leads: Callable[[], bool]
    sleep: NotRequired[Callable[[float], Awaitable[object]]]


class Keeping(ABC):
    """Looks, and writes what is new, where this replica leads; `run` it as a task.

    Args:
        name: of the ConfigMap.
        shown: returns what is shown now.
        leads: says whether this replica writes.

    """

    period: float
    """Seconds between two looks, more or less, and so between two writes at least."""
    what: str
    """What is kept, as a failure is told."""

    def __init__(
        self,
        store: Store,
        namespace: str,
        name: str,
        labels: Mapping[str, str],
        *,
        shown: Callable[[], Shown | None],
        leads: Callable[[], bool],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        folder = f"/api/v1/namespaces/{namespace}/configmaps"
        self._map = Kept(store, folder, namespace, name, HEAD, labels)
        self._shown, self._leads, self._sleep = shown, leads, sleep
        self.writes = 0
        self.failure = ""

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            await self.step()
            await self._sleep(self.period * (0.8 + 0.4 * random.random()))  # noqa: S311 -- jitter

    async def step(self) -> None:
        """Look once; a conflict is no failure, the next look begins with what is there."""
        if self._is_anothers():
            self.failure = ""
            return
        try:
            if await self._look():
                self.failure = ""
        except KubeError as error:
            if error.status != CONFLICT and self.failure != str(error):
                log.warning("%s cannot be kept: %s", self.what, error)
            self.failure = "" if error.status == CONFLICT else str(error)

    def _is_anothers(self) -> bool:
        """Whether there is nothing to do for one that does not lead."""
        return not self._leads()

    @abstractmethod
    async def _look(self) -> bool:
        """Read, and write what is new; return whether there was anything to look for."""
