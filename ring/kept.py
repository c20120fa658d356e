"""One object of the API server that the manager keeps: written only as it was when it was read.

What others wrote into it stays: labels, annotations, owners, other fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import msgspec

from ring.observe.bodies import decoded
from ring.observe.errors import KubeError

Json = dict[str, Any]
T = TypeVar("T")

NOT_FOUND: Final = 404
CONFLICT: Final = 409


class Store(Protocol):
    """What is needed of an API server; every failure is a `KubeError`."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return a body."""
        ...

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> bytes:
        """Send an object."""
        ...


_object = msgspec.json.Decoder(dict[str, Any]).decode


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str
    labels: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The object as it was read.

    Attributes:
        version: its ``metadata.resourceVersion``.
        body: all of it.

    """

    version: str
    labels: Mapping[str, str]
    body: Json

    def part(self, name: str, kind: type[T]) -> T:
        """Return a field of it; `KubeError` where it is of another form."""
        return _formed(self.body.get(name) or {}, kind, name)


class Kept:
    """Reads and writes one object.

    Args:
        folder: path of its collection.
        head: its ``apiVersion`` and ``kind``.
        labels: those that it has when it is created.

    """

    def __init__(
        self,
        store: Store,
        folder: str,
        namespace: str,
        name: str,
        head: Mapping[str, str],
        labels: Mapping[str, str],
    ) -> None:
        self._store, self._folder, self.name, self._head = store, folder, name, dict(head)
        self._meta = {"name": name, "namespace": namespace, "labels": dict(labels)}
        self.labels = dict(labels)

    async def read(self) -> Found | None:
        """Return it as it is; None where there is none."""
        try:
            raw = await self._store.get(f"{self._folder}/{self.name}")
        except KubeError as error:
            if error.status != NOT_FOUND:
                raise
            return None
        body = decoded(self.name, _object, raw)
        meta = _formed(body.get("metadata"), _Meta, self.name)
        return Found(meta.resource_version, meta.labels or {}, body)

    def data(self, found: Found | None) -> dict[str, str]:
        """Return what is in a ConfigMap; `KubeError` where somebody else made it."""
        if found is None:
            return {}
        for name, value in self.labels.items():
            if found.labels.get(name) != value:
                raise KubeError(
                    f"ConfigMap {self.name} is somebody else's: it has no label "
                    f"{name}={value}; delete it, or give it that label to have it kept"
                )
        return found.part("data", dict[str, str])

    async def write(self, found: Found | None, part: Json) -> None:
        """Set fields of it; status 409 where somebody else wrote it since it was read."""
        if found is None:
            body = self._head | {"metadata": self._meta} | part
            await self._store.write("POST", self._folder, body)
        else:
            await self._store.write("PUT", f"{self._folder}/{self.name}", found.body | part)


def _formed(value: object, kind: type[T], what: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.MsgspecError as error:
        raise KubeError(f"{what}: {error}") from None
