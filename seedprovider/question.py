"""The query of ``GET /v1/seeds``: what the asking node's disk says of itself.  Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seedprovider.model import Address, Disk, DiskState, HostId, PvcUid, RingId
from seedprovider.node import MAX_TEXT, BadInputError, parse_address, parse_uuid
from seedprovider.view import canonical

MAX_CONFIGURED: Final = 64
KNOWN: Final = ("disk", "ring", "host", "pvc", "address", "configured")
_ASKABLE: Final = tuple(state.value for state in DiskState if state is not DiskState.UNKNOWN)
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]{0,252})?")


@dataclass(frozen=True, slots=True)
class Question:
    """What the shim asks with.

    Attributes:
        address: broadcast address of the asking node, None where it does not say.
        configured: seeds from before adoption, names or IP literals.

    """

    disk: Disk
    address: Address | None
    configured: tuple[str, ...]


def parse_question(pairs: Sequence[tuple[str, str]]) -> Question:
    """Make a question of query parameters; raise `BadInputError` naming the wrong one."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in KNOWN:
            raise BadInputError(f"{name[:MAX_TEXT]!r} is not one of {', '.join(KNOWN)}")
        if name in values:
            raise BadInputError(f"{name} is given twice")
        values[name] = value
    if values.get("disk") not in _ASKABLE:
        given = values.get("disk", "")[:MAX_TEXT]
        raise BadInputError(f"disk={given!r} is not one of {', '.join(_ASKABLE)}")
    ring = parse_uuid(values.get("ring"), "ring")
    host = parse_uuid(values.get("host"), "host")
    pvc = values.get("pvc") or None
    if pvc is not None and len(pvc) > MAX_TEXT:
        raise BadInputError(f"pvc is longer than {MAX_TEXT} characters")
    return Question(
        disk=Disk(
            DiskState(values["disk"]),
            RingId(ring) if ring else None,
            HostId(host) if host else None,
            PvcUid(pvc) if pvc else None,
        ),
        address=parse_address(values.get("address") or None, "address"),
        configured=_configured(values.get("configured", "")),
    )


def _configured(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if len(names) > MAX_CONFIGURED:
        raise BadInputError(f"configured names more than {MAX_CONFIGURED} seeds")
    for name in names:
        if canonical(name) is None and not _HOST.fullmatch(name):
            raise BadInputError(f"configured: {name[:MAX_TEXT]!r} is no name or IP address")
    return names
