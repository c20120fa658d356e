"""Everything that one cycle of the ring manager read, source by source."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ring.objects import Claim, Endpoint, Ledger, Machine, Pods, Record, StatefulSet, Turn
from ring.reading import UNREAD, Reading
from ring.words import Facts, Sidecar


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look at a Service and its ring.  What is not read is unknown, never absent.

    Attributes:
        namespace, service: whose ring it is.
        pods: that the Service selects, by name.
        claims: of the disks, by pod.
        machines: Kubernetes nodes, by name.
        stateful_sets: behind the Service, by name.
        record: None, where it was read, says that there is none.
        ledger: entries by pod.
        sidecars: by pod.
        facts: what contact nodes said by CQL, by the address they were asked at.

    """

    namespace: str = "default"
    service: str = "cassandra"
    pods: Reading[Pods] = UNREAD
    claims: Reading[Mapping[str, Claim]] = UNREAD
    machines: Reading[Mapping[str, Machine]] = UNREAD
    stateful_sets: Reading[Mapping[str, StatefulSet]] = UNREAD
    endpoints: Reading[tuple[Endpoint, ...]] = UNREAD
    record: Reading[Record] = UNREAD
    ledger: Reading[Ledger] = UNREAD
    turn: Reading[Turn] = UNREAD
    sidecars: Mapping[str, Reading[Sidecar]] = field(default_factory=dict)
    facts: Mapping[str, Reading[Facts]] = field(default_factory=dict)

    @property
    def kubernetes(self) -> Mapping[str, Reading[object]]:
        """The readings from the API server, by what they are of."""
        return {
            "pods": self.pods,
            "claims": self.claims,
            "machines": self.machines,
            "statefulSets": self.stateful_sets,
            "endpoints": self.endpoints,
            "record": self.record,
            "ledger": self.ledger,
            "turn": self.turn,
        }
