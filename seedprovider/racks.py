"""Which rack a node gets: decided from its disk, the ledger and the nodes' zones.  Pure.

A disk keeps its first rack for ever: Cassandra refuses to start with another one than
``system.local`` has (``StartupChecks.checkRack``), and moving a host to another rack would move
the replicas of its ranges.  The order of what counts is in docs/contracts.md, "The rack".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from seedprovider.model import Disk, DiskState, Entry, EntryState, PodName

FILE: Final = "cassandra-ring.rack"
"""Where a disk keeps its rack: in the data directory, beside the mark."""
TWO: Final = 2
SETTLED_MEMBERS: Final = 3
"""With so many members the first racks are there: one more changes where replicas lie."""

_RACK: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Fact(Enum):
    """What may have to be read from the API server."""

    LEDGER = auto()
    OWN_NODE = auto()
    NODES = auto()


@dataclass(frozen=True, slots=True)
class Node:
    """A Kubernetes node.

    Attributes:
        zone: label ``topology.kubernetes.io/zone``, None without it.
        control_plane: tainted so that no pod is scheduled there unless it tolerates it.

    """

    name: str
    zone: str | None = None
    control_plane: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known; facts of the API server are None until they were read.

    Attributes:
        node: name of the node that the pod runs on.
        recorded: the disk's rack file, None without one.
        fixed: SEEDPROVIDER_RACK, empty where it is not set.
        configured: what Cassandra would take now, None where nothing names a rack.
        override: CASSANDRA_RACK, which the entrypoint writes over whatever is chosen here.
        in_vain: facts that could not be read, and that can be done without.

    """

    pod: PodName
    node: str
    disk: Disk
    recorded: str | None = None
    fixed: str = ""
    configured: str | None = None
    override: str = ""
    two_racks: bool = False
    ledger: Mapping[PodName, Entry] | None = None
    own: Node | None = None
    nodes: tuple[Node, ...] | None = None
    in_vain: frozenset[Fact] = frozenset()


@dataclass(frozen=True, slots=True)
class Rack:
    """The choice.

    Attributes:
        why: where it comes from, for people.
        record: write it into the disk's rack file.
        warnings: one sentence each.

    """

    name: str
    why: str
    record: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """No rack can be chosen until somebody acts; `why` says how."""

    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Read this first, then choose again; what is not `needed` is not waited for."""

    fact: Fact
    needed: bool = True


def rack_name(text: str) -> str:
    """Return the name of a rack; raise ValueError for what is no safe one.

    Safe means: a value of a properties file and a replacement of sed as it stands.
    """
    if not _RACK.fullmatch(text):
        raise ValueError("a rack name: 1 to 64 letters, digits, '.', '_' and '-'")
    return text


def rack_text(rack: str) -> str:
    """Return the content of the rack file."""
    return f"rack={rack}\n"


def recorded_rack(content: bytes) -> str:
    """Return the rack that the rack file holds; raise ValueError for anything else in it."""
    found = re.fullmatch(rb"rack=([A-Za-z0-9._-]{1,64})\n", content)
    if not found:
        raise ValueError("not one line rack=NAME")
    return found[1].decode()


def choose_rack(situation: Situation) -> Rack | Refused | Ask:
    """Choose the rack of a node that is about to start."""
    chosen = _choose(situation)
    if not isinstance(chosen, Rack):
        return chosen
    if situation.override and situation.override != chosen.name:
        return Refused(
            f"CASSANDRA_RACK={situation.override} is set, and the entrypoint would write it "
            f"over {chosen.name} ({chosen.why}): remove it from all containers"
        )
    if (chosen.record or chosen.name != situation.configured) and not _RACK.fullmatch(
        chosen.name
    ):
        return Refused(
            f"{chosen.name!r} ({chosen.why}) cannot be written as a rack: set "
            "SEEDPROVIDER_RACK to 1 to 64 letters, digits, '.', '_' and '-'"
        )
    return chosen


def _choose(situation: Situation) -> Rack | Refused | Ask:
    if situation.disk.state is DiskState.UNKNOWN:
        return Refused("the data directory cannot be read, so its first rack is not known")
    if situation.fixed:
        return _fixed(situation, situation.fixed)
    if situation.recorded is not None:
        return _recorded(situation, situation.recorded)
    if situation.disk.state is not DiskState.EMPTY:
        return _adopted(situation)
    if situation.ledger is None:
        return Ask(Fact.LEDGER)
    lost = situation.ledger.get(situation.pod)
    if lost and lost.host_id and lost.rack and lost.state is not EntryState.LEFT:
        return Rack(lost.rack, f"of host {lost.host_id}, which this pod replaces", record=True)
    if situation.nodes is None:
        return Ask(Fact.NODES)
    return _new(situation, situation.ledger, situation.nodes)


def _fixed(situation: Situation, rack: str) -> Rack | Refused:
    blank = situation.disk.state is DiskState.EMPTY
    if situation.recorded in {None, rack}:
        return Rack(rack, "SEEDPROVIDER_RACK", record=blank and situation.recorded is None)
    way_out = (
        f"nothing is on it yet, so its file {FILE} may be deleted"
        if blank
        else "take the setting back, or decommission the node and give the pod an empty disk"
    )
    return Refused(
        f"SEEDPROVIDER_RACK={rack}, but this disk's first rack is {situation.recorded}, which "
        f"it keeps: {way_out}"
    )


def _recorded(situation: Situation, rack: str) -> Rack | Ask:
    """Keep it; a rack that is the configured one is no zone to compare with the node's."""
    if rack == situation.configured:
        return Rack(rack, "recorded on the disk")
    if situation.own is None:
        in_vain = Fact.OWN_NODE in situation.in_vain
        return (
            Rack(rack, "recorded on the disk") if in_vain else Ask(Fact.OWN_NODE, needed=False)
        )
    zone = situation.own.zone
    warning = (
        f"this disk's rack is {rack}, and node {situation.node} is in zone {zone}: the disk "
        f"keeps its rack, and zone {zone} holds replicas of two racks while it is there"
    )
    return Rack(
        rack, "recorded on the disk", warnings=(warning,) if zone not in {None, rack} else ()
    )


def _adopted(situation: Situation) -> Rack | Refused | Ask:
    """Leave data from before rack files as it is: Cassandra compares with its own tables."""
    if situation.ledger is None and Fact.LEDGER not in situation.in_vain:
        return Ask(Fact.LEDGER, needed=False)
    entry = (situation.ledger or {}).get(situation.pod)
    host, configured = situation.disk.host_id, situation.configured
    known = entry is not None and entry.state is EntryState.MEMBER and entry.host_id is not None
    if entry and known and entry.rack and entry.host_id == host:
        warning = (
            f"the ledger has host {host} in rack {entry.rack}, the settings say {configured}"
        )
        warnings = (warning,) if configured != entry.rack else ()
        return Rack(entry.rack, f"of host {host} in the ledger", warnings=warnings)
    if configured is None:
        return Refused(
            "this disk holds data and no setting names its rack: set SEEDPROVIDER_RACK"
        )
    return Rack(configured, "as configured, since the disk holds data from before")


def _new(
    situation: Situation, ledger: Mapping[PodName, Entry], nodes: tuple[Node, ...]
) -> Rack | Refused:
    members = [
        entry.rack
        for pod, entry in ledger.items()
        if pod != situation.pod and entry.state is EntryState.MEMBER and entry.rack
    ]
    zoned = {node.zone for node in nodes if node.zone}
    if members and zoned.isdisjoint(members):
        return _beside_other_racks(situation, sorted(set(members)))
    return _by_zones(situation, members, nodes)


def _beside_other_racks(situation: Situation, racks: list[str]) -> Rack | Refused:
    """Stay with a ring that does not take zones as racks."""
    if len(racks) == 1:
        warning = (
            f"all members are in rack {racks[0]}, which is no zone: zones are not used here"
        )
        return Rack(racks[0], "of all members", record=True, warnings=(warning,))
    if situation.override in racks:
        return Rack(situation.override, "CASSANDRA_RACK", record=True)
    return Refused(
        f"the members are in racks {', '.join(racks)}, none of which is a zone: set "
        "SEEDPROVIDER_RACK to say which this pod belongs to"
    )


def _by_zones(
    situation: Situation, members: list[str], nodes: tuple[Node, ...]
) -> Rack | Refused:
    own = next((node for node in nodes if node.name == situation.node), None)
    if own is None:
        return Refused(
            f"node {situation.node} is not among the cluster's nodes: NODE_NAME has to be "
            "spec.nodeName, and SEEDPROVIDER_NODE_SELECTOR, if set, has to match it"
        )
    zones = {
        node.zone for node in nodes if node.zone and (node is own or not node.control_plane)
    }
    if not zones:
        return _as_configured(situation, "as configured, since no node has a zone")
    if len(zones) == TWO and not situation.two_racks and zones.isdisjoint(members):
        warning = (
            "there are just two zones; as racks, one would hold two of three replicas of "
            "everything; SEEDPROVIDER_TWO_RACKS=yes takes them all the same"
        )
        return _as_configured(
            situation, "as configured, since there are just two zones", warning
        )
    if own.zone is None:
        return Refused(
            f"node {own.name} has no label topology.kubernetes.io/zone while others have: "
            "label it, or set SEEDPROVIDER_RACK; the first rack is for ever"
        )
    why = f"zone of node {own.name}"
    return Rack(own.zone, why, record=True, warnings=_new_rack_warning(own.zone, members))


def _new_rack_warning(rack: str, members: list[str]) -> tuple[str, ...]:
    if rack in members or len(members) < SETTLED_MEMBERS:
        return ()
    warning = (
        f"this is the first node of rack {rack} beside {len(members)} members: alone in its "
        "rack it takes far more of the data than they hold, until others join it there"
    )
    return (warning,)


def _as_configured(situation: Situation, why: str, *warnings: str) -> Rack | Refused:
    if situation.configured is None:
        return Refused("cassandra-rackdc.properties names no rack: set SEEDPROVIDER_RACK")
    return Rack(situation.configured, why, record=True, warnings=warnings)
