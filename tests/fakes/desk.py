"""A sidecar's engine with all that it asks, before an emulated API server; no Cassandra."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from localring.apiserver import ApiServer
from seedprovider.announce import Announcer
from seedprovider.decision import Policy
from seedprovider.engine import Engine, timestamp
from seedprovider.inquiry import Inquirer
from seedprovider.kube.client import KubeClient
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.transport import Transport
from seedprovider.metrics import Metrics
from seedprovider.model import Disk, DiskState, Endpoint
from seedprovider.own import OwnNode
from seedprovider.question import Question
from seedprovider.registry import Registry
from seedprovider.world import World

HOST = "127.50.7.1"
NEIGHBOUR = "127.50.7.2"
BLANK = Question(Disk(DiskState.EMPTY), HOST, ())


@dataclass
class Desk:
    """The sidecar of cassandra-0 in namespace ``ns``; `now` is its clock, moved by hand."""

    api: ApiServer
    engine: Engine
    world: World
    registry: Registry
    announcer: Announcer
    now: list[float]

    async def looked(self, times: int) -> None:
        """Wait until so many live reads have begun."""
        async with asyncio.timeout(30):
            await self.api.requests.until(times, resource="services")


def add_pod(api: ApiServer, name: str, address: str) -> str:
    """Make a pod of the service; return its UID."""
    meta = {"name": name, "labels": {"app": "cassandra"}}
    status = {"phase": "Running", "podIP": address}
    made = api.store.create("pods", {"metadata": meta, "status": status}, "ns")
    return str(made["metadata"]["uid"])


@asynccontextmanager
async def desk_in(data_dir: Path) -> AsyncIterator[Desk]:
    """Set one up, whose node has its data in a directory."""
    now = [1000.0]

    def clock() -> float:
        return now[0]

    endpoint = Endpoint("cassandra-0", "uid-0", HOST)
    own = OwnNode(endpoint, data_dir=data_dir, storage_port=7000, clock=clock)
    async with (
        ApiServer(HOST) as api,
        Transport(Credentials(api.url), user_agent="unit/1") as transport,
        aiohttp.ClientSession() as session,
    ):
        selector = {"app": "cassandra"}
        service = {"metadata": {"name": "cassandra"}, "spec": {"selector": selector}}
        api.store.create("services", service, "ns")
        own.endpoint = Endpoint("cassandra-0", add_pod(api, "cassandra-0", HOST), HOST)
        inquirer = Inquirer(
            session, namespace="ns", service="cassandra", port=8079, clock=clock
        )
        world = World(own, inquirer, service="cassandra", remembered=None, clock=clock)
        registry = Registry(transport, namespace="ns", service="cassandra", claim="", family=4)
        metrics = Metrics()
        announcer = Announcer(
            KubeClient(transport),
            namespace="ns",
            endpoint=own.endpoint,
            lost=metrics.events_lost.inc,
            wall=timestamp,
        )
        engine = Engine(world, registry, announcer, metrics, Policy(), clock=clock)
        telling = asyncio.create_task(announcer.run())
        yield Desk(api, engine, world, registry, announcer, now)
        await engine.close()
        telling.cancel()
        await asyncio.wait([telling])


@dataclass
class Neighbour:
    """The sidecar of cassandra-1.

    Attributes:
        says: what it adds to its word, or puts in the place of something in it.
        mute: true once it answers no more.
        hangs: true while it takes longer than anybody waits.

    """

    uid: str
    says: dict[str, Any]
    mute: bool = False
    hangs: bool = False

    async def node(self, _: web.Request) -> web.Response:
        """Answer ``GET /v1/node``."""
        if self.hangs:
            await asyncio.sleep(60)
        if self.mute:
            raise web.HTTPServiceUnavailable
        said = {
            "pod": "cassandra-1",
            "podUid": self.uid,
            "namespace": "ns",
            "service": "cassandra",
            "disk": {"state": "empty"},
            "cassandra": "stopped",
            "heartbeat": None,
        }
        return web.json_response(said | self.says)


@asynccontextmanager
async def neighbour_of(desk: Desk) -> AsyncIterator[Neighbour]:
    """Have another pod, with a blank disk and no process."""
    made = Neighbour(add_pod(desk.api, "cassandra-1", NEIGHBOUR), {})
    app = web.Application()
    app.router.add_get("/v1/node", made.node)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, NEIGHBOUR, 8079).start()
    yield made
    await runner.cleanup()
