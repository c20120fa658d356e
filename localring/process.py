"""One operating-system process: started on a leash, signalled, waited for, never left behind.

Each one leads a process group of its own, so a signal reaches whatever it started, and a Ctrl-C
at the terminal reaches only us.  The kernel kills it should we die first (see `leash`).
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from localring.errors import ProcessFailedError

LEASH = Path(__file__).with_name("leash.py")
KILL_PATIENCE = 10.0  # seconds that the kernel may take to bury a killed process
TAIL_BYTES = 64 * 1024  # enough for a Java stack trace


class Process:
    """A running or ended process; standard output and error go to one log file.

    Attributes:
        name: how messages call it, such as ``cassandra-0/cassandra``.
        log: where its output is appended.
        listener: told when it is frozen and thawed.

    """

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self.listener: Callable[[str], None] | None = None
        self._child = child

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        cwd: Path | None = None,
    ) -> Self:
        """Start ``command`` with exactly the environment ``env``; OSError if it cannot be.

        Call it from a thread that lives as long as the process should: the kernel takes the end
        of the starting thread for the end of the parent.  A command that does not exist
        shows as exit code 1 with a line in the log.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        return cls(name, child, log)

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal, or None while it runs."""
        return self._child.returncode

    @property
    def running(self) -> bool:
        """Whether it has not ended; a frozen one runs."""
        return self.exit_code is None

    def freeze(self) -> None:
        """SIGSTOP: it keeps its sockets and answers nothing."""
        self._signal(signal.SIGSTOP)
        self._tell("frozen")

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)
        self._tell("thawed")

    async def wait(self) -> int:
        """Wait without a bound until it ended; give the exit code."""
        return await self._child.wait()

    async def stop(self, grace: float) -> int:
        """SIGTERM, and SIGKILL after ``grace`` seconds; give the exit code.

        A frozen process is thawed, or it could not obey.
        """
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), grace)
        return await self.kill()

    async def kill(self) -> int:
        """SIGKILL to the whole group; give the exit code, also of one that had ended."""
        self._signal(signal.SIGKILL)
        async with asyncio.timeout(KILL_PATIENCE):
            return await self.wait()

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of the log, for error messages."""
        return tail(self.log, lines)

    def failure(self) -> ProcessFailedError:
        """Describe an unwanted end: exit code and last words."""
        return ProcessFailedError(
            f"{self.name} ended with {how_it_ended(self.exit_code)}; "
            f"last lines of {self.log}:\n{self.tail()}"
        )

    def _tell(self, what: str) -> None:
        if self.listener is not None:
            self.listener(what)

    def _signal(self, number: signal.Signals) -> None:
        if self.running:  # else the id may be somebody else's by now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def how_it_ended(exit_code: int | None) -> str:
    """Say an exit code in words: ``exit code 3``, ``SIGKILL``."""
    if exit_code is None:
        return "nothing yet"
    return f"exit code {exit_code}" if exit_code >= 0 else signal.Signals(-exit_code).name


def tail(file: Path, lines: int) -> str:
    """Return the last ``lines`` lines of a text file, or a word that there are none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError as error:
        return f"({file.name}: {error.strerror})"
    return "\n".join(text.splitlines()[-lines:]) or f"({file.name} is empty)"
