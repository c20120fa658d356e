import asyncio
from pathlib import Path

import pytest

from localring.cache import made_once


def ignore(_: str) -> None:
    pass


async def test_two_runs_at_once_make_a_folder_once(tmp_path: Path) -> None:
    made: list[Path] = []

    async def make(draft: Path) -> None:
        made.append(draft)
        (draft / "jar").write_text("whole")
        await asyncio.sleep(0)

    target = tmp_path / "jars"
    await asyncio.gather(*(made_once(target, make, ignore) for _ in range(3)))

    assert len(made) == 1
    assert (target / "jar").read_text() == "whole"


async def test_a_making_that_is_cut_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    async def cut_off(draft: Path) -> None:
        (draft / "jar").write_text("half")
        raise ConnectionError

    async def make(draft: Path) -> None:
        (draft / "jar").write_text("whole")

    target = tmp_path / "jars"
    with pytest.raises(ConnectionError):
        await made_once(target, cut_off, ignore)
    assert not target.exists()

    await made_once(target, make, ignore)
    assert (target / "jar").read_text() == "whole"


async def test_drafts_of_killed_runs_are_removed(tmp_path: Path) -> None:
    orphan = tmp_path / "jars.draft-x"
    orphan.mkdir()

    async def make(draft: Path) -> None:
        (draft / "jar").write_text("whole")

    await made_once(tmp_path / "jars", make, ignore)

    assert not orphan.exists()
