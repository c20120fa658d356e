"""Keeps the ConfigMap with contact points, on the replica that leads."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from ring.contact_points import contact_points
from ring.judged import Shown
from ring.leader import CONFLICT, NOT_FOUND, Store
from ring.observe.errors import KubeError

PERIOD: Final = 5.0
"""Seconds between two looks, and so between two writes at least."""

log = logging.getLogger(__name__)


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _ConfigMap(msgspec.Struct):
    metadata: _Meta
    data: dict[str, str] | None = None


_decode = msgspec.json.Decoder(_ConfigMap).decode


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
        self._store, self._port = store, port
        self._folder = f"/api/v1/namespaces/{namespace}/configmaps"
        self._meta = {"name": name, "namespace": namespace, "labels": dict(labels)}
        self._shown, self._leads, self._sleep = shown, leads, sleep
        self.writes = 0
        self.failure = ""

    async def run(self) -> None:
        """Keep it until cancelled."""
        while True:
            await self.step()
            await self._sleep(PERIOD)

    async def step(self) -> None:
        """Write the contact points where this replica leads, and they are others than there."""
        shown = self._shown()
        if shown is None or shown.stale or not self._leads():
            return
        try:
            version, before = await self._read()
            data = contact_points(shown.judged, before, self._port)
            if data is not None and self._leads():
                await self._write(version, data)
                self.writes += 1
                log.info("contact points are now %s", data)
            self.failure = ""
        except KubeError as error:
            if error.status != CONFLICT and self.failure != str(error):
                log.warning("contact points cannot be kept: %s", error)
            self.failure = "" if error.status == CONFLICT else str(error)

    async def _read(self) -> tuple[str | None, dict[str, str] | None]:
        try:
            body = _decode(await self._store.get(f"{self._folder}/{self._meta['name']}"))
        except KubeError as error:
            if error.status != NOT_FOUND:
                raise
            return None, None
        except msgspec.MsgspecError as error:
            raise KubeError(f"ConfigMap {self._meta['name']}: {error}") from None
        return body.metadata.resource_version, body.data or {}

    async def _write(self, version: str | None, data: dict[str, str]) -> None:
        meta: dict[str, Any] = dict(self._meta)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
        if version is None:
            await self._store.write("POST", self._folder, body)
            return
        meta["resourceVersion"] = version
        await self._store.write("PUT", f"{self._folder}/{meta['name']}", body)
