"""Kubernetes as the manager observes it: the emulated API server, and real requests to it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import msgspec

from localring.apiserver import ApiServer
from localring.cluster import Cluster as Objects
from localring.objects import PodIdentity
from ring.observe.cluster import Cluster
from ring.observe.kube import Api
from ring.observed import Observation

TOKEN = "first"  # noqa: S105 -- the emulator's own
HOST = "127.71.0.2"
PATIENCE = 20.0
LABELS = {
    "app.kubernetes.io/managed-by": "cassandra-k8s-ring",
    "cassandra-k8s-ring.io/service": "cassandra",
}
RING = "0e0c0000-0000-4000-8000-000000000001"


class Stage:
    """The server, its objects, and a watcher of them that runs."""

    def __init__(self, server: ApiServer, api: Api, folder: Path) -> None:
        self.server, self.api, self.folder = server, api, folder
        self.objects = Objects(server.store, endpoints_per_slice=2)
        self.changes = 0
        self.watcher = Cluster(api, "default", "cassandra", "cassandra-data", self._changed)
        self._addresses = map(IPv4Address, itertools.count(int(IPv4Address("10.0.0.1"))))

    def _changed(self) -> None:
        self.changes += 1

    def add_pods(self, *ordinals: int) -> None:
        for ordinal in ordinals:
            identity = PodIdentity(ordinal, "a")
            self.objects.make_claim(identity, bound=True)
            self.objects.create_pod(identity)
            self.objects.report_pod(identity, next(self._addresses), ready=True)

    def remove_pod(self, ordinal: int) -> None:
        self.objects.delete_pod(PodIdentity(ordinal, "a"))

    def config_map(self, name: str, data: dict[str, str]) -> None:
        meta = {"name": name, "namespace": "default", "labels": dict(LABELS)}
        self.server.store.create("configmaps", {"metadata": meta, "data": data}, "default")

    def record(self) -> None:
        self.config_map("cassandra-ring", {"ringId": RING, "founder": "cassandra-0"})

    def entry(self, pod: str, **changes: str) -> None:
        data = {"ringId": RING, "pod": pod, "podUid": "u", "state": "member", "hostId": ""}
        self.config_map(f"{pod}-member", data | changes)

    def renew_token(self, token: str) -> None:
        """Put another token in place of the one that is accepted."""
        (self.folder / "token").write_text(token)
        self.server.tokens.clear()
        self.server.tokens.add(token)

    async def until(self, holds: Callable[[Observation], bool]) -> Observation:
        async with asyncio.timeout(PATIENCE):
            while not holds(self.watcher.observed()):  # noqa: ASYNC110 -- level, not edge
                await asyncio.sleep(0.02)
        return self.watcher.observed()


def write_kubeconfig(folder: Path, server: str) -> Path:
    (folder / "token").write_text(TOKEN)
    path = folder / "kubeconfig"
    user = {"name": "u", "user": {"tokenFile": str(folder / "token")}}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [user],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_bytes(msgspec.json.encode(body))
    return path


@asynccontextmanager
async def staged(folder: Path) -> AsyncGenerator[Stage]:
    """Give a stage whose watcher does not run yet."""
    async with (
        ApiServer(HOST, tokens=[TOKEN]) as server,
        Api(write_kubeconfig(folder, server.url)) as api,
    ):
        yield Stage(server, api, folder)


@asynccontextmanager
async def watching(stage: Stage) -> AsyncGenerator[None]:
    """Let the watcher run."""
    task = asyncio.create_task(stage.watcher.run())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
