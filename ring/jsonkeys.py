"""Finds a key that a JSON object has twice, where decoders silently keep the last one."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Twice:
    """Stands for an object in which something is wrong; ``path`` leads there."""

    path: str


def repeated_key(data: bytes) -> str | None:
    """Return the path of the first key that occurs twice in one object of valid JSON.

    Objects are forgotten as soon as they end, so a large file needs little memory.

    Raises:
        ValueError: where the text is not UTF-8.
        RecursionError: where it is nested beyond all use.

    """
    troubled = False

    def ended(pairs: list[tuple[str, object]]) -> _Twice | None:
        nonlocal troubled
        if len({key for key, _ in pairs}) < len(pairs):
            troubled = True
            return _Twice(_second(pairs))
        return _on_the_way(pairs) if troubled else None

    # Numbers are not looked at: as texts they cost least, however long they are.
    found = json.loads(data, object_pairs_hook=ended, parse_int=str, parse_float=str)
    return path.lstrip(".") if (path := _path(found)) is not None else None


def _second(pairs: list[tuple[str, object]]) -> str:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            return f".{key}"
        seen.add(key)
    raise AssertionError("some key occurs twice")


def _on_the_way(pairs: list[tuple[str, object]]) -> _Twice | None:
    for key, value in pairs:
        if (path := _path(value)) is not None:
            return _Twice(f".{key}{path}")
    return None


def _path(value: object) -> str | None:
    """Return the path to the trouble in a value; lists can be in lists."""
    if isinstance(value, _Twice):
        return value.path
    if isinstance(value, list):
        for number, item in enumerate(value):
            if (path := _path(item)) is not None:
                return f"[{number}]{path}"
    return None
