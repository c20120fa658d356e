"""What tables for people have in common: their cells and styles."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from ring.model import Node

Json = dict[str, Any]

GOOD, BAD, DOUBTFUL = "green", "bold red", "yellow"


def table(title: str, *columns: str) -> Table:
    """Return an empty table; long cells are folded, none is cut off."""
    made = Table(title=title, title_justify="left", caption_justify="left")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def state(node: Node) -> Text:
    """Write a state as ``nodetool status`` does."""
    style = {"U": GOOD, "D": BAD, "?": DOUBTFUL}[node.liveness]
    return Text(node.state, style=style)


def style(check: Json) -> str:
    """Return how to show a check: what decides and fails stands out."""
    if not check["failingRanges"]["worst"]:
        return ""
    if not check["decides"]:
        return "dim"
    return BAD if check["failingRanges"]["best"] else DOUBTFUL


def short(nodes: Sequence[Node]) -> dict[str, str]:
    """Return what people call each node: its address, where it is known."""
    return {str(node.host_id): node.address or str(node.host_id) for node in nodes}


def alike(checks: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Put neighbours together that differ in the operation alone."""

    def apart(check: Json) -> list[tuple[str, Any]]:
        return [item for item in check.items() if item[0] not in ("operation", "examples")]

    for _, group in itertools.groupby(checks, apart):
        several = list(group)
        yield ", ".join(each["operation"] for each in several), several[0]


def pair(value: Json, show: Callable[[Any], str]) -> str:
    """Write the worst and the best case, where they differ."""
    worst, best = show(value["worst"]), show(value["best"])
    return worst if worst == best else f"{worst} … {best}"


def signed(margin: int) -> str:
    """Write a margin with its sign."""
    return f"{margin:+d}"


def percent(share: float) -> str:
    """Write a share of the ring so that 100 % means all of it, and 0 % nothing."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share * 100, 0.001), 99.999):.3f}%"
