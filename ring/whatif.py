"""What a change would do: the same questions asked of a changed ring, and the difference."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ring.errors import TooLargeError, UnknownNodeError
from ring.health import Assessor, CheckHealth, ReplicationHealth
from ring.levels import Check
from ring.model import (
    RING_SIZE,
    HostId,
    Liveness,
    Mode,
    Node,
    Replication,
    RingState,
)
from ring.ownership import ExactWidths
from ring.placement import Placement
from ring.tokens import widths_of

MAX_COMPARISONS = 1 << 34  # of replicas before and after: 10 seconds

Pick = Callable[[Node], bool]


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check, before and after."""

    before: CheckHealth
    after: CheckHealth

    @property
    def check(self) -> Check:
        """The question."""
        return self.after.check

    @property
    def is_loss(self) -> bool:
        """Say whether ranges can no longer be served that could be, in either case."""
        return (
            self.after.worst.satisfiable < self.before.worst.satisfiable
            or self.after.best.satisfiable < self.before.best.satisfiable
        )

    @property
    def is_worse(self) -> bool:
        """Say whether less can be served, or with less to spare."""
        return (
            self.is_loss
            or self.after.worst.margin < self.before.worst.margin
            or self.after.best.margin < self.before.best.margin
        )


@dataclass(frozen=True, slots=True)
class KeyspaceChange:
    """What a change does to one keyspace.

    Attributes:
        name: of the keyspace.
        changes: every check that there was before.
        gains: by host, tokens of new ranges that have to be copied to it; of 2^64.

    """

    name: str
    changes: tuple[CheckChange, ...]
    gains: Mapping[HostId, int]

    @property
    def worse(self) -> tuple[CheckChange, ...]:
        """The checks that got worse."""
        return tuple(change for change in self.changes if change.is_worse)

    @property
    def moved(self) -> float:
        """Data to copy, in rings: 1.0 is as much as one replica of the whole keyspace."""
        return sum(self.gains.values()) / RING_SIZE


def picked(state: RingState, pick: Pick, what: str) -> frozenset[HostId]:
    """Return the hosts that ``pick`` says yes to.

    Raises:
        UnknownNodeError: where there is none; ``what`` says what was looked for.

    """
    hosts = frozenset(node.host_id for node in state.nodes if pick(node))
    if not hosts:
        raise UnknownNodeError(f"no node is {what}")
    return hosts


def named(state: RingState, name: str) -> frozenset[HostId]:
    """Return the node with this host ID or address."""
    return picked(state, lambda node: name in (str(node.host_id), node.address), name)


def on_kubernetes_node(state: RingState, name: str) -> frozenset[HostId]:
    """Return the members that run on one machine."""
    return picked(state, lambda node: node.kubernetes_node == name, f"on {name}")


def in_rack(state: RingState, dc: str, rack: str) -> frozenset[HostId]:
    """Return the members in one rack."""
    return picked(state, lambda node: (node.dc, node.rack) == (dc, rack), f"in {dc}/{rack}")


def in_dc(state: RingState, dc: str) -> frozenset[HostId]:
    """Return the members in one data centre."""
    return picked(state, lambda node: node.dc == dc, f"in {dc}")


def stopped(state: RingState, hosts: Collection[HostId]) -> RingState:
    """Return the ring with these nodes down."""
    nodes = (
        node.as_liveness(Liveness.DOWN) if node.host_id in hosts else node
        for node in state.nodes
    )
    return replace(state, nodes=tuple(nodes))


def removed(state: RingState, hosts: Collection[HostId]) -> RingState:
    """Return the ring after these nodes left it for good, and others took their ranges."""
    return replace(
        state, nodes=tuple(node for node in state.nodes if node.host_id not in hosts)
    )


def added(state: RingState, newcomers: Sequence[Node]) -> RingState:
    """Return the ring after these nodes joined and hold their ranges."""
    joined = tuple(replace(node, mode=Mode.NORMAL) for node in newcomers)
    return replace(state, nodes=state.nodes + joined)


def altered(state: RingState, name: str, replication: Replication) -> RingState:
    """Return the ring with another replication of one keyspace."""
    if name not in {keyspace.name for keyspace in state.keyspaces}:
        raise UnknownNodeError(f"there is no keyspace {name}")
    keyspaces = (
        replace(keyspace, replication=replication) if keyspace.name == name else keyspace
        for keyspace in state.keyspaces
    )
    return replace(state, keyspaces=tuple(keyspaces))


def compare(before: RingState, after: RingState) -> tuple[KeyspaceChange, ...]:
    """Judge two states of a ring, and say what differs for each keyspace of both."""
    old, new = Assessor(before.nodes), Assessor(after.nodes)
    health_before = old.health(before.keyspaces)
    health_after = new.health(after.keyspaces)
    moves: dict[tuple[Replication, Replication], Mapping[HostId, int]] = {}
    replication_before = {each.name: each.replication for each in before.keyspaces}
    found = []
    for keyspace in after.keyspaces:
        if keyspace.name not in health_before or keyspace.name not in health_after:
            continue
        pair = (replication_before[keyspace.name], keyspace.replication)
        if pair not in moves:
            moves[pair] = gains(
                before.nodes, old.placement(pair[0]), after.nodes, new.placement(pair[1])
            )
        changes = _changes(health_before[keyspace.name], health_after[keyspace.name])
        found.append(KeyspaceChange(keyspace.name, changes, moves[pair]))
    return tuple(found)


def _changes(before: ReplicationHealth, after: ReplicationHealth) -> tuple[CheckChange, ...]:
    """Ask the questions of before again: a data centre that got lost is a loss."""
    return tuple(CheckChange(each, after.answer(each.check)) for each in before.checks)


def gains(
    old_nodes: Sequence[Node], old: Placement, new_nodes: Sequence[Node], new: Placement
) -> dict[HostId, int]:
    """Return how many tokens' worth of ranges each host holds after that it did not before.

    What it holds as a transient replica counts as held.

    Raises:
        TooLargeError: where replicas are so many that comparing them is beyond all use.

    """
    if not new.width:
        return {}
    if all(layer.is_uniform for layer in (*old.layers, *new.layers)):
        had = {old_nodes[n].host_id for n in old.replicas[:, 0].tolist()} if old.width else ()
        now = (new_nodes[n].host_id for n in new.replicas[:, 0].tolist())
        return {host: RING_SIZE for host in now if host not in had}
    if new.width * old.width * len(new.ring.tokens) > MAX_COMPARISONS:
        raise TooLargeError("too many replicas of too many ranges to compare")
    tokens = np.union1d(old.ring.tokens, new.ring.tokens)
    number = {node.host_id: i for i, node in enumerate(new_nodes)}
    as_new = np.array([number.get(node.host_id, -1) for node in old_nodes], np.int32)
    none = np.empty((0, len(tokens)), np.int32)
    held = as_new[old.replicas][:, old.ring.ends_at(tokens)] if old.width else none
    widths = widths_of(tokens)
    sums = [0] * len(new_nodes)
    for row in new.replicas[:, new.ring.ends_at(tokens)]:
        fresh = np.ones(len(tokens), np.bool_)
        for other in held:
            fresh &= row != other
        if len(tokens) == 1 and fresh[0]:
            sums[int(row[0])] += RING_SIZE
            continue
        into = row[fresh].astype(np.intp)
        added_here = ExactWidths.of(widths[fresh], into, len(new_nodes)).tokens()
        sums = [a + b for a, b in zip(sums, added_here, strict=True)]
    return {node.host_id: n for node, n in zip(new_nodes, sums, strict=True) if n}
