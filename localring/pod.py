"""One incarnation of a pod: sidecar and Cassandra side by side, and what its kubelet does.

A pod lives from its start to its end under one UID and one address; the next one with its name
is another `LocalPod`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import aiohttp

from localring.cache import Tell
from localring.cassandra import STOP_GRACE, CassandraNode
from localring.certificates import Identity
from localring.container import Container
from localring.diary import Diary
from localring.errors import StageError, first_cause
from localring.kit import Kit
from localring.mount import Mount
from localring.objects import PodIdentity
from localring.options import SHIM_CLASS, Options
from localring.process import Process
from localring.settings import NodeSettings, SeedProvider, fixed_seeds
from localring.sidecar import LOOPBACK_PORT, Mounts, PodFacts, SidecarClient, environment
from localring.waiting import wait_until

PROBE_PERIOD = 1.0  # seconds (periodSeconds)
FAILURES = 3  # failed probes in a row until a pod is not ready (failureThreshold)
SIDECAR_STARTUP = 120.0  # seconds (the startup probe's period times its threshold)
SIDECAR_GRACE = 10.0  # seconds; it has nothing to flush


@dataclass(frozen=True, slots=True)
class Stage:
    """What all pods of a ring share.

    Attributes:
        kit: what Cassandra is started from.
        options: how the ring is to be.
        session: HTTP client of the kubelets.
        kube_url: the emulated API server.
        code: folder with the package of the sidecars.
        token: file with a token that it accepts.
        diary: where is written down what happens.
        tell: takes a line of progress.
        identity: what nodes show to clients that need TLS and a login; None where none do.

    """

    kit: Kit
    options: Options
    session: aiohttp.ClientSession
    kube_url: str
    code: Path
    token: Path
    diary: Diary
    tell: Tell
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class Configured:
    """What Cassandra's own settings say of seeds.

    Attributes:
        seeds: named there; with our provider for an adoption only.
        plain: whether Cassandra's own provider is used, and no sidecar runs.

    """

    seeds: tuple[IPv4Address, ...] = ()
    plain: bool = False


class LocalPod:
    """A running pod.

    Attributes:
        identity: ordinal, name and zone.
        uid: of this incarnation.
        address: of this incarnation.
        node: its Cassandra.
        mount: how the sidecar reads the disk.
        cassandra: the container that runs it.
        sidecar: the container of the sidecar.
        client: asks the sidecar.
        ready: whether its kubelet holds it for ready.

    """

    def __init__(
        self,
        stage: Stage,
        identity: PodIdentity,
        uid: str,
        address: IPv4Address,
        configured: Configured,
        *,
        disk: Path,
        folder: Path,
        on_ready: Callable[[bool], None],
    ) -> None:
        self.identity = identity
        self.uid = uid
        self.address = address
        self.ready = False
        self._stage = stage
        self._configured = configured
        self._folder = folder
        self._on_ready = on_ready
        self._task: asyncio.Task[None] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self.client = SidecarClient(stage.session, address)
        self.node = CassandraNode(stage.kit, self._node_settings(disk))
        self.mount = Mount(folder / "data", self.node.settings.data_directory)
        self.mount.mend()
        options, name = stage.options, identity.name
        self.cassandra = Container(
            f"{name}/cassandra",
            self._start_cassandra,
            options.backoff,
            lambda line: stage.tell(f"{line}; {self.node.complaint()}"),
        )
        self.sidecar = Container(
            f"{name}/sidecar",
            self._start_sidecar,
            options.backoff,
            lambda line: stage.tell(f"{line}; {self.sidecar.process.tail(1)}"),
        )
        self.cassandra.restarting = self.sidecar.restarting = options.restarting

    @property
    def name(self) -> str:
        """Name of the pod."""
        return self.identity.name

    def start(self) -> None:
        """Begin to run it: the sidecar, then Cassandra once the sidecar is able to answer."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    def check(self) -> None:
        """Raise `StageError` if anything went wrong in the pod's own machinery."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return
        if error := self._task.exception():
            raise StageError(f"{self.name}: {first_cause(error)}") from error

    async def stop(self, grace: float = STOP_GRACE) -> None:
        """End it as a deletion does: Cassandra drains, then the sidecar goes."""
        await self.cassandra.stop(grace)
        await self.sidecar.stop(SIDECAR_GRACE)
        await self.kill()

    async def kill(self) -> None:
        """End it at once, as when its machine is lost."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled() and (error := self._task.exception()):
            self._stage.tell(f"{self.name}: {first_cause(error)}")

    async def _run(self) -> None:
        if self._configured.plain:
            await self.cassandra.run()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self.sidecar.run())
            group.create_task(self._run_cassandra())
            group.create_task(self._probe())

    async def _run_cassandra(self) -> None:
        async def missing() -> str | None:
            able = await self.client.passes("/startupz")
            return None if able else f"{self.name}: sidecar not able to answer yet"

        await wait_until(
            f"{self.name}: start of the sidecar", missing, patience=SIDECAR_STARTUP
        )
        await self.cassandra.run()

    async def _probe(self) -> None:
        """Ask for readiness each second, as the kubelet does."""
        failed = FAILURES
        while True:
            passed = await self.client.passes("/readyz")
            failed = 0 if passed else failed + 1
            running = self.cassandra.running and self.sidecar.running
            ready = running and (passed or (self.ready and failed < FAILURES))
            if ready != self.ready:
                self.ready = ready
                self._on_ready(ready)
            await asyncio.sleep(PROBE_PERIOD)

    async def _start_cassandra(self) -> Process:
        await self.node.start()
        self._watch(self.node.process, "cassandra")
        return self.node.process

    async def _start_sidecar(self) -> Process:
        stage = self._stage
        state = self._folder / "sidecar"
        state.mkdir(parents=True, exist_ok=True)
        journal = stage.diary.folder / f"{self._folder.name}.jsonl"
        mounts = Mounts(stage.code, self.mount.path, state, stage.token, journal)
        facts = PodFacts(self.name, self.uid, self.address)
        process = await Process.start(
            self.sidecar.name,
            stage.options.sidecar,
            log=self._folder / "sidecar.log",
            env=environment(facts, mounts, stage.kube_url, stage.options.founding_grace),
            cwd=state,
        )
        self._watch(process, "sidecar")
        return process

    def _watch(self, process: Process, container: str) -> None:
        """Write down when a process is frozen, thawed, and when it has ended."""
        note = partial(self._stage.diary.of_pod, self.name, container)
        note("started")
        process.listener = note

        async def until_its_end() -> None:
            await process.wait()
            note("ended")

        task = asyncio.create_task(until_its_end())
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    def _node_settings(self, disk: Path) -> NodeSettings:
        options = self._stage.options
        return NodeSettings(
            name=f"{self.name}/cassandra",
            address=self.address,
            disk=disk,
            work=self._folder / "cassandra",
            seeds=self._seed_provider(disk),
            cluster=options.cluster,
            rack=self.identity.zone,
            ring_delay_ms=options.ring_delay_ms,
            identity=self._stage.identity,
        )

    def _seed_provider(self, disk: Path) -> SeedProvider:
        if self._configured.plain:
            return fixed_seeds(*self._configured.seeds)
        parameters = {
            "sidecar_url": f"http://{self.address}:{LOOPBACK_PORT}",
            "data_directory": str(disk / "data"),
        }
        if self._configured.seeds:
            parameters["seeds"] = ",".join(map(str, self._configured.seeds))
        return SeedProvider(SHIM_CLASS, parameters, self._stage.options.shim)
