"""Text for people of what a manager says: status, members, findings, history.

Pure: JSON values in, lines out.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ring import plain
from ring.plain import BAD, DOUBTFUL, FAINT, GOOD, Cell, Column

Json = dict[str, Any]

STATES = {"U": GOOD, "D": BAD, "?": DOUBTFUL}
SEVERITIES = {"critical": BAD, "warning": DOUBTFUL, "info": FAINT}
OLD = 20.0  # seconds; a manager's own picture of that age is stale, a file's is of then
NARROW = 60  # columns that a sentence needs at least, however narrow the terminal


@dataclass(frozen=True, slots=True)
class Look:
    """What lines are written to.

    Attributes:
        width: of the terminal; None in a pipe, where nothing is left out or folded.
        colour: whether to paint.

    """

    width: int | None = None
    colour: bool = False

    def paint(self, text: str, code: str) -> str:
        """Paint a text, if at all."""
        return plain.painted(text, code) if self.colour else text

    def fold(self, text: str, indent: str) -> list[str]:
        """Break a sentence into lines."""
        if self.width is None:
            return [indent + text]
        width = max(self.width, NARROW)
        return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)

    def table(self, columns: Sequence[Column], rows: Sequence[plain.Row]) -> list[str]:
        """Lay out a table."""
        return plain.table(columns, rows, width=self.width, colour=self.colour)


PLAIN = Look()

STATUS = (
    Column("--"),
    Column("Address"),
    Column("Load", rank=3),
    Column("Tokens", right=True, rank=6),
    Column("Owns", right=True),
    Column("Host ID", rank=4),
    Column("Rack"),
    Column("Pod"),
    Column("#", right=True, rank=7),
    Column("Zone", rank=5),
    Column("Kubernetes node", rank=2),
    Column("Ready"),
)
"""Host IDs are 36 wide: on a narrow terminal small columns go first, as they win least."""


def status(answer: Json, age: float | None, look: Look = PLAIN) -> Iterator[str]:
    """Write a ring's state as ``nodetool status`` does, with pods and findings."""
    yield from banner(answer, age, look)
    ring = answer["ringId"] or "without a record"
    yield f"Ring: {ring}, Service {answer['service']} in namespace {answer['namespace']}"
    yield f"Taken: {answer['at']}"
    by_dc: dict[str, list[Json]] = {}
    for each in answer["members"]:
        by_dc.setdefault(each["dc"] or "?", []).append(each)
    for dc in sorted(by_dc):
        heading = f"Datacenter: {dc}"
        yield from ("", heading, "=" * len(heading))
        yield "Status=Up/Down/? unknown"
        yield "|/ State=Normal/Leaving/Joining/Moving"
        effective = bool(answer["ownershipOf"])
        yield from status_table(
            [status_row(each) for each in by_dc[dc]], look, effective=effective
        )
    if not by_dc:
        yield "No members are known."
    yield ""
    if answer["ownershipOf"]:
        yield f"Ownership is that of keyspace {answer['ownershipOf']}."
    elif by_dc:
        yield (
            "Keyspaces replicate in different ways, or were not read yet:"
            " name one with -k to see who owns what."
        )
    for each in answer["strangers"]:
        disk = each["disk"] or "not known"
        yield f"Pod {each['name']} is no member; its disk: {disk}."
    if answer["turn"]:
        yield f"Pod {answer['turn']} holds the join turn."
    yield from ("", *findings(answer["findings"], look))


def banner(answer: Json, age: float | None, look: Look) -> Iterator[str]:
    """Say first what may not be overlooked: that this is old, or that not all can be seen."""
    if answer.get("stale"):
        old = "" if age is None else f" ({plain.ago(age)})"
        text = f"STALE{old}: the manager has not renewed this picture, taken {answer['at']}."
        yield look.paint(text, BAD)
        return
    if age is not None and age > OLD:
        text = f"OLD ({plain.ago(age)}): this was so at {answer['at']}."
        yield look.paint(text, DOUBTFUL)
    if not answer.get("certain", True):
        yield look.paint(
            "NOT CERTAIN: members may be missing here; see the findings.", DOUBTFUL
        )


def status_table(
    rows: Sequence[plain.Row], look: Look, *, effective: bool = False
) -> list[str]:
    """Lay out rows of members."""
    columns = list(STATUS)
    if effective:
        columns[4] = Column("Owns (effective)", right=True)
    return look.table(columns, rows)


def status_row(each: Json) -> list[Cell | str]:
    """Return the cells of one member."""
    ready = each["ready"]
    return [
        Cell(each["state"], STATES[each["state"][0]]),
        each["address"] or "?",
        plain.size(each["load"]),
        str(each["tokens"] or "?"),  # nobody has none: they were not read yet
        "?" if each["owns"] is None else plain.share(each["owns"]),
        each["hostId"],
        each["rack"] or "?",
        each["pod"] or "-",
        "-" if each["ordinal"] is None else str(each["ordinal"]),
        each["zone"] or "-",
        each["kubernetesNode"] or "-",
        Cell("?") if ready is None else Cell("yes") if ready else Cell("no", DOUBTFUL),
    ]


def findings(found: Sequence[Json], look: Look = PLAIN) -> Iterator[str]:
    """Write findings, the worst first, each with what to do."""
    if not found:
        yield "No findings."
        return
    counts = {level: sum(each["severity"] == level for each in found) for level in SEVERITIES}
    told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    yield f"Findings: {told}"
    for each in found:
        mark = look.paint(each["severity"].upper(), SEVERITIES[each["severity"]])
        yield f"{mark} {each['kind']}"
        yield from look.fold(f"{each['what']}.".replace("..", "."), "  ")
        yield from look.fold(each["advice"], "  ")
        for command in each["commands"]:
            yield f"    {command}"


MEMBERS = (
    Column("POD"),
    Column("STATE"),
    Column("ADDRESS"),
    Column("DC", rank=6),
    Column("RACK"),
    Column("SEEN UP/DOWN/?", rank=3),
    Column("WORD", right=True, rank=4),
    Column("CQL", rank=5),
    Column("RESTARTS", right=True, rank=7),
    Column("VERSION", rank=8),
    Column("SCHEMA", rank=9),
    Column("VOLUME", rank=10),
    Column("HOST ID"),
)


def members(answer: Json, age: float | None, look: Look = PLAIN) -> Iterator[str]:
    """Write who each member is: pod, disk, and how the others see it."""
    yield from banner(answer, age, look)
    yield from look.table(MEMBERS, [_member_row(each) for each in answer["members"]])


def _member_row(each: Json) -> list[Cell | str]:
    votes = each["votes"]
    unknown = votes["undecided"] + votes["silent"]
    word = each["ageSeconds"]
    gone = each["podExists"] is False
    return [
        Cell(f"{each['pod'] or '-'}{' (gone)' if gone else ''}", DOUBTFUL if gone else ""),
        Cell(each["state"], STATES[each["state"][0]]),
        each["address"] or "?",
        each["dc"] or "?",
        each["rack"] or "?",
        f"{votes['up']}/{votes['down']}/{unknown}",
        "silent" if word is None else f"{word:.0f} s",
        {True: "yes", False: "no", None: "?"}[each["native"]],
        "?" if each["restarts"] is None else str(each["restarts"]),
        each["release"] or "?",
        (each["schemaVersion"] or "?")[:8],
        (each["pvcUid"] or "?")[:8],
        each["hostId"],
    ]


WORDS = {
    "joined": "joined",
    "left": "left",
    "replaced": "replaced {was}",
    "address-changed": "moved from {was} to {now}",
    "volume-changed": "came back on volume {now}, was on {was}",
    "restarted": "restarted",
    "went-down": "went down",
    "came-back": "came back",
    "schema-changed": "the schema changed to {now}",
}


def history(answer: Json, age: float | None, look: Look = PLAIN) -> Iterator[str]:
    """Write what changed, oldest first."""
    yield from banner(answer, age, look)
    if answer.get("earlier"):
        yield f"… {answer['earlier']} changes before; see --limit"
    if not answer["history"]:
        yield "Nothing has changed since the manager began to look."
    for each in answer["history"]:
        yield change(each, look)


def change(told: Json, look: Look = PLAIN) -> str:
    """Write one change."""
    words = WORDS.get(told["what"]) or str(told["what"])
    text = words.format(was=told["was"] or "?", now=told["now"] or "?")
    if told["seconds"] is not None:
        text += f" after {told['seconds']:.0f} s"
    who = told["pod"] or told["hostId"] or "ring"
    codes = {"went-down": BAD, "came-back": GOOD}
    return f"{told['at'][:19]}Z  {who}  {look.paint(text, codes.get(told['what'], ''))}"
