"""Which replica of the manager writes: whoever holds a Lease, and knows for how long.

A holder is believed gone when its Lease has not changed for as long as it says that it is held,
by one's own clock: clocks of machines differ.  A leader stops to be one before that time is
over for others, whether or not it could ask.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from ring.observe.errors import KubeError

Json = dict[str, Any]

HELD_SECONDS: Final = 15
"""After which others may take the Lease; client-go's default."""
LEADS_SECONDS: Final = 10.0
"""After the last renewal a leader stops; the rest is for what it has under way."""
PERIOD: Final = 3.0
"""Seconds between renewals, so that three may fail."""
NOT_FOUND: Final = 404
CONFLICT: Final = 409

log = logging.getLogger(__name__)


class Store(Protocol):
    """What is needed of an API server; every failure is a `KubeError`."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return a body."""
        ...

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> bytes:
        """Send an object."""
        ...


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None


class _Lease(msgspec.Struct):
    metadata: _Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)


_decode = msgspec.json.Decoder(_Lease).decode


class Election:
    """Takes part for one replica; `run` it as a task.

    Args:
        name: of the Lease.
        identity: of this replica; no other has it.
        labels: of the Lease, where it is created.
        clock: monotonic seconds.

    """

    def __init__(
        self,
        store: Store,
        namespace: str,
        name: str,
        identity: str,
        labels: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._namespace, self._name = store, namespace, name
        self._identity, self._labels = identity, dict(labels)
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._seen: tuple[str, float] = "", 0.0  # version, and since when it is that
        self._renewed: float | None = None
        self._said = False
        self.failure = ""

    @property
    def leads(self) -> bool:
        """Whether this replica may write now."""
        return self._renewed is not None and self._clock() - self._renewed < LEADS_SECONDS

    async def run(self) -> None:
        """Take part until cancelled; then give up what is held, so that nobody waits for it."""
        try:
            while True:
                await self.step()
                await self._sleep(PERIOD * (0.8 + 0.4 * self._jitter()))
        finally:
            if self.leads:
                await asyncio.shield(self._give_up())

    async def step(self) -> None:
        """Renew the Lease, or take it where nobody holds it."""
        try:
            await self._try()
            self.failure = ""
        except KubeError as error:
            if error.status != CONFLICT:  # somebody else was faster: no failure
                self.failure = str(error)
        leads = self.leads
        if leads != self._said:  # its time may have run out since the last step
            self._said = leads
            log.info("this replica %s", "leads" if leads else "follows")

    async def _try(self) -> None:
        asked = self._clock()
        try:
            lease = await self._read()
        except KubeError as error:
            if error.status != NOT_FOUND:
                raise
            await self._store.write("POST", self._folder, self._body(_Spec(), None))
            self._renewed = asked
            return
        version, spec = lease.metadata.resource_version, lease.spec
        if version != self._seen[0]:
            self._seen = version, asked
        held = spec.lease_duration_seconds or HELD_SECONDS
        free = not spec.holder_identity or asked - self._seen[1] > held
        if spec.holder_identity != self._identity and not free:
            self._renewed = None
            return
        await self._store.write("PUT", self._path, self._body(spec, version))
        self._renewed = asked  # when it was asked for, not when it was confirmed

    async def _read(self) -> _Lease:
        try:
            return _decode(await self._store.get(self._path))
        except msgspec.MsgspecError as error:
            raise KubeError(f"Lease {self._name}: {error}") from None

    async def _give_up(self) -> None:
        self._renewed = None
        try:
            lease = await self._read()
            if lease.spec.holder_identity == self._identity:
                version = lease.metadata.resource_version
                await self._store.write("PUT", self._path, self._body(lease.spec, version, ""))
        except KubeError:
            log.info("the Lease could not be given up; it runs out in %d s", HELD_SECONDS)

    @property
    def _folder(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self._namespace}/leases"

    @property
    def _path(self) -> str:
        return f"{self._folder}/{self._name}"

    def _body(self, was: _Spec, version: str | None, holder: str | None = None) -> Json:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        identity = self._identity if holder is None else holder
        same = was.holder_identity == identity
        meta: Json = {"name": self._name, "namespace": self._namespace, "labels": self._labels}
        if version is not None:
            meta["resourceVersion"] = version
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": meta,
            "spec": {
                "holderIdentity": identity,
                "leaseDurationSeconds": HELD_SECONDS,
                "acquireTime": was.acquire_time if same and was.acquire_time else now,
                "renewTime": now,
                "leaseTransitions": (was.lease_transitions or 0)
                + (not same and bool(identity)),
            },
        }
