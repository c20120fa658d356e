"""The rack in the text of ``cassandra-rackdc.properties``; everything else in it stays.  Pure.

The file is read as ``java.util.Properties`` reads it for GossipingPropertyFileSnitch.
"""

import re
from typing import Final

from seedprovider.install.errors import InputError

FILE: Final = "cassandra-rackdc.properties"
ENCODING: Final = "iso-8859-1"
"""What ``Properties.load`` takes a byte stream for; every byte is a character of it."""

_BREAKS: Final = re.compile(r"(\r\n|\n|\r)")
_COMMENT: Final = re.compile(r"[ \t\f]*(?:[#!]|$)")
_RACK: Final = re.compile(r"[ \t\f]*rack(?:[ \t\f]*[=:]|[ \t\f]+|$)[ \t\f]*(.*)")


def rack_of(text: str) -> str | None:
    """Return the rack, None where none is named; raise `InputError` for what is unclear."""
    racks = [found[1].strip() for line in _lines(text) if (found := _RACK.fullmatch(line))]
    return (racks[-1] or None) if racks else None  # of two the last counts


def with_rack(text: str, rack: str) -> str:
    """Return the text with this rack, in each line that names one, or in a new last one.

    With a colon, which Properties takes as well: the stock entrypoint writes over ``rack=``
    where Cassandra's container has a CASSANDRA_RACK that nobody told us of.
    """
    parts = _BREAKS.split(text)
    at = [number for number in range(0, len(parts), 2) if _RACK.fullmatch(parts[number])]
    if at:
        for number in at:
            parts[number] = f"rack: {rack}"
        return "".join(parts)
    end = parts[1] if len(parts) > 1 else "\n"
    return f"{text}{end if parts[-1] else ''}rack: {rack}{end}"


def _lines(text: str) -> list[str]:
    lines = _BREAKS.split(text)[::2]
    for number, line in enumerate(lines, 1):
        if "\\" in line and not _COMMENT.match(line):
            raise InputError(f"{FILE}, line {number}: write it without a backslash")
    return lines
