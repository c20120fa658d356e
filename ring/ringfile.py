"""Ring files: the JSON form of a ring, read with care and written back.

Pure: bytes in, values out.  A mistake is told with its place in the file, such as
``nodes[3].tokens[0]``; nothing is repaired or guessed.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
import numpy as np
from msgspec import Meta

from ring.errors import InputError
from ring.jsonkeys import repeated_key
from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    Everywhere,
    HostId,
    Keyspace,
    Liveness,
    Local,
    Mode,
    Node,
    Replication,
    RingState,
    Simple,
    Topology,
    parse_replication,
)
from ring.readjson import TOO_DEEP
from ring.remarks import refuse_slips

MAX_BYTES = 512 * 2**20  # 20 million tokens; a file beyond that is not a ring file

UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
STATE_FORM = re.compile(r"([UD?])([NLJM])")

NEWLINE = b"\n"
TOKEN_PLACE = re.compile(r"(?:tokens\[\d+\]|moving_to)$")

Token = Annotated[int, Meta(ge=MIN_TOKEN, le=MAX_TOKEN)]
Name = Annotated[str, Meta(min_length=1)]


class _NodeForm(msgspec.Struct):
    host_id: str
    dc: Name
    rack: Name
    address: str = ""
    state: str = "?N"
    tokens: list[Token] = []
    moving_to: Token | None = None
    replaces: str | None = None
    kubernetes_node: str = ""


class _Form(msgspec.Struct):
    nodes: list[_NodeForm]
    keyspaces: dict[str, Any] = {}  # looked at by hand: the decoder would not name the key


def parse(data: bytes) -> RingState:
    """Read a ring file.

    Raises:
        InputError: where it is no ring file, or its ring cannot be.

    """
    if len(data) > MAX_BYTES:
        raise InputError("", f"more than {MAX_BYTES >> 20} MiB is no ring file")
    form = _decode(data)
    _refuse_repeated_keys(data)
    del data
    nodes = tuple(_node(number, each) for number, each in enumerate(form.nodes))
    _check_hosts(nodes)
    _check_tokens(nodes)
    dcs = frozenset(node.dc for node in nodes)
    keyspaces = [_keyspace(name, options, dcs) for name, options in form.keyspaces.items()]
    return RingState(nodes, tuple(keyspaces))


def dump(state: RingState) -> bytes:
    """Write a ring file; `parse` gives the same state back."""
    body = {
        "nodes": [_node_fields(node) for node in state.nodes],
        "keyspaces": {
            each.name: replication_options(each.replication) for each in state.keyspaces
        },
    }
    return msgspec.json.encode(body) + b"\n"


def replication_options(replication: Replication) -> dict[str, str]:
    """Return replication as ``system_schema.keyspaces`` has it, with the short class name."""
    match replication:
        case Simple(factor):
            return {"class": "SimpleStrategy", "replication_factor": str(factor)}
        case Topology(factors):
            return {
                "class": "NetworkTopologyStrategy",
                **{dc: str(factor) for dc, factor in factors},
            }
        case Everywhere():
            return {"class": "EverywhereStrategy"}
        case Local():
            return {"class": "LocalStrategy"}


def _decode(data: bytes) -> _Form:
    try:
        # Not strict: tokens come as strings, because JavaScript's numbers end at 2^53.
        return msgspec.json.decode(data, type=_Form, strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        place = path.rstrip("`").lstrip(".")
        if TOKEN_PLACE.search(place):
            problem = f"no token: it has to be a whole number from {MIN_TOKEN} to {MAX_TOKEN}"
        raise InputError(place, problem.replace("`", "")) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_json(data, str(error)) from error
    except RecursionError:
        raise InputError("", f"no JSON: {TOO_DEEP}") from None


def _no_json(data: bytes, problem: str) -> InputError:
    """Say in which line, which editors show, a decoder stumbled."""
    if not data.strip():
        return InputError("", "no JSON: the file is empty")
    found = re.search(r"byte (\d+)", problem)
    at = int(found[1]) if found else len(data)
    line = f"line {data.count(NEWLINE, 0, at) + 1}, column {at - data.rfind(NEWLINE, 0, at)}"
    if found is None and "truncated" in problem:
        problem = "it ends in the middle of a value, as a file does that was cut off"
    return InputError(line, f"no JSON: {problem}")


def _refuse_repeated_keys(data: bytes) -> None:
    """Refuse keys that occur twice in one object: only one of them can be meant."""
    try:
        place = repeated_key(data)
    except ValueError as error:
        raise InputError("", f"no JSON: {error}") from error
    except RecursionError:
        raise InputError("", f"no JSON: {TOO_DEEP}") from None
    if place is not None:
        raise InputError(place, "this key is there twice; leave the one that is meant")


def _keyspace(name: str, options: object, dcs: frozenset[str]) -> Keyspace:
    place = f"keyspaces.{name}"
    if not isinstance(options, dict):
        raise InputError(place, "a keyspace is an object, of its class and its options")
    for option, value in options.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InputError(f"{place}.{option}", "neither a text nor a whole number")
    texts = {option: str(value) for option, value in options.items()}
    keyspace = Keyspace(name, parse_replication(texts, dcs, place))
    refuse_slips(keyspace, dcs, place)
    return keyspace


def _node(number: int, form: _NodeForm) -> Node:
    place = f"nodes[{number}]"
    state = STATE_FORM.fullmatch(form.state)
    if state is None:
        raise InputError(
            f"{place}.state",
            f"{form.state!r} is not U, D or ? followed by N, L, J or M, such as UN",
        )
    mode = Mode(state[2])
    if form.moving_to is not None and mode is not Mode.MOVING:
        raise InputError(f"{place}.moving_to", f"a node in state {form.state} does not move")
    if form.replaces is not None and mode is not Mode.JOINING:
        raise InputError(f"{place}.replaces", f"a node in state {form.state} replaces none")
    return Node(
        host_id=_host_id(form.host_id, f"{place}.host_id"),
        address=form.address,
        dc=form.dc,
        rack=form.rack,
        liveness=Liveness(state[1]),
        mode=mode,
        tokens=tuple(form.tokens),
        moving_to=form.moving_to,
        replaces=_host_id(form.replaces, f"{place}.replaces") if form.replaces else None,
        kubernetes_node=form.kubernetes_node,
    )


def _host_id(text: str, place: str) -> HostId:
    if not UUID_FORM.fullmatch(text):
        raise InputError(place, f"{text!r} is not a UUID")
    return HostId(UUID(text))


def _check_hosts(nodes: Sequence[Node]) -> None:
    first: dict[HostId, int] = {}
    for number, node in enumerate(nodes):
        earlier = first.setdefault(node.host_id, number)
        if earlier != number:
            place = f"nodes[{number}].host_id"
            raise InputError(place, f"{node.host_id} is nodes[{earlier}] already")
    for number, node in enumerate(nodes):
        if node.replaces is not None and node.replaces not in first:
            raise InputError(f"nodes[{number}].replaces", f"no node is {node.replaces}")


def _check_tokens(nodes: Sequence[Node]) -> None:
    """Refuse a ring without tokens, and tokens that two nodes claim."""
    if not nodes:
        raise InputError("nodes", "the ring is empty")
    if not any(node.tokens for node in nodes if node.mode is not Mode.JOINING):
        raise InputError("nodes", "no node owns a token: the ring is empty")
    counts = [len(node.tokens) for node in nodes]
    flat = np.fromiter((t for node in nodes for t in node.tokens), np.int64, sum(counts))
    order = np.argsort(flat, kind="stable")
    twice = np.flatnonzero(flat[order][1:] == flat[order][:-1])
    ends = np.cumsum(counts)
    for i in twice.tolist():
        earlier, later = sorted((int(order[i]), int(order[i + 1])))
        a, b = (int(np.searchsorted(ends, at, side="right")) for at in (earlier, later))
        if not _one_replaces_the_other(nodes[a], nodes[b]):
            place = f"nodes[{b}].tokens[{later - int(ends[b] - counts[b])}]"
            raise InputError(place, f"token {flat[later]} is of nodes[{a}] already")
    owned = set(flat[order].tolist()) if any(n.moving_to is not None for n in nodes) else set()
    for number, node in enumerate(nodes):
        if node.moving_to is not None and node.moving_to in owned:
            raise InputError(f"nodes[{number}].moving_to", f"token {node.moving_to} is taken")


def _one_replaces_the_other(a: Node, b: Node) -> bool:
    return a is not b and (a.replaces == b.host_id or b.replaces == a.host_id)


def _node_fields(node: Node) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "host_id": str(node.host_id),
        "address": node.address,
        "dc": node.dc,
        "rack": node.rack,
        "state": node.state,
        "tokens": [str(token) for token in node.tokens],
    }
    if node.moving_to is not None:
        fields["moving_to"] = str(node.moving_to)
    if node.replaces is not None:
        fields["replaces"] = str(node.replaces)
    if node.kubernetes_node:
        fields["kubernetes_node"] = node.kubernetes_node
    return fields
