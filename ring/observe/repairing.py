"""Rows of ``system_distributed.parent_repair_history`` as repairs that count."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ring.model import MAX_TOKEN, MIN_TOKEN
from ring.observe.bodies import GARBAGE
from ring.repairs import Repair, Span

RANGE: Final = re.compile(
    r"\((-?\d{1,19}),(-?\d{1,19})\]"
)  # org.apache.cassandra.dht.Range.toString
NOTHING: Final = frozenset({"", "[]", "{}"})
WHOLE: Final = ("dataCenters", "hosts")
"""Options (``RepairOption``) that leave replicas out, unless they are empty."""
PARTIAL: Final = ("incremental", "pullRepair", "forceRepair", "paxosOnly")
"""Options with which a repair is not one of everything on all replicas."""


def full_repairs(rows: Iterable[Mapping[str, Any]]) -> Iterator[Repair]:
    """Yield full repairs of all replicas that have ended; those without an option count too.

    A row of which something cannot be read is left out: what is not known to be repaired is
    not.
    """
    for row in rows:
        try:
            said = msgspec.convert(
                {each: _plain(row[each]) for each in _Row.__struct_fields__}, _Row
            )
        except GARBAGE:
            continue
        if repair := _repair(said):
            yield repair


class _Row(msgspec.Struct):
    keyspace_name: str
    columnfamily_names: frozenset[str]
    started_at: datetime
    finished_at: datetime | None
    successful_ranges: frozenset[str] | None
    options: dict[str, str] | None


def _plain(said: Any) -> Any:  # noqa: ANN401 -- the driver has collections of its own
    if isinstance(said, Mapping):
        return dict(said.items())
    if isinstance(said, Iterable) and not isinstance(said, str):
        return set(said)
    return said


def _repair(row: _Row) -> Repair | None:
    options, ranges = row.options or {}, tuple(_spans(row.successful_ranges or ()))
    if (
        row.finished_at is None
        or not ranges
        or options.get("incremental") != "false"
        or any(options.get(name, "") not in NOTHING for name in WHOLE)
        or any(options.get(name, "false") != "false" for name in PARTIAL)
    ):
        return None
    return Repair(
        keyspace=row.keyspace_name,
        tables=row.columnfamily_names,
        began=row.started_at.replace(tzinfo=UTC).timestamp(),
        ranges=ranges,
    )


def _spans(texts: Iterable[str]) -> Iterator[Span]:
    for text in texts:
        if found := RANGE.fullmatch(text):
            start, end = int(found[1]), int(found[2])
            if min(start, end) >= MIN_TOKEN and max(start, end) <= MAX_TOKEN:
                yield start, end
