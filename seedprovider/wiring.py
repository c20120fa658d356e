"""How the parts of one sidecar are put together, started and stopped."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import aiohttp
from aiohttp import web

from seedprovider import __version__
from seedprovider.announce import Announcer
from seedprovider.cache import CacheError, Remembered, load
from seedprovider.decision import Policy
from seedprovider.engine import Engine, timestamp
from seedprovider.inquiry import AT_ONCE, Inquirer
from seedprovider.kube.client import KubeClient
from seedprovider.kube.collection import HttpCollection, Selection
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.errors import KubeError
from seedprovider.kube.mirror import Mirror
from seedprovider.kube.resources import ENDPOINT_SLICES
from seedprovider.kube.transport import Transport
from seedprovider.metrics import Metrics
from seedprovider.model import Address, Endpoint, PodName, PodUid
from seedprovider.own import OwnNode
from seedprovider.recorder import Recorder
from seedprovider.registry import Registry
from seedprovider.scribe import Scribe
from seedprovider.settings import Settings
from seedprovider.tending import Tender
from seedprovider.view import Slice, decode_slice, family
from seedprovider.web import Face
from seedprovider.world import World

SHUTDOWN_SECONDS: Final = 1.0
"""How long requests under way may take at the end; aiohttp waits so long twice."""
MAX_QUERY_BYTES: Final = 32 * 1024
"""64 configured seeds of 253 characters are twice what aiohttp takes of itself."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@asynccontextmanager
async def running(settings: Settings, credentials: Credentials) -> AsyncIterator[Face]:
    """Run all parts of one sidecar; listening when entered, all stopped when left."""
    async with AsyncExitStack() as stack:
        agent = f"seedprovider/{__version__} {settings.pod}"
        transport = await stack.enter_async_context(Transport(credentials, user_agent=agent))
        session = await stack.enter_async_context(_peer_session(agent))
        parts = _assemble(settings, transport, session)
        stack.push_async_callback(parts.world.inquirer.close)
        stack.push_async_callback(parts.engine.close)
        if parts.world.recorder is not None:
            stack.callback(parts.world.recorder.close)
            parts.world.recorder.began(parts.world.own.endpoint)
        await parts.world.own.look_at_disk()
        for work in (
            _follow(parts.world.slices, _slices(settings, transport), parts.metrics),
            _follow(parts.world.maps, parts.registry.config_maps(), parts.metrics),
            parts.announcer.run(),
            parts.tender.run(),
            parts.scribe.run(),
        ):
            await stack.enter_async_context(_background(work))
        face = parts.face
        for app, host, port in (
            (face.pod_network(), settings.pod_ip, settings.pod_port),
            (face.loopback(), settings.loopback_listen.host, settings.loopback_listen.port),
        ):
            await stack.enter_async_context(_listening(app, host, port))
        yield face


def _peer_session(agent: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=2 * AT_ONCE, keepalive_timeout=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": agent},
        auto_decompress=False,
    )


async def _follow(mirror: Mirror[T], source: HttpCollection[T], metrics: Metrics) -> None:
    def failed(error: KubeError) -> None:
        metrics.kube_failures.labels(str(source)).inc()
        log.warning("%s: %s", source, error.reason)

    await mirror.run(source, on_failure=failed)


@asynccontextmanager
async def _background(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run a part beside; if it ever fails, the whole sidecar ends and is started anew."""
    task = asyncio.create_task(work)
    task.add_done_callback(_end_if_failed)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _end_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("a part failed, ending", exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)


class ListenError(Exception):
    """An address to listen on is taken, or not this machine's; the text names it."""


@asynccontextmanager
async def _listening(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        max_line_size=MAX_QUERY_BYTES,
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ListenError(f"cannot listen: {error}") from error
        yield
    finally:
        await runner.cleanup()


def _gauges(
    world: World, tender: Tender, transport: Transport
) -> dict[str, tuple[str, float | None]]:
    own, wanted = world.own, tender.wanted
    return {
        "seedprovider_view_age_seconds": (
            "Since the API server last gave a sign of life",
            world.age,
        ),
        "seedprovider_heartbeat_age_seconds": (
            "Since Cassandra's last heartbeat",
            own.beat_age,
        ),
        "seedprovider_endpoints": ("Pods with an address", float(len(world.endpoints()))),
        "seedprovider_seeds": (
            "Seeds that the running node should use",
            None if wanted is None else float(len(wanted.seeds)),
        ),
        "seedprovider_inquiry_failures_total": (
            "Sidecars of other pods that did not answer as they should",
            float(world.inquirer.failures),
        ),
        "seedprovider_kube_requests_total": (
            "Requests sent to the API server, a watch counted once",
            float(transport.requests),
        ),
        "seedprovider_ready": (
            "Whether the pod counts as ready",
            float(tender.not_ready() is None),
        ),
    }


@dataclass(frozen=True, slots=True)
class _Parts:
    world: World
    registry: Registry
    announcer: Announcer
    tender: Tender
    scribe: Scribe
    metrics: Metrics
    engine: Engine
    face: Face


def _assemble(
    settings: Settings, transport: Transport, session: aiohttp.ClientSession
) -> _Parts:
    metrics = Metrics()
    own = OwnNode(
        Endpoint(PodName(settings.pod), PodUid(settings.pod_uid), Address(settings.pod_ip)),
        data_dir=settings.data_dir,
        storage_port=settings.storage_port,
    )
    inquirer = Inquirer(
        session,
        namespace=settings.namespace,
        service=settings.service,
        port=settings.pod_port,
    )
    remembered = _remembered(settings)
    world = World(
        own,
        inquirer,
        service=settings.service,
        remembered=remembered,
        recorder=Recorder(settings.journal) if settings.journal else None,
    )
    registry = Registry(
        transport,
        namespace=settings.namespace,
        service=settings.service,
        claim=settings.claim,
        family=family(settings.pod_ip),
    )
    announcer = Announcer(
        KubeClient(transport),
        namespace=settings.namespace,
        endpoint=own.endpoint,
        lost=metrics.events_lost.inc,
        wall=timestamp,
    )
    policy = Policy(seeds_per_dc=settings.seeds_per_dc, founding_grace=settings.founding_grace)
    engine = Engine(world, registry, announcer, metrics, policy)
    tender = Tender(world, engine, metrics, policy=policy)
    scribe = Scribe(world, engine, tender, registry, announcer, state_dir=settings.state_dir)
    face = Face(world, engine, tender, metrics, namespace=settings.namespace)
    metrics.add_gauges(lambda: _gauges(world, tender, transport))
    return _Parts(world, registry, announcer, tender, scribe, metrics, engine, face)


def _slices(settings: Settings, transport: Transport) -> HttpCollection[Slice]:
    labels = f"kubernetes.io/service-name={settings.service}"
    selection = Selection(ENDPOINT_SLICES, settings.namespace, labels)
    return HttpCollection(transport, selection, decode_slice)


def _remembered(settings: Settings) -> Remembered | None:
    try:
        return load(settings.state_dir, settings.service, settings.pod, settings.pod_uid)
    except CacheError as error:
        log.warning("the last good answer is ignored: %s", error)
        return None
