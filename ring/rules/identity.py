"""Rules about who is who: pods without members, members without pods, disks, addresses."""

from collections.abc import Iterator, Mapping
from itertools import chain

from ring.finding import Case, Finding, Kind, Severity
from ring.identity import Voice
from ring.members import Member
from ring.model import HostId, Liveness
from ring.objects import EntryState, Pod, StatefulSet
from ring.words import DiskState, Process

BLANK = frozenset({DiskState.EMPTY, DiskState.JOINING})


def pod_without_member(case: Case) -> Iterator[Finding]:
    """Find pods whose sidecar is heard and whose node is no member, nor on its way in."""
    snapshot = case.snapshot
    turn = snapshot.observed.turn.value
    for name, pod in (snapshot.pods or {}).items():
        said = snapshot.voices.get(name, Voice()).sidecar
        if name in snapshot.who.by_pod or pod.terminating or said is None:
            continue
        disk, waits = said.disk.state, bool(turn and turn.pod)
        yield Finding(
            kind=Kind.POD_WITHOUT_MEMBER,
            severity=Severity.INFO if waits and disk in BLANK else Severity.WARNING,
            what=f"{name} runs no member of the ring: its disk is {disk}",
            evidence={
                "pod": name,
                "disk": str(disk),
                "process": str(said.process),
                "turn": turn.pod if turn else None,
            },
            advice="Its Events say what it waits for, or why it was turned away.",
            commands=(case.kubectl(f"describe pod {name}"),),
        )


def member_without_pod(case: Case) -> Iterator[Finding]:
    """Find members that no existing pod is, besides those that are being replaced."""
    snapshot = case.snapshot
    if snapshot.pods is None:
        return
    pods = {*snapshot.pods, *(unread := snapshot.observed.pods.broken)}
    replaced = {each for pod, each in snapshot.who.lost.items() if pod in pods}
    nameless = bool(unread or snapshot.observed.ledger.broken)
    for each in snapshot.members:
        elsewhere = not each.pod and each.dc not in snapshot.near_dcs
        unknown = each.pod in unread if each.pod else nameless
        if each.exists or each.host_id in replaced or elsewhere or unknown:
            continue
        yield _ghost(case, each)


def _ghost(case: Case, member: Member) -> Finding:
    sets = _sets(case)
    wanting = [each.name for each in sets.values() if each.wants(member.pod)]
    where = f"{member.pod} does not exist" if member.pod else "no pod is known for it"
    evidence = {
        "member": str(member.host_id),
        "pod": member.pod or None,
        "address": member.address,
        "state": member.state,
        "wanted": bool(wanting) if sets else None,
        "tokens": len(member.tokens),
    }
    if member.liveness is Liveness.UP:
        return Finding(
            kind=Kind.MEMBER_WITHOUT_POD,
            severity=Severity.WARNING,
            what=f"Member {member.host_id} runs at {member.address}, and {where}",
            evidence=evidence,
            advice="A process of a pod that was deleted by force may still run, or the Service "
            "does not select the pod.",
            commands=(case.kubectl("get pods -o wide"),),
        )
    if wanting or member.liveness is Liveness.UNKNOWN or not _is_gone_for_good(case):
        return Finding(
            kind=Kind.MEMBER_WITHOUT_POD,
            severity=Severity.INFO if wanting else Severity.WARNING,
            what=f"Member {member.host_id} has no pod: {where}",
            evidence=evidence,
            advice="Its StatefulSet is to make the pod again; see why it does not."
            if wanting
            else "Remove nothing before it is known whether it runs and whether its pod is to "
            "come back.",
            commands=(case.kubectl("get statefulset,pods,events"),),
        )
    return Finding(
        kind=Kind.MEMBER_WITHOUT_POD,
        severity=Severity.WARNING,
        what=f"Member {member.host_id} has no pod and will get none: {where}",
        evidence=evidence,
        advice="It owns tokens and counts as a replica that is down. Scale up again to bring "
        "it back with its disk, or remove it for good and repair what it held.",
        commands=(case.nodetool(case.speaker(), f"removenode {member.host_id}"),),
    )


def _sets(case: Case) -> Mapping[str, StatefulSet]:
    observed, limit = case.snapshot.observed, case.snapshot.limits.kubernetes
    return observed.stateful_sets.fresh(limit) or {}


def _is_gone_for_good(case: Case) -> bool:
    """Say whether no pod, of those that are there or are to be, can be one that is missed.

    Each is another member or has a blank disk, and all that could say otherwise is known.
    """
    snapshot, sets = case.snapshot, _sets(case).values()
    if not sets or not snapshot.is_certain:
        return False
    if snapshot.observed.pods.broken or snapshot.observed.stateful_sets.broken:
        return False
    pods = snapshot.pods or {}
    wanted = (f"{each.name}-{n}" for each in sets for n in each.ordinals)
    return all(
        pod in snapshot.who.by_pod or (pod in pods and _is_blank(case, pod))
        for pod in chain(pods, wanted)
    )


def _is_blank(case: Case, pod: str) -> bool:
    said = case.snapshot.voices.get(pod, Voice()).sidecar
    return said is not None and said.disk.state in BLANK


def lost_disk(case: Case) -> Iterator[Finding]:
    """Find pods that are members by the ledger and whose disk is blank, lost or not there."""
    snapshot = case.snapshot
    ledger = snapshot.observed.ledger.fresh(snapshot.limits.kubernetes) or {}
    turn = snapshot.observed.turn.value
    for name, pod in (snapshot.pods or {}).items():
        entry = ledger.get(name)
        if entry is None or entry.host_id is None or entry.state is EntryState.LEFT:
            continue
        if not (how := _how_lost(case, pod, entry.pvc_uid)):
            continue
        begun = entry.state is EntryState.JOINING or (turn is not None and turn.pod == name)
        yield Finding(
            kind=Kind.LOST_DISK,
            severity=Severity.WARNING if begun else Severity.CRITICAL,
            what=f"{name} has lost the disk of member {entry.host_id}: {how}",
            evidence={
                "pod": name,
                "member": str(entry.host_id),
                "how": how,
                "pvcUid": entry.pvc_uid,
                "replacing": begun,
            },
            advice="It is being replaced: its data is streamed from the others."
            if begun
            else "It is replaced as soon as all running members see the old host down; its "
            "Events say what it waits for. Do not lose another replica meanwhile.",
            commands=(case.kubectl(f"describe pod {name}"),),
        )


def _how_lost(case: Case, pod: Pod, pvc_uid: str | None) -> str:
    snapshot = case.snapshot
    said = snapshot.voices.get(pod.name, Voice()).sidecar
    if said is not None:
        return f"its disk is {said.disk.state}" if said.disk.state in BLANK else ""
    claims = snapshot.observed.claims.fresh(snapshot.limits.kubernetes)
    if claims is None or pvc_uid is None:
        return ""
    claim = claims.get(pod.name)
    if pod.name in snapshot.observed.claims.broken:
        return ""
    if claim is None:
        return "its volume claim does not exist"
    return "its volume is lost" if claim.phase == "Lost" else ""


def address_swap(case: Case) -> Iterator[Finding]:
    """Find members that the ring knows at an address that another one's pod has now.

    That one cannot start: ``Gossiper.isSafeForStartup`` refuses an address of another host ID.
    """
    snapshot = case.snapshot
    takers = dict(_takers(case))
    for each in snapshot.members:
        taker = takers.get(each.host_id)
        if taker is None:
            continue
        address, other = snapshot.addresses[each.host_id], snapshot.who.by_pod[taker]
        may_exist = bool(each.pod) and each.exists is not False
        can_start = may_exist and each.pod not in takers.values()
        yield Finding(
            kind=Kind.ADDRESS_SWAP,
            severity=Severity.WARNING,
            what=f"{taker} has got {address}, at which the ring knows {each.name}",
            evidence={
                "pod": taker,
                "member": str(other),
                "address": address,
                "knownAs": str(each.host_id),
                "knownPod": each.pod or None,
            },
            advice=f"Cassandra in {taker} refuses to start while the ring has another host at "
            "its address. "
            + (
                f"Let {each.name} start first, at its own; see what keeps it."
                if can_start
                else f"{each.name} cannot start first: delete {taker} for another address."
            ),
            commands=(
                case.kubectl(f"describe pod {each.pod}") if can_start else case.restart(taker),
            ),
        )


def _takers(case: Case) -> Iterator[tuple[HostId, str]]:
    """Yield members with the pod of another one that has their address and does not run."""
    snapshot = case.snapshot
    holders = {pod.address: name for name, pod in (snapshot.pods or {}).items() if pod.address}
    for each in snapshot.members:
        taker = holders.get(snapshot.addresses.get(each.host_id, ""), "")
        other = snapshot.who.by_pod.get(taker)
        if other is not None and taker != each.pod and not snapshot.by_host[other].runs:
            yield each.host_id, taker


def host_id_twice(case: Case) -> Iterator[Finding]:
    """Find pods whose disks are of one member: a copy."""
    snapshot = case.snapshot
    for host, pods in snapshot.who.rivals.items():
        running = [
            pod
            for pod in pods
            if (said := snapshot.voices[pod].sidecar) and said.process is Process.ANSWERING
        ]
        yield Finding(
            kind=Kind.HOST_ID_TWICE,
            severity=Severity.CRITICAL,
            what=f"{' and '.join(pods)} have disks of one member, {host}",
            evidence={"member": str(host), "pods": list(pods), "running": running},
            advice="One disk is a copy of the other. Find out which (the ledger has the volume "
            "of the right one), stop the pod of the copy and empty its disk.",
            commands=tuple(case.kubectl(f"get configmap {pod}-member -o yaml") for pod in pods),
        )


RULES = (pod_without_member, member_without_pod, lost_disk, address_swap, host_id_twice)
