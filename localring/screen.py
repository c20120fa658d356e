"""What the demo shows: live tables on a terminal, plain lines elsewhere."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from localring.checks import Check

PLAIN_WIDTH = 120  # columns where there is no terminal to ask
WIDE = 116  # columns that a table with whole host IDs takes
MILESTONES = {"NORMAL", "JOINING"}
STYLES = {"NORMAL": "green", "JOINING": "yellow", "STARTING": "cyan"}
UUID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


class Screen:
    """Shows lines, tables and, where it is live, a table that changes in place."""

    def __init__(self, console: Console | None = None, *, live: bool = True) -> None:
        """Without ``live`` it is plain lines on a terminal too."""
        if console is None:
            console = Console(highlight=False)
            if not console.is_terminal:
                console.width = PLAIN_WIDTH
        self._console = console
        self._soft = not console.record  # what is recorded has no margin to run over
        self._may_live = live and console.is_terminal
        self._began = time.monotonic()
        self._live: Live | None = None
        self._shown: dict[str, str] = {}

    @property
    def narrow(self) -> bool:
        """Whether tables have to leave out what can be left out."""
        return self._console.width < WIDE

    def tell(self, line: str | Text) -> None:
        """Show one line with the seconds since the start; above the live table, if any."""
        seconds = f"{time.monotonic() - self._began:6.1f} s  "
        self._console.print(Text.assemble((seconds, "dim"), line), soft_wrap=self._soft)

    def heading(self, text: str) -> None:
        """Begin a new part."""
        self._console.print()
        self._console.print(text, style="bold", markup=False)

    def text(self, text: str) -> None:
        """Show text as it is; long lines are not broken, so that they can be copied."""
        self._console.print(text, markup=False, soft_wrap=self._soft)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this, `progress` changes one table in place."""
        if not self._may_live:
            yield
            return
        with Live(console=self._console, refresh_per_second=4, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def progress(self, pods: Mapping[str, tuple[str, str, str]]) -> None:
        """Show how far pods are: address, mode (may be empty), and a word on it."""
        if self._live is not None:
            table = _table("pod", "address", "Cassandra", "")
            for name, (address, mode, word) in pods.items():
                table.add_row(name, address, _mode(mode), short(word))
            self._live.update(table)
        for name, (address, mode, word) in pods.items():
            if self._live is None:
                said = ": ".join(filter(None, (mode, short(word))))
            else:  # what stays when the table goes
                said = mode if mode in MILESTONES else ""
            if said and self._shown.get(name) != f"{address} {said}":
                self._shown[name] = f"{address} {said}"
                rest = said.removeprefix(mode)
                self.tell(Text.assemble(f"{name} {address} ", _mode(mode), rest))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table; only its last column is ever folded."""
        table = _table(*headings)
        for row in rows:
            table.add_row(*row)
        self._console.print()
        self._console.print(table)

    def checks(self, checks: Sequence[Check]) -> None:
        """Show promises with a mark for each; the evidence below where it does not fit."""
        for check in checks:
            mark, style = ("✓", "green") if check.kept else ("✗", "bold red")
            line = Text(f"  {mark} {check.promise}", style=style)
            evidence = f"({check.evidence})"
            fits = len(line) + 2 + len(evidence) <= self._console.width
            line.append(f"  {evidence}" if fits else f"\n    {evidence}", style="dim")
            self._console.print(line, soft_wrap=self._soft)


def short(text: str) -> str:
    """Cut UUIDs down to their first part, which tells them apart well enough for the eye."""
    return UUID.sub(r"\1…", text)


def _mode(mode: str) -> Text:
    return Text(mode, style=STYLES.get(mode, "dim"))


def _table(*headings: str) -> Table:
    table = Table(*headings, box=None, pad_edge=False, header_style="dim")
    for column in table.columns:
        column.overflow = "fold"
        column.no_wrap = column is not table.columns[-1]
    return table
