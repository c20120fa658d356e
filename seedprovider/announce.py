"""Kubernetes Events on our pod: what was withheld, refused, founded, replaced, and why.

Best effort: a bounded queue, written one after the other, repeated reasons counted instead of
piled up.  Nothing waits for an Event.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from seedprovider.decision import Promise, Rule, Step, TakeTurn, WriteEntry, WriteRecord
from seedprovider.kube.client import KubeClient
from seedprovider.kube.errors import Forbidden, KubeError, NotFound
from seedprovider.kube.events import discard
from seedprovider.kube.resources import EVENTS
from seedprovider.model import Endpoint

QUEUE: Final = 64
REPEAT_SECONDS: Final = 300.0
"""A reason that lasts is told again after this long; Events live for an hour by default."""
REMEMBERED: Final = 32
MAX_MESSAGE: Final = 1000
"""core/v1 Event.message takes 1,024 characters."""

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """Event.reason: one word in camel case, as `kubectl get events` shows it."""

    WITHHELD = "SeedsWithheld"
    PAUSED = "AdmissionPaused"
    REFUSED = "SeedsRefused"
    FOUNDING = "RingFounded"
    TAKEOVER = "RingTakenOver"
    REBUILT = "RingRecordRebuilt"
    ADOPTED = "RingAdopted"
    JOINING = "RingJoining"
    REPLACING = "RingReplacing"
    MEMBER = "RingMember"
    RESTORED = "VolumeChanged"


def kind_of(rule: Rule, step: Step) -> Kind | None:
    """Return the Event that a step taken is worth, if any."""
    match step:
        case WriteRecord():
            return {
                Rule.FOUND: Kind.FOUNDING,
                Rule.FOUNDER_TAKEOVER: Kind.TAKEOVER,
                Rule.REBUILD: Kind.REBUILT,
                Rule.ADOPTION: Kind.ADOPTED,
            }.get(rule)
        case TakeTurn():
            return Kind.REPLACING if rule is Rule.REPLACE else Kind.JOINING
        case WriteEntry() | Promise():
            return None


@dataclass(slots=True)
class _Told:
    name: str
    count: int
    at: float


class Announcer:
    """Writes Events about one pod."""

    def __init__(
        self,
        client: KubeClient,
        *,
        namespace: str,
        endpoint: Endpoint,
        lost: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], str],
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._endpoint = endpoint
        self._lost = lost
        self._clock = clock
        self._wall = wall
        self._queue: asyncio.Queue[tuple[Kind, str, _Told, str]] = asyncio.Queue(QUEUE)
        self._told: dict[tuple[Kind, str], _Told] = {}
        self._forbidden = False

    def tell(self, kind: Kind, message: str) -> None:
        """Queue an Event, unless the same was told within `REPEAT_SECONDS`."""
        message = message[:MAX_MESSAGE]
        now, told = self._clock(), self._told.get((kind, message))
        if told is not None and now - told.at < REPEAT_SECONDS:
            return
        if told is None:
            told = _Told(f"{self._endpoint.pod}.{uuid4().hex[:16]}", 0, now)
        try:
            self._queue.put_nowait((kind, message, told, self._wall()))
        except asyncio.QueueFull:
            self._lost()
            return
        told.at = now
        self._told[kind, message] = told
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

    async def run(self) -> None:
        """Write what is queued, until cancelled."""
        while True:
            kind, message, told, at = await self._queue.get()
            try:
                await self._write(kind, message, told, at)
            except KubeError as error:
                self._lost()
                # A right that is missing stays so; an Event that is lost is no trouble.
                once = isinstance(error, Forbidden) and not self._forbidden
                self._forbidden = self._forbidden or once
                level = logging.WARNING if once else logging.DEBUG
                log.log(level, "event %s not written: %s", kind, error.reason)

    async def _write(self, kind: Kind, message: str, told: _Told, at: str) -> None:
        told.count += 1
        if told.count > 1:
            patch = {"count": told.count, "lastTimestamp": at}
            try:
                await self._client.merge_patch(
                    EVENTS, self._namespace, told.name, patch, discard
                )
            except NotFound:  # it has expired
                told.count = 1
            else:
                return
        body = self._body(kind, message, told, at)
        await self._client.create(EVENTS, self._namespace, body, discard)

    def _body(self, kind: Kind, message: str, told: _Told, at: str) -> dict[str, Any]:
        warning = kind in {Kind.REFUSED, Kind.REBUILT, Kind.TAKEOVER, Kind.RESTORED}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": told.name, "namespace": self._namespace},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": self._namespace,
                "name": self._endpoint.pod,
                "uid": self._endpoint.uid,
            },
            "type": "Warning" if warning else "Normal",
            "reason": kind.value,
            "message": message,
            "source": {"component": "seedprovider"},
            "reportingComponent": "cassandra-k8s-ring.io/seedprovider",
            "reportingInstance": self._endpoint.pod,
            "count": told.count,
            "firstTimestamp": at,
            "lastTimestamp": at,
        }
