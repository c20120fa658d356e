"""``ring serve``: wires observers, cycle, election and HTTP; ends them in order."""

import asyncio
import contextlib
import logging
import random
import resource
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from ring.keeper import Keeper
from ring.latest import Latest
from ring.leader import Election
from ring.manager import CYCLE_SECONDS, Manager, addresses, candidates, revision
from ring.metrics import Metrics, Sources
from ring.observe.access import Access
from ring.observe.cassandra import Contact
from ring.observe.cluster import OWN_LABEL, Cluster
from ring.observe.contacts import Contacts
from ring.observe.kube import Api
from ring.observe.seeds import Seeds, session
from ring.observe.sidecars import PERIOD, Sidecars
from ring.remembering import Remembering
from ring.skewing import Skewing
from ring.stream import Streams
from ring.upkeeping import PERIOD as UPKEEP_PERIOD
from ring.upkeeping import Upkeeping
from ring.web import make_app

MISSED_CYCLES: Final = 3
"""After so many a picture is stale; and some seconds more, for a cycle that is only slow."""
GRACE_SECONDS: Final = 5.0
SHUTDOWN_SECONDS: Final = 5.0
"""For answers under way at the end; streams are ended at once."""
AGAIN_SECONDS: Final = 5.0
"""Before a part that failed begins again, more or less."""
DESCRIPTORS: Final = 65_536
"""Open files asked for: a connection for each sidecar, and one for each stream."""

log = logging.getLogger("ring")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``ring serve`` is told; docs/ring-manager.md gives the reasons."""

    namespace: str
    service: str = "cassandra"
    identity: str
    kubeconfig: Path | None = None
    context: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 -- it is for everybody in the cluster
    port: int = 8080
    interval: float = CYCLE_SECONDS
    sidecar_port: int = 8079
    sidecar_period: float = PERIOD
    claim: str = "cassandra-data"
    access: Access = field(default_factory=Access)
    writes: bool = True
    upkeep_period: float = UPKEEP_PERIOD


class ListenError(OSError):
    """The address to listen on cannot be had."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A manager that runs.

    Attributes:
        url: of its API on the local machine.
        task: ends with an error where one of its parts failed beyond repair.

    """

    url: str
    manager: Manager
    latest: Latest
    election: Election
    task: asyncio.Task[None]


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    _ask_for_descriptors()
    async with running(settings) as it:
        log.info("serving at %s", it.url)
        waiting = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait({it.task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if it.task.done():
                it.task.result()
        finally:
            waiting.cancel()
    log.info("stopped")


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[Running]:
    """Run a manager until the block ends; `ListenError` where its address is taken."""
    async with AsyncExitStack() as exits:
        api = await exits.enter_async_context(Api(settings.kubeconfig, settings.context))
        asking = await exits.enter_async_context(session())
        latest = Latest(settings.interval * MISSED_CYCLES + GRACE_SECONDS)
        parts = _Parts(settings, api, asking, latest)
        runner, url = await _listen(settings, parts.app)
        task = asyncio.create_task(parts.run(), name="manager")
        exits.push_async_callback(_end, task)
        exits.push_async_callback(runner.cleanup)  # first, while answers have all behind them
        yield Running(
            url=url,
            manager=parts.manager,
            latest=latest,
            election=parts.election,
            task=task,
        )


class _Parts:
    """Everything that runs, made and tied together."""

    def __init__(
        self, settings: Settings, api: Api, asking: aiohttp.ClientSession, latest: Latest
    ) -> None:
        self._settings = settings
        self._cluster = Cluster(
            api,
            settings.namespace,
            settings.service,
            settings.claim,
            lambda: self.manager.notice("kubernetes"),
        )
        self._sidecars = Sidecars(
            lambda: addresses(self._cluster.observed()),
            settings.sidecar_port,
            lambda: self.manager.notice("sidecar"),
            period=settings.sidecar_period,
        )
        self._contacts = Contacts(
            partial(Contact, access=settings.access),
            lambda: candidates(self._cluster.observed(), self.manager.judged),
            lambda: revision(self.manager.judged),
            lambda: self.manager.notice("cql"),
            period=settings.interval,
        )
        self.manager = Manager(
            self._cluster, self._sidecars, self._contacts, latest, interval=settings.interval
        )
        labels = {
            "app.kubernetes.io/managed-by": "cassandra-k8s-ring-manager",
            OWN_LABEL: settings.service,
        }
        self.election = Election(
            api,
            settings.namespace,
            f"{settings.service}-ring-manager",
            settings.identity,
            labels,
        )
        self._keeper = Keeper(
            api,
            settings.namespace,
            f"{settings.service}-contact-points",
            labels,
            settings.access.port,
            shown=latest.shown,
            leads=lambda: self.election.leads,
        )
        self._remembering = Remembering(
            api,
            settings.namespace,
            f"{settings.service}-ring-history",
            labels,
            shown=latest.shown,
            leads=lambda: settings.writes and self.election.leads,
            learn=self.manager.learn_past,
        )
        self._skewing = Skewing(lambda: self.manager.judged, self.manager.learn_skews)
        self._upkeeping = Upkeeping(
            lambda: self.manager.judged,
            partial(Contact, access=settings.access),
            lambda: candidates(self._cluster.observed(), self.manager.judged),
            self.manager.learn_upkeep,
            period=settings.upkeep_period,
        )
        streams = Streams(latest)
        self._failures: Counter[str] = Counter()
        metrics = Metrics(
            Sources(
                namespace=settings.namespace,
                service=settings.service,
                latest=latest,
                counts=self.manager.counts,
                streams=lambda: streams.count,
                failures=lambda: {n: w.failures for n, w in self._cluster.watches.items()},
                parts=self._failures,
                election=self.election if settings.writes else None,
                keeper=self._keeper if settings.writes else None,
                remembering=self._remembering,
            )
        )
        self.app = make_app(
            latest,
            exposition=metrics.exposition,
            ask_seeds=Seeds(asking, settings.sidecar_port).ask,
            streams=streams,
        )

    async def run(self) -> None:
        """Run all of it."""
        runs = [
            self._cluster.run,
            self._sidecars.run,
            self._contacts.run,
            self.manager.run,
            self._skewing.run,
            self._upkeeping.run,
            self._remembering.run,
        ]
        if self._settings.writes:
            runs += [self.election.run, self._keeper.run]
        async with asyncio.TaskGroup() as tasks:
            for each in runs:
                tasks.create_task(lasting(each, self._failures))


async def lasting(
    run: Callable[[], Awaitable[None]],
    failures: Counter[str],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Run a part; where it fails the others go on, and it begins again."""
    name = run.__qualname__.partition(".")[0]
    while True:
        try:
            await run()
        except Exception:
            log.exception("%s failed and begins again", name)
        failures[name] += 1
        await sleep(AGAIN_SECONDS * (0.8 + 0.4 * random.random()))  # noqa: S311 -- jitter


async def _listen(settings: Settings, app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise ListenError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
        ) from error
    host, port = runner.addresses[0][:2]
    return runner, f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


def _ask_for_descriptors() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, DESCRIPTORS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
