"""A ring that is easy to reckon with."""

from ring.levels import Check, Level, Operation
from ring.model import RING_SIZE, Factor, Keyspace, Liveness, RingState, Topology
from tests.unit.ring.strategies import node

STEP = RING_SIZE // 6
THREE = Keyspace("shop", Topology((("dc1", Factor(3)),)))
QUORUM = Check(Level.QUORUM, Operation.READ)


def six(
    *racks: str, keyspace: Keyspace = THREE, seen: dict[int, Liveness] | None = None
) -> RingState:
    """Return six nodes with a sixth of the ring each, up but for those ``seen`` otherwise."""
    nodes = [
        node(
            n,
            n * STEP - 3 * STEP,
            rack=rack,
            kubernetes_node=f"worker-{n % 2}",
            liveness=(seen or {}).get(n, Liveness.UP),
        )
        for n, rack in enumerate(racks or "abcabc")
    ]
    return RingState(tuple(nodes), (keyspace,))
