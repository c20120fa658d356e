"""What is kept of a ring's history for those who start later, and how two logs become one.

Replicas see the same change at different moments, each by its own clock.
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from ring.history import LOG_LIMIT, Change, What
from ring.model import HostId

MOST: Final = 200
"""Changes that are kept: a few weeks of a ring that restarts weekly."""
MOST_BYTES: Final = 200 * 2**10
"""Of all of them; an object of Kubernetes has 1 MiB at most."""
SAME_SECONDS: Final = 30.0
"""Up to which two replicas' words of the same change are about one."""

Text = Annotated[str, Meta(max_length=1000)]


class _Line(msgspec.Struct, rename="camel", omit_defaults=True):
    at: Annotated[float, Meta(ge=0, le=1e11)]
    what: What
    host_id: UUID | None = None
    pod: Text = ""
    was: Text = ""
    now: Text = ""
    seconds: Annotated[float, Meta(ge=0)] | None = None


_line = msgspec.json.Decoder(_Line).decode


def encoded(log: Sequence[Change]) -> str:
    """Write the last changes as JSON, one a line; `MOST` of them and `MOST_BYTES` at most."""
    lines: list[str] = []
    size = 0
    for each in reversed(log[-MOST:]):
        line = _written(each)
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def decoded(text: str) -> tuple[Change, ...]:
    """Read what `encoded` wrote; `ValueError` where it is something else."""
    if len(text) > MOST_BYTES:
        raise ValueError(f"over {MOST_BYTES >> 10} KiB")
    lines = text.split("\n") if text else []
    if len(lines) > MOST:
        raise ValueError(f"over {MOST} lines")
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(_read(_line(line)))
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(f"line {number}: {error}") from None
    return tuple(found)


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
