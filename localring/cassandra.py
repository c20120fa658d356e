"""One real Cassandra as an ordinary process: start, ask, stop, kill, freeze and thaw it."""

import asyncio
import time
from ipaddress import IPv4Address

from localring.cql import answers_cql
from localring.cutting import write_cut
from localring.errors import ProcessFailedError, WaitTimeoutError
from localring.java import LEAN, MODULES, ended, java_environment
from localring.kit import Kit
from localring.process import Process, tail
from localring.settings import (
    JMX_PORT,
    NodeSettings,
    cassandra_yaml,
    daemon_flags,
    logback_xml,
    rack_properties,
)

PROBE_PAUSE = 0.25  # seconds between two probes of a starting node
NODETOOL_PATIENCE = 60.0  # seconds; 1 idle, up to 6 on a loaded machine
START_PATIENCE = 180.0  # seconds until a node answers CQL
STOP_GRACE = 60.0  # seconds; a drain takes 2 to 6


class CassandraNode:
    """One node: its settings, and its process while there is one."""

    def __init__(self, kit: Kit, settings: NodeSettings) -> None:
        self.settings = settings
        self._kit = kit
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The process last started; `ProcessFailedError` before the first start."""
        if self._process is None:
            raise ProcessFailedError(f"{self.settings.name} was never started")
        return self._process

    @property
    def running(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._process is not None and self._process.running

    async def start(self) -> None:
        """Write its configuration and start its process; does not wait until it serves."""
        if self.running:
            raise ProcessFailedError(f"{self.settings.name} runs already")
        await asyncio.to_thread(write_configuration, self.settings)
        self._process = await Process.start(
            self.settings.name,
            [
                str(self._kit.java.executable),
                *self._kit.archive.flags(),
                *daemon_flags(self.settings, self._kit.jars, self._kit.agent),
            ],
            log=self.settings.work / "stdout.log",
            env=java_environment(),
            cwd=self.settings.work,
        )

    async def wait_for_cql(self, patience: float = START_PATIENCE) -> float:
        """Wait until it serves clients; give the seconds it took.

        Raises:
            ProcessFailedError: it ended instead; the text has its last words.
            WaitTimeoutError: it still does not serve after ``patience`` seconds.

        """
        started = time.monotonic()
        while not await answers_cql(self.settings.address):
            if not self.process.running:
                raise self.failure()
            if time.monotonic() - started > patience:
                raise WaitTimeoutError(
                    f"{self.settings.name} does not serve CQL after {patience:.0f} s; "
                    f"last lines of {self.settings.log}:\n{self.last_words()}"
                )
            await asyncio.sleep(PROBE_PAUSE)
        return time.monotonic() - started

    async def stop(self, grace: float = STOP_GRACE) -> int | None:
        """SIGTERM, on which Cassandra drains; give the exit code, None if it never ran."""
        return None if self._process is None else await self._process.stop(grace)

    async def kill(self) -> int | None:
        """SIGKILL; give the exit code, None if it never ran."""
        return None if self._process is None else await self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        self.process.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.thaw()

    def cut(self, *others: IPv4Address, verbs: str = "") -> None:
        """Lose what it sends to others, until it is started anew; see `write_cut`."""
        write_cut(self.settings.cut, others, verbs)

    async def nodetool(self, *arguments: str) -> str:
        """Run nodetool against this node; give what it prints.

        Raises:
            ProcessFailedError: it ended with another exit code than 0.
            WaitTimeoutError: it took too long.

        """
        name = f"nodetool {' '.join(arguments)} ({self.settings.name})"
        try:
            done = await ended([*self.nodetool_command(), *arguments], NODETOOL_PATIENCE)
        except TimeoutError as error:
            raise WaitTimeoutError(f"{name} took over {NODETOOL_PATIENCE:.0f} s") from error
        if done.code != 0:
            said = (done.errors or done.output).strip()
            raise ProcessFailedError(f"{name} ended with exit code {done.code}: {said}")
        return done.output

    def nodetool_command(self) -> list[str]:
        """Return nodetool's command line for this node, without the arguments."""
        logback = self.settings.work / "logback-tools.xml"
        return [
            *(
                str(self._kit.java.executable),
                *self._kit.archive.nodetool_flags(),
                *MODULES,
                *LEAN,
            ),
            *("-Xmx96m", f"-Dlogback.configurationFile={logback.as_uri()}"),
            *("-cp", self._kit.jars.class_path(), "org.apache.cassandra.tools.NodeTool"),
            *("-h", str(self.settings.address), "-p", str(JMX_PORT)),
        ]

    def failure(self) -> ProcessFailedError:
        """Describe an unwanted end: how it ended, and Cassandra's last words."""
        failure = self.process.failure()
        return ProcessFailedError(
            f"{failure}\nlast lines of {self.settings.log}:\n{self.last_words()}"
        )

    def complaint(self) -> str:
        """Say in one line why it ended, as far as its log tells."""
        lines = self.last_words(200).splitlines()
        errors = [at for at, line in enumerate(lines) if line.startswith("ERROR")]
        told = lines[errors[-1] :][:2] if errors else self.process.tail(1).splitlines()
        return " ".join(line.partition(" - ")[2] or line for line in told)

    def last_words(self, lines: int = 12) -> str:
        """Return the last lines of Cassandra's log since its last start."""
        return tail(self.settings.log, lines)


def write_configuration(settings: NodeSettings) -> None:
    """Make the node's folders and write every file Cassandra reads at its start."""
    for folder in (settings.disk, settings.work / "tmp", settings.work / "triggers"):
        folder.mkdir(parents=True, exist_ok=True)
    settings.log.unlink(missing_ok=True)
    write_cut(settings.cut, (), "")  # its hook must not be touched before Cassandra is up
    files = {
        "cassandra.yaml": cassandra_yaml(settings),
        "cassandra-rackdc.properties": rack_properties(settings),
        "logback.xml": logback_xml(settings.log),
        "logback-tools.xml": logback_xml(None),
    }
    for name, text in files.items():
        (settings.work / name).write_text(text)
