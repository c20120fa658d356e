import asyncio
import sys
from pathlib import Path

from localring.container import Backoff, Container
from localring.process import Process
from localring.waiting import wait_until

QUICK = Backoff(first=0.01, longest=0.02)
SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]


def container(folder: Path, command: list[str], told: list[str]) -> Container:
    async def start() -> Process:
        return await Process.start("it", command, log=folder / "log", env={})

    return Container("it", start, QUICK, told.append)


async def running(it: Container, restarts: int) -> None:
    async def missing() -> str | None:
        return None if it.running and it.restarts == restarts else f"{it.restarts} restarts"

    await wait_until("container", missing, patience=30)


async def test_a_killed_process_comes_back_under_another_pid(tmp_path: Path) -> None:
    told: list[str] = []
    it = container(tmp_path, SLEEP, told)
    task = asyncio.create_task(it.run())
    await running(it, 0)
    first = it.process.pid
    await it.kill()
    await running(it, 1)

    assert it.process.pid != first
    assert told == ["it: SIGKILL, again in 0.01 s"]
    await it.stop(30)
    await task


async def test_what_is_done_while_a_container_is_held_is_done_before_its_next_start(
    tmp_path: Path,
) -> None:
    order: list[str] = []

    async def start() -> Process:
        order.append("started")
        return await Process.start("it", SLEEP, log=tmp_path / "log", env={})

    it = Container("it", start, QUICK, lambda _: order.append("ended"))
    task = asyncio.create_task(it.run())
    await running(it, 0)
    async with it.held():
        await it.kill()

        async def missing() -> str | None:
            return None if it.restarts == 1 else "its end is not seen"

        await wait_until("its end", missing, patience=30)
        order.append("emptied")
    await running(it, 1)

    assert order == ["started", "ended", "emptied", "started"]
    await it.stop(30)
    await task


async def test_a_stopped_container_stays_stopped(tmp_path: Path) -> None:
    it = container(tmp_path, SLEEP, [])
    task = asyncio.create_task(it.run())
    await running(it, 0)
    await it.stop(30)
    await task

    assert (it.running, it.restarts) == (False, 0)


async def test_a_container_that_may_not_restart_stays_ended(tmp_path: Path) -> None:
    it = container(tmp_path, [sys.executable, "-I", "-S", "-c", ""], [])
    it.restarting = False
    await it.run()

    assert (it.running, it.restarts) == (False, 0)


async def test_cancelling_leaves_no_process(tmp_path: Path) -> None:
    it = container(tmp_path, SLEEP, [])
    task = asyncio.create_task(it.run())
    await running(it, 0)
    task.cancel()
    await asyncio.wait({task})

    assert not it.running


def test_pauses_double_up_to_their_limit() -> None:
    backoff = Backoff(first=1, longest=5)

    assert [backoff.pause(n) for n in (1, 2, 3, 4, 500)] == [1, 2, 4, 5, 5]
