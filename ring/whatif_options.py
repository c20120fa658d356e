"""What `ring whatif` is asked, from words on a command line to a changed ring."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from uuid import UUID

from ring.errors import InputError, UnknownNodeError
from ring.model import (
    MAX_TOKEN,
    MIN_TOKEN,
    HostId,
    Keyspace,
    Liveness,
    Local,
    Node,
    RingState,
    parse_replication,
)
from ring.remarks import refuse_slips
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

TOKEN_FORM = re.compile(r"-?[0-9]{1,19}")  # int() takes more: spaces, 1_0, digits of any script

Find = Callable[[RingState, str], frozenset[HostId]]


@dataclass(frozen=True, slots=True)
class Change:
    """Words of the options, in the order in which they are applied."""

    alter: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    decommission: tuple[str, ...] = ()
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
        InputError: where words do not say what they should, or contradict each other.
        UnknownNodeError: where they name what the ring does not have.

    """
    after = _all_altered(state, change.alter)
    for words in change.add:
        after = added(after, [_newcomer(after, words)])
    _check_dcs(after, change.alter)
    gone = handing_over(state, change) | _hosts(state, "--remove", change.remove, named)
    if gone:
        after = removed(after, gone)
        if not any(node.tokens for node in after.nodes):
            option = "--remove" if change.remove else "--decommission"
            raise InputError(option, "no node with tokens would be left")
    down = (
        _to_stop(state, "--stop", change.stop, named, gone)
        | _to_stop(state, "--drain", change.drain, on_kubernetes_node, gone)
        | _to_stop(state, "--stop-rack", change.stop_rack, _in_rack, gone)
        | _to_stop(state, "--lose-dc", change.lose_dc, in_dc, gone)
    )
    return stopped(after, down) if down else after


def handing_over(state: RingState, change: Change) -> frozenset[HostId]:
    """Return the nodes that leave but first give others what they hold.

    Raises:
        InputError: where one is down, or is to be removed as well.

    """
    leaving = _hosts(state, "--decommission", change.decommission, named)
    removing = _hosts(state, "--remove", change.remove, named)
    for node in state.nodes:
        if node.host_id in leaving & removing:
            raise InputError(
                "--decommission", f"{_name(node)} is to be removed as well; leave out one"
            )
        if node.host_id in leaving and node.liveness is Liveness.DOWN:
            raise InputError(
                "--decommission",
                f"{_name(node)} is down and cannot hand over what it holds; ask --remove",
            )
    return leaving


def _name(node: Node) -> str:
    return node.address or str(node.host_id)


def _find(state: RingState, option: str, words: str, find: Find) -> frozenset[HostId]:
    if not words:
        raise InputError(option, "names nothing")
    try:
        return find(state, words)
    except UnknownNodeError as error:
        raise UnknownNodeError(f"{option}: {error}") from error


def _hosts(
    state: RingState, option: str, several: Iterable[str], find: Find
) -> frozenset[HostId]:
    return frozenset(host for words in several for host in _find(state, option, words, find))


def _to_stop(
    state: RingState,
    option: str,
    several: Iterable[str],
    find: Find,
    gone: frozenset[HostId],
) -> frozenset[HostId]:
    """Return who is to be down; what is gone for good cannot be."""
    for words in several:
        if _find(state, option, words, find) <= gone:
            raise InputError(
                option, f"{words} would be gone from the ring already; leave out one of both"
            )
    return _hosts(state, option, several, find)


def _in_rack(state: RingState, words: str) -> frozenset[HostId]:
    return in_rack(state, *_rack(words, "--stop-rack"))


def _rack(words: str, option: str) -> tuple[str, str]:
    dc, slash, rack = words.partition("/")
    if not (dc and slash and rack):
        raise InputError(option, f"{words!r} is not DC/RACK")
    return dc, rack


def _newcomer(state: RingState, words: str) -> Node:
    """Make a node that is up, with the tokens given or those suggested for its place."""
    where, equals, given = words.partition("=")
    dc, rack = _rack(where, "--add")
    known = {node.host_id for node in state.nodes}
    number = next(n for n in range(1, len(known) + 2) if HostId(UUID(int=n)) not in known)
    if equals:
        tokens = tuple(_token(text) for text in given.split(","))
    else:
        same = [n for n, node in enumerate(state.nodes) if (node.dc, node.rack) == (dc, rack)]
        usual = max((len(node.tokens) for node in state.nodes), default=16)
        tokens = suggest(token_ring(state.nodes), same, usual).tokens
    taken: set[int | None] = {token for node in state.nodes for token in node.tokens}
    taken |= {node.moving_to for node in state.nodes}
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
    if not TOKEN_FORM.fullmatch(text):
        raise InputError("--add", f"{text!r} is no token, which is a whole number such as -42")
    token = int(text)
    if not MIN_TOKEN <= token <= MAX_TOKEN:
        raise InputError("--add", f"{text} is no token: beyond 64 bits")
    return token


def _all_altered(state: RingState, several: Iterable[str]) -> RingState:
    done: set[str] = set()
    for words in several:
        state, name = _altered(state, words)
        if name in done:
            raise InputError("--alter", f"{name} is altered twice; leave one")
        done.add(name)
    return state


def _altered(state: RingState, words: str) -> tuple[RingState, str]:
    name, equals, rest = words.partition("=")
    strategy, *pairs = rest.split(",")
    options = {"class": strategy}
    for pair in pairs:
        option, colon, value = pair.rpartition(":")
        if not colon:
            raise InputError("--alter", f"{pair!r} is not OPTION:RF")
        if option in options:
            raise InputError("--alter", f"{option} is there twice; leave one")
        options[option] = value
    if not equals or not strategy:
        raise InputError("--alter", f"{words!r} is not KEYSPACE=CLASS,OPTION:RF,…")
    dcs = frozenset(node.dc for node in state.nodes)
    replication = parse_replication(options, dcs, "--alter")
    was = {each.name: each.replication for each in state.keyspaces}.get(name)
    if isinstance(replication, Local) or isinstance(was, Local):
        # AlterKeyspaceStatement: "reserved for internal use"; nothing of it is on the ring.
        raise InputError(
            "--alter", f"{name}: Cassandra alters nothing from or to LocalStrategy"
        )
    return altered(state, name, replication), name


def _check_dcs(after: RingState, several: Iterable[str]) -> None:
    """Refuse slips in data centres, of which new nodes may have brought some."""
    names = {words.partition("=")[0] for words in several}
    keyspaces: list[Keyspace] = [each for each in after.keyspaces if each.name in names]
    for keyspace in keyspaces:
        refuse_slips(keyspace, after.dcs, "--alter")
