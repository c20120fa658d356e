from pathlib import Path

import pytest

from localring.__main__ import parser


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(arguments)
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("nodes", ["1", "10", "-3", "three", "", "٣"])
def test_a_number_of_nodes_that_cannot_be_shown_is_refused_with_what_can(
    nodes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not a number from 2 to 9" in complaint(capsys, "demo", "--nodes", nodes)


def test_a_picture_for_a_folder_that_is_not_there_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing"

    assert repr(str(missing)) in complaint(capsys, "demo", "--picture", f"{missing}/demo.svg")


def test_a_picture_and_what_is_kept_exclude_each_other_as_it_would_show_a_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "not allowed with" in complaint(capsys, "demo", "--keep", "--picture", "demo.svg")


def test_without_a_command_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert "required: COMMAND" in complaint(capsys)
