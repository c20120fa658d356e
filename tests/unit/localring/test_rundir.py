import subprocess
import sys
from pathlib import Path

import pytest

from localring.rundir import run_directory, sweep

ABANDON = """
import os, sys
from pathlib import Path
from localring.rundir import run_directory
with run_directory(base=Path(sys.argv[1])) as directory:
    (directory / "disk").write_text("data")
    os.kill(os.getpid(), 9)
"""


def test_nothing_is_left_when_the_run_ends(tmp_path: Path) -> None:
    with run_directory(base=tmp_path) as directory:
        (directory / "disk").mkdir()

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_the_run_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), run_directory(base=tmp_path):
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ABANDON, str(tmp_path)]
    subprocess.run(command, check=False)  # noqa: S603 -- it kills itself
    assert len(list(tmp_path.iterdir())) == 1

    with run_directory(base=tmp_path) as directory:
        assert list(tmp_path.iterdir()) == [directory]


def test_a_run_that_goes_on_is_not_swept_away(tmp_path: Path) -> None:
    with run_directory(base=tmp_path) as directory:
        assert sweep(tmp_path) == []
        assert directory.is_dir()


def test_a_directory_that_is_kept_stays_whatever_runs_next(tmp_path: Path) -> None:
    with run_directory(base=tmp_path, keep=True) as directory:
        (directory / "log").write_text("look")
    with run_directory(base=tmp_path):
        pass

    assert (directory / "log").read_text() == "look"
