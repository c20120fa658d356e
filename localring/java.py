"""The Java that runs Cassandra: which one, and the flags every JVM of the stage gets."""

import asyncio
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localring.errors import StageError

SUPPORTED = (11, 17)  # what Cassandra 5.0 supports
VERSION_PATIENCE = 20.0  # seconds; a JVM says its version in 0.1

# Modules that Cassandra, its netty, jamm and RMI reach into; as in conf/jvm17-server.options.
EXPORTS = (
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.attach/sun.tools.attach",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.unsupported/sun.misc",
)
OPENS = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.compiler/com.sun.tools.javac",
    "jdk.management/com.sun.management.internal",
)
MODULES = (
    *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTS),
    *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENS),
)
LEAN = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the ring lives for minutes: starting fast is all that counts
    "-Djava.net.preferIPv4Stack=true",
)


@dataclass(frozen=True, slots=True)
class Java:
    """One Java installation.

    Attributes:
        executable: the ``java`` command.
        release: its first version number, 11 or 17.
        identity: what it says of itself, whole: a class-data archive fits exactly one build.

    """

    executable: Path
    release: int
    identity: str


async def find_java() -> Java:
    """Find the Java of ``JAVA_HOME``, else of the PATH; `StageError` if it will not do."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if found is None:
        raise StageError(
            f"no java in {'JAVA_HOME' if home else 'the PATH'}: a JDK 17 is needed"
        )
    try:
        done = await ended([found, "-version"], VERSION_PATIENCE)
    except TimeoutError as error:
        raise StageError(f"{found} did not say its version") from error
    return _checked(Path(found), f"{done.output}{done.errors}".strip())


def _checked(executable: Path, identity: str) -> Java:
    release = re.search(r'version "(\d+)', identity)
    if release is None or int(release[1]) not in SUPPORTED:
        raise StageError(f"Cassandra 5.0 needs Java 11 or 17, but {executable} is:\n{identity}")
    return Java(executable.resolve(), int(release[1]), identity)


async def run_tool(java: Java, name: str, *words: str, patience: float) -> None:
    """Run a tool of the JDK to its end; `StageError` with what it said if that fails.

    Args:
        java: whose tool.
        name: beside the ``java`` command, such as ``javac``.
        words: its arguments.
        patience: seconds, after which it is killed.

    """
    tool = java.executable.with_name(name)
    if not tool.is_file():
        raise StageError(f"{tool} is missing: a JDK is needed, not only its runtime")
    try:
        done = await ended([str(tool), *words], patience)
    except TimeoutError as error:
        raise StageError(f"{name} took over {patience:.0f} s") from error
    if done.code != 0:
        raise StageError(f"{name} failed:\n{done.output}{done.errors}".rstrip())


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended, with all that it wrote."""

    code: int
    output: str
    errors: str


async def ended(command: Sequence[str], patience: float) -> Ended:
    """Run a JVM to its end; after so many seconds it is killed, and `TimeoutError` raised."""
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=java_environment(),
        start_new_session=True,  # Ctrl-C is for us, who end it
    )
    try:
        async with asyncio.timeout(patience):
            output, errors = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    code = await child.wait()
    return Ended(code, output.decode(errors="replace"), errors.decode(errors="replace"))


def java_environment() -> dict[str, str]:
    """Return the environment of every JVM: nothing that could change its flags."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ
    }
    return {**kept, "MALLOC_ARENA_MAX": "2"}  # glibc's default costs 100 MiB a node
