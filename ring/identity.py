"""Which pod runs which member: what sidecars, disks and the ledger say, put together.

A pod's last word on who it is holds however old it is, because a pod keeps its disk; whether it
runs is another question, and only a fresh word answers that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ring.model import HostId
from ring.objects import Entry, EntryState, Ledger, pod_order
from ring.observed import Observation
from ring.reading import Limits, Reading
from ring.words import IDLE_MODES, DiskState, Facts, Heartbeat, Sidecar, Sight


@dataclass(frozen=True, slots=True)
class Voice:
    """A pod's sidecar, as it counts.

    Attributes:
        last: the last answer of this very pod; None where there is none.
        sidecar: the same where it is fresh.
        heartbeat: the node's own word in it, where that is fresh too.
        age: seconds since the node's word.

    """

    last: Sidecar | None = None
    sidecar: Sidecar | None = None
    heartbeat: Heartbeat | None = None
    age: float | None = None

    @property
    def host_id(self) -> HostId | None:
        """Who the node says it is."""
        said = self.heartbeat
        return said.host_id if said and said.mode not in IDLE_MODES else None

    @property
    def was(self) -> HostId | None:
        """Who the pod's disk says it is, or the node once said."""
        if self.last is None:
            return None
        if self.last.disk.state is DiskState.MEMBER and self.last.disk.host_id:
            return self.last.disk.host_id
        said = self.last.heartbeat
        return said.host_id if said and said.mode not in IDLE_MODES else None


def voices(observed: Observation, limits: Limits) -> dict[str, Voice]:
    """Weigh the sidecars' answers, of existing pods and of those that may exist."""
    pods = observed.pods.fresh(limits.kubernetes)
    found = {}
    for pod in sorted(observed.sidecars, key=pod_order):
        reading = observed.sidecars[pod]
        said = reading.value
        known = pods.get(pod) if pods is not None else None
        gone = pods is not None and known is None and pod not in observed.pods.broken
        other = said is not None and known is not None and said.pod_uid != known.uid
        found[pod] = Voice() if gone or other else _voice(pod, reading, limits)
    return found


def _voice(pod: str, reading: Reading[Sidecar], limits: Limits) -> Voice:
    said = reading.value
    if said is None or said.pod != pod or reading.age is None:
        return Voice()
    if not reading.is_fresh(limits.sidecar):
        return Voice(said)
    if said.heartbeat is None:
        return Voice(said, said)
    age = reading.age + said.heartbeat.age
    return Voice(said, said, said.heartbeat if age <= limits.sidecar else None, age)


@dataclass(frozen=True)
class Identities:
    """Who is who.

    Attributes:
        pods: the pod of each member that has one.
        rivals: members that several pods say they are, with these pods.
        lost: the member whose place a pod's new disk takes, by pod.
        hosts: every member, those with pods first and in their order.

    """

    pods: Mapping[HostId, str]
    rivals: Mapping[HostId, tuple[str, ...]]
    lost: Mapping[str, HostId]
    hosts: tuple[HostId, ...]

    @cached_property
    def by_pod(self) -> Mapping[str, HostId]:
        """The member of each pod that has one."""
        return {pod: host for host, pod in self.pods.items()}


def identities(observed: Observation, heard: Mapping[str, Voice], limits: Limits) -> Identities:
    """Join pods and members: the node's own word first, then its disk, then the ledger.

    A pod whose node speaks is whom it says it is: a disk or an entry that says otherwise is a
    finding.
    """
    ledger = observed.ledger.value or {}
    known = _known(observed, heard, limits)
    live = {pod: voice.host_id for pod, voice in heard.items() if voice.host_id}
    mute = [pod for pod in sorted({*heard, *ledger}, key=pod_order) if pod not in live]
    of_disk: dict[str, HostId] = {}
    of_entry: dict[str, HostId] = {}
    for pod in mute:
        was, entry = heard.get(pod, Voice()).was, ledger.get(pod)
        if was and (was in known or _agrees(entry, was)):
            of_disk[pod] = was
        elif entry and entry.host_id and entry.state is not EntryState.LEFT:
            of_entry[pod] = entry.host_id
    claimed = _by_host((*live.items(), *of_disk.items()))
    pod_of = {host: pods[0] for host, pods in claimed.items()}
    for pod, host in of_entry.items():
        pod_of.setdefault(host, pod)
    members = _of_entries(ledger, EntryState.MEMBER).values()
    first = sorted(pod_of, key=lambda host: pod_order(pod_of[host]))
    rest = sorted({*known, *members} - {*pod_of})
    lost = _of_entries(ledger, EntryState.JOINING)
    rivals = {host: tuple(pods) for host, pods in claimed.items() if len(pods) > 1}
    return Identities(pod_of, rivals, lost, (*first, *rest))


def _agrees(entry: Entry | None, was: HostId) -> bool:
    """Say whether the ledger says nothing else than a pod's disk."""
    if entry is None:
        return True
    return entry.state is not EntryState.LEFT and entry.host_id in (None, was)


def _of_entries(ledger: Ledger, state: EntryState) -> dict[str, HostId]:
    """Return hosts of entries in a state, by pod."""
    several = ledger.values()
    return {each.pod: each.host_id for each in several if each.host_id and each.state is state}


def _by_host(pairs: Iterable[tuple[str, HostId]]) -> dict[HostId, list[str]]:
    found: dict[HostId, list[str]] = {}
    for pod, host in pairs:
        found.setdefault(host, []).append(pod)
    return found


def _known(
    observed: Observation, heard: Mapping[str, Voice], limits: Limits
) -> dict[HostId, None]:
    """Return all that running nodes know; what they once knew only where none is heard."""
    fresh = [voice.heartbeat.sight for voice in heard.values() if voice.heartbeat]
    sights = _distinct(fresh) or _distinct(
        [v.last.heartbeat.sight for v in heard.values() if v.last and v.last.heartbeat]
    )
    known = {host: None for hosts in sights for host in hosts}
    if known:
        return known  # tables of peers keep rows of nodes that are gone; gossip goes first
    facts = fresh_facts(observed, limits)
    rows = [row for each in facts for row in (each.local, *each.peers)]
    return {row.host_id: None for row in rows}


def _distinct(sights: list[Sight | None]) -> list[tuple[HostId, ...]]:
    """Return columns of hosts, each object once: most nodes share one."""
    return list({id(sight.hosts): sight.hosts for sight in sights if sight}.values())


def fresh_facts(observed: Observation, limits: Limits) -> list[Facts]:
    """Return what contact nodes say by CQL, the most recent first; old words if all are old."""
    read = [r for r in observed.facts.values() if r.value is not None and r.age is not None]
    fresh = [reading for reading in read if reading.is_fresh(limits.cql)] or read
    fresh.sort(key=lambda reading: reading.age or 0.0)
    return [reading.value for reading in fresh if reading.value is not None]
