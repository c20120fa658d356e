"""The parts of a picture that the manager serves, as plain JSON values."""

from typing import Any

from ring import ringfile
from ring.answers import ownership
from ring.errors import TooLittleKnownError, UnknownNodeError
from ring.finding import Severity
from ring.judged import Judged, Shown
from ring.model import RingState
from ring.picture import moment
from ring.ringfile import replication_options

Json = dict[str, Any]

TOKENS_UNKNOWN = "no member's tokens are known: nobody could be read by CQL yet"


def head(shown: Shown) -> Json:
    """Return what every part of a picture begins with."""
    return {
        "version": shown.version,
        "at": moment(shown.judged.at),
        "stale": shown.stale,
        "certain": shown.certain,
    }


def whole(shown: Shown) -> Json:
    """Return the picture."""
    top = head(shown)
    return {**top, **shown.judged.document, **top}


def part(shown: Shown, name: str) -> Json:
    """Return one field of the picture with its head."""
    return head(shown) | {name: shown.judged.document[name]}


def history(shown: Shown, limit: int) -> Json:
    """Return the last changes, oldest first."""
    log: list[Json] = shown.judged.document["history"]
    return head(shown) | {"history": log[-limit:], "earlier": max(0, len(log) - limit)}


def summary(shown: Shown) -> Json:
    """Return what a stream tells of a picture: counts, and that there is a new one."""
    members = shown.judged.snapshot.members
    found = shown.judged.found
    return head(shown) | {
        "members": {
            "up": sum(each.liveness == "U" for each in members),
            "down": sum(each.liveness == "D" for each in members),
            "unknown": sum(each.liveness == "?" for each in members),
        },
        "findings": {
            str(severity): sum(each.severity is severity for each in found)
            for severity in Severity
        },
    }


def keyspaces(shown: Shown, *, everything: bool = False) -> Json:
    """Return of each keyspace how it replicates, and the checks that decide, or every one.

    Raises:
        TooLittleKnownError: as its name says.

    """
    health = _health(shown.judged)
    unreadable = shown.judged.snapshot.keyspaces.unreadable
    return head(shown) | {
        "healthy": health["healthy"],
        "unknown": health["unknown"],
        "remarks": health["remarks"],
        "keyspaces": {
            name: {
                "replication": each["replication"],
                "healthy": each["healthy"],
                "checks": [
                    _bare(check) for check in each["checks"] if everything or check["decides"]
                ],
            }
            for name, each in health["keyspaces"].items()
        },
        "unreadable": dict(unreadable),
    }


def _bare(check: Json) -> Json:
    return {name: value for name, value in check.items() if name not in {"behind", "examples"}}


def keyspace(shown: Shown, name: str) -> Json:
    """Return a keyspace's health at every level, and each member's share of it.

    Raises:
        TooLittleKnownError: as its name says.
        UnknownNodeError: where there is no such keyspace.

    """
    judged = shown.judged
    for other, problem in judged.snapshot.keyspaces.unreadable:
        if other == name:
            raise TooLittleKnownError(f"the health of {name} is unknown: {problem}")
    only = tuple(each for each in judged.snapshot.ring.keyspaces if each.name == name)
    health = _health(judged)["keyspaces"]
    if not only:
        raise UnknownNodeError(f"there is no keyspace {name}")
    replication = replication_options(only[0].replication)
    unplaced = {"replication": replication, "healthy": True, "checks": []}
    shares = ownership(RingState(judged.snapshot.ring.nodes, only))
    return head(shown) | {
        "name": name,
        "ownership": shares["keyspaces"][name],
        "primary": shares["primary"],
        **health.get(name, unplaced),  # LocalStrategy has nothing on the ring
    }


def ring_file(judged: Judged) -> bytes:
    """Return a ring file of this moment; `TooLittleKnownError` where no tokens are."""
    if not judged.verdict.is_possible:
        raise TooLittleKnownError(TOKENS_UNKNOWN)
    return ringfile.dump(judged.snapshot.ring)


def _health(judged: Judged) -> Json:
    health = judged.health
    if health is None:
        raise TooLittleKnownError(TOKENS_UNKNOWN)
    return health
