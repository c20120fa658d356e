"""What the API server knows that a rack depends on: the ledger, and the nodes' zones."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from seedprovider import objects
from seedprovider.install.errors import InstallError
from seedprovider.kube.collection import Bounds, HttpCollection, Selection
from seedprovider.kube.errors import Forbidden, KubeError
from seedprovider.kube.events import Object
from seedprovider.kube.resources import CONFIG_MAPS, NODES
from seedprovider.kube.transport import Transport
from seedprovider.model import Entry, PodName
from seedprovider.racks import Node
from seedprovider.registry import UnreadableError, decode_config_map, kept_of
from seedprovider.settings import InstallSettings

T = TypeVar("T")

ZONE: Final = "topology.kubernetes.io/zone"
CONTROL_PLANE: Final = (
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",  # until Kubernetes 1.24
)
NODES_A_PAGE: Final = 100
"""A node lists the images on it: 10 to 50 KiB each, and a page has to be under 16 MiB."""
PAUSE_SECONDS: Final = 2.0
"""Between two attempts, more or less by half."""
TELL_SECONDS: Final = 10.0

log = logging.getLogger(__name__)


class _Meta(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = None


class _Taint(msgspec.Struct, frozen=True):
    key: str
    effect: str = ""


class _Spec(msgspec.Struct, frozen=True):
    taints: list[_Taint] | None = None


class _Node(msgspec.Struct, frozen=True):
    metadata: _Meta
    spec: _Spec = _Spec()


_node = msgspec.json.Decoder(_Node).decode


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait: seconds of patience, and what time and chance come from."""

    patience: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


class Cluster:
    """Reads of the API server, live: without ``resourceVersion``."""

    def __init__(
        self, transport: Transport, settings: InstallSettings, waiting: Waiting
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._waiting = waiting

    async def ledger(self, *, needed: bool) -> Mapping[PodName, Entry] | None:
        """Return the ledger by pod; None where it cannot be read and is not `needed`.

        Raises `InstallError` where it is needed and does not come.
        """
        service = self._settings.service

        async def read() -> Mapping[PodName, Entry]:
            chosen = Selection(CONFIG_MAPS, self._settings.namespace, objects.selector(service))
            found = await HttpCollection(self._transport, chosen, decode_config_map).list()
            return kept_of(service, found.objects).ledger

        right = f"list configmaps in namespace {self._settings.namespace} (a Role)"
        return await self._read(read, "the ledger of racks", right, needed=needed)

    async def nodes(self) -> tuple[Node, ...]:
        """Return the nodes that pods of the service may run on; raise `InstallError`."""
        selection = Selection(NODES, "", labels=self._settings.node_selector)
        nodes = await self._nodes(selection, needed=True)
        return nodes or ()

    async def own_node(self) -> Node | None:
        """Return the node that we run on, None where it cannot be read."""
        selection = Selection(NODES, "", fields=f"metadata.name={self._settings.node}")
        nodes = await self._nodes(selection, needed=False)
        return nodes[0] if nodes else None

    async def _nodes(self, selection: Selection, *, needed: bool) -> tuple[Node, ...] | None:
        async def read() -> tuple[Node, ...]:
            bounds = Bounds(page_size=NODES_A_PAGE)
            found = await HttpCollection(
                self._transport, selection, _node, bounds=bounds
            ).list()
            return tuple(_node_of(each) for each in found.objects)

        right = "list nodes in the whole cluster (a ClusterRole)"
        return await self._read(read, "the zones of the nodes", right, needed=needed)

    async def _read(
        self, read: Callable[[], Awaitable[T]], what: str, right: str, *, needed: bool
    ) -> T | None:
        waiting, started = self._waiting, self._waiting.clock()
        told = -TELL_SECONDS
        while True:
            try:
                return await read()
            except (KubeError, UnreadableError) as error:
                failure = error
            if not needed:
                log.warning("goes on without %s: %s", what, failure)
                return None
            waited = waiting.clock() - started
            _check(failure, what, right, may_wait=waited < waiting.patience)
            if waited - told >= TELL_SECONDS:
                told = waited
                log.warning("waiting for %s, %.0f s so far: %s", what, waited, failure)
            await waiting.sleep(PAUSE_SECONDS * (0.5 + waiting.jitter()))


def _check(
    failure: KubeError | UnreadableError, what: str, right: str, *, may_wait: bool
) -> None:
    """Raise `InstallError` unless the same request may bring an answer in time."""
    if isinstance(failure, Forbidden):
        raise InstallError(
            f"the service account may not read {what}: grant it the right to {right}, or set "
            f"SEEDPROVIDER_RACK ({failure})"
        )
    if not (may_wait and isinstance(failure, KubeError) and failure.retry_may_help):
        raise InstallError(f"the rack depends on {what}: {failure}")


def _node_of(item: Object[_Node]) -> Node:
    zone = (item.body.metadata.labels or {}).get(ZONE)
    keeps_off = {"NoSchedule", "NoExecute"}
    taints = item.body.spec.taints or []
    control = any(each.key in CONTROL_PLANE and each.effect in keeps_off for each in taints)
    return Node(item.key.name, zone or None, control)
