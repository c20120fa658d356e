"""What is to stop: pods by name or by Kubernetes node, and the members that they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from ring.errors import UnknownNodeError
from ring.identity import Voice
from ring.members import ENDED
from ring.model import HostId, Liveness, Node
from ring.objects import Pod, pod_order
from ring.snapshot import RingSnapshot
from ring.words import DiskState

HOLDS_NOTHING = frozenset({DiskState.EMPTY, DiskState.LEFT})


@dataclass(frozen=True, slots=True)
class Stopping:
    """What is to stop.

    Attributes:
        pods: in pod order; a member without a pod has none here.
        hosts: the members that they are.
        machine: Kubernetes node that is to be drained; empty where pods were named.

    """

    pods: tuple[str, ...]
    hosts: frozenset[HostId]
    machine: str = ""


def named(snapshot: RingSnapshot, names: Sequence[str]) -> Stopping:
    """Return pods by name, or by host ID or address of their member.

    Raises:
        UnknownNodeError: where a name is none of these.

    """
    by_pod, pods, hosts = snapshot.who.by_pod, set(), set()
    for name in names:
        known = snapshot.observed.pods
        if name in (known.value or {}) or name in known.broken or name in by_pod:
            pods.add(name)
            continue
        found = [
            each
            for each in snapshot.members
            if name and name.lower() in (str(each.host_id), each.address)
        ]
        if not found:
            raise UnknownNodeError(f"no pod of {snapshot.observed.service} is {name!r}")
        hosts |= {each.host_id for each in found}
        pods |= {each.pod for each in found if each.pod}
    return _stopping(snapshot, pods, hosts)


def on_machine(snapshot: RingSnapshot, machine: str) -> Stopping:
    """Return all pods on a Kubernetes node; it may have none.

    Raises:
        UnknownNodeError: where there is no such node as far as it is known.

    """
    pods = snapshot.observed.pods.value or {}
    here = {
        name for name, pod in pods.items() if pod.machine == machine and pod.phase not in ENDED
    }
    machines = snapshot.observed.machines
    there = {*(machines.value or {}), *machines.broken}
    if not machine or (not here and machine not in there):
        raise UnknownNodeError(f"no Kubernetes node is {machine!r}")
    return _stopping(snapshot, here, set(), machine)


def _stopping(
    snapshot: RingSnapshot, pods: set[str], hosts: set[HostId], machine: str = ""
) -> Stopping:
    by_pod = snapshot.who.by_pod
    hosts |= {by_pod[pod] for pod in pods if pod in by_pod}
    return Stopping(tuple(sorted(pods, key=pod_order)), frozenset(hosts), machine)


def as_counted(snapshot: RingSnapshot) -> tuple[Node, ...]:
    """Return the ring's nodes as they may be relied on."""
    by_host = snapshot.by_host
    return tuple(
        node.as_liveness(by_host[node.host_id].counted) for node in snapshot.ring.nodes
    )


def takes_nothing(snapshot: RingSnapshot, stopping: Stopping, *, cut: bool) -> bool:
    """Say whether all that is to stop is known to serve nothing and to be on no way in.

    While the network is ``cut`` a running member serves its own side, though a majority may
    see it down.
    """
    if stopping.machine and not snapshot.observed.pods.is_whole(snapshot.limits.kubernetes):
        return False  # more pods may be there than are known
    by_pod = snapshot.who.by_pod
    others = [pod for pod in stopping.pods if pod not in by_pod]
    turn = snapshot.observed.turn.value
    members = [snapshot.by_host[host] for host in stopping.hosts]
    return (
        all(each.liveness is Liveness.DOWN and not (cut and each.runs) for each in members)
        and all(is_blank(snapshot, pod) for pod in others)
        and not (turn and turn.pod in stopping.pods)
    )


def is_blank(snapshot: RingSnapshot, name: str) -> bool:
    """Say whether a pod that is no member is known to hold no data of the ring.

    It has no machine yet, or has ended; or its sidecar says so of its disk.
    """
    pod: Pod | None = (snapshot.pods or {}).get(name)
    if pod is not None and (pod.phase in ENDED or not pod.machine):
        return True
    said = snapshot.voices.get(name, Voice()).sidecar
    return said is not None and said.disk.state in HOLDS_NOTHING
