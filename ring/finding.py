"""What a finding is, what rules are given, and how they write commands and lists of names."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ring.history import History
from ring.members import Member
from ring.model import Factor, HostId, Liveness, Mode, Replication, Simple, Topology
from ring.ringfile import replication_options
from ring.skew import Skew
from ring.snapshot import RingSnapshot

USUAL_FACTOR = 3  # replicas in a data centre, for which racks are laid out
TYPED = re.compile(r"[\w.:-][\w .:-]*")
"""Names that mean nothing else to a shell or to CQL, between quotes or without."""


class Severity(StrEnum):
    """How much it matters: worth knowing, to be put right, and about data or service."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Kind(StrEnum):
    """Everything that can be found, by its stable name; docs/findings.md explains each."""

    TWO_RINGS = "two-rings"
    NETWORK_CUT = "network-cut"
    LONE_VIEW = "lone-view"
    VIEWS_DIFFER = "views-differ"
    MEMBER_DOWN = "member-down"
    SCHEMA_DISAGREEMENT = "schema-disagreement"
    CLOCKS_APART = "clocks-apart"
    POD_WITHOUT_MEMBER = "pod-without-member"
    MEMBER_WITHOUT_POD = "member-without-pod"
    LOST_DISK = "lost-disk"
    ADDRESS_SWAP = "address-swap"
    HOST_ID_TWICE = "host-id-twice"
    RECORD_MISSING = "record-missing"
    RECORD_AND_DISK_DISAGREE = "record-and-disk-disagree"
    LEDGER_AND_RING_DISAGREE = "ledger-and-ring-disagree"
    RACK_NOT_ZONE = "rack-not-zone"
    UNEVEN_RACKS = "uneven-racks"
    TWO_RACKS = "two-racks"
    RF_ABOVE_RACKS = "rf-above-racks"
    RF_ABOVE_NODES = "rf-above-nodes"
    LOGINS_ON_ONE_NODE = "logins-on-one-node"
    DC_WITHOUT_NODES = "dc-without-nodes"
    TOKEN_SKEW = "token-skew"  # noqa: S105 -- a place on the ring
    TOKEN_CLAIMED_TWICE = "token-claimed-twice"  # noqa: S105
    REPAIR_DUE = "repair-due"
    CLEANUP_DUE = "cleanup-due"
    KUBERNETES_STALE = "kubernetes-stale"
    OBJECT_UNREADABLE = "object-unreadable"
    SIDECAR_SILENT = "sidecar-silent"
    NODE_SILENT = "node-silent"
    CQL_UNREADABLE = "cql-unreadable"
    KEYSPACE_UNREADABLE = "keyspace-unreadable"
    PLACE_UNKNOWN = "place-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a ring that an operator should know.

    Attributes:
        what: one sentence.
        evidence: names and numbers that it rests on, as JSON values.
        advice: what to do, in words.
        commands: the same to be typed, in order; empty where there is nothing to type.

    """

    kind: Kind
    severity: Severity
    what: str
    evidence: Mapping[str, Any]
    advice: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """When members were last repaired and cleaned up, where that is known.

    Attributes:
        repaired: since when all that a member holds is repaired in full, in seconds since
            1970 (`ring.repairs.repaired`).
        cleaned: end of the last cleanup, in the same way.  Cassandra keeps no history of them.
        failure: why the history of repairs could not be read; empty where it was, or need not.

    """

    repaired: Mapping[HostId, float] = field(default_factory=dict)
    cleaned: Mapping[HostId, float] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that rules look at.

    Attributes:
        skews: by keyspace; measured (`ring.skew`) when tokens or replication changed, as that
            takes longer than a cycle may.

    """

    snapshot: RingSnapshot
    history: History = field(default_factory=History)
    skews: Mapping[str, Sequence[Skew]] = field(default_factory=dict)
    upkeep: Upkeep = Upkeep()

    def kubectl(self, words: str) -> str:
        """Write a kubectl command in the ring's namespace."""
        return f"kubectl -n {self.snapshot.observed.namespace} {words}"

    def nodetool(self, pod: str, words: str) -> str:
        """Write a nodetool command that runs in a pod."""
        return self.kubectl(f"exec {pod} -c cassandra -- nodetool {words}")

    def restart(self, pod: str) -> str:
        """Write the command that deletes a pod if it may stop."""
        observed = self.snapshot.observed
        where = f"-n {observed.namespace} --service {observed.service}"
        return f"ring gate {where} {pod} && {self.kubectl(f'delete pod {pod}')}"

    def alter(self, keyspace: str, factors: Mapping[str, Factor]) -> tuple[str, ...]:
        """Write the command that replicates a keyspace otherwise, by data centre.

        There is none where no replica would be left, or a name cannot be typed safely; none
        either while data centres may be missing here: it would take their replicas away.
        """
        names = (keyspace, *factors)
        whole = not self.snapshot.unplaced
        if not whole or not factors or not all(map(TYPED.fullmatch, names)):
            return ()
        options = replication_options(Topology(tuple(factors.items()))).items()
        options_text = ", ".join(f"'{name}': '{value}'" for name, value in options)
        text = f'ALTER KEYSPACE \\"{keyspace}\\" WITH replication = {{{options_text}}}'
        return (self.kubectl(f'exec {self.speaker()} -c cassandra -- cqlsh -e "{text}"'),)

    def speaker(self) -> str:
        """Return a pod whose node is up, to give a command to; `POD` where none is known."""
        pods = [
            each.pod
            for each in self.snapshot.members
            if each.liveness is Liveness.UP and each.exists
        ]
        return pods[0] if pods else "POD"

    def racks(self) -> dict[str, dict[str, int]]:
        """Count members by data centre and rack, less those that leave or are replaced."""
        found: dict[str, dict[str, int]] = {}
        for each in sorted(self.snapshot.members, key=lambda member: (member.dc, member.rack)):
            if each.dc and each.rack and each.mode is not Mode.LEAVING and not each.replaces:
                racks = found.setdefault(each.dc, {})
                racks[each.rack] = racks.get(each.rack, 0) + 1
        return found


Rule = Callable[[Case], Iterator[Finding]]


def named(names: Sequence[str], limit: int = 3) -> str:
    """Name a few, and say how many more there are."""
    rest = len(names) - limit
    if rest > 0:
        return f"{', '.join(names[:limit])} and {rest} more"
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def are(count: int) -> str:
    """Return the verb for so many."""
    return "is" if count == 1 else "are"


def hosts(members: Sequence[Member]) -> list[str]:
    """Return host IDs as evidence has them."""
    return [str(each.host_id) for each in members]


def factors(replication: Replication) -> Mapping[str, int]:
    """Return replicas by data centre; under the empty name where it has no such factors."""
    match replication:
        case Simple(factor):
            return {"": factor.replicas}
        case Topology(pairs):
            return {dc: factor.replicas for dc, factor in pairs}
        case _:
            return {}
