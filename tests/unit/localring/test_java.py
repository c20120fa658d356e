"""The JDK's tools: what they say when they fail, and that none is waited for without end."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from localring.errors import StageError
from localring.java import Java, run_tool

PATIENCE = 60.0  # seconds


def jdk(folder: Path, script: str = "") -> Java:
    """Return one whose only tool, where there is one, is a script in the place of ``javac``."""
    if script:
        (folder / "javac").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "javac").chmod(0o755)
    return Java(folder / "java", 17, "")


def command_lines() -> Iterator[bytes]:
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended just now
            yield file.read_bytes()


async def test_a_tool_that_fails_tells_why(tmp_path: Path) -> None:
    java = jdk(tmp_path, 'echo "$1: no such file" >&2; exit 3')
    with pytest.raises(StageError, match=r"javac failed:\nCut\.java: no such file$"):
        await run_tool(java, "javac", "Cut.java", patience=PATIENCE)


async def test_a_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    java = jdk(tmp_path, "while true; do sleep 1; done")
    with pytest.raises(StageError, match="javac took over 1 s"):
        await run_tool(java, "javac", patience=1.0)

    assert not any(str(tmp_path).encode() in words for words in command_lines())


async def test_a_runtime_without_tools_is_told_from_a_jdk(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="a JDK is needed"):
        await run_tool(jdk(tmp_path), "javac", patience=PATIENCE)
