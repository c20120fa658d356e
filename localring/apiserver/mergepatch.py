"""JSON Merge Patch, RFC 7386 section 2."""

from collections.abc import Mapping
from typing import Any


def merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON value goes
    """Return ``target`` as ``patch`` wants it; neither argument is changed."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
