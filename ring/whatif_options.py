"""What `ring whatif` is asked, from words on a command line to a changed ring."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from uuid import UUID

from ring.errors import InputError
from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    HostId,
    Liveness,
    Node,
    RingState,
    parse_replication,
)
from ring.skew import suggest
from ring.tokens import token_ring
from ring.whatif import (
    added,
    altered,
    in_dc,
    in_rack,
    named,
    on_kubernetes_node,
    removed,
    stopped,
)


@dataclass(frozen=True, slots=True)
class Change:
    """Words of the options, in the order in which they are applied."""

    alter: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    stop_rack: tuple[str, ...] = ()
    lose_dc: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything changes."""
        return any(getattr(self, field.name) for field in fields(self))


def changed(state: RingState, change: Change) -> RingState:
    """Return the ring after a change.

    Raises:
        InputError: where words do not say what they should.
        UnknownNodeError: where they name what the ring does not have.

    """
    after = state
    for words in change.alter:
        after = _altered(after, words)
    for words in change.add:
        after = added(after, [_newcomer(after, words)])
    gone = _all(state, change.remove, named)
    if gone:
        after = removed(after, gone)
        if not any(node.tokens for node in after.nodes):
            raise InputError("--remove", "no node with tokens would be left")
    down = (
        _all(state, change.stop, named)
        | _all(state, change.drain, on_kubernetes_node)
        | _all(
            state, change.stop_rack, lambda s, words: in_rack(s, *_rack(words, "--stop-rack"))
        )
        | _all(state, change.lose_dc, in_dc)
    )
    return stopped(after, down) if down else after


def _all(
    state: RingState, words: Iterable[str], find: Callable[[RingState, str], frozenset[HostId]]
) -> frozenset[HostId]:
    return frozenset(host for each in words for host in find(state, each))


def _rack(words: str, option: str) -> tuple[str, str]:
    dc, slash, rack = words.partition("/")
    if not (dc and slash and rack):
        raise InputError(option, f"{words!r} is not DC/RACK")
    return dc, rack


def _newcomer(state: RingState, words: str) -> Node:
    """Make a node that is up, with the tokens given or those suggested for its place."""
    where, _, given = words.partition("=")
    dc, rack = _rack(where, "--add")
    known = {node.host_id for node in state.nodes}
    number = next(n for n in range(1, len(known) + 2) if HostId(UUID(int=n)) not in known)
    if given:
        tokens = tuple(_token(text) for text in given.split(","))
    else:
        same = [n for n, node in enumerate(state.nodes) if (node.dc, node.rack) == (dc, rack)]
        usual = max((len(node.tokens) for node in state.nodes), default=16)
        tokens = suggest(token_ring(state.nodes), same, usual).tokens
    taken = {token for node in state.nodes for token in node.tokens}
    for token in tokens:
        if token in taken or tokens.count(token) > 1:
            raise InputError("--add", f"token {token} is taken")
    return Node(
        host_id=HostId(UUID(int=number)),
        address=f"new-{number}",
        dc=dc,
        rack=rack,
        liveness=Liveness.UP,
        tokens=tokens,
    )


def _token(text: str) -> int:
    try:
        token = int(text)
    except ValueError as error:
        raise InputError("--add", f"{text!r} is no token") from error
    if not MIN_TOKEN <= token <= MAX_TOKEN:
        raise InputError("--add", f"{text} is no token: beyond 64 bits")
    return token


def _altered(state: RingState, words: str) -> RingState:
    name, equals, rest = words.partition("=")
    strategy, *pairs = rest.split(",")
    options = {"class": strategy}
    for pair in pairs:
        option, colon, value = pair.rpartition(":")
        if not colon:
            raise InputError("--alter", f"{pair!r} is not OPTION:RF")
        options[option] = value
    if not equals or not strategy:
        raise InputError("--alter", f"{words!r} is not KEYSPACE=CLASS,OPTION:RF,…")
    dcs = frozenset(node.dc for node in state.nodes)
    return altered(state, name, parse_replication(options, dcs, "--alter"))
