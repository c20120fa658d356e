"""From what a real sidecar saw and decided to the model's numbers: `seeing` the other way."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import NamedTuple

from seedprovider import evidence
from seedprovider.decision import (
    Act,
    Decision,
    Promise,
    Refused,
    Seeds,
    Step,
    TakeTurn,
    WriteEntry,
    WriteRecord,
)
from seedprovider.model import (
    Asker,
    Disk,
    DiskState,
    Entry,
    Heartbeat,
    Peer,
    PeerState,
    Process,
    Record,
    Report,
    Turn,
    View,
)
from tests.model import seeing, values
from tests.model import state as m
from tests.model.deciding import Told

FIRST = 1000
"""Real names are numbers from here on, so that they never meet the model's new ones."""
ALTERNATIVES = 64
"""Most ways to put one view into the model's terms that are tried."""
RUNS = {
    "STARTING": m.WAITING,
    "JOINING": m.JOINING,
    "NORMAL": m.NORMAL,
    "DECOMMISSIONED": m.GONE,
}


class Numbers(dict[str | None, int]):
    """A number for each name, None is `none`."""

    def __init__(self, none: int) -> None:
        super().__init__({None: none})

    def __missing__(self, name: str | None) -> int:
        number = self[name] = FIRST + len(self)
        return number


@dataclass
class Names:
    """Who is who.

    Attributes:
        pods: number by name, which is the place in `World.pods`.
        uids, claims: the present UID of each pod and of its volume.

    """

    pods: dict[str, int] = field(default_factory=dict)
    addresses: Numbers = field(default_factory=lambda: Numbers(m.NO_ADDRESS))
    hosts: Numbers = field(default_factory=lambda: Numbers(0))
    rings: Numbers = field(default_factory=lambda: Numbers(0))
    uids: dict[int, str | None] = field(default_factory=dict)
    claims: dict[int, str | None] = field(default_factory=dict)

    def pod(self, name: str) -> int:
        """Return a pod's number: its ordinal where nobody has that yet, else the next."""
        number = self.pods.get(name)
        if number is None:
            text = name.rpartition("-")[2]
            taken = set(self.pods.values())
            wanted = int(text) if text.isdecimal() else len(taken)
            while wanted in taken:
                wanted += 1
            number = self.pods[name] = wanted
        return number

    def called(self, n: int) -> str:
        """Return a pod's name."""
        return next((name for name, number in self.pods.items() if number == n), f"pod {n}")

    # -- objects ------------------------------------------------------------------------------

    def disk(self, disk: Disk) -> m.Disk:
        """Return a disk without what only the model knows; an unknown one as empty."""
        if disk.state in {DiskState.UNMARKED, DiskState.UNKNOWN}:
            return m.Disk(m.UNMARKED if disk.state is DiskState.UNMARKED else m.EMPTY)
        kind = values.DISKS.index(disk.state)
        return m.Disk(kind, self.rings[disk.ring_id], self.hosts[disk.host_id])

    def record(self, record: Record | None) -> tuple:
        """Return the ring record."""
        if record is None:
            return ()
        founder = self.pod(record.founder)
        uid = record.founder_pvc_uid
        adopted = [
            self.pod(pod)
            for pod, claim in record.adopted
            if claim is not None and claim == self.claims.get(self.pod(pod))
        ]
        return m.Record(
            self.rings[record.ring_id],
            founder,
            uid is not None and uid == self.claims.get(founder),
            values.ORIGINS.index(record.how),
            tuple(sorted(adopted)),
        )

    def entry(self, entry: Entry | None) -> tuple:
        """Return a ledger entry."""
        if entry is None:
            return ()
        n = self.pod(entry.pod)
        return m.Entry(
            self.rings[entry.ring_id],
            entry.pod_uid == self.uids.get(n),
            entry.pvc_uid is not None and entry.pvc_uid == self.claims.get(n),
            self.hosts[entry.host_id],
            values.ENTRIES.index(entry.state),
            self.addresses[entry.addresses[0].address if entry.addresses else None],
        )

    def turn(self, turn: Turn) -> tuple:
        """Return the join turn."""
        if turn.version is None:
            return ()
        if turn.holder is None:
            return (-1, False)
        n = self.pod(turn.holder[0])
        return (n, turn.holder[1] == self.uids.get(n))

    def step(self, step: Step, fresh: str) -> tuple:
        """Return a step; `fresh` is the ring ID that would be new."""
        match step:
            case WriteRecord(record):
                number = self.record(record)
                return (m.RECORD, number._replace(ring=self.ring(record.ring_id, fresh)))
            case WriteEntry(entry):
                return (m.ENTRY, self.entry(entry), self.pod(entry.pod))
            case TakeTurn():
                return (m.TURN,)
            case Promise(ring):
                return (m.PROMISE, self.ring(ring, fresh))

    def ring(self, ring: str | None, fresh: str) -> int:
        """Return a ring's number, `NEW` for one that is not founded yet."""
        return m.NEW if ring == fresh and ring not in self.rings else self.rings[ring]

    def told(self, decision: Decision, fresh: str) -> Told:
        """Return a decision."""
        match decision:
            case Seeds(seeds=seeds, ring_id=ring, replace=replaced, rule=rule, reason=reason):
                places = tuple(sorted(self.addresses[each] for each in seeds))
                answer = (m.ANSWER, places, self.addresses[replaced], self.rings[ring])
                return Told(answer, rule.value, reason)
            case Act(step=step, rule=rule, reason=reason):
                return Told(self.step(step, fresh), rule.value, reason)
            case Refused(rule=rule, reason=reason):
                return Told((), rule.value, reason, refused=True)
            case _:
                return Told((), decision.rule.value, decision.reason)


class Plain(NamedTuple):
    """A question in the model's world: without racks, clocks and what a cache remembers."""

    asker: Asker
    view: View


def plain(asker: Asker, view: View) -> Plain:
    """Take from a question what the model leaves out (decisions/0012)."""
    reports = {
        pod: replace(report, heartbeat=replace(report.heartbeat, rack=None))
        if report.heartbeat
        else report
        for pod, report in view.reports.items()
    }
    everybody = tuple(endpoint.address for endpoint in view.endpoints)
    configured = everybody if asker.configured else ()
    return Plain(
        replace(asker, waiting=1e6, configured=configured),
        replace(
            view,
            endpoints=tuple(
                replace(each, serving=True, terminating=False, zone=None)
                for each in view.endpoints
            ),
            reports=reports,
            ledger={pod: replace(entry, rack=None) for pod, entry in view.ledger.items()},
            last_good=(),
        ),
    )


def without_ending(view: View) -> View:
    """Take pods that are being deleted from a view."""
    ending = {endpoint.pod for endpoint in view.endpoints if endpoint.terminating}
    reports = {pod: each for pod, each in view.reports.items() if pod not in ending}
    endpoints = tuple(each for each in view.endpoints if not each.terminating)
    return replace(view, reports=reports, endpoints=endpoints)


def sights(names: Names, size: int, asker: Asker, view: View) -> Iterator[seeing.Sight]:
    """Give the ways to put a view into the model's terms, the likeliest first.

    More than one where the real view is finer: a process of which nothing is known yet is, to
    the model, one that has not started or whose sidecar is silent.
    """
    n = names.pod(asker.pod)
    own = view.reports.get(asker.pod)
    options: list[tuple[tuple, ...]] = [((),)] * size
    for pod in view.reports:
        report = evidence.fresh_report(view, pod)
        if report is not None and names.pod(pod) < size:
            options[names.pod(pod)] = tuple(words(names, report))
    mine = tuple(words(names, own))[:1] if own else ()
    here = names.addresses[asker.address]
    options[n] = mine or (m.Word(True, here, names.disk(asker.disk), m.WAITING, 0, ()),)  # noqa: FBT003
    live = view.live
    claim = asker.pvc_uid is not None
    if live is not None:
        claim = claim and live.volumes.get(asker.pod) == asker.pvc_uid
    took = live is not None and asker.turn_version is not None
    for chosen in islice(product(*options), ALTERNATIVES):
        yield seeing.Sight(
            n,
            names.disk(asker.disk),
            here,
            claim,
            took and live is not None and live.turn.version == asker.turn_version,
            names.rings[asker.promised],
            chosen,
            tuple(names.addresses[each] for each in view.strangers),
            known(names, size, view),
        )


def known(names: Names, size: int, view: View) -> seeing.Known:
    """Return what the API server says, or a watch or a cache said last."""
    addresses, ledger = [m.NO_ADDRESS] * size, [()] * size
    for endpoint in view.endpoints:
        if names.pod(endpoint.pod) < size:
            addresses[names.pod(endpoint.pod)] = names.addresses[endpoint.address]
    for pod, entry in view.ledger.items():
        if names.pod(pod) < size:
            ledger[names.pod(pod)] = names.entry(entry)
    record, live = names.record(view.record), view.live
    if live is None:
        source = values.SOURCES.index(view.source)
        return seeing.Known(tuple(addresses), record, tuple(ledger), source)
    pods = {names.pod(pod) for pod in live.pods}
    claims = {names.pod(pod) for pod, uid in live.volumes.items() if uid is not None}
    approved = live.approved_founder
    return seeing.Known(
        tuple(addresses),
        record,
        tuple(ledger),
        m.WATCHED,
        tuple(k in pods for k in range(size)),
        tuple(k in claims for k in range(size)),
        names.turn(live.turn),
        live.paused is not None,
        -1 if approved is None else names.pod(approved),
    )


def words(names: Names, report: Report) -> Iterator[tuple]:
    """Give what a sidecar said in the model's terms; () is silence."""
    beat = evidence.fresh_heartbeat(report)
    present = report.pod_uid == names.uids.get(names.pod(report.pod))
    disk = names.disk(report.disk)
    if disk.kind == m.UNMARKED:
        disk = m.Disk(m.UNMARKED)
    address = names.addresses[(beat and beat.address) or report.address]
    for run in runs(report.process, beat):
        host = names.hosts[beat.host_id] if beat and run >= m.JOINING else 0
        peers = _peers(names, beat.peers or ()) if beat and run == m.NORMAL else ()
        yield m.Word(present, address, disk, run, host, peers)
    if beat is None or beat.mode not in RUNS:
        yield ()


def runs(process: Process, beat: Heartbeat | None) -> tuple[int, ...]:
    """Return what the model may call the process."""
    if beat is not None:
        return (RUNS.get(beat.mode, m.JOINING),)
    match process:
        case Process.STOPPED:
            return (m.STOPPED,)
        case Process.STARTING:
            return (m.WAITING,)
        case Process.UNKNOWN:
            return (m.STOPPED, m.WAITING)
        case Process.ANSWERING:
            return (m.JOINING,)


def _peers(names: Names, peers: tuple[Peer, ...]) -> tuple[m.Peer, ...]:
    return tuple(
        sorted(
            m.Peer(
                names.hosts[each.host_id],
                names.addresses[each.address],
                each.state is not PeerState.NORMAL,
                bool(each.up),
            )
            for each in peers
        )
    )


def outside(view: View) -> list[str]:
    """Say what in a view the model has no word for."""
    found = []
    for pod, report in sorted(view.reports.items()):
        beat = evidence.fresh_heartbeat(report)
        if report.disk.state is DiskState.UNKNOWN:
            found.append(f"the disk of {pod} cannot be read")
        if beat is None and report.process is Process.ANSWERING:
            found.append(f"{pod} answers and sends no heartbeat")
        if beat is None:
            continue
        if beat.mode not in RUNS:
            found.append(f"{pod} is {beat.mode}")
        if report.process is Process.UNKNOWN:
            found.append(f"the sidecar of {pod} does not know what its node was told")
        if beat.disk.is_blank != report.disk.is_blank:
            found.append(f"the disk of {pod} changes")
        if any(peer.up is None for peer in beat.peers or ()):
            found.append(f"the failure detector of {pod} is silent")
        if any(p.state in {PeerState.LEAVING, PeerState.MOVING} for p in beat.peers or ()):
            found.append(f"{pod} sees somebody leave or move")
    return found
