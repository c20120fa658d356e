"""Cassandra's jars: fetched with Maven as `pom.xml` pins them, kept in the cache folder."""

import asyncio
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from localring.cache import Tell, made_once
from localring.errors import StageError, WaitTimeoutError
from localring.process import Process

POM = Path(__file__).with_name("pom.xml")
FETCH_PATIENCE = 600.0  # seconds; 67 MB, most of them once per machine
PROGRESS_PAUSE = 1.0  # seconds between two lines of progress
DOWNLOADED = re.compile(
    rb"^(?:\[INFO\] )?Downloaded from \S+ \S+\.jar \(([\d.]+) ([kM]?B)", re.MULTILINE
)
UNIT = {b"B": 1, b"kB": 1_000, b"MB": 1_000_000}


@dataclass(frozen=True, slots=True)
class Jars:
    """Cassandra's class path.

    Attributes:
        version: of Cassandra, such as ``5.0.9``.
        paths: every jar, sorted: a class-data archive only fits the order it was made with.

    """

    version: str
    paths: tuple[Path, ...]

    @property
    def agent(self) -> Path:
        """Jamm, which Cassandra wants as a Java agent to measure its memtables."""
        return next(path for path in self.paths if path.name.startswith("jamm-"))

    def class_path(self, *more: Path) -> str:
        """Join the jars, then ``more``."""
        return os.pathsep.join(map(str, (*self.paths, *more)))


def pinned_version(pom: Path = POM) -> str:
    """Read the Cassandra version that ``pom`` pins."""
    tag = "{http://maven.apache.org/POM/4.0.0}properties/{*}cassandra.version"
    version = ET.parse(pom).findtext(tag)  # noqa: S314 -- our own file
    if not version:
        raise StageError(f"{pom} names no cassandra.version")
    return version


async def fetch_jars(folder: Path, tell: Tell) -> Jars:
    """Return the jars, from ``folder`` or fetched into it; `StageError` if that fails."""
    version = pinned_version()
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]

    async def fetch(draft: Path) -> None:
        await _copy_dependencies(draft, version, tell)

    home = await made_once(folder / f"cassandra-{version}-{digest}", fetch, tell)
    return Jars(version, tuple(sorted(home.glob("*.jar"))))


async def _copy_dependencies(draft: Path, version: str, tell: Tell) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise StageError("Maven (mvn) is not on the PATH: it fetches Cassandra's jars")
    tell(f"fetching Cassandra {version} with Maven, once")
    log = draft / "maven.log"
    process = await Process.start(
        "maven",
        [
            *(maven, "--batch-mode", "--strict-checksums", f"--file={POM}"),
            *("dependency:copy-dependencies", "-DincludeScope=runtime"),
            f"-DoutputDirectory={draft}",
        ],
        log=log,
        env=os.environ,
        cwd=draft,
    )
    try:
        async with asyncio.timeout(FETCH_PATIENCE):
            code = await _wait_telling(process, tell)
    except TimeoutError as error:
        raise WaitTimeoutError(f"Maven took more than {FETCH_PATIENCE:.0f} s") from error
    finally:
        await process.kill()
    if code != 0:
        raise StageError(f"Maven could not fetch Cassandra {version}:\n{_complaints(log)}")
    log.unlink()


async def _wait_telling(process: Process, tell: Tell) -> int:
    told = 0
    while process.running:
        await asyncio.wait(
            {ended := asyncio.ensure_future(process.wait())}, timeout=PROGRESS_PAUSE
        )
        ended.cancel()
        found = DOWNLOADED.findall(process.log.read_bytes())
        if len(found) > told:
            told = len(found)
            size = sum(float(number) * UNIT[unit] for number, unit in found)
            tell(f"fetched {told} jars, {size / 1e6:.0f} MB")
    return await process.wait()


def _complaints(log: Path) -> str:
    """Keep Maven's errors, without the advice it adds to every one."""
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([line for line in lines if line.startswith("[ERROR]")][:6])
