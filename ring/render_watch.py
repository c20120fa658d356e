"""What `ring watch` shows: a screen that fits, and lines for whoever is no terminal.  Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from ring import plain
from ring.plain import BAD, DOUBTFUL
from ring.render_live import SEVERITIES, STATES, Look, change, status_row, status_table

Json = dict[str, Any]

CHANGES = 5  # that are shown below the members
LEAST = 3  # rows of members that are shown however low the terminal is


def screen(
    answer: Json, log: list[Json], age: float | None, problem: str, height: int, look: Look
) -> list[str]:
    """Lay out a screen of ``height`` lines: who is not well first.

    Args:
        answer: of `ring.status.status`.
        log: of ``/v1/history``, oldest first.
        age: of the picture in seconds.
        problem: why there is no newer one; empty where there is no problem.
        height: of the terminal.
        look: its width and colours.

    """
    top = [_headline(answer, age, look)]
    if problem:
        top.append(look.paint(f"not followed: {problem}", BAD))
    elif answer["stale"]:
        top.append(look.paint("STALE: the manager does not renew its picture", BAD))
    for each in answer["findings"]:
        mark = look.paint(each["severity"].upper(), SEVERITIES[each["severity"]])
        top += look.fold(f"{mark} {each['kind']}: {each['what']}", "")[:2]
    below = [change(each, look) for each in log[-CHANGES:]]
    members = sorted(answer["members"], key=lambda each: each["state"] == "UN")
    table = status_table([status_row(each) for each in members], look)
    room = max(LEAST, height - len(top) - len(below) - 5)
    rest = len(members) - room
    lines = [*top, "", *table[: room + 1]]
    if rest > 0:
        bad = sum(each["state"] != "UN" for each in members[room:])
        lines.append(f"… and {rest} more, {bad or 'none'} of them not UN")
    return [*lines, "", *below, look.paint("q to quit", plain.FAINT)][:height]


def _headline(answer: Json, age: float | None, look: Look) -> str:
    words = []
    for letter, name in (("U", "up"), ("D", "down"), ("?", "unknown")):
        count = sum(each["state"].startswith(letter) for each in answer["members"])
        text = f"{count} {name}"
        words.append(look.paint(text, STATES[letter]) if count else text)
    old = look.paint(plain.ago(age), DOUBTFUL if answer["stale"] else "")
    return f"{answer['service']} in {answer['namespace']}: {', '.join(words)} ({old})"


def news(before: Json | None, now: Json, log: list[Json], seen: str) -> Iterator[str]:
    """Yield a line for each thing that is new since the picture before.

    ``seen`` is when the last change was that has been told of (RFC 3339).
    """
    at = now["at"][:19] + "Z"
    if before is None:
        yield f"{at}  {_headline(now, None, Look()).partition(' (')[0]}"
        known: Mapping[tuple[str, str], Json] = {}
    else:
        known = _findings(before)
        for told in log:
            if told["at"] > seen:
                yield change(told)
        if before["stale"] != now["stale"]:
            yield f"{at}  the picture is {'stale' if now['stale'] else 'renewed again'}"
    found = _findings(now)
    for key, each in found.items():
        if key not in known:
            yield f"{at}  {each['severity'].upper()} {each['kind']}: {each['what']}"
    for key, each in known.items():
        if key not in found:
            yield f"{at}  over: {each['kind']}: {each['what']}"


def _findings(answer: Json) -> dict[tuple[str, str], Json]:
    return {(each["kind"], each["what"]): each for each in answer["findings"]}
