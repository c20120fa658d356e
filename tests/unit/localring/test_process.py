import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from localring.errors import ProcessFailedError
from localring.process import LEASH, Process, how_it_ended
from localring.waiting import wait_until

SLEEP = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"]
IGNORE_TERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
time.sleep(60)
"""
STUBBORN = [sys.executable, "-c", IGNORE_TERM]
PARENT = """
import os, subprocess, sys, time
leash, pid_file = sys.argv[1:]
child = subprocess.Popen([sys.executable, '-I', '-S', leash, str(os.getpid()), 'sleep', '60'])
open(pid_file, 'w').write(f'{child.pid}\\n')
time.sleep(60)
"""


async def started(command: list[str], folder: Path) -> Process:
    process = await Process.start("it", command, log=folder / "log", env={})

    async def missing() -> str | None:
        return None if "up" in process.tail() else "not up"

    await wait_until("up", missing, patience=30)
    return process


def state(pid: int) -> str:
    """One letter of proc(5): R, S, T for stopped, Z for dead but not buried; X for gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def name_of(pid: str) -> str:
    """Give the name of the program that a process runs."""
    return Path(f"/proc/{pid}/comm").read_text().strip()


async def test_a_process_that_obeys_ends_by_the_term_signal(tmp_path: Path) -> None:
    process = await started(SLEEP, tmp_path)

    assert await process.stop(30) == -signal.SIGTERM
    assert not process.running


async def test_a_process_that_ignores_the_term_signal_is_killed_after_its_grace(
    tmp_path: Path,
) -> None:
    process = await started(STUBBORN, tmp_path)

    assert await process.stop(0.1) == -signal.SIGKILL


async def test_a_frozen_process_is_thawed_so_that_it_can_obey(tmp_path: Path) -> None:
    process = await started(SLEEP, tmp_path)
    process.freeze()

    async def missing() -> str | None:
        return None if state(process.pid) == "T" else "not frozen"

    await wait_until("frozen", missing, patience=30)

    assert await process.stop(30) == -signal.SIGTERM


async def test_a_process_has_exactly_the_environment_that_it_is_given(tmp_path: Path) -> None:
    show = [sys.executable, "-c", "import os; print(sorted(os.environ))"]
    process = await Process.start("it", show, log=tmp_path / "log", env={"A": "1"})
    await process.wait()

    assert process.tail().replace("'LC_CTYPE'", "").startswith("['A'")


async def test_an_unwanted_end_is_told_with_exit_code_and_last_words(tmp_path: Path) -> None:
    fail = [sys.executable, "-c", "print('no such disk'); raise SystemExit(3)"]
    process = await Process.start("cassandra-0", fail, log=tmp_path / "log", env={})
    await process.wait()

    with pytest.raises(
        ProcessFailedError, match=r"(?s)cassandra-0 .*exit code 3.*no such disk"
    ):
        raise process.failure()


async def test_a_command_that_does_not_exist_ends_with_a_word_on_why(tmp_path: Path) -> None:
    process = await Process.start("it", ["no-such-command"], log=tmp_path / "log", env={})

    assert await process.wait() == 1
    assert "no-such-command" in process.tail()


async def test_killing_a_process_that_has_ended_touches_nobody(tmp_path: Path) -> None:
    process = await Process.start(
        "it", [sys.executable, "-c", ""], log=tmp_path / "log", env={}
    )
    await process.wait()

    assert await process.kill() == 0


async def test_a_process_dies_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen(  # noqa: ASYNC220, S603 -- a parent that is killed below
        [sys.executable, "-c", PARENT, str(LEASH), str(pid_file)]
    )

    async def not_leashed() -> str | None:
        pid = pid_file.read_text().strip() if pid_file.is_file() else ""
        return None if pid and name_of(pid) == "sleep" else "not started"

    await wait_until("the child", not_leashed, patience=30)
    child = int(pid_file.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    async def alive() -> str | None:
        return None if state(child) in {"X", "Z"} else "alive"

    await wait_until("the child's end", alive, patience=30)


def test_an_end_is_said_in_words() -> None:
    assert how_it_ended(3) == "exit code 3"
    assert how_it_ended(-9) == "SIGKILL"
