"""The `ring` command against the manager's true API, behind an API server's service proxy."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiohttp.test_utils import TestServer

from localring.apiserver import ApiServer
from ring.stream import Streams
from ring.web import AskSeeds, make_app
from tests.unit.ring.serving import Stage
from tests.unit.ring.worlds import World

TOKEN = "token-of-an-operator"  # noqa: S105 -- of this test alone
PATIENCE = 60.0  # seconds; it takes a small part of one
MANAGER = "cassandra-ring-manager"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which nothing leads to any cluster but what is named."""
    strange = ("KUBE", "RING_", "_proxy", "_PROXY", "NO_COLOR", "FORCE_COLOR")
    kept = {k: v for k, v in os.environ.items() if not any(each in k for each in strange)}
    return {**kept, "HOME": "/nowhere", "COLUMNS": "120", **more}


async def ring(*words: object, env: Mapping[str, str] | None = None) -> Done:
    """Run the command as its users do."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ring", *map(str, words)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**(env or {})),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in err, err.decode()
    return Done(process.returncode or 0, out.decode(), err.decode())


@dataclass(slots=True)
class Live:
    """A world, its manager, and a cluster that leads there."""

    stage: Stage
    api: ApiServer
    kubeconfig: Path
    config: dict[str, Any]
    manager: str
    streams: Streams

    async def ring(self, *words: object, **env: str) -> Done:
        """Ask through the API server."""
        return await ring(*words, env={"KUBECONFIG": str(self.kubeconfig), **env})

    async def directly(self, *words: object) -> Done:
        """Ask the manager itself."""
        return await ring(*words, env={"RING_MANAGER": self.manager})

    def configure(self, **user: object) -> None:
        """Write the kubeconfig anew, with this user."""
        self.config["users"] = [{"name": "operator", "user": user}]
        self.kubeconfig.write_text(yaml.safe_dump(self.config))


def certificate(folder: Path, name: str, subject: str) -> tuple[Path, Path]:
    """Make a certificate that signs itself, with its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName={subject}", "-out", str(cert), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return cert, key


@asynccontextmanager
async def live(
    folder: Path,
    world: World | None = None,
    *,
    subject: str = "IP:127.0.0.1",
    ask_seeds: AskSeeds | None = None,
) -> AsyncGenerator[Live]:
    """Serve a world: a manager on loopback, and a kubeconfig whose cluster proxies to it."""
    stage = Stage(world or World(6))
    stage.latest.stale_seconds = 3600.0  # commands take seconds on a busy machine
    stage.show()
    cert, key = certificate(folder, "server", subject)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    streams = Streams(stage.latest)
    server = TestServer(make_app(stage.latest, ask_seeds=ask_seeds, streams=streams))
    await server.start_server()
    try:
        async with ApiServer("127.0.0.1", tokens=[TOKEN], ssl_context=tls) as api:
            _publish(api, server.port or 0)
            made = Live(
                stage=stage,
                api=api,
                kubeconfig=folder / "config",
                config=_config(api.url, cert),
                manager=str(server.make_url("")),
                streams=streams,
            )
            made.configure(token=TOKEN)
            yield made
    finally:
        await server.close()


def _publish(api: ApiServer, port: int) -> None:
    service = {
        "metadata": {"name": MANAGER},
        "spec": {"ports": [{"name": "http", "port": 8080}]},
    }
    labels = {"kubernetes.io/service-name": MANAGER}
    piece = {
        "metadata": {"name": f"{MANAGER}-1", "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }
    api.store.create("services", service, "shop")
    api.store.create("endpointslices", piece, "shop")


def _config(url: str, cert: Path) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "here", "cluster": {"server": url, "certificate-authority": cert.name}}
        ],
        "contexts": [
            {
                "name": "shop",
                "context": {"cluster": "here", "user": "operator", "namespace": "shop"},
            },
            {"name": "elsewhere", "context": {"cluster": "here", "user": "operator"}},
        ],
        "current-context": "shop",
    }
