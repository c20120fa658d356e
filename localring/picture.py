"""The demo as a picture: what a real run showed, as an SVG that needs no other file."""

from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

COLUMNS = 112
ALT = (
    "Three Cassandra pods start at once on empty disks and form one ring; one of them moves to "
    "another address and stays the same member"
)
BACKGROUND = (22, 27, 34)  # dark of its own, so it reads the same on light pages and dark ones
BLACK, RED, GREEN, YELLOW = (72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65)
BLUE, MAGENTA, CYAN, WHITE = (121, 192, 255), (210, 168, 255), (86, 212, 221), (230, 237, 243)
THEME = TerminalTheme(
    BACKGROUND, WHITE, [BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE]
)
# Fields are those of rich's export_svg; {{ }} are braces of the style sheet.
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>ALT</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre;
}}
{styles}
</style>
<defs>{lines}</defs>
<rect width="{width}" height="{height}" rx="8" fill="BACKGROUND"/>
<text class="{unique_id}-matrix" x="{terminal_x}" y="36" fill="PROMPT">$ make demo</text>
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def recording_console() -> Console:
    """Return a console that remembers what it shows."""
    return Console(record=True, width=COLUMNS, highlight=False)


def save(console: Console, file: Path) -> None:
    """Write what the console has shown; OSError where it cannot be written."""
    frame = FORMAT
    for name, value in {
        "ALT": ALT,
        "BACKGROUND": _hex(BACKGROUND),
        "PROMPT": _hex(BLUE),
    }.items():
        frame = frame.replace(name, value)
    svg = console.export_svg(theme=THEME, code_format=frame, unique_id="demo")
    file.write_text(svg, encoding="utf-8")


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
