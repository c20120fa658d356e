"""How numbers, names and tables are written without any library, so that it is quick."""

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

UNITS: Final = ("KiB", "MiB", "GiB", "TiB")
GAP: Final = "  "

GOOD, BAD, DOUBTFUL, FAINT = "32", "1;31", "33", "2"
"""ANSI codes (ECMA-48, select graphic rendition)."""


HARM = re.compile(r"(\x1b\[[0-9;]*m)|[\x00-\x1f\x7f-\x9f]")
"""Control characters (C0, C1 and DEL); the group is what only changes how text looks."""


def harmless(line: str, *, colour: bool = False) -> str:
    """Write out a line's control characters: names in it come from whoever is on the ring."""

    def written(found: re.Match[str]) -> str:
        return found[0] if colour and found[1] else ascii(found[0])[1:-1]

    return HARM.sub(written, line)


def share(value: float) -> str:
    """Write a share as ``nodetool status`` does: a 32-bit float, by ``##0.0%``."""
    (narrow,) = struct.unpack("f", struct.pack("f", value))
    return f"{narrow * 100:.1f}%"


def size(count: float | None) -> str:
    """Write bytes as ``nodetool status`` does (``FileUtils.stringifyFileSize``)."""
    if count is None:
        return "?"
    if count < 1024:  # noqa: PLR2004 -- a KiB
        return f"{count:.0f} bytes"
    power = min(int(math.log(count, 1024)), len(UNITS))
    text = f"{count / 1024**power:.2f}".rstrip("0").rstrip(".")
    return f"{text} {UNITS[power - 1]}"


def ago(seconds: float | None) -> str:
    """Write an age for people."""
    if seconds is None:
        return "of unknown age"
    minute, hour, day = 60, 3600, 86400
    if seconds < 2 * minute:
        return f"{seconds:.0f} s old"
    if seconds < 2 * hour:
        return f"{seconds / minute:.0f} min old"
    return f"{seconds / hour:.0f} h old" if seconds < 2 * day else f"{seconds / day:.0f} d old"


def some(names: Sequence[str], limit: int = 3) -> str:
    """Name a few, and say how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more or "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and the ANSI code that it is shown with."""

    text: str
    code: str = ""

    def shown(self, width: int, *, right: bool, colour: bool) -> str:
        """Return it as wide as its column."""
        text = self.text.rjust(width) if right else self.text.ljust(width)
        return painted(text, self.code) if colour else text


def painted(text: str, code: str) -> str:
    """Return a text with an ANSI code around it, where there is one."""
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and what may happen to it where a terminal is narrow.

    Attributes:
        right: whether its cells stand at the right.
        rank: columns with the highest are left out first; 0 never is.

    """

    title: str
    right: bool = False
    rank: int = 0


Row = Sequence[Cell | str]


def table(
    columns: Sequence[Column], rows: Sequence[Row], *, width: int | None, colour: bool
) -> list[str]:
    """Lay out rows under headings, as ``kubectl get`` and ``nodetool status`` do.

    Args:
        columns: in order.
        rows: as many cells as columns.
        width: of the terminal; columns that can be spared are left out; None for all.
        colour: whether to paint.

    """
    cells = [[each if isinstance(each, Cell) else Cell(each) for each in row] for row in rows]
    widths = [
        max([len(column.title), *(len(row[n].text) for row in cells)])
        for n, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    while width is not None and _total(widths, shown) > width:
        spare = max(shown, key=lambda n: columns[n].rank)
        if not columns[spare].rank:
            break
        shown.remove(spare)
    heading = [
        Cell(columns[n].title).shown(widths[n], right=columns[n].right, colour=False)
        for n in shown
    ]
    lines = [GAP.join(heading).rstrip()]
    for row in cells:
        texts = [row[n].shown(widths[n], right=columns[n].right, colour=colour) for n in shown]
        lines.append(GAP.join(texts).rstrip())
    return lines


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[n] for n in shown) + len(GAP) * (len(shown) - 1)
