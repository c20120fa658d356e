"""Text for people of what may stop, and of seeds and why.  Pure: JSON values in, lines out."""

from collections.abc import Iterator, Sequence
from typing import Any

from ring import plain
from ring.plain import BAD, DOUBTFUL, GOOD, Cell, Column
from ring.render_live import PLAIN, Look, banner

Json = dict[str, Any]

MARGINS = (
    Column("KEYSPACE"),
    Column("LEVEL"),
    Column("FOR"),
    Column("DC"),
    Column("TO SPARE NOW", right=True),
    Column("AFTER", right=True),
    Column("SATISFIABLE AFTER", right=True),
)


def gate(answer: Json, look: Look = PLAIN) -> Iterator[str]:
    """Write whether pods may stop, and why, in numbers."""
    what = answer["kubernetesNode"] or plain.some(answer["pods"], 5)
    if answer["kubernetesNode"]:
        what += f" ({plain.some(answer['pods'], 5)})"
    if answer["allowed"]:
        idle = ": it serves nothing now" if answer["idle"] else ""
        yield f"{look.paint('yes', GOOD)}: {what} may stop now{idle}"
    else:
        yield f"{look.paint('no', BAD)}: {what} should not stop now"
    for title, several in (("because", answer["reasons"]), ("note", answer["warnings"])):
        for each in several:
            yield from look.fold(f"{title} [{each['code']}] {each['what']}", "  ")
    rows = [
        row for name, checks in answer["keyspaces"].items() for row in _margins(name, checks)
    ]
    if rows:
        yield ""
        yield from look.table(MARGINS, rows)
    if answer["unknown"]:
        yield f"Counted as down: {plain.some(answer['unknown'])}"


def _margins(name: str, checks: Sequence[Json]) -> Iterator[list[Cell | str]]:
    for each in checks:
        before, after = each["before"]["margin"]["worst"], each["after"]["margin"]["worst"]
        share = each["after"]["satisfiable"]["worst"]
        code = BAD if after < 0 else ""
        yield [
            name,
            each["level"],
            each["operation"],
            each["dc"] or "all",
            f"{before:+d}",
            Cell(f"{after:+d}", code),
            Cell("100%" if share == 1 else f"{min(share * 100, 99.999):.3f}%", code),
        ]


def blocking(answer: Json) -> str:
    """Write in one line what forbids it."""
    return "; ".join(each["what"] for each in answer["reasons"]) or "nothing forbids it"


ORDER = (
    Column("STEP", right=True),
    Column("DC"),
    Column("RACK"),
    Column("SAFE"),
    Column("PODS"),
    Column("WHAT WOULD BE LOST"),
)


def drain_order(answer: Json, age: float | None, look: Look = PLAIN) -> Iterator[str]:
    """Write an order to stop pods in."""
    yield from banner(answer, age, look)
    rows = [_step(number, each) for number, each in enumerate(answer["steps"], 1)]
    yield from look.table(ORDER, rows)
    for each in answer.get("reasons", ()):
        yield from look.fold(f"because [{each['code']}] {each['what']}", "")
    for each in answer["apart"]:
        text = f"Rack {each['dc']}/{each['rack']} may not stop as a whole: {_lost(each)}."
        yield from look.fold(text, "")
    if answer["unknown"]:
        yield f"Counted as down: {plain.some(answer['unknown'])}"
    yield "Before each step: ring gate PODS --wait"


def _step(number: int, step: Json) -> list[Cell | str]:
    safe = step["safe"]
    verdict = Cell("yes", GOOD) if safe else Cell("no", BAD if step["known"] else DOUBTFUL)
    lost = _lost(step) if step["losses"] else "-" if step["known"] else "not known"
    pods = " ".join(step["pods"])
    return [str(number), step["dc"] or "-", step["rack"] or "-", verdict, pods, lost]


def _lost(step: Json) -> str:
    texts = []
    for each in step["losses"]:
        dc = f" in {each['dc']}" if each["dc"] else ""
        texts.append(
            f"{each['keyspace']} {each['level']} {each['operation']}{dc} ({each['share']:.1%})"
        )
    return plain.some(texts)


def seeds(answer: Json, age: float | None, look: Look = PLAIN) -> Iterator[str]:
    """Write every node's seeds and why."""
    yield from banner(answer, age, look)
    for pod, each in answer["pods"].items():
        used = "not known" if each["inUse"] is None else ", ".join(each["inUse"]) or "none"
        yield f"{pod}: gossip uses {used}"
        told = each["explanation"]
        if told is None:
            yield look.paint(f"  no explanation: {each['failure']}", DOUBTFUL)
            continue
        given = ", ".join(told.get("seeds") or ()) or "none"
        code = {"seeds": GOOD, "withheld": DOUBTFUL, "refused": BAD}.get(told["outcome"], "")
        mark = look.paint(told["outcome"], code)
        yield from look.fold(f"{mark}: {given} ({told['rule']}: {told['reason']})", "  ")
        if told.get("replace"):
            yield f"  replaces {told['replace']}"
        for one in told.get("candidates") or ():
            sign = "+" if one["chosen"] else "-"
            yield f"    {sign} {one['pod']} {one['address'] or '-'}: {one['why']}"
