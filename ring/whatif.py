"""Rings as they would be: nodes picked by their names, and what can be done to them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ring.errors import UnknownNodeError
from ring.model import HostId, Liveness, Mode, Node, Replication, RingState

Pick = Callable[[Node], bool]


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
    names = name, name.lower()  # host IDs may be written in capitals
    return picked(state, lambda node: node.address == name or str(node.host_id) in names, name)


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
