"""Cuts between nodes: an agent in each drops what it would send to others, as a file tells it.

Addresses cannot be cut from outside: all nodes share one loopback, and what they send to each
other comes from 127.0.0.1.  A cut ends with its file or with the process; no rule of the
machine's firewall can be left behind, and nobody has to be root.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

from localring.cache import Tell, made_once
from localring.jars import Jars
from localring.java import Java, run_tool

SOURCE = Path(__file__).with_name("agent") / "Cut.java"
NAME = "cut.jar"
RELEASE = "11"  # the oldest Java that runs Cassandra 5.0
MANIFEST = "Manifest-Version: 1.0\nPremain-Class: localring.Cut\n\n"
COMPILE_PATIENCE = 120.0  # seconds; 2 on an idle machine


async def make_agent(folder: Path, java: Java, jars: Jars, tell: Tell) -> Path:
    """Return the agent's jar, from ``folder`` or made into it; `StageError` if that fails."""
    parts = [SOURCE.read_text(), RELEASE, MANIFEST, jars.version]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    async def make(draft: Path) -> None:
        await _compile(java, jars, draft / "classes")
        await asyncio.to_thread(_pack, draft / "classes", draft / NAME)

    return await made_once(folder / f"agent-{jars.version}-{digest}", make, tell) / NAME


async def _compile(java: Java, jars: Jars, target: Path) -> None:
    options = ("--release", RELEASE, "-proc:none", "-nowarn", "-d", str(target))
    words = (*options, "-cp", jars.class_path(), str(SOURCE))
    await run_tool(java, "javac", *words, patience=COMPILE_PATIENCE)


def _pack(classes: Path, jar: Path) -> None:
    with zipfile.ZipFile(jar, "w") as packed:
        packed.writestr("META-INF/MANIFEST.MF", MANIFEST)
        for file in sorted(classes.rglob("*.class")):
            packed.write(file, file.relative_to(classes))
    shutil.rmtree(classes)


def write_cut(file: Path, others: Iterable[IPv4Address], verbs: str) -> None:
    """Have a node lose what it sends to these; to nobody, and the cut is healed.

    Args:
        file: that its agent looks at.
        others: whom it does not reach.
        verbs: how the names of the messages begin that get lost, such as ``SCHEMA_``
            (``org.apache.cassandra.net.Verb``); empty for all.

    """
    lines = [f"{address} {verbs}".strip() + "\n" for address in others]
    if not lines:
        file.unlink(missing_ok=True)
        return
    descriptor, draft = tempfile.mkstemp(prefix=file.name, dir=file.parent)
    with os.fdopen(descriptor, "w") as written:
        written.writelines(lines)
    Path(draft).rename(file)
