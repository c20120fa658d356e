"""Where on the ring data has nothing to spare, is lost, or would be: for pictures of a ring.

Health and what-if answer in shares; an eye wants to see which part.  Pieces of the ring that
stand alike and lie side by side are one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Counts, Level, Tally, margins
from ring.model import Local, Replication, RingState
from ring.tokens import Tokens, ends_at, united
from ring.verdicts import checks_asked

Json = dict[str, Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Arc:
    """A piece of the ring; all of it where both of its ends are one token.

    Attributes:
        after: the token before its first one.
        to: its last token.
        margin: alive replicas less those needed by the check that decides and has the fewest
            to spare, unknown nodes taken as down; 0 or less.
        newly: whether a check that decides could be done before a change and then cannot, with
            unknown nodes down or with them up.

    """

    after: int
    to: int
    margin: int
    newly: bool


@dataclass(frozen=True, slots=True)
class Weak:
    """What has nothing to spare in keyspaces that replicate and are judged alike."""

    keyspaces: tuple[str, ...]
    arcs: tuple[Arc, ...]


def weak(before: RingState, after: RingState, levels: Sequence[Level] = ()) -> tuple[Weak, ...]:
    """Find the weak pieces of a ring after a change; twice the same ring where there is none.

    Args:
        before: the ring as it is.
        after: the ring as it would be.
        levels: that decide; the usual ones where there are none.

    """
    old = Assessor(before.nodes)
    new = old if after.nodes is before.nodes else Assessor(after.nodes)
    early, late = old.health(before.keyspaces), new.health(after.keyspaces)
    was = {each.name: each for each in before.keyspaces}
    names: dict[tuple[Replication, Replication, tuple[Check, ...]], list[str]] = {}
    for each in after.keyspaces:
        there = was.get(each.name)
        if there is None or each.name not in early or isinstance(each.replication, Local):
            continue
        checks = checks_asked(there, early[each.name].by_check, before.dcs, levels)
        if checks:
            key = there.replication, each.replication, checks
            names.setdefault(key, []).append(each.name)
    return tuple(
        Weak(tuple(alike), tuple(_arcs(early[alike[0]], late[alike[0]], checks)))
        for (_, _, checks), alike in names.items()
    )


def as_json(found: Sequence[Weak]) -> list[Json]:
    """Return them as plain JSON values (docs/schemas/arcs.json)."""
    return [
        {
            "keyspaces": list(each.keyspaces),
            "arcs": [
                {
                    "after": str(arc.after),
                    "to": str(arc.to),
                    "margin": arc.margin,
                    "newly": arc.newly,
                }
                for arc in each.arcs
            ],
        }
        for each in found
    ]


def _arcs(
    early: ReplicationHealth, late: ReplicationHealth, checks: Sequence[Check]
) -> Iterator[Arc]:
    was, now = early.profile.segments.tokens, late.profile.segments.tokens
    tokens = united(was, now)
    old, new = early.profile.kind[ends_at(was, tokens)], late.profile.kind[ends_at(now, tokens)]
    least = np.full(len(tokens), np.iinfo(np.int64).max)
    newly = np.zeros(len(tokens), np.bool_)
    for check in checks:
        worst = _margins(check, late, late.profile.worst)[new]
        least = np.minimum(least, worst)
        newly |= (_margins(check, early, early.profile.worst)[old] >= 0) & (worst < 0)
        best = _margins(check, late, late.profile.best)[new]
        newly |= (_margins(check, early, early.profile.best)[old] >= 0) & (best < 0)
    yield from _joined(tokens, least, newly)


def _margins(check: Check, health: ReplicationHealth, tally: Tally) -> Counts:
    return margins(check, health.demand, tally)


def _joined(tokens: Tokens, least: Counts, newly: Flags) -> Iterator[Arc]:
    """Join neighbours that stand alike, around the ring, and leave out what can spare some."""
    code = np.where((least <= 0) | newly, 2 * least + newly, 1 << 40)
    begins = np.flatnonzero(code != np.roll(code, 1))
    if not len(begins):
        begins = np.zeros(1, np.intp)
    ends = np.roll(begins, -1) - 1  # the last run ends before the first begins
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if least[begin] <= 0 or newly[begin]:
            yield Arc(
                int(tokens[begin - 1]),
                int(tokens[end]),
                int(least[begin]),
                bool(newly[begin]),
            )
