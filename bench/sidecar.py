"""What one sidecar costs and how fast it is, in a service of 1,000 pods.

One real sidecar process against the emulated API server.  The others are one server
that answers on every loopback address as the pod that the slices name there.  In the same run a
bare aiohttp server takes the same load: the floor that the sidecar's own figure stands on.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import ClientSession, web

from bench.figures import Figure, at_most, percentile, publish
from localring.apiserver import ApiServer

PODS, SLICES = 1000, 10
RING = str(UUID(int=0xA))
OWN = "127.81.255.1"
LOOPBACK_PORT, POD_PORT = 18078, 18079
REQUESTS, RATE, CONNECTIONS = 10_000, 1000, 8
EVENTS = 200
ANSWERING = 20
"""Pods whose sidecars answer; the sidecar asks no more than a handful once it runs."""
STEADY_SECONDS = 10.0
FLOOR = (
    "from aiohttp import web\nasync def h(r):\n    return web.Response(text='10.0.0.1\\n')\n\
a=web.Application(); a.router.add_get('/v1/seeds', h)\n\
web.run_app(a, host='127.81.255.2', port=18078, print=None, access_log=None)"
)


def address(n: int, generation: int = 0) -> str:
    """Return where pod n is; a new generation is a new address."""
    return f"127.{80 - generation % 2}.{n // 250}.{n % 250 + 1}"


def host_id(n: int) -> str:
    """Return the host ID of pod n."""
    return str(UUID(int=0x1000 + n))


class Stage:
    """The API server, the other sidecars, and the sidecar that is measured."""

    def __init__(self, api: ApiServer, session: ClientSession, run: Path) -> None:
        self.api, self.session, self.run = api, session, run
        self.where = {address(n): n for n in range(PODS)}
        self.process: subprocess.Popen[bytes] | None = None

    def fill(self) -> None:
        """Write the Service's objects."""
        store = self.api.store
        store.create("services", {"metadata": {"name": "cassandra"}, "spec": {}}, "default")
        claim = {
            "metadata": {"name": "cassandra-data-cassandra-0"},
            "status": {"phase": "Bound"},
        }
        store.create("persistentvolumeclaims", claim, "default")
        labels = {
            "app.kubernetes.io/managed-by": "cassandra-k8s-ring",
            "cassandra-k8s-ring.io/service": "cassandra",
        }
        record = {"ringId": RING, "founder": "cassandra-0", "how": "founded", "at": ""}
        store.create(
            "configmaps",
            {"metadata": {"name": "cassandra-ring", "labels": labels}, "data": record},
            "default",
        )
        for number in range(SLICES):
            store.create("endpointslices", self.slice(number), "default")

    def slice(self, number: int, moved: int | None = None) -> dict[str, Any]:
        """Return a slice; pod `moved` in it is at its other address."""
        size = PODS // SLICES
        found = {n: a for a, n in self.where.items()}
        endpoints = [
            {
                "addresses": [found[n] if n != moved else address(n, 1)],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "targetRef": {"kind": "Pod", "name": f"cassandra-{n}", "uid": f"uid-{n}"},
                "zone": f"zone-{n % 3}",
            }
            for n in range(number * size, (number + 1) * size)
        ]
        return {
            "metadata": {
                "name": f"cassandra-{number}",
                "labels": {"kubernetes.io/service-name": "cassandra"},
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [],
        }

    async def peer(self, request: web.Request) -> web.Response:
        """Answer as the sidecar of the pod at the address that was asked."""
        sock = request.get_extra_info("sockname")
        n = self.where.get(sock[0])
        if n is None:
            return web.Response(status=404)
        return web.json_response(report(n, sock[0]))

    def start(self) -> None:
        """Start the sidecar, as that of cassandra-0."""
        token = self.run / "token"
        token.write_text("t")
        env = {
            "PATH": os.environ["PATH"],
            "POD_NAME": "cassandra-0",
            "POD_UID": "uid-0",
            "POD_NAMESPACE": "default",
            "POD_IP": OWN,
            "SEEDPROVIDER_KUBE_URL": self.api.url,
            "SEEDPROVIDER_KUBE_TOKEN_FILE": str(token),
            "SEEDPROVIDER_DATA_DIR": str(self.run / "data"),
            "SEEDPROVIDER_STATE_DIR": str(self.run / "state"),
            "SEEDPROVIDER_LOOPBACK_LISTEN": f"{OWN}:{LOOPBACK_PORT}",
            "SEEDPROVIDER_POD_PORT": str(POD_PORT),
            "SEEDPROVIDER_LOG_LEVEL": "WARNING",
        }
        self.process = subprocess.Popen([sys.executable, "-m", "seedprovider"], env=env)

    def cpu_seconds(self) -> float:
        """Return user and system time of the sidecar so far."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """Return VmRSS."""
        for line in self._proc("status").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the sidecar has ended")

    def _proc(self, name: str) -> str:
        if self.process is None:
            raise RuntimeError("not started")
        return Path(f"/proc/{self.process.pid}/{name}").read_text()

    async def seeds(self) -> list[str]:
        """Ask as a returning member."""
        url = f"http://{OWN}:{LOOPBACK_PORT}/v1/seeds"
        async with self.session.get(url, params=QUESTION) as response:
            return (await response.text()).split() if response.ok else []

    async def until(self, wanted: str) -> None:
        """Wait until the answer holds an address."""
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    if wanted in await self.seeds():
                        return
                await asyncio.sleep(0.002)


QUESTION = {"disk": "member", "ring": RING, "host": host_id(0), "address": OWN}


def report(n: int, where: str) -> dict[str, Any]:
    """Return what the sidecar of running member n says."""
    disk = {"state": "member", "ringId": RING, "hostId": host_id(n), "pvcUid": f"pvc-{n}"}
    return {
        "pod": f"cassandra-{n}",
        "podUid": f"uid-{n}",
        "namespace": "default",
        "service": "cassandra",
        "pvcUid": f"pvc-{n}",
        "ringId": RING,
        "address": where,
        "disk": disk,
        "cassandra": "answering",
        "heartbeat": {"ageSeconds": 0.1, **heartbeat(n, where)},
    }


def heartbeat(n: int, where: str) -> dict[str, Any]:
    """Return the heartbeat of running member n."""
    others = [
        {"hostId": host_id(o), "address": address(o), "up": True, "state": "normal"}
        for o in (0, 1, 2, 3)
        if o != n
    ]
    return {
        "version": 1,
        "mode": "NORMAL",
        "hostId": host_id(n),
        "address": where,
        "native": True,
        "seeds": [address(1), address(2)],
        "rack": "rack1",
        "disk": {"state": "member", "ringId": RING, "hostId": host_id(n), "pvcUid": "p"},
        "peersHash": "0",
        "peers": others,
    }


async def load(where: str) -> list[float]:
    """Send `REQUESTS` at `RATE` a second; return the milliseconds from send to answer."""
    query = "&".join(f"{key}={value}" for key, value in QUESTION.items())
    wire = f"GET /v1/seeds?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    times: list[float] = []
    start = time.perf_counter() + 0.1

    async def one(lane: int) -> None:
        reader, writer = await asyncio.open_connection(where, LOOPBACK_PORT)
        for n in range(lane, REQUESTS, CONNECTIONS):
            wait = start + n / RATE - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            sent = time.perf_counter()
            writer.write(wire)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            times.append((time.perf_counter() - sent) * 1000)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
        writer.close()

    await asyncio.gather(*(one(lane) for lane in range(CONNECTIONS)))
    return times


async def events(stage: Stage) -> list[float]:
    """Move pod 1 to and fro; return the milliseconds until the answer follows."""
    times = []
    for generation in range(1, EVENTS + 1):
        new, old = address(1, generation), address(1, generation - 1)
        del stage.where[old]
        stage.where[new] = 1
        body = stage.slice(0)
        sent = time.perf_counter()
        stage.api.store.replace("endpointslices", "cassandra-0", body, "default")
        await stage.until(new)
        times.append((time.perf_counter() - sent) * 1000)
    return times


async def beating(stage: Stage) -> None:
    """Be the node: a heartbeat each second, its gossip following what it is told."""
    body = heartbeat(0, OWN)
    while True:
        with contextlib.suppress(OSError):
            url = f"http://{OWN}:{LOOPBACK_PORT}/v1/node"
            async with stage.session.put(url, json=body) as response:
                told = (await response.text()).split()
                if told:
                    body["seeds"] = [each for each in told if each != OWN]
        await asyncio.sleep(1)


@contextlib.asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """Run everything around the sidecar."""
    with tempfile.TemporaryDirectory() as run:
        async with ApiServer(tokens={"t"}) as api, ClientSession() as session:
            stage = Stage(api, session, Path(run))
            stage.fill()
            app = web.Application()
            app.router.add_get("/v1/node", stage.peer)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            for where in (*(address(n) for n in range(ANSWERING)), address(1, 1)):
                await web.TCPSite(runner, where, POD_PORT).start()
            try:
                yield stage
            finally:
                if stage.process is not None:
                    stage.process.send_signal(signal.SIGTERM)
                    stage.process.wait(10)
                await runner.cleanup()


async def measure() -> list[Figure]:
    """Take every figure that needs no Cassandra."""
    async with staged() as stage:
        stage.start()
        await stage.until(address(2))
        first_cpu = stage.cpu_seconds()
        beats = asyncio.create_task(beating(stage))
        await asyncio.sleep(5)
        memory = stage.resident_mib()
        stage.api.requests.clear()
        await asyncio.sleep(STEADY_SECONDS)
        seen = [each for each in stage.api.requests if each.query.get("watch") != "true"]
        moved = await events(stage)
        loaded = await load(OWN)
        memory_after = stage.resident_mib()
        floor = await bare_floor()
        beats.cancel()
    p99, floor_p99 = percentile(loaded, 0.99), percentile(floor, 0.99)
    return [
        at_most(f"resident memory, {PODS:,} endpoints in {SLICES} slices", memory, "MiB", 45),
        Figure(name="the same after all that follows", value=memory_after, unit="MiB"),
        at_most("CPU time from exec to first answer", first_cpu, "s", 0.6),
        at_most(f"GET /v1/seeds at {RATE:,}/s, p99", p99, "ms", 2),
        Figure(name="bare aiohttp server at the same rate, p99", value=floor_p99, unit="ms"),
        Figure(name="ratio of the two", value=p99 / floor_p99, unit="x"),
        at_most("slice event → answer changed, p99 of 200", percentile(moved, 0.99), "ms", 50),
        Figure(name="the same, median", value=percentile(moved, 0.5), unit="ms"),
        at_most(
            f"requests to the API server in {STEADY_SECONDS:g} s besides watches",
            len(seen),
            "",
            0,
        ),
    ]


async def bare_floor() -> list[float]:
    """Put the same load on a server that does nothing."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FLOOR)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.81.255.2", LOOPBACK_PORT)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    break
        return await load("127.81.255.2")
    finally:
        process.terminate()
        await process.wait()


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--with-ring",
        action="store_true",
        help="also start a real ring, to measure how fast gossip follows a slice event",
    )
    args = parser.parse_args()
    figures = asyncio.run(measure())
    if args.with_ring:
        from bench.follow import measure_following  # noqa: PLC0415 -- starts Cassandra

        figures.append(asyncio.run(measure_following()))
    publish("sidecar", figures)


if __name__ == "__main__":
    main()
