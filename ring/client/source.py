"""What commands ask, a manager or a dump of it, and how a dump is laid out.

A dump is a ring file with one field more: `DUMP`, the manager's answers by path.
"""

import time
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import unquote

from ring.client.errors import AccessError, RefusedError
from ring.client.manager import Manager, Params, Reply
from ring.errors import InputError
from ring.readjson import loads

Json = dict[str, Any]

DUMP: Final = "manager"
DUMPED: Final = ("/v1/ring", "/v1/keyspaces", "/v1/seeds", "/v1/drain-order")
HISTORY: Final = "/v1/history"
PARTS: Final = {"/v1/members": "members", "/v1/findings": "findings", HISTORY: "history"}
HEAD: Final = ("version", "at", "stale", "certain")


class Source(Protocol):
    """Answers questions about one ring."""

    def get(self, path: str, params: Params = ()) -> Reply:
        """Answer for a path of docs/ring-api.md; `AccessError` where that cannot be."""
        ...


class Dump:
    """Answers from a file that `ring snapshot` wrote."""

    def __init__(self, content: Json, name: str, now: float | None = None) -> None:
        """Take the file's content; ``name`` is for errors, ``now`` in seconds since 1970."""
        answers = content.get(DUMP)
        if not isinstance(answers, dict):
            raise InputError(
                name, "a ring file, which has no pods and findings; `ring snapshot` writes both"
            )
        self._answers: Json = answers
        self._name = name
        self._now = time.time() if now is None else now

    def get(self, path: str, params: Params = ()) -> Reply:
        """Answer as the manager did; of a part, from the whole."""
        if path in PARTS:
            whole = self._answer("/v1/ring")
            body = {name: whole[name] for name in (*HEAD, PARTS[path]) if name in whole}
            limit = int(dict(params).get("limit", "100"))
            if path == HISTORY:
                log = body.get("history", [])
                body |= {"history": log[-limit:], "earlier": max(0, len(log) - limit)}
            return Reply(body, self._age(whole))
        body = self._answer(path)
        return Reply(body, self._age(body))

    def _answer(self, path: str) -> Json:
        body = self._answers.get(unquote(path))
        if body is None:
            raise RefusedError(404, f"{self._name} has no {unquote(path).removeprefix('/v1/')}")
        if not isinstance(body, dict):
            raise InputError(self._name, f"{path} is no object")
        if set(body) == {"error"}:
            raise RefusedError(503, f"{self._name}: {body['error']}")
        return body

    def _age(self, body: Json) -> float | None:
        """Return how old a picture is by this machine's clock."""
        try:
            return max(0.0, self._now - datetime.fromisoformat(body.get("at", "")).timestamp())
        except (TypeError, ValueError):
            return None


def read(name: str, data: bytes) -> Dump:
    """Read a dump; raise `InputError` where it is none."""
    try:
        content = loads(data)
    except ValueError as error:
        raise InputError(name, f"no JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(name, "no dump of a ring: not an object")
    return Dump(content, name)


def members_in(data: bytes) -> list[Json]:
    """Return the members in a dump; none where it is a mere ring file."""
    match loads(data):
        case {"manager": {"/v1/ring": {"members": list(members)}}}:
            return members
        case _:
            return []


def dumped(manager: Manager) -> Json:
    """Ask a manager for all that a dump has; what it cannot answer is an error in its place."""
    ring: Json = {"nodes": [], "keyspaces": {}}
    answers: Json = {"/v1/ring": manager.get("/v1/ring").body}
    paths = [path for path in DUMPED if path not in answers]
    paths += [f"/v1/keyspaces/{name}" for name in answers["/v1/ring"].get("keyspaces", {})]
    for path in paths:
        try:
            answers[path] = manager.get(path).body
        except AccessError as error:
            answers[path] = {"error": error.problem}
    try:
        ring = manager.get("/v1/ringfile").body
    except AccessError as error:
        answers["/v1/ringfile"] = {"error": error.problem}
    return {**ring, DUMP: answers}
