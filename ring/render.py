"""Tables of figures for people, made from the same JSON values that machines get."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from ring import cells, plain
from ring.cells import Json
from ring.model import Node


def ownership(nodes: Sequence[Node], answer: Json) -> Iterator[Table]:
    """Lay out shares: a row a node, a column a keyspace."""
    names = [name for name, shares in answer["keyspaces"].items() if shares]
    table = cells.table("Who owns what", "state", "address", "dc", "rack", "tokens", "host ID")
    for name in ("primary", *names):
        table.add_column(name, justify="right", no_wrap=True)
    for node in sorted(nodes, key=lambda node: (node.dc, node.rack, node.address)):
        host = str(node.host_id)
        shares = [answer["primary"], *(answer["keyspaces"][name] for name in names)]
        table.add_row(
            cells.state(node),
            node.address or "-",
            node.dc,
            node.rack,
            str(len(node.tokens)),
            host,
            *(plain.share(each[host]) if host in each else "-" for each in shares),
        )
    yield table


def ranges(nodes: Sequence[Node], name: str, rows: Iterator[list[Json]]) -> Iterator[Table]:
    """Lay out ranges by their last token; transient replicas in brackets."""
    short = cells.short(nodes)
    table = cells.table(f"{name}: ranges by last token", "token", "replicas")
    for block in rows:
        for row in block:
            odd = set(row["transient"])
            names = [
                f"({short[host]})" if host in odd else short[host] for host in row["replicas"]
            ]
            table.add_row(row["token"], " ".join(names) or "-")
    yield table


def skews(answer: Json) -> Iterator[Table]:
    """Lay out how even the ring is."""
    table = cells.table(
        "Load of the fullest and emptiest node, against the mean", "keyspace", "dc"
    )
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
                style="" if each["explained"] else cells.BAD,
            )
    yield table


def suggestion(answer: Json) -> Iterator[Table]:
    """Lay out suggested tokens, ready for ``initial_token``."""
    table = cells.table("Tokens for the next node", "initial_token")
    table.add_row(",".join(answer["tokens"]))
    table.caption = (
        f"share {answer['share']:.1%} of its rack's ring; even is {answer['even']:.1%}"
    )
    yield table


def _band(ends: Sequence[float]) -> str:
    return f"{ends[0]:.2f} … {ends[1]:.2f}"
