"""How soon a manager beside a real ring shows a node down, and how fast `ring` is there."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.figures import Figure, median_of
from localring.options import Options
from localring.prepare import prepare
from localring.report import Report
from localring.ring import LocalRing
from ring.serve import Running, running
from tests.integration.manager.conftest import is_whole, settings

KILLS: Final = 2
COMMANDS: Final = 5
PATIENCE: Final = 120.0
LOOK: Final = 0.02  # seconds between looks


async def live() -> list[Figure]:
    """Measure on a ring of three nodes."""
    kit = await prepare(print)
    async with LocalRing(kit, Options(), lambda _: None) as ring:
        ring.cluster.scale(3)
        ring.start(0, 1, 2)
        await ring.wait_until_whole()
        async with running(settings(ring)) as it:
            await _until(lambda: _is_whole(it))
            late = [await _kill(ring, it) for _ in range(KILLS)]
            status = [await _timed(_ring_status(it)) for _ in range(COMMANDS)]
            command = ring.pod(0).node.nodetool_command()
            nodetool = [await _timed([*command, "status"]) for _ in range(COMMANDS)]
    return [
        median_of(
            "a killed node: down in the picture after a majority said so", late, "s"
        ).at_most(2),
        median_of(
            "ring status on three nodes, the whole command, without a proxy", status, "s"
        ).at_most(0.8),
        median_of("nodetool status beside it", nodetool, "s"),
    ]


async def _kill(ring: LocalRing, it: Running) -> float:
    """Lose a pod; return the seconds from when both others see it down to when it is shown."""
    victim = await ring.report(2)
    if victim is None:
        raise SystemExit("cassandra-2 says nothing")
    await ring.lose(2)
    began = time.monotonic()
    while not all(_sees_down(each, victim) for each in (await ring.reports()).values()):
        _give_up(began)
        await asyncio.sleep(LOOK)
    seen = time.monotonic()
    await _until(lambda: _state(it, victim) == "DN")
    took = time.monotonic() - seen
    ring.start(2)
    await ring.wait_until_whole()
    await _until(lambda: _is_whole(it))
    return took


def _sees_down(report: Report | None, victim: Report) -> bool:
    peer = report.peers.get(str(victim.host_id)) if report else None
    return peer is not None and peer.up is False


def _state(it: Running, victim: Report) -> str:
    shown = it.latest.shown()
    members = shown.judged.snapshot.members if shown else ()
    return next((m.state for m in members if str(m.host_id) == victim.host_id), "")


def _is_whole(it: Running) -> bool:
    shown = it.latest.shown()
    return shown is not None and is_whole(shown.judged)


async def _until(holds: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not holds():
        _give_up(began)
        await asyncio.sleep(LOOK)


def _give_up(began: float) -> None:
    if time.monotonic() - began > PATIENCE:
        raise SystemExit("waited in vain")


def _ring_status(it: Running) -> list[str]:
    return [str(Path(sys.executable).parent / "ring"), "status", "--manager", it.url]


async def _timed(command: list[str]) -> float:
    """Return the seconds that a command takes, its start included."""
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, env=dict(os.environ)
    )
    async with asyncio.timeout(PATIENCE):
        code = await child.wait()
    if code not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {code}")
    return time.monotonic() - began
