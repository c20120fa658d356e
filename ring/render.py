"""Tables for people, made from the same JSON values that machines get."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from ring.model import Node
from ring.ownership import as_printed

Json = dict[str, Any]

GOOD, BAD, DOUBTFUL = "green", "bold red", "yellow"


def ownership(nodes: Sequence[Node], answer: Json) -> Iterator[Table]:
    """Lay out shares: a row a node, a column a keyspace."""
    names = [name for name, shares in answer["keyspaces"].items() if shares]
    table = _table("Who owns what", "state", "address", "dc", "rack", "tokens", "host ID")
    for name in ("primary", *names):
        table.add_column(name, justify="right", no_wrap=True)
    for node in sorted(nodes, key=lambda node: (node.dc, node.rack, node.address)):
        host = str(node.host_id)
        shares = [answer["primary"], *(answer["keyspaces"][name] for name in names)]
        table.add_row(
            _state(node),
            node.address or "-",
            node.dc,
            node.rack,
            str(len(node.tokens)),
            host,
            *(as_printed(each[host]) if host in each else "-" for each in shares),
        )
    yield table


def ranges(nodes: Sequence[Node], name: str, rows: Iterator[list[Json]]) -> Iterator[Table]:
    """Lay out ranges by their last token; transient replicas in brackets."""
    short = _short(nodes)
    table = _table(f"{name}: ranges by last token", "token", "replicas")
    for block in rows:
        for row in block:
            odd = set(row["transient"])
            names = [
                f"({short[host]})" if host in odd else short[host] for host in row["replicas"]
            ]
            table.add_row(row["token"], " ".join(names) or "-")
    yield table


def health(nodes: Sequence[Node], answer: Json, *, everything: bool) -> Iterator[Table]:
    """Lay out the checks that decide, or every one."""
    title = "Replication health: " + ("healthy" if answer["healthy"] else "NOT healthy")
    table = _table(title, "keyspace", "level", "for", "dc")
    for column in ("satisfiable", "margin", "failing ranges"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("behind it (ranges)")
    short = _short(nodes)
    for name, keyspace in answer["keyspaces"].items():
        shown = [each for each in keyspace["checks"] if each["decides"] or everything]
        for operations, check in _alike(shown):
            table.add_row(
                name,
                check["level"],
                operations,
                check["dc"] or "all",
                _pair(check["satisfiable"], _percent),
                _pair(check["margin"], _signed),
                _pair(check["failingRanges"], str),
                _some([f"{short[host]} ({n})" for host, n in check.get("behind", {}).items()]),
                style=_style(check),
            )
    if answer["unknown"]:
        names = _some([short[host] for host in answer["unknown"]])
        table.caption = f"unknown: {names}; worst case … best case"
    yield table


def change(answer: Json, *, everything: bool) -> Iterator[Table]:
    """Lay out what is lost and what decides, or all that got worse."""
    title = "After the change: " + ("safe" if answer["safe"] else "NOT safe")
    table = _table(title, "keyspace", "level", "for", "dc")
    for column in ("satisfiable", "after", "margin", "after", "copied"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, keyspace in answer["keyspaces"].items():
        copied = f"{keyspace['moved']:.3f} rings"
        shown = [each for each in keyspace["worse"] if each["decides"] or everything]
        if not shown:
            table.add_row(name, "no worse", "", "", "", "", "", "", copied)
        for operations, check in _alike(shown):
            before, after = check["before"], check["after"]
            table.add_row(
                name,
                check["level"],
                operations,
                check["dc"] or "all",
                _pair(before["satisfiable"], _percent),
                _pair(after["satisfiable"], _percent),
                _pair(before["margin"], _signed),
                _pair(after["margin"], _signed),
                copied,
                style=BAD if check["loss"] and check["decides"] else "",
            )
    yield table


def stops(nodes: Sequence[Node], answer: Json) -> Iterator[Table]:
    """Lay out which nodes may be stopped now."""
    table = _table("Who may be stopped now", "state", "address", "dc", "rack", "host ID", "")
    for node in nodes:
        entry = answer["nodes"][str(node.host_id)]
        names = entry["keyspaces"]
        verdict = "yes" if entry["safe"] else "no: " + _some(names)
        table.add_row(
            _state(node),
            node.address or "-",
            node.dc,
            node.rack,
            str(node.host_id),
            verdict,
            style="" if entry["safe"] else BAD,
        )
    yield table


def standing(nodes: Sequence[Node], answer: Json) -> Iterator[Table]:
    """Lay out who may be down together."""
    table = _table("Who may be down without loss", "what", "how many", "which")
    short = _short(nodes)
    racks = [f"{rack['dc']}/{rack['rack']}" for rack in answer["racks"]]
    alone = [short[host] for host in answer["nodes"]]
    together = [short[host] for host in answer["together"]]
    table.add_row("any one node of", str(len(alone)), _some(alone))
    table.add_row("any one whole rack of", str(len(racks)), _some(racks))
    table.add_row("all of these together", str(len(together)), _some(together))
    table.caption = answer["guarantee"]
    yield table


def skews(answer: Json) -> Iterator[Table]:
    """Lay out how even the ring is."""
    table = _table("Load of the fullest and emptiest node, against the mean", "keyspace", "dc")
    for column in ("nodes", "fullest", "random rings", "emptiest", "random rings", ""):
        table.add_column(column, justify="right", no_wrap=True)
    for name, dcs in answer["keyspaces"].items():
        for dc, each in dcs.items():
            table.add_row(
                name,
                dc,
                str(each["nodes"]),
                f"{each['highest']:.2f}",
                _band(each["highestBand"]),
                f"{each['lowest']:.2f}",
                _band(each["lowestBand"]),
                "as expected" if each["explained"] else "SKEWED",
                style="" if each["explained"] else BAD,
            )
    yield table


def suggestion(answer: Json) -> Iterator[Table]:
    """Lay out suggested tokens, ready for ``initial_token``."""
    table = _table("Tokens for the next node", "initial_token")
    table.add_row(",".join(answer["tokens"]))
    table.caption = (
        f"share {answer['share']:.1%} of its rack's ring; even is {answer['even']:.1%}"
    )
    yield table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _state(node: Node) -> Text:
    style = {"U": GOOD, "D": BAD, "?": DOUBTFUL}[node.liveness]
    return Text(node.state, style=style)


def _style(check: Json) -> str:
    if not check["failingRanges"]["worst"]:
        return ""
    if not check["decides"]:
        return "dim"
    return BAD if check["failingRanges"]["best"] else DOUBTFUL


def _short(nodes: Sequence[Node]) -> dict[str, str]:
    """Return what people call each node: its address, where it is known."""
    return {str(node.host_id): node.address or str(node.host_id) for node in nodes}


def _alike(checks: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Put neighbours together that differ in the operation alone."""

    def apart(check: Json) -> list[tuple[str, Any]]:
        return [item for item in check.items() if item[0] not in ("operation", "examples")]

    for _, group in itertools.groupby(checks, apart):
        several = list(group)
        yield ", ".join(each["operation"] for each in several), several[0]


def _some(names: Sequence[str], limit: int = 3) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more or "-"


def _pair(value: Json, show: Callable[[Any], str]) -> str:
    worst, best = show(value["worst"]), show(value["best"])
    return worst if worst == best else f"{worst} … {best}"


def _signed(margin: int) -> str:
    return f"{margin:+d}"


def _percent(share: float) -> str:
    """Write a share of the ring so that 100 % means all of it."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share * 100, 0.001), 99.999):.3f}%"


def _band(ends: Sequence[float]) -> str:
    return f"{ends[0]:.2f} … {ends[1]:.2f}"
