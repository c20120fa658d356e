"""How a benchmark tells its figures: a table for people, a JSON file for machines."""

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number.

    Attributes:
        name: what was measured; it stays the same from run to run.
        value: the median, where nothing else is said of several rounds.
        low: the least of the rounds; of a ratio, what the extremes of both sides allow.
        high: the greatest, likewise.
        rounds: how many there were; None where there was but one number.
        target: as "<= 2", in the figure's unit; None for peers and context.
        met: whether the target was reached; None without one.

    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    rounds: int | None = None
    target: str | None = None
    met: bool | None = None

    def at_most(self, limit: float) -> "Figure":
        """Return the figure with a limit that it should not be above."""
        return replace(self, target=f"<= {limit:g}", met=self.value <= limit)

    def at_least(self, limit: float) -> "Figure":
        """Return the figure with a limit that it should not be below."""
        return replace(self, target=f">= {limit:g}", met=self.value >= limit)


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    """Return a single number that should not be above a limit."""
    return Figure(name=name, value=value, unit=unit).at_most(limit)


def median_of(name: str, seconds: Sequence[float], unit: str = "ms") -> Figure:
    """Return the median of some rounds and how far they spread; ``unit`` is ms or s."""
    scale = {"ms": 1e3, "s": 1.0}[unit]
    return Figure(
        name=name,
        value=statistics.median(seconds) * scale,
        unit=unit,
        low=min(seconds) * scale,
        high=max(seconds) * scale,
        rounds=len(seconds),
    )


def ratio(name: str, above: Sequence[float], below: Sequence[float]) -> Figure:
    """Return how many times the median of one is that of the other.

    Low and high are what the rounds' extremes would make of it, so they are wide.
    """
    return Figure(
        name=name,
        value=statistics.median(above) / statistics.median(below),
        unit="times",
        low=min(above) / max(below),
        high=max(above) / min(below),
        rounds=min(len(above), len(below)),
    )


def paired_ratio(name: str, above: Sequence[float], below: Sequence[float]) -> Figure:
    """Return the median of the ratios of rounds that took turns; a disturbance hits both."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    return Figure(
        name=name,
        value=statistics.median(ratios),
        unit="times",
        low=min(ratios),
        high=max(ratios),
        rounds=len(ratios),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> dict[str, object]:
    """Return what the figures were measured on, without names."""
    return {
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
    }


def publish(name: str, figures: Sequence[Figure], seed: int | None = None) -> None:
    """Print the table and write ``bench/results/<name>.json``.

    Args:
        name: of the benchmark.
        figures: in the order in which they are shown.
        seed: what repeats the inputs that were drawn, if any were.

    """
    table = Table(title=f"{name} on {os.cpu_count()} cores")
    for column in ("figure", "measured", "low … high", "rounds", "target", ""):
        numbers = column in ("measured", "low … high", "rounds")
        table.add_column(column, justify="right" if numbers else "left")
    for each in figures:
        mark = {True: "✓", False: "✗", None: ""}[each.met]
        table.add_row(
            each.name,
            f"{each.value:.4g} {each.unit}",
            "" if each.low is None else f"{each.low:.3g} … {each.high:.3g}",
            str(each.rounds or ""),
            each.target or "",
            mark,
        )
    Console(width=120).print(table)
    RESULTS.mkdir(exist_ok=True)
    body = {"machine": machine(), "seed": seed, "figures": [asdict(each) for each in figures]}
    (RESULTS / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n")
