"""Who comes in with a blank disk: as a new member, or in the place of a lost one.  Pure.

The rows of the table in docs/architecture.md for disks that are ``empty`` or ``joining``. Each
needs the API server to have answered for this very question (`View.live`): a blank disk that is
let in wrongly splits a ring or loses data, one that waits costs time.
"""

from dataclasses import dataclass, replace

from seedprovider import evidence, selection
from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Rule,
    Seeds,
    TakeTurn,
    Withheld,
    WriteEntry,
)
from seedprovider.founding import as_founder, found, waiting_for
from seedprovider.model import (
    Address,
    Asker,
    DiskState,
    Endpoint,
    Entry,
    EntryState,
    HostId,
    Live,
    PeerState,
    PodName,
    Record,
    RingId,
    View,
    pod_order,
)


@dataclass(frozen=True, slots=True)
class _Case:
    """One blank disk before one ring; `members` are the confirmed ones but the asker."""

    asker: Asker
    view: View
    live: Live
    record: Record
    members: tuple[Endpoint, ...]
    count: int

    @property
    def ring(self) -> RingId:
        return self.record.ring_id


def admit(asker: Asker, view: View, policy: Policy) -> Decision:
    """Decide for a blank disk; nothing is answered that was not promised before a last look.

    An answer takes a moment to reach the node and its mark. Whoever looks in that moment has
    to see it coming, or could found a second ring; whoever looked before is seen by this one.
    """
    decision = _admit(asker, view, policy)
    ring = decision.ring_id if isinstance(decision, Seeds) else None
    step = _promise(asker, ring) if ring else None
    return Act(step=step, rule=decision.rule, reason=decision.reason) if step else decision


def _promise(asker: Asker, ring: RingId) -> Promise | None:
    return None if asker.promised == ring else Promise(ring)


def _admit(asker: Asker, view: View, policy: Policy) -> Decision:
    live, record = view.live, view.record
    if live is None or not view.record_known:
        return Withheld(
            rule=Rule.API_AWAY,
            reason="an empty disk is let in after a look at the API server, and that fails",
        )
    if live.paused is not None:
        return Withheld(
            rule=Rule.PAUSED,
            reason=f"paused ({live.paused}): nobody new is let in until the annotation "
            "cassandra-k8s-ring.io/pause is taken from the Service",
        )
    if asker.pvc_uid is None or live.volumes.get(asker.pod) != asker.pvc_uid:
        return without_volume(asker.pod)
    if record is None:
        return found(asker, view, live, policy.founding_grace)
    founder = as_founder(asker, view, live, record)
    if founder is not None:
        return founder
    members = tuple(
        member
        for member in evidence.confirmed(view, record.ring_id)
        if member.pod != asker.pod and member.address != asker.address
    )
    case = _Case(asker, view, live, record, members, policy.seeds_per_dc)
    entry = evidence.ledger_members(view, record.ring_id).get(asker.pod)
    if entry is not None and entry.host_id is not None:
        return _replace(case, entry, entry.host_id)
    return _join(case)


def without_volume(pod: PodName) -> Withheld:
    """Withhold where the asker's own volume is not known: nothing can be said of its disk."""
    return Withheld(
        rule=Rule.VOLUME_UNKNOWN,
        reason=f"the volume claim of {pod} is not found: SEEDPROVIDER_CLAIM has to name the "
        "StatefulSet's claim template, and the service account to be allowed to get and list "
        "persistentvolumeclaims",
    )


def _join(case: _Case) -> Decision:
    reason = _unsettled(case) or _rack_before(case) or _turn_taken(case)
    if reason is not None:
        return Withheld(rule=Rule.JOIN_WAIT, reason=reason)
    asker, ring = case.asker, case.ring
    step = _claim(case, None) or _promise(asker, ring) or _turn_step(case)
    if step is not None:
        return Act(step=step, rule=Rule.JOIN, reason=f"{asker.pod} joins ring {ring}")
    return Seeds(
        seeds=_seeds(case),
        ring_id=ring,
        rule=Rule.JOIN,
        reason=f"joins ring {ring}: confirmed members, itself left out",
    )


def _unsettled(case: _Case) -> str | None:
    """Say why the ring is not *settled*; None if it is.

    Settled: there are confirmed members, each member that the ledger or one of them knows is
    among these, and none is joining, leaving or moving.
    """
    view, ring = case.view, case.ring
    ledger = evidence.ledger_members(view, ring)
    if not case.members:
        if ledger:
            return f"no member of ring {ring} is up and confirmed by its sidecar"
        return waiting_for(case.asker, view, case.live, case.record)
    hosts = {view.reports[member.pod].disk.host_id for member in case.members}
    for pod, entry in sorted(ledger.items(), key=lambda item: pod_order(item[0])):
        if _is_gone(case, pod, entry.host_id):
            continue
        if entry.host_id not in hosts:
            return f"waiting for member {pod}: {_doubt_of(view, pod, ring)}"
    for member in case.members:
        restless = _restless(case, member.pod, hosts)
        if restless is not None:
            return restless
    return None


def _is_gone(case: _Case, pod: PodName, host: HostId | None) -> bool:
    """Whether a pod was scaled away with its volume, and its host is no member any more."""
    live = case.live
    if pod in live.pods or live.volumes.get(pod) is not None:
        return False
    return host is None or not evidence.maps_as_member(case.view, case.ring, host)


def _pod_at(view: View, address: Address) -> PodName | None:
    return next((each.pod for each in view.endpoints if each.address == address), None)


def _doubt_of(view: View, pod: PodName, ring: RingId) -> str:
    for endpoint in view.endpoints:
        if endpoint.pod == pod:
            return evidence.doubt(view, endpoint, ring) or "its host ID is not the ledger's"
    return "it has no address"


def _restless(case: _Case, member: PodName, hosts: set[HostId | None]) -> str | None:
    """Say what this member sees that forbids a join; None if all that it sees is calm."""
    peers = evidence.peers_of(case.view, member)
    if peers is None:
        return f"{member} has not said yet whom it sees"
    for peer in peers:
        # Its own last attempt to join lingers in gossip, and is no other's.
        if peer.host_id == case.asker.disk.host_id:
            continue
        if peer.state is not PeerState.NORMAL:
            return f"{peer.host_id} at {peer.address} is {peer.state}"
        if peer.host_id not in hosts:
            pod = _pod_at(case.view, peer.address)
            if pod is not None and not evidence.proven_stopped(case.view, pod):
                return f"waiting for {pod}: {_doubt_of(case.view, pod, case.ring)}"
            return (
                f"{member} knows a member {peer.host_id} at {peer.address} that no pod runs: "
                "bring it back, or remove it with nodetool removenode"
            )
        if peer.up is not True:
            return f"{member} does not see {peer.host_id} at {peer.address} up"
    return None


def _rack_before(case: _Case) -> str | None:
    """Name a pod that waits to be the first of its rack, where the asker's rack has a node.

    Each rack gets one node before any gets two. A ring that has more racks than one and fewer
    than the replication factor it allocates tokens for lets no second node into a rack: that
    node ends with a ConfigurationException (``TokenAllocation.createStrategy``).
    """
    view, ledger = case.view, evidence.ledger_members(case.view, case.ring)
    racks = evidence.racks_of(view)
    begun = {racks[member.pod] for member in case.members if member.pod in racks}
    if _rack_kept(view, case.asker.pod) not in begun:
        return None
    for endpoint in view.endpoints:
        pod = endpoint.pod
        rack = _rack_kept(view, pod)
        if rack is None or rack in begun or pod in ledger:
            continue
        if evidence.proven_coming(view, pod):
            return f"{pod} goes first: it will be the first node of rack {rack}"
    return None


def _rack_kept(view: View, pod: PodName) -> str | None:
    report = evidence.fresh_report(view, pod)
    return report.rack if report else None


def _turn_taken(case: _Case) -> str | None:
    """Say who has the join turn; None if it is free, the asker's, or provably done with.

    The clock alone frees nothing: a holder that was frozen past its Lease still joins on.
    """
    turn = case.live.turn
    if turn.holder == (case.asker.pod, case.asker.uid):
        return None
    if turn.holder is None:
        return _turn_lost(case) if turn.version is None else None
    pod, uid = turn.holder
    if case.live.pods.get(pod) != uid:
        return None
    entry = evidence.ledger_of(case.view, case.ring).get(pod)
    done = entry is not None and entry.state is not EntryState.JOINING and entry.pod_uid == uid
    if done or evidence.proven_stopped(case.view, pod):
        return None
    # Decommissioned right after it came in, and its entry, which would say so, was deleted.
    if evidence.proven_left(case.view, pod):
        return None
    # One that waits may wait for us; whoever goes on has promised before it took the turn.
    if evidence.proven_waiting(case.view, pod):
        return None
    return f"{pod} is joining: one after the other"


def _turn_lost(case: _Case) -> str | None:
    """Say who may be coming in where there is no Lease, so that nobody's turn is on record.

    It may have been deleted, and the ledger entry of its holder as well: then the holder's own
    sidecar alone knows. Before a ring's first join there is none either; a sidecar that is
    silent then is waited for, as it is to found a ring.
    """
    view, settled = case.view, {case.asker.pod, *(member.pod for member in case.members)}
    joining = {
        pod
        for pod, entry in evidence.ledger_of(view, case.ring).items()
        if entry.state is EntryState.JOINING
    }
    for pod in sorted(joining | {each.pod for each in view.endpoints}, key=pod_order):
        if pod in settled or not _may_join(case, pod):
            continue
        return f"{pod} may be joining, and nobody has the turn: one after the other"
    return None


def _may_join(case: _Case, pod: PodName) -> bool:
    view = case.view
    report = evidence.fresh_report(view, pod)
    if report is None and case.live.approved_founder is not None:
        return False  # an operator has given up what is silent
    if report is not None and report.disk.state in {DiskState.MEMBER, DiskState.LEFT}:
        return False
    return not (evidence.proven_stopped(view, pod) or evidence.proven_waiting(view, pod))


def _claim(case: _Case, host: HostId | None) -> WriteEntry | None:
    """Return the ledger entry that is still to be written before the turn is taken.

    It says ``joining`` also for a lost disk, whose host ID it keeps: an entry that still said
    ``member`` would pass for the end of the very turn that it is written for.
    """
    asker = case.asker
    present = case.view.ledger.get(asker.pod)
    if present is not None and (
        (present.ring_id, present.pod_uid, present.pvc_uid, present.host_id, present.state)
        == (case.ring, asker.uid, asker.pvc_uid, host, EntryState.JOINING)
    ):
        return None
    return WriteEntry(
        Entry(
            pod=asker.pod,
            ring_id=case.ring,
            pod_uid=asker.uid,
            pvc_uid=asker.pvc_uid,
            host_id=host,
            state=EntryState.JOINING,
            addresses=present.addresses if present else (),
            version=present.version if present else None,
        )
    )


def _turn_step(case: _Case) -> TakeTurn | None:
    """Take the turn, also where the asker has it from an earlier start.

    Whoever found that start ended may be about to take it over: of the two compare-and-swaps
    one fails, and its pod looks anew.
    """
    holder, turn = (case.asker.pod, case.asker.uid), case.live.turn
    taken = turn.version is not None and turn.version == case.asker.turn_version
    return None if taken else TakeTurn(holder, turn)


def _replace(case: _Case, entry: Entry, lost: HostId) -> Decision:
    """Let a pod whose disk was lost take the place of the host that it was."""
    asker = case.asker
    reason = _still_alive(case, lost) or _turn_taken(case)
    if reason is not None:
        return Withheld(rule=Rule.REPLACE_WAIT, reason=reason)
    places = _places(case, lost)
    if len(places) > 1:
        return Withheld(
            rule=Rule.REPLACE_WAIT,
            reason=f"the members disagree about where lost host {lost} was: "
            + ", ".join(sorted(places)),
        )
    step = _claim(case, lost) or _promise(asker, case.ring) or _turn_step(case)
    if step is not None:
        reason = f"{asker.pod} lost its disk, host ID {lost}"
        return Act(step=step, rule=Rule.REPLACE, reason=reason)
    if not places:
        return Act(
            step=WriteEntry(replace(entry, host_id=None)),
            rule=Rule.REPLACE_CLOSED,
            reason=f"no member knows lost host {lost} any more, or it runs on in another pod: "
            f"{asker.pod} joins as new",
        )
    (address,) = places
    hibernates = (
        f", its own: if Cassandra ends as it cannot contact any seeds, delete {asker.pod}, so "
        "that it gets another"
    )
    return Seeds(
        seeds=_seeds(case),
        ring_id=case.ring,
        rule=Rule.REPLACE,
        reason=f"takes the place of lost host {lost}, last at {address}"
        f"{hibernates if address == asker.address else ''}",
        replace=address,
    )


def _still_alive(case: _Case, lost: HostId) -> str | None:
    """Say why the lost host may not be replaced yet; None if every voice has it down."""
    if not case.members:
        return (
            f"this pod's disk, host ID {lost}, is lost, and no running member of ring "
            f"{case.ring} is confirmed that could give its data back"
        )
    if _lives_on(case, lost):
        return None
    for member in case.members:
        objection = _sees_alive(case, member.pod, lost) or _hears_unheard(
            case, member.pod, lost
        )
        if objection is not None:
            return objection
    heard = {member.pod for member in case.members} | {case.asker.pod}
    for pod in sorted(evidence.ledger_members(case.view, case.ring), key=pod_order):
        if pod not in heard and not evidence.proven_no_member(case.view, pod):
            return f"{pod} may be running and has not said whether it sees host {lost} down"
    return None


def _places(case: _Case, lost: HostId) -> frozenset[Address]:
    """Return where the members have a host whose place may be taken."""
    none = frozenset[Address]()
    return none if _lives_on(case, lost) else evidence.addresses_of(case.view, case.ring, lost)


def _lives_on(case: _Case, lost: HostId) -> bool:
    """Whether a confirmed member runs the host, on a copy of the disk that was lost."""
    return any(case.view.reports[each.pod].disk.host_id == lost for each in case.members)


def _sees_alive(case: _Case, member: PodName, lost: HostId) -> str | None:
    peers = evidence.peers_of(case.view, member)
    if peers is None:
        return f"{member} has not said yet whom it sees"
    for peer in peers:
        if peer.host_id == lost:
            if peer.up is not False:
                return f"{member} does not see lost host {lost} down yet"
        elif peer.host_id != case.asker.disk.host_id and peer.state is not PeerState.NORMAL:
            return f"{peer.host_id} at {peer.address} is {peer.state}"
    return None


def _hears_unheard(case: _Case, member: PodName, lost: HostId) -> str | None:
    """Name a node that this member does not see down and that has no say here.

    Its ledger entry may be gone, and its sidecar silent: it may be in touch with the lost host.
    """
    known = {case.view.reports[each.pod].disk.host_id for each in case.members}
    known |= {lost, case.asker.disk.host_id}  # this very host, and its own last attempt
    for peer in evidence.peers_of(case.view, member) or ():
        if peer.host_id not in known and peer.up is not False:
            return (
                f"{peer.host_id} at {peer.address} may be running and has not said whether it "
                f"sees host {lost} down"
            )
    return None


def _seeds(case: _Case) -> tuple[Address, ...]:
    """Return confirmed members without the asker; not empty, as `case.members` is not."""
    steady = [member for member in case.members if not member.terminating]
    racks = evidence.racks_of(case.view)
    chosen = selection.choose(steady or case.members, racks, case.count)
    return tuple(dict.fromkeys(endpoint.address for endpoint in chosen))
