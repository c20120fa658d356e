"""What `ring serve` costs as a process with a thousand nodes, while it is watched.

It has watches at the emulated API server, which is this process, asks simulated sidecars every
second, answers a page that follows it, a scraper and `ring status`, and writes contact points.
Facts by CQL are made up in its process: what sessions of the driver hold is not in the figures.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import aiohttp

from bench.bench_manager import (
    FIRST_DOWN,
    HERE,
    MIB,
    NODES,
    PORT,
    RING,
    World,
    address,
    names,
    rack,
)
from bench.bench_manager import host as host_of
from bench.driver_share import share
from bench.figures import Figure, at_most, median_of
from localring.apiserver import ApiServer
from localring.cluster import Cluster
from localring.objects import NAMESPACE, PodIdentity
from ring.words import Facts

LISTEN: Final = 8181
TOKEN: Final = "bench"  # noqa: S105 -- the emulator's own
SETTLED: Final = 25.0
"""Seconds from the first whole picture to when counting begins."""
COUNTED: Final = 40.0
CYCLE: Final = 5.0
COMMANDS: Final = 5
KILLS: Final = 3
PATIENCE: Final = 150.0
MANAGED: Final = "cassandra-k8s-ring"
TICKS: Final = os.sysconf("SC_CLK_TCK")


class MadeUp:
    """A node asked by CQL, without a node."""

    def __init__(self, address: str, access: object) -> None:
        del access
        self._facts = World().facts(address)  # each has its own, as if it had been decoded

    def read(self, *, whole: bool) -> Facts:
        """Return what it says, which never changes."""
        del whole
        return self._facts

    def close(self) -> None:
        """Do nothing."""


async def serve(kubeconfig: str) -> None:
    """Be ``ring serve``, with facts made up."""
    from ring import serve as product  # noqa: PLC0415 -- of this child alone

    product.Contact = MadeUp  # type: ignore[assignment,misc]
    await product.serve(
        product.Settings(
            namespace=NAMESPACE,
            identity="bench",
            kubeconfig=Path(kubeconfig),
            host="127.0.0.1",
            port=LISTEN,
            sidecar_port=PORT,
        )
    )


def _kubeconfig(folder: Path, url: str) -> Path:
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(body))
    return path


def _populate(api: ApiServer) -> dict[str, tuple[str, str]]:
    """Make everything that Kubernetes knows; return UIDs of pods and claims."""
    store, uids = api.store, {}
    objects = Cluster(store, endpoints_per_slice=100)
    labels = {
        "app.kubernetes.io/managed-by": MANAGED,
        "cassandra-k8s-ring.io/service": "cassandra",
    }

    def config_map(name: str, data: dict[str, str]) -> None:
        meta = {"name": name, "namespace": NAMESPACE, "labels": dict(labels)}
        store.create("configmaps", {"metadata": meta, "data": data}, NAMESPACE)

    config_map("cassandra-ring", {"ringId": RING, "founder": "cassandra-0"})
    objects.scale(NODES)
    with objects.slices_held():
        for n, name in names():
            identity = PodIdentity(n, rack(n))
            pvc = objects.make_claim(identity, bound=True)
            pod = objects.create_pod(identity)
            objects.report_pod(identity, IPv4Address(address(n)), ready=True)
            zone = {"topology.kubernetes.io/zone": rack(n)}
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            store.create(
                "nodes", {"metadata": {"name": f"node-{n}", "labels": zone}, "status": ready}
            )
            uids[name] = pod, pvc
            entry = {"ringId": RING, "pod": name, "podUid": pod, "pvcUid": pvc}
            more = {"state": "member", "hostId": str(host_of(n)), "dc": "dc1", "rack": rack(n)}
            config_map(f"{name}-member", entry | more)
    service = {"metadata": {"name": "cassandra-ring-manager"}, "spec": {"ports": []}}
    service["spec"]["ports"] = [{"name": "http", "port": 8080}]
    store.create("services", service, NAMESPACE)
    piece = {
        "metadata": {
            "name": "cassandra-ring-manager-1",
            "labels": {"kubernetes.io/service-name": "cassandra-ring-manager"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": LISTEN}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }
    store.create("endpointslices", piece, NAMESPACE)
    return uids


async def served() -> list[Figure]:
    """Measure; the processes end with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with ApiServer("127.0.0.1", tokens=[TOKEN]) as api:
            uids = folder / "uids"
            uids.write_text(json.dumps(_populate(api)))
            config = _kubeconfig(folder, api.url)
            sidecars = await asyncio.create_subprocess_exec(
                *HERE, "--simulate", "--uids", str(uids), stdin=-1, stdout=-1
            )
            manager = await asyncio.create_subprocess_exec(*HERE, "--serve", str(config))
            try:
                return await _measured(manager.pid, config)
            finally:
                for child in (manager, sidecars):
                    with suppress(ProcessLookupError):
                        child.terminate()
                    await child.wait()


async def _measured(pid: int, config: Path) -> list[Figure]:
    async with aiohttp.ClientSession() as asking:
        first = await _until_whole(asking)
        watching = [
            asyncio.create_task(_page(asking)),
            asyncio.create_task(_scraper(asking)),
        ]
        await asyncio.sleep(SETTLED)
        began, used = time.monotonic(), _cpu(pid)
        await asyncio.sleep(COUNTED)
        cpu = (_cpu(pid) - used) / (time.monotonic() - began) * CYCLE
        status = [await _status(config) for _ in range(COMMANDS)]
        late = [await _kill(asking, config, n) for n in range(KILLS)]
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    peak, now = _memory(pid, "VmHWM"), _memory(pid, "VmRSS")
    return [
        at_most("ring serve: CPU of 5 s, everything in it, as it runs by default", cpu, "s", 1),
        at_most("ring serve: memory at its peak, page, scraper, CLI", peak / MIB, "MiB", 250),
        Figure(name="- of it at the end", value=now / MIB, unit="MiB"),
        *await share(),
        Figure(name="- first whole picture after the start", value=first, unit="s"),
        median_of(
            "ring status by service proxy, a thousand nodes", [s for s, _ in status], "s"
        ),
        median_of("down for all: until `ring status` by proxy shows it", late, "s").at_most(2),
    ]


async def _until_whole(asking: aiohttp.ClientSession) -> float:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        with suppress(aiohttp.ClientError):
            async with asking.get(f"http://127.0.0.1:{LISTEN}/v1/ring") as answer:
                if answer.ok:
                    body = await answer.json()
                    if sum(each["state"] == "UN" for each in body["members"]) == NODES:
                        return time.monotonic() - began
        await asyncio.sleep(0.5)
    raise SystemExit("no whole picture")


async def _page(asking: aiohttp.ClientSession) -> None:
    """Follow the stream and fetch what the page fetches."""
    url = f"http://127.0.0.1:{LISTEN}"
    forever = aiohttp.ClientTimeout(total=None)
    async with asking.get(f"{url}/v1/stream", timeout=forever) as stream:
        async for line in stream.content:
            if line.startswith(b"data: "):
                for path in ("/v1/ring", "/v1/keyspaces", "/v1/arcs"):
                    async with asking.get(url + path) as answer:
                        await answer.read()


async def _scraper(asking: aiohttp.ClientSession) -> None:
    while True:
        async with asking.get(f"http://127.0.0.1:{LISTEN}/metrics") as answer:
            await answer.read()
        await asyncio.sleep(15)


async def _status(config: Path) -> tuple[float, dict[str, Any]]:
    """Return the seconds of the whole command, and what it says."""
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "ring"), "status", "-o", "json"),
        env={**os.environ, "KUBECONFIG": str(config)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    return time.monotonic() - began, json.loads(out)


async def _kill(asking: aiohttp.ClientSession, config: Path, number: int) -> float:
    victim = str(host_of(FIRST_DOWN + number))
    where = f"http://{address(0)}:{PORT}/down/{FIRST_DOWN + number}"
    async with asking.get(where) as answer:
        answer.raise_for_status()
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        _, body = await _status(config)
        if any(m["hostId"] == victim and m["state"] == "DN" for m in body["members"]):
            return time.monotonic() - began
    raise SystemExit("it is never shown")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {name}")
