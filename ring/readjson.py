"""Reads JSON that somebody else wrote: whatever is wrong with it has one name, `ValueError`."""

import json
from typing import Any, Final

TOO_DEEP: Final = "it is nested beyond all use"


def loads(data: bytes) -> Any:  # noqa: ANN401 -- whatever it is
    """Return what is written; `ValueError` where it is no JSON, or nested beyond all use."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
