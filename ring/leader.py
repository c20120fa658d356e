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
from typing import Final

import msgspec

from ring.kept import CONFLICT, Json, Kept, Store
from ring.observe.errors import KubeError

HELD_SECONDS: Final = 15
"""After which others may take the Lease; client-go's default."""
LEADS_SECONDS: Final = 10.0
"""After the last renewal a leader stops; the rest is for what it has under way."""
PERIOD: Final = 2.0
"""Seconds between renewals; client-go's default."""
PATIENCE: Final = 3.0
"""Seconds for one renewal: one that hangs leaves time for two more."""

log = logging.getLogger(__name__)


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    acquire_time: str | None = None


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
        self._identity = identity
        self._lease = Kept(
            store,
            f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
            namespace,
            name,
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"},
            labels,
        )
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
            async with asyncio.timeout(PATIENCE):
                await self._try()
            self.failure = ""
        except TimeoutError:
            self.failure = f"Lease {self._lease.name}: no answer within {PATIENCE:g} s"
        except KubeError as error:
            if error.status != CONFLICT:  # somebody else was faster: no failure
                self.failure = str(error)
        leads = self.leads
        if leads != self._said:  # its time may have run out since the last step
            self._said = leads
            log.info("this replica %s", "leads" if leads else "follows")

    async def _try(self) -> None:
        asked = self._clock()
        lease = await self._lease.read()
        if lease is None:
            await self._lease.write(None, self._part(_Spec(), self._identity))
            self._renewed = asked
            return
        version, spec = lease.version, lease.part("spec", _Spec)
        if version != self._seen[0]:
            self._seen = version, asked
        held = spec.lease_duration_seconds or HELD_SECONDS
        free = not spec.holder_identity or asked - self._seen[1] > held
        if spec.holder_identity != self._identity and not free:
            self._renewed = None
            return
        await self._lease.write(lease, self._part(spec, self._identity))
        self._renewed = asked  # when it was asked for, not when it was confirmed

    async def _give_up(self) -> None:
        self._renewed = None
        try:
            async with asyncio.timeout(PATIENCE):
                lease = await self._lease.read()
                spec = lease.part("spec", _Spec) if lease else _Spec()
                if lease and spec.holder_identity == self._identity:
                    await self._lease.write(lease, self._part(spec, ""))
        except (KubeError, TimeoutError):
            log.info("the Lease could not be given up; it runs out in %d s", HELD_SECONDS)

    def _part(self, was: _Spec, holder: str) -> Json:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        same = was.holder_identity == holder
        return {
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": HELD_SECONDS,
                "acquireTime": was.acquire_time if same and was.acquire_time else now,
                "renewTime": now,
                "leaseTransitions": (was.lease_transitions or 0) + (not same and bool(holder)),
            }
        }
