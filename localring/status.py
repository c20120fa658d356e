"""Reads what ``nodetool status`` prints; pure."""

import re
from dataclasses import dataclass

LINE = re.compile(
    r"^(?P<state>[UD][NLJM])\s+(?P<address>\S+)\s.*?"
    r"(?P<owns>[\d.]+%|\?)\s+(?P<host>[0-9a-f-]{36})\s+(?P<rack>\S+)\s*$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One node, as one other node sees it.

    Attributes:
        state: ``UN`` and its like.
        address: IP literal.
        owns: share of the data, replicas included, such as ``66.7%``; ``?`` where keyspaces
            differ.
        rack: its rack.

    """

    state: str
    address: str
    owns: str
    rack: str


def read_status(printed: str) -> dict[str, StatusLine]:
    """Return the lines by host ID."""
    return {
        found["host"]: StatusLine(
            found["state"], found["address"], found["owns"], found["rack"]
        )
        for found in LINE.finditer(printed)
    }
