"""What the demo shows: live tables on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from localring.checks import Check

PLAIN_WIDTH = 120  # columns where there is no terminal to ask
STYLES = {"NORMAL": "green", "JOINING": "yellow", "STARTING": "cyan"}


class Screen:
    """Shows lines, tables and, on a terminal, a table that changes in place."""

    def __init__(self, console: Console | None = None) -> None:
        console = Console(highlight=False) if console is None else console
        if not console.is_terminal:
            console.width = PLAIN_WIDTH
        self._console = console
        self._began = time.monotonic()
        self._live: Live | None = None
        self._shown: dict[str, str] = {}

    def tell(self, line: str) -> None:
        """Show one line with the seconds since the start; above the live table, if any."""
        seconds = time.monotonic() - self._began
        self._console.print(f"{seconds:6.1f} s  {line}", markup=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """Begin a new part."""
        self._console.print()
        self._console.print(text, style="bold", markup=False)

    def text(self, text: str) -> None:
        """Show text as it is; long lines are not broken, so that they can be copied."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this, `progress` changes one table in place."""
        self._shown.clear()
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=4, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def progress(self, pods: Mapping[str, tuple[str, str, str]]) -> None:
        """Show how far pods are: address, mode, and a word on it."""
        if self._live is not None:
            table = _table("pod", "address", "Cassandra", "")
            for name, (address, mode, word) in pods.items():
                table.add_row(name, address, f"[{STYLES.get(mode, 'dim')}]{mode}[/]", word)
            self._live.update(table)
            return
        for name, (address, mode, word) in pods.items():
            line = f"{name} {address} {mode}{f': {word}' if word else ''}"
            if self._shown.get(name) != line:
                self._shown[name] = line
                self.tell(line)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table."""
        table = _table(*headings)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def checks(self, checks: Sequence[Check]) -> None:
        """Show promises with a mark for each."""
        for check in checks:
            mark, style = ("✓", "green") if check.kept else ("✗", "bold red")
            self._console.print(f"  {mark} {check.promise}", style=style, markup=False, end="")
            self._console.print(f"  ({check.evidence})", style="dim", markup=False)


def _table(*headings: str) -> Table:
    table = Table(*headings, box=None, pad_edge=False, header_style="dim")
    for column in table.columns:
        column.overflow = "fold"
    return table
