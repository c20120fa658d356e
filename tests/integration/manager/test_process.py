"""``ring serve`` as people run it: a process with options, ended by SIGTERM."""

import asyncio
import re
import signal
import sys

import aiohttp

from localring.ring import LocalRing
from localring.waiting import wait_until
from tests.integration.manager.conftest import kubeconfig

MEMBERS = "ring_members{"
PATIENCE = 60.0  # seconds


async def test_ring_serve_shows_the_ring_and_ends_cleanly(ring: LocalRing) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ring", "serve", "--namespace", "default"),
        *("--kubeconfig", str(kubeconfig(ring)), "--listen", "127.0.0.1:0"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stderr
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := re.search(rb"http://\S+", await child.stderr.readline())):
                pass
        url = found[0].decode()
        async with aiohttp.ClientSession(trust_env=False) as session:

            async def missing() -> str | None:
                async with session.get(f"{url}/v1/ring") as answer:
                    if answer.status != 200:
                        return await answer.text()
                    states = [each["state"] for each in (await answer.json())["members"]]
                    return None if states == ["UN"] * 3 else f"members {states}"

            await wait_until("a picture of the whole ring", missing, patience=PATIENCE)
            async with session.get(f"{url}/metrics") as answer:
                told = (await answer.text()).splitlines()
            up = [line for line in told if MEMBERS in line and 'state="up"' in line]
            assert [line.rpartition(" ")[2] for line in up] == ["3.0"]
            async with session.get(f"{url}/v1/stream") as stream:
                await stream.content.readline()
                child.send_signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE):
                    code = await child.wait()
        said = (await child.stderr.read()).decode()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()

    assert (code, "Traceback" in said) == (0, False), said
