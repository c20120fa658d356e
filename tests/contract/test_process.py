"""The emulated server as a process of its own, switched over its control port."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.contract.cluster import PATIENCE, Cluster

HOST = "127.71.0.4"


@dataclass(frozen=True, slots=True)
class Running:
    process: Process
    cluster: Cluster
    control: str

    async def switch(self, **switches: object) -> tuple[int, str]:
        async with self.cluster.session.put(f"{self.control}/_faults", json=switches) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    tokens, port, control = (tmp_path / name for name in ("tokens", "port", "control"))
    tokens.write_text("one\ntwo\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localring.apiserver", "--listen", f"{HOST}:0"),
        *("--token-file", tokens, "--port-file", port, "--control-port-file", control),
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not port.exists():  # noqa: ASYNC110 - a file gives no event
                await asyncio.sleep(0.02)
        async with aiohttp.ClientSession() as session:
            cluster = Cluster(session, f"http://{HOST}:{int(port.read_text())}", "two", "ns")
            yield Running(process, cluster, f"http://{HOST}:{int(control.read_text())}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_switches_and_stops_on_sigterm(running: Running) -> None:
    cluster = running.cluster
    assert (await cluster.create("configmaps", cluster.body("a"))).status == 201

    status, _ = await running.switch(rules=[{"kind": "fail", "status": 503, "times": 1}])
    assert (status, (await cluster.list("configmaps")).status) == (200, 503)

    await running.switch(accepting=False)
    with pytest.raises(aiohttp.ClientConnectorError):
        await cluster.list("configmaps")
    await running.switch(accepting=True, tokens=["three"])
    assert (await cluster.list("configmaps")).status == 401

    async with cluster.session.get(f"{running.control}/_requests") as answer:
        seen = [(entry["verb"], entry["status"]) for entry in await answer.json()]
    assert seen == [("create", 201), ("list", 503), ("list", 401)]

    running.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        assert await running.process.wait() == 0


async def test_a_switch_that_cannot_be_read_changes_nothing(running: Running) -> None:
    await running.switch(rules=[{"kind": "fail"}])
    for bad in ({"rules": [{"kind": "nonsense"}]}, {"rules": [{"kind": "delay"}]}, {"x": 1}):
        status, why = await running.switch(**bad)
        assert (status, bool(why)) == (400, True)

    assert (await running.cluster.list("configmaps")).status == 500
