"""What `ring status` says, from the manager's picture: members as ``nodetool status`` has them.

Pure: JSON values in and out.  ``docs/schemas/status.json`` describes the outcome.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

SYSTEM = frozenset(
    {"system", "system_schema", "system_auth", "system_distributed", "system_traces"}
)
LAST_RESORT = "system_traces"
LEFT_OUT = frozenset({"tokens", "addresses", "seeds", "votes", "dissenters"})


def owned_keyspace(keyspaces: Mapping[str, Mapping[str, str]], asked: str = "") -> str | None:
    """Return the keyspace whose ownership is shown; None where none speaks for all.

    Source: ``StorageService.effectiveOwnershipWithPort``: of several keyspaces of users any,
    if all replicate alike; without any ``system_traces``.
    """
    if asked:
        return asked
    users = [
        name
        for name, options in sorted(keyspaces.items())
        if name not in SYSTEM and not options.get("class", "").endswith("LocalStrategy")
    ]
    if not users:
        return LAST_RESORT if LAST_RESORT in keyspaces else None
    first = keyspaces[users[0]]
    return users[0] if all(keyspaces[name] == first for name in users) else None


def status(picture: Json, keyspace: str | None, ownership: Mapping[str, float]) -> Json:
    """Return the state of a ring.

    Args:
        picture: of ``/v1/ring``.
        keyspace: whose ownership it is; None where none is shown.
        ownership: shares by host ID.

    """
    pods = {each["name"]: each for each in picture["pods"] or ()}
    members = [
        {
            **{name: value for name, value in each.items() if name not in LEFT_OUT},
            "tokens": len(each["tokens"]),
            "owns": ownership.get(each["hostId"]),
            "ready": pods[each["pod"]]["ready"] if each["pod"] in pods else None,
        }
        for each in picture["members"]
    ]
    findings = picture["findings"]
    stale, certain = bool(picture.get("stale")), bool(picture["certain"])
    return {
        "healthy": not stale
        and certain
        and bool(members)
        and all(each["state"].startswith("U") for each in members)
        and all(each["severity"] == "info" for each in findings),
        "at": picture["at"],
        "stale": stale,
        "certain": certain,
        "namespace": picture["namespace"],
        "service": picture["service"],
        "ringId": picture["ringId"],
        "ownershipOf": keyspace,
        "members": members,
        "strangers": [
            {name: each[name] for name in ("name", "disk", "cassandra", "kubernetesNode")}
            for each in pods.values()
            if each["hostId"] is None
        ],
        "turn": picture["turn"],
        "findings": findings,
    }
