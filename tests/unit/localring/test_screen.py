from io import StringIO
from pathlib import Path
from uuid import UUID

from rich.console import Console

from localring.checks import Check
from localring.picture import recording_console, save
from localring.screen import Screen, short

HOST = str(UUID(int=0x12345678 << 96))
STORY = {"a": ("127.0.0.1", "STARTING", f"joins ring {HOST}")}


def screen(width: int, *, terminal: bool = False) -> tuple[Screen, StringIO]:
    shown = StringIO()
    console = Console(
        file=shown, width=width, highlight=False, force_terminal=terminal, color_system=None
    )
    return Screen(console), shown


def lines(shown: StringIO) -> list[str]:
    """Return what is shown, without the seconds since the start."""
    return [line.partition(" s  ")[2] or line for line in shown.getvalue().splitlines()]


def test_a_pod_is_told_of_once_for_everything_that_it_does() -> None:
    it, shown = screen(120)
    for mode in ("STARTING", "STARTING", "NORMAL", "NORMAL"):
        it.progress({"a": ("127.0.0.1", mode, "")})

    assert lines(shown) == ["a 127.0.0.1 STARTING", "a 127.0.0.1 NORMAL"]


def test_a_pod_that_moved_is_told_of_again() -> None:
    it, shown = screen(120)
    for address in ("127.0.0.1", "127.0.0.2"):
        it.progress({"a": (address, "NORMAL", "")})

    assert lines(shown) == ["a 127.0.0.1 NORMAL", "a 127.0.0.2 NORMAL"]


def test_nothing_is_told_of_a_pod_of_which_nothing_is_known() -> None:
    it, shown = screen(120)
    it.progress({"a": ("127.0.0.1", "", "")})

    assert not shown.getvalue()


def test_uuids_in_a_reason_are_cut_to_what_tells_them_apart() -> None:
    assert short(f"joins ring {HOST}: confirmed") == "joins ring 12345678…: confirmed"
    it, shown = screen(120)
    it.progress(STORY)

    assert lines(shown) == ["a 127.0.0.1 STARTING: joins ring 12345678…"]


def test_on_a_terminal_the_table_goes_and_the_milestones_stay() -> None:
    it, shown = screen(80, terminal=True)
    with it.watching():
        it.progress(STORY)
        it.progress({"a": ("127.0.0.1", "NORMAL", "")})

    assert "a 127.0.0.1 NORMAL" in lines(shown)
    assert "a 127.0.0.1 STARTING" not in shown.getvalue()


def test_evidence_that_does_not_fit_beside_its_promise_goes_below() -> None:
    for width, expected in (
        (40, ["  ✓ it holds  (seen by all)"]),
        (20, ["  ✓ it holds", "    (seen by all)"]),
    ):
        it, shown = screen(width)
        it.checks([Check("it holds", kept=True, evidence="seen by all")])

        assert lines(shown) == expected


def test_a_broken_promise_has_another_mark() -> None:
    it, shown = screen(80)
    it.checks([Check("it holds", kept=False, evidence="nobody")])

    assert lines(shown) == ["  ✗ it holds  (nobody)"]


def test_a_picture_shows_what_was_shown_and_loads_nothing(tmp_path: Path) -> None:
    console = recording_console()
    Screen(console, live=False).heading("a ring is born")
    save(console, tmp_path / "picture.svg")
    svg = (tmp_path / "picture.svg").read_text()

    assert "a&#160;ring&#160;is&#160;born" in svg
    assert svg.count("http") == svg.count('xmlns="http://www.w3.org/2000/svg"') == 1
    assert "@font-face" not in svg
