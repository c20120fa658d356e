"""``/openapi.json``: what the manager serves, for programs; docs/ring-api.md is for people."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from ring.asked import CHANGES
from ring.history import LOG_LIMIT
from ring.levels import Level
from ring.stops_asked import GATE

Json = dict[str, Any]

EMBEDDED: Final = (
    *("ring", "keyspaces", "keyspace", "ring-file", "whatif", "arcs"),
    *("gate", "drain-order", "seeds", "error"),
)
HEAD: Final = ("version", "at", "stale", "certain")
TAGGED: Final = (
    "an answer from the newest picture; `ETag` and `If-None-Match` save sending it again"
)

UNCHANGED: Final = "the asker has this answer: a tag of `If-None-Match` is its tag; no body"
IF_NONE_MATCH: Final[Json] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "tags of answers that the asker has (RFC 9110 13.1.2); `*` is none of them",
    "schema": {"type": "string"},
}


def document(schemas: Mapping[str, Json], version: str) -> Json:
    """Return the document; ``schemas`` are those of docs/schemas, by file name."""
    components = {name: _bare(schemas[name]) for name in EMBEDDED}
    for name in ("members", "findings", "history"):
        components[name] = _part(components["ring"], name)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ring manager",
            "version": version,
            "description": "One picture of a Cassandra ring in Kubernetes. Everything is "
            "read-only; no question has a body. Every answer of a picture says in headers "
            "which one, and how old it is.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": _paths(),
        "components": {"schemas": components, "headers": _headers()},
    }


def _bare(schema: Json) -> Json:
    return {name: value for name, value in deepcopy(schema).items() if name != "$schema"}


def _part(ring: Json, name: str) -> Json:
    """Return the schema of one field of the picture with its head."""
    properties = {each: ring["properties"][each] for each in (*HEAD, name)}
    if name == "history":
        properties["earlier"] = {
            "type": "integer",
            "minimum": 0,
            "description": "changes that are known and not shown",
        }
    return {
        "type": "object",
        "title": f"the {name} of a picture",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _paths() -> Json:
    return {
        "/v1/ring": _get("ring", "The whole picture", "ring"),
        "/v1/members": _get("members", "The members", "members"),
        "/v1/findings": _get("findings", "What is found, the worst first", "findings"),
        "/v1/history": _get(
            "history",
            "The last changes, oldest first",
            "history",
            [_number("limit", LOG_LIMIT, "how many at most, 100 without")],
            wrong=True,
        ),
        "/v1/keyspaces": _get(
            "keyspaces",
            "How healthy keyspaces are",
            "keyspaces",
            [_one_of("checks", ["decisive", "all"], "which to show; decisive without")],
            wrong=True,
        ),
        "/v1/keyspaces/{name}": _get(
            "keyspace",
            "One keyspace: each member's share, every level's health",
            "keyspace",
            [{**_text("name", "of the keyspace", "path"), "required": True}],
            wrong=True,
            missing=True,
        ),
        "/v1/ringfile": _get(
            "ringfile",
            "A ring file of this moment, which every offline command reads",
            "ring-file",
            wrong=True,
        ),
        "/v1/whatif": _get(
            "whatif",
            "What a change would make worse; at least one is named",
            "whatif",
            _changes(),
            wrong=True,
            missing=True,
        ),
        "/v1/arcs": _get(
            "arcs",
            "Where on the ring nothing can be spared, now or after a change",
            "arcs",
            _changes(),
            wrong=True,
            missing=True,
        ),
        "/v1/gate": _get(
            "gate",
            "Whether pods may stop together now; `pod` or `node` is needed",
            "gate",
            _of_gate(),
            wrong=True,
            missing=True,
        ),
        "/v1/drain-order": _get(
            "drain-order",
            "An order to stop all pods in, racks together where that is safe",
            "drain-order",
            [each for each in _of_gate() if each["name"] == "level"],
            wrong=True,
        ),
        "/v1/seeds": _get(
            "seeds",
            "Every node's seeds and why, asked of the sidecars now",
            "seeds",
            [_text("pod", "only this pod's")],
            missing=True,
            tagged=False,
        ),
        "/v1/stream": _stream(),
        "/livez": _plain("livez", "Whether the process runs"),
        "/readyz": _plain("readyz", "Whether there is a picture that is not stale", late=True),
        "/metrics": _plain("metrics", "Metrics for Prometheus"),
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    }


def _get(
    name: str,
    summary: str,
    schema: str,
    parameters: list[Json] | None = None,
    *,
    wrong: bool = False,
    missing: bool = False,
    tagged: bool = True,
) -> Json:
    """Describe one question; ``wrong`` and ``missing`` are answers besides the usual ones."""
    found: Json = {
        "200": {
            "description": TAGGED if tagged else "as the sidecars say now",
            "headers": {each: {"$ref": f"#/components/headers/{each}"} for each in _headers()},
            "content": {
                "application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}
            },
        },
        "400": _error("a parameter is unknown or wrong"),
        "503": _error(
            "there is no picture yet, a stale one where that misleads, or too little known"
        ),
    }
    if tagged:
        found["304"] = {"description": UNCHANGED, "headers": found["200"]["headers"]}
    if missing:
        found["404"] = _error("what is named does not exist")
    if wrong:
        found["409"] = _error("the ring's state is such that there is no answer")
    if not tagged:
        found["200"]["headers"].pop("ETag")
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [*(parameters or []), *([IF_NONE_MATCH] if tagged else [])],
            "responses": found,
        }
    }


def _error(what: str) -> Json:
    schema = {"$ref": "#/components/schemas/error"}
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _text(name: str, what: str, where: str = "query") -> Json:
    return {
        "name": name,
        "in": where,
        "description": what,
        "schema": {"type": "string", "minLength": 1},
    }


def _number(name: str, most: int, what: str) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": what,
        "schema": {"type": "integer", "minimum": 1, "maximum": most},
    }


def _one_of(name: str, words: list[str], what: str) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": what,
        "schema": {"type": "string", "enum": words},
    }


def _changes() -> list[Json]:
    several = [
        {
            "name": name,
            "in": "query",
            "description": f"{each.what}; may be repeated",
            "schema": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "example": [each.example],
        }
        for name, each in CHANGES.items()
    ]
    keyspace = {
        "name": "keyspace",
        "in": "query",
        "description": "only this one; may be repeated",
        "schema": {"type": "array", "items": {"type": "string", "minLength": 1}},
    }
    level = {
        "name": "level",
        "in": "query",
        "description": "that decides; may be repeated; without: quorums, and ONE for "
        "Cassandra's own keyspaces",
        "schema": {"type": "array", "items": {"type": "string", "enum": [*Level]}},
    }
    return [*several, level, keyspace]


def _of_gate() -> list[Json]:
    found = []
    for name, what in GATE.items():
        item: Json = {"type": "string", "minLength": 1}
        if name == "level":
            item = {"type": "string", "enum": [*Level]}
        schema: Json = item if name == "node" else {"type": "array", "items": item}
        found.append({"name": name, "in": "query", "description": what, "schema": schema})
    return found


def _stream() -> Json:
    return {
        "get": {
            "operationId": "stream",
            "summary": "Server-sent events: `event: ring` for every new picture",
            "parameters": [
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "description": "version that the asker has; the next one is sent first",
                    "schema": {"type": "string"},
                }
            ],
            "responses": {
                "200": {
                    "description": "`id` is the version, `data` one line of JSON with version, "
                    "at, stale, certain, members (up, down, unknown) and findings (critical, "
                    "warning, info)",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                "503": _error("too many streams are open"),
            },
        }
    }


def _plain(name: str, summary: str, *, late: bool = False) -> Json:
    found: Json = {
        "200": {
            "description": summary,
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
    if late:
        found["503"] = _error("there is none")
    return {"get": {"operationId": name, "summary": summary, "responses": found}}


def _headers() -> Json:
    text = {"schema": {"type": "string"}}
    truth = {"schema": {"type": "string", "enum": ["true", "false"]}}
    return {
        "ETag": {"description": "of the picture, the question and the coding", **text},
        "X-Ring-Version": {"description": "of the picture; compare for equality only", **text},
        "X-Ring-At": {"description": "when it was taken, RFC 3339", **text},
        "X-Ring-Age": {"description": "seconds since, to the millisecond", **text},
        "X-Ring-Stale": {"description": "whether its renewal is overdue", **truth},
        "X-Ring-Certain": {
            "description": "whether a host that is not among the members is surely none",
            **truth,
        },
    }
