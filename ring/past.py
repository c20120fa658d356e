"""What is kept of a ring's history for those who start later, and how two logs become one.

Replicas see the same change at different moments, each by its own clock.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from ring.history import LOG_LIMIT, Change, What
from ring.model import HostId
from ring.plain import harmless

MOST: Final = 200
"""Changes that are kept: a few weeks of a ring that restarts weekly."""
MOST_BYTES: Final = 200 * 2**10
"""Of all of them; an object of Kubernetes has 1 MiB at most."""
SAME_SECONDS: Final = 30.0
"""Up to which two replicas' words of the same change are about one."""
MOST_WHY: Final = 200
"""Characters of why a line cannot be read."""

Text = Annotated[str, Meta(max_length=1000)]


class _Line(msgspec.Struct, rename="camel", omit_defaults=True):
    at: Annotated[float, Meta(ge=0, le=1e11)]
    what: What
    host_id: UUID | None = None
    pod: Text = ""
    was: Text = ""
    now: Text = ""
    seconds: Annotated[float, Meta(ge=0)] | None = None


class _Head(msgspec.Struct):
    at: Annotated[float, Meta(ge=0, le=1e11)]
    what: str


_line = msgspec.json.Decoder(_Line).decode
_head = msgspec.json.Decoder(_Head).decode


@dataclass(frozen=True, slots=True)
class Past:
    """What was kept.

    Attributes:
        unread: of each line that was left out, why.
        strange: of these, when and what those of kinds that a later version may know are.

    """

    changes: tuple[Change, ...] = ()
    unread: tuple[str, ...] = ()
    strange: tuple[tuple[float, str], ...] = ()


def encoded(log: Sequence[Change], strange: Sequence[tuple[float, str]] = ()) -> str:
    """Write the last changes as JSON, one a line; `MOST` of them and `MOST_BYTES` at most.

    Args:
        log: oldest first.
        strange: lines of others to keep with them (`Past`).

    """
    all_of_them = heapq.merge(
        strange, [(each.at, _written(each)) for each in log[-MOST:]], key=lambda each: each[0]
    )
    lines: list[str] = []
    size = 0
    for _, line in reversed(list(all_of_them)[-MOST:]):
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def decoded(text: str, now: float = math.inf) -> Past:
    """Read what `encoded` wrote; what cannot be read is left out.

    Args:
        text: what was kept.
        now: in seconds since 1970; what was written as later than that counts as now, as else
            it would outlast all that comes.

    """
    if len(text) > MOST_BYTES:
        return Past(unread=(f"all of it: over {MOST_BYTES >> 10} KiB",))
    lines = text.split("\n") if text else []
    changes, unread, strange = [], [], []
    if len(lines) > MOST:
        unread.append(f"the first {len(lines) - MOST} lines: over {MOST}")
    for number, line in enumerate(lines[-MOST:], max(1, len(lines) - MOST + 1)):
        try:
            change = _read(_line(line))
        except (msgspec.MsgspecError, RecursionError) as error:
            unread.append(f"line {number}: {harmless(str(error)[:MOST_WHY])}")
            strange += _strange(line)
        else:
            changes.append(replace(change, at=min(change.at, now)))
    return Past(tuple(changes), tuple(unread), tuple(strange))


def _strange(line: str) -> list[tuple[float, str]]:
    """Return a line with its time where only its kind is not known."""
    try:
        head = _head(line)
    except (msgspec.MsgspecError, RecursionError):
        return []
    return [] if head.what in set(What) else [(head.at, line)]


def merged(ours: Sequence[Change], kept: Sequence[Change]) -> tuple[Change, ...]:
    """Return our log with those changes in it that others kept and we did not see.

    Of a change that both saw ours counts, with the longer of the two durations: who began to
    look later saw less of it.  Merging the same again changes nothing.
    """
    if not kept:
        return tuple(ours)
    mine = list(ours)
    places: defaultdict[Change, list[int]] = defaultdict(list)
    for place, each in enumerate(mine):
        places[each].append(place)
    others = []
    for each in kept:
        if places[each]:
            places[each].pop()
        else:
            others.append(each)
    unmatched: defaultdict[object, list[int]] = defaultdict(list)
    for each, left in places.items():
        unmatched[_about(each)] += left
    added = []
    for each in others:
        seen = unmatched[_about(each)]
        near = next((n for n in seen if abs(mine[n].at - each.at) <= SAME_SECONDS), None)
        if near is None:
            added.append(each)
        else:
            seen.remove(near)
            mine[near] = _longer(mine[near], each)
    return tuple(heapq.merge(added, mine, key=lambda each: each.at))[-LOG_LIMIT:]


def _about(each: Change) -> object:
    return each.what, each.host_id, each.was, each.now


def _longer(ours: Change, kept: Change) -> Change:
    if kept.seconds is None or (ours.seconds is not None and ours.seconds >= kept.seconds):
        return ours
    return replace(ours, seconds=kept.seconds)


def _written(each: Change) -> str:
    line = _Line(
        at=each.at,
        what=each.what,
        host_id=each.host_id,
        pod=each.pod,
        was=each.was,
        now=each.now,
        seconds=each.seconds,
    )
    return msgspec.json.encode(line).decode()


def _read(line: _Line) -> Change:
    return Change(
        what=line.what,
        at=line.at,
        host_id=None if line.host_id is None else HostId(line.host_id),
        pod=line.pod,
        was=line.was,
        now=line.now,
        seconds=line.seconds,
    )
