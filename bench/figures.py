"""How a benchmark tells its figures: a table for people, a JSON file for machines."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number.

    Attributes:
        target: as "<= 2", in the figure's unit; None for peers and context.
        met: whether the target was reached; None without one.

    """

    name: str
    value: float
    unit: str
    target: str | None = None
    met: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that should not be above a limit."""
    return Figure(name=name, value=value, unit=unit, target=f"<= {limit:g}", met=value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a figure that should not be below a limit."""
    return Figure(name=name, value=value, unit=unit, target=f">= {limit:g}", met=value >= limit)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> str:
    """Return lowest, median and highest, for context in a name."""
    return f"{min(values):.3g} / {statistics.median(values):.3g} / {max(values):.3g}"


def machine() -> dict[str, object]:
    """Return what the figures were measured on, without names."""
    return {
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
    }


def publish(name: str, figures: Sequence[Figure]) -> None:
    """Print the table and write ``bench/results/<name>.json``."""
    table = Table(title=f"{name} on {os.cpu_count()} cores")
    for column in ("figure", "measured", "target", ""):
        table.add_column(column, justify="right" if column == "measured" else "left")
    for each in figures:
        mark = {True: "✓", False: "✗", None: ""}[each.met]
        table.add_row(each.name, f"{each.value:.4g} {each.unit}", each.target or "", mark)
    Console(width=110).print(table)
    RESULTS.mkdir(exist_ok=True)
    body = {"machine": machine(), "figures": [asdict(each) for each in figures]}
    (RESULTS / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n")
