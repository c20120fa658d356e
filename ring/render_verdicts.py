"""Tables of verdicts for people, made from the same JSON values that machines get."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from ring import cells, plain
from ring.cells import Json
from ring.model import Node


def health(nodes: Sequence[Node], answer: Json, *, everything: bool) -> Iterator[Table]:
    """Lay out the checks that decide, or every one."""
    title = "Replication health: " + ("healthy" if answer["healthy"] else "NOT healthy")
    table = cells.table(title, "keyspace", "level", "for", "dc")
    for column in ("satisfiable", "margin", "failing ranges"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("behind it (ranges)")
    short = cells.short(nodes)
    for name, keyspace in answer["keyspaces"].items():
        shown = [each for each in keyspace["checks"] if each["decides"] or everything]
        for operations, check in cells.alike(shown):
            behind = check.get("behind", {})
            table.add_row(
                name,
                check["level"],
                operations,
                check["dc"] or "all",
                cells.pair(check["satisfiable"], cells.percent),
                cells.pair(check["margin"], cells.signed),
                cells.pair(check["failingRanges"], str),
                plain.some([f"{short[host]} ({n['ranges']})" for host, n in behind.items()]),
                style=cells.style(check),
            )
    table.caption = _unknown(answer, short)
    yield table


def change(nodes: Sequence[Node], answer: Json, *, everything: bool) -> Iterator[Table]:
    """Lay out what is lost and what decides, or all that got worse; nodes are those after."""
    keyspaces = answer["keyspaces"]
    yield from _lost_before({name: each["lostBefore"] for name, each in keyspaces.items()})
    verdict = "safe" if answer["safe"] else "NOT safe"
    unhealthy = [name for name, each in keyspaces.items() if not each["healthy"]]
    also = f"; not healthy: {plain.some(unhealthy)}" if unhealthy else ""
    table = cells.table(f"After the change: {verdict}{also}", "keyspace", "level", "for", "dc")
    for column in ("satisfiable", "after", "margin", "after", "copied", "nobody can copy"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, keyspace in keyspaces.items():
        moves = (
            f"{keyspace['moved']:.3f} rings",
            cells.pair(keyspace["dataLost"]["share"], cells.percent),
        )
        gone = keyspace["unplaced"] or keyspace["dataLost"]["ranges"]["worst"]
        shown = [each for each in keyspace["worse"] if each["decides"] or everything]
        if not shown:
            nothing = (name, "no level worse", "", "", "", "", "", "", *moves)
            table.add_row(*nothing, style=cells.BAD if gone else "")
        for operations, check in cells.alike(shown):
            before, after = check["before"], check["after"]
            table.add_row(
                name,
                check["level"],
                operations,
                check["dc"] or "all",
                cells.pair(before["satisfiable"], cells.percent),
                cells.pair(after["satisfiable"], cells.percent),
                cells.pair(before["margin"], cells.signed),
                cells.pair(after["margin"], cells.signed),
                *moves,
                style=cells.BAD if gone or (check["loss"] and check["decides"]) else "",
            )
    table.caption = _unknown(answer, cells.short(nodes))
    yield table


def stops(nodes: Sequence[Node], answer: Json) -> Iterator[Table]:
    """Lay out which nodes may be stopped now."""
    yield from _lost_before(answer["lostBefore"])
    columns = ("state", "address", "dc", "rack", "host ID", "")
    table = cells.table("Who may be stopped now", *columns)
    for node in nodes:
        entry = answer["nodes"][str(node.host_id)]
        verdict = "yes" if entry["safe"] else "no: " + plain.some(entry["keyspaces"])
        table.add_row(
            cells.state(node),
            node.address or "-",
            node.dc,
            node.rack,
            str(node.host_id),
            verdict,
            style="" if entry["safe"] else cells.BAD,
        )
    table.caption = _unknown(answer, cells.short(nodes))
    yield table


def standing(nodes: Sequence[Node], answer: Json) -> Iterator[Table]:
    """Lay out who may be down together."""
    yield from _lost_before(answer["lostBefore"])
    table = cells.table("Who may be down without loss", "what", "how many", "which")
    short = cells.short(nodes)
    racks = [f"{rack['dc']}/{rack['rack']}" for rack in answer["racks"]]
    alone = [short[host] for host in answer["nodes"]]
    together = [short[host] for host in answer["together"]]
    table.add_row("any one node of", str(len(alone)), plain.some(alone))
    table.add_row("any one whole rack of", str(len(racks)), plain.some(racks))
    table.add_row("all of these together", str(len(together)), plain.some(together))
    captions = (answer["guarantee"], _unknown(answer, short))
    table.caption = "\n".join(filter(None, captions))
    yield table


def _lost_before(lost: Mapping[str, Sequence[Json]]) -> Iterator[Table]:
    """Tell first what is lost already: no verdict on a change holds that against it."""
    if not any(lost.values()):
        return
    title = "Lost already, before any change"
    table = cells.table(title, "keyspace", "level", "for", "dc")
    table.add_column("satisfiable", justify="right", no_wrap=True)
    for name, checks in lost.items():
        for operations, check in cells.alike(checks):
            table.add_row(
                name,
                check["level"],
                operations,
                check["dc"] or "all",
                cells.pair(check["satisfiable"], cells.percent),
                style=cells.style(check | {"decides": True}),
            )
    yield table


def _unknown(answer: Json, short: Mapping[str, str]) -> str | None:
    if not answer["unknown"]:
        return None
    names = plain.some([short[host] for host in answer["unknown"]])
    return f"unknown: {names}; worst case … best case"
