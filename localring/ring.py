"""A whole ring on the stage: emulated Kubernetes, pods, disks, and everything done to them.

`LocalRing` is an async context manager; when it ends, however it ends, no process and no file
of it is left.
"""

import asyncio
import itertools
import secrets
import shutil
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack
from ipaddress import IPv4Address
from pathlib import Path
from typing import ClassVar, Protocol, Self

import aiohttp

from localring.addresses import Range, claimed_range
from localring.apiserver import ApiServer
from localring.cache import Tell
from localring.cassandra import STOP_GRACE
from localring.certificates import Identity, make_identity
from localring.cluster import Cluster
from localring.diary import FOLDER, Diary
from localring.disks import Disks
from localring.errors import StageError
from localring.kit import Kit
from localring.objects import PodIdentity
from localring.options import SIDECAR_PACKAGE, Options
from localring.pod import Configured, LocalPod, Stage
from localring.report import Report, missing_from_ring
from localring.rundir import run_directory
from localring.settings import CQL_PORT, JMX_PORT, STORAGE_PORT
from localring.sidecar import LOOPBACK_PORT, POD_PORT
from localring.waiting import Missing, wait_until

PORTS = (STORAGE_PORT, JMX_PORT, LOOPBACK_PORT, POD_PORT, CQL_PORT)
API_HOST = 1
FIRST_POD_HOST = 10
RING_PATIENCE = 180.0  # seconds until started pods form a whole ring
KILL_GRACE = 1  # seconds; shortest that a pod object can be given


class Observer(Protocol):
    """Who wants to know of every ring."""

    def entered(self, ring: "LocalRing") -> None:
        """Take note of a ring that has no pods yet."""

    def ended(self, ring: "LocalRing") -> None:
        """Take note of a ring whose processes have ended and whose files are there still."""


class LocalRing:
    """The stage; enter it, then start pods by ordinal.

    Attributes:
        options: how the ring is.
        directory: where everything is, while it is entered.
        api: the emulated API server with its faults, while it is entered.
        cluster: the objects in it.
        disks: the pods' disks.
        observers: told of every ring of the program.
        identity_of_nodes: what they show to clients, where these need TLS.
        diary: where is written down what is done to the ring, beside the sidecars' journals.

    """

    observers: ClassVar[list[Observer]] = []
    directory: Path
    api: ApiServer
    cluster: Cluster
    disks: Disks
    diary: Diary

    def __init__(self, kit: Kit, options: Options, tell: Tell) -> None:
        self.options = options
        self.identity_of_nodes: Identity | None = None
        self._kit = kit
        self._tell = tell
        self._pods: dict[int, LocalPod] = {}
        self._exits = AsyncExitStack()
        self._hosts = itertools.count(FIRST_POD_HOST)
        self._incarnations = itertools.count(1)
        self._pending: dict[int, str] = {}  # UIDs of pods without an address, by ordinal

    async def __aenter__(self) -> Self:
        """Set up everything but pods; `StageError` where something is missing or taken."""
        if not self.options.shim.is_file():
            raise StageError(f"{self.options.shim} is missing: build it with `make shim`")
        async with AsyncExitStack() as exits:
            options = self.options
            self._range: Range = exits.enter_context(claimed_range(PORTS, options.network))
            self.directory = exits.enter_context(
                run_directory(keep=options.keep, base=options.base)
            )
            session = await exits.enter_async_context(aiohttp.ClientSession(trust_env=False))
            token = self.directory / "token"
            token.write_text(secrets.token_urlsafe(16))
            self.api = await exits.enter_async_context(
                ApiServer(str(self._range.host(API_HOST)), tokens={token.read_text()})
            )
            self.diary = exits.enter_context(Diary(self.directory / FOLDER))
            self.diary.follow(self.api)
            code = await asyncio.to_thread(_copy_of_code, self.directory / "code")
            if options.secured:
                self.identity_of_nodes = await make_identity(
                    self._kit.java, self.directory / "tls", "cassandra"
                )
            self._stage = Stage(
                kit=self._kit,
                options=options,
                session=session,
                kube_url=self.api.url,
                code=code,
                token=token,
                diary=self.diary,
                tell=self._tell,
                identity=self.identity_of_nodes,
            )
            self.cluster = Cluster(
                self.api.store, endpoints_per_slice=options.endpoints_per_slice
            )
            self.disks = Disks(self.directory / "disks")
            exits.callback(self._tell_observers_of_end)
            exits.push_async_callback(self._kill_all)
            for observer in self.observers:
                observer.entered(self)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill every process, close the server, remove the run directory."""
        await self._exits.aclose()

    @property
    def pods(self) -> dict[int, LocalPod]:
        """The running pods by ordinal."""
        return dict(sorted(self._pods.items()))

    def pod(self, ordinal: int) -> LocalPod:
        """Return a running pod; `StageError` if there is none."""
        if ordinal not in self._pods:
            raise StageError(f"cassandra-{ordinal} does not run")
        return self._pods[ordinal]

    def identity(self, ordinal: int) -> PodIdentity:
        """Return what stays the same over all incarnations of a pod."""
        return PodIdentity(ordinal, self.options.rack(ordinal))

    def start(
        self,
        *ordinals: int,
        address: IPv4Address | None = None,
        configured: tuple[IPv4Address, ...] = (),
        plain: bool = False,
    ) -> None:
        """Make pods, all in the same moment; they start in the background.

        Args:
            ordinals: which.
            address: for a single pod, the address it gets; one never used before if None.
            configured: seeds that Cassandra's settings name, for the adoption of a ring.
            plain: without sidecar and shim: Cassandra's own provider gives `configured`.

        """
        if address is not None and len(ordinals) != 1:
            raise StageError("an address is for one pod")
        for ordinal in ordinals:
            if ordinal in self._pods:
                raise StageError(f"cassandra-{ordinal} runs already")
            given = address or self.fresh_address()
            self._start(ordinal, given, Configured(configured, plain=plain))

    def fresh_address(self) -> IPv4Address:
        """Return an address that no pod had before."""
        return self._range.host(next(self._hosts))

    def leave_pending(self, ordinal: int) -> None:
        """Make a pod that has no address and no volume until it is started."""
        self._must_not_run(ordinal)
        self.cluster.make_claim(self.identity(ordinal), bound=False)
        self._pending[ordinal] = self.cluster.create_pod(self.identity(ordinal))

    async def stop(self, *ordinals: int, grace: float = STOP_GRACE) -> None:
        """Delete pods gracefully: terminating at once, gone when Cassandra has drained."""
        await _together(self._stop(self.pod(ordinal), grace) for ordinal in ordinals)

    async def lose(self, *ordinals: int) -> None:
        """Lose pods as with their machines: everything killed, and the objects deleted."""
        await _together(self._lose(self.pod(ordinal)) for ordinal in ordinals)

    def cut(self, *sides: Sequence[int], verbs: str = "") -> None:
        """Cut the network between nodes of different sides; all else stays as it is.

        Args:
            sides: ordinals of running pods; whoever is on none reaches all.
            verbs: see `localring.cutting.write_cut`.

        """
        for side in sides:
            others = [self.pod(n).address for far in sides if far is not side for n in far]
            for ordinal in side:
                self.pod(ordinal).node.cut(*others, verbs=verbs)

    def heal(self) -> None:
        """End every cut."""
        for pod in self._pods.values():
            pod.node.cut()

    async def remove_host(self, host_id: str, *, through: int) -> None:
        """Take a host that is down out of the ring, with ``nodetool removenode`` on a pod."""
        self.diary.note("removed", host=host_id)
        await self.pod(through).node.nodetool("removenode", host_id)

    async def scale(self, replicas: int) -> None:
        """Start the pods that are missing below ``replicas``; stop the others, highest first.

        The disks of those that are stopped stay, as StatefulSets leave their claims.
        """
        self.cluster.scale(replicas)
        for ordinal in sorted(self._pods, reverse=True):
            if ordinal >= replicas:
                await self.stop(ordinal)
        self.start(*(ordinal for ordinal in range(replicas) if ordinal not in self._pods))

    async def wipe(self, ordinal: int) -> None:
        """Empty the disk of a pod that does not run; the claim stays the same."""
        self._must_not_run(ordinal)
        await self.disks.wipe(self.identity(ordinal).name)
        self.diary.note("wiped", pod=self.identity(ordinal).name)

    async def empty(self, *ordinals: int) -> None:
        """Empty the disks of running pods at once, under nodes that end and start again."""
        pods = [self.pod(ordinal) for ordinal in ordinals]
        async with AsyncExitStack() as holds:
            for pod in pods:
                await holds.enter_async_context(pod.cassandra.held())
            await _together(pod.cassandra.kill() for pod in pods)
            for pod in pods:
                await self.disks.wipe(pod.name)
                self.diary.note("wiped", pod=pod.name)

    async def replace_volume(self, ordinal: int) -> None:
        """Give a pod that does not run a new claim with an empty disk."""
        await self.wipe(ordinal)
        self.cluster.delete_claim(self.identity(ordinal))

    def replace_claim(self, ordinal: int) -> None:
        """Give a pod that does not run a new claim with the same data, as a restore does."""
        self._must_not_run(ordinal)
        self.cluster.delete_claim(self.identity(ordinal))

    async def insert_disk(self, ordinal: int, source: Path) -> None:
        """Put a copy of another disk, perhaps another ring's, where a pod's disk was."""
        self._must_not_run(ordinal)
        await self.disks.fill(self.identity(ordinal).name, source)
        self.diary.note("filled", pod=self.identity(ordinal).name)

    async def report(self, ordinal: int) -> Report | None:
        """Ask the sidecar of a running pod; None if it is silent."""
        return await self.pod(ordinal).client.node()

    async def reports(self) -> dict[str, Report | None]:
        """Ask the sidecars of all running pods."""
        pods = list(self.pods.values())
        answers = await asyncio.gather(*(pod.client.node() for pod in pods))
        return {pod.name: answer for pod, answer in zip(pods, answers, strict=True)}

    async def wait_until(
        self, what: str, missing: Missing, patience: float, *, telling: bool = True
    ) -> float:
        """Wait as `localring.waiting.wait_until`, and fail at once if a pod's machinery did."""

        async def missing_or_broken() -> str | None:
            for pod in self._pods.values():
                pod.check()
            return await missing()

        tell = self._tell if telling else None
        return await wait_until(what, missing_or_broken, patience=patience, tell=tell)

    async def missing(self) -> str | None:
        """Say what keeps the running pods from being one whole ring, or None if they are."""
        return missing_from_ring(await self.reports())

    async def wait_until_whole(self, patience: float = RING_PATIENCE) -> float:
        """Wait until all running pods form one ring, each seeing all others up."""
        return await self.wait_until("one whole ring", self.missing, patience)

    async def wait_until_ready(self, *ordinals: int, patience: float = RING_PATIENCE) -> float:
        """Wait until these pods are ready, as their kubelets say."""

        async def missing() -> str | None:
            late = [name for name in ordinals if not self.pod(name).ready]
            return f"not ready: {', '.join(f'cassandra-{n}' for n in late)}" if late else None

        return await self.wait_until("ready pods", missing, patience)

    def _start(self, ordinal: int, address: IPv4Address, configured: Configured) -> None:
        identity = self.identity(ordinal)
        self.cluster.make_claim(identity, bound=True)
        pod = LocalPod(
            self._stage,
            identity,
            self._pending.pop(ordinal, "") or self.cluster.create_pod(identity),
            address,
            configured,
            disk=self.disks.of(identity.name),
            folder=self.directory / "pods" / f"{identity.name}.{next(self._incarnations)}",
            on_ready=lambda ready: self.cluster.report_pod(identity, address, ready=ready),
        )
        self._pods[ordinal] = pod
        self.cluster.report_pod(identity, address, ready=False)
        pod.start()

    async def _stop(self, pod: LocalPod, grace: float) -> None:
        self.cluster.terminate_pod(pod.identity, max(KILL_GRACE, round(grace)))
        await pod.stop(grace)
        self._forget(pod)

    async def _lose(self, pod: LocalPod) -> None:
        await pod.kill()
        self._forget(pod)

    def _forget(self, pod: LocalPod) -> None:
        self.cluster.delete_pod(pod.identity)
        del self._pods[pod.identity.ordinal]

    def _must_not_run(self, ordinal: int) -> None:
        if ordinal in self._pods:
            raise StageError(f"cassandra-{ordinal} runs: its disk is in use")

    def _tell_observers_of_end(self) -> None:
        for observer in self.observers:
            observer.ended(self)

    async def _kill_all(self) -> None:
        await asyncio.gather(*(pod.kill() for pod in self._pods.values()))


def _copy_of_code(folder: Path) -> Path:
    """Copy the sidecar's package: all sidecars of a ring run the same, whatever is edited."""
    hidden = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SIDECAR_PACKAGE, folder / SIDECAR_PACKAGE.name, ignore=hidden)
    return folder


async def _together(steps: Iterable[Awaitable[None]]) -> None:
    """Run all to their ends; raise the first error, if any, when all have ended."""
    results = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
