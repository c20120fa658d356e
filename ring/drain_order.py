"""An order to stop all pods in: whole racks at once where nothing is lost, else one by one.

Every step is judged on the ring as it is now: those of the step before have to be up again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ring.errors import InputError
from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Level
from ring.members import Member
from ring.model import HostId, Liveness, Node
from ring.snapshot import RingSnapshot
from ring.stopping import StopTable, stop_tables
from ring.stopping_pods import as_counted, is_blank
from ring.verdicts import check_fields, checks_asked

Json = dict[str, Any]
Asked = Mapping[str, Sequence[Check]]


@dataclass(frozen=True, slots=True)
class Loss:
    """A level that decides, and the share of the ring for which it would not hold."""

    keyspace: str
    check: Check
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Pods that may stop together.

    Attributes:
        pods: of one rack, or one that is no member.
        hosts: their members.
        dc, rack: empty where they are not known.
        whole_rack: whether it is all that this Service has of the rack, together.
        known: whether the ring's mathematics knows all of them.
        losses: what would not hold, unknown members counted as down.

    """

    pods: tuple[str, ...]
    hosts: tuple[HostId, ...] = ()
    dc: str = ""
    rack: str = ""
    whole_rack: bool = False
    known: bool = True
    losses: tuple[Loss, ...] = ()

    @property
    def safe(self) -> bool:
        """Say whether nothing is lost with them."""
        return self.known and not self.losses


@dataclass(frozen=True, slots=True)
class DrainOrder:
    """All pods of a Service, each in one step.

    Attributes:
        steps: first pods that are no member, then racks; one by one from the highest ordinal
            down, as StatefulSets are updated.
        apart: why whole racks may not stop together, by data centre and rack.
        unknown: members that were counted as down because nobody can rely on them.

    """

    steps: tuple[Step, ...]
    apart: Mapping[tuple[str, str], tuple[Loss, ...]]
    unknown: tuple[HostId, ...]

    @property
    def safe(self) -> bool:
        """Say whether every step is."""
        return all(step.safe for step in self.steps)


def drain_order(
    snapshot: RingSnapshot, levels: Sequence[Level] = (), assessor: Assessor | None = None
) -> DrainOrder:
    """Return an order of all pods; racks in which somebody is down already come first.

    Args:
        snapshot: the ring as it is seen.
        levels: those that clients use; without, as `ring.health.judged_at` has them.
        assessor: of a ring with the same tokens, where there is one already.

    """
    nodes = as_counted(snapshot)
    unknown = tuple(each.host_id for each in nodes if each.liveness is Liveness.UNKNOWN)
    strangers = [pod for pod in snapshot.pods or {} if pod not in snapshot.who.by_pod]
    steps = [Step(pods=(pod,), known=is_blank(snapshot, pod)) for pod in strangers]
    racks = _racks(snapshot)
    try:
        judge = _Judge(snapshot, nodes, levels, assessor)
    except InputError:  # no member's tokens are known
        steps += [step for members in racks.values() for step in _singly(members, None)]
        return DrainOrder(tuple(steps), {}, unknown)
    apart: dict[tuple[str, str], tuple[Loss, ...]] = {}
    for place, members in racks.items():
        whole = judge.together(members)
        if whole.safe or len(members) == 1:
            steps.append(whole)
        else:
            apart[place] = whole.losses
            steps += _singly(members, judge)
    return DrainOrder(tuple(steps), apart, unknown)


def _racks(snapshot: RingSnapshot) -> dict[tuple[str, str], list[Member]]:
    """Return members whose pods exist, or may, by place; who is not placed stands alone."""
    found: dict[tuple[str, str], list[Member]] = {}
    for each in snapshot.members:
        if each.pod and each.exists is not False:
            found.setdefault((each.dc, each.rack), []).append(each)
    degraded = {
        place
        for place, members in found.items()
        if any(each.liveness is not Liveness.UP for each in members)
    }
    order = sorted(found, key=lambda place: (place[0], place not in degraded, place[1]))
    return {place: found[place] for place in order}


def _singly(members: Sequence[Member], judge: "_Judge | None") -> Iterator[Step]:
    for each in reversed(members):
        yield judge.alone(each) if judge else _step([each], known=False)


def _step(members: Sequence[Member], **more: Any) -> Step:  # noqa: ANN401 -- fields of Step
    return Step(
        pods=tuple(each.pod for each in members),
        hosts=tuple(each.host_id for each in members),
        dc=members[0].dc,
        rack=members[0].rack,
        **more,
    )


class _Judge:
    """Judges racks and single members on one ring."""

    def __init__(
        self,
        snapshot: RingSnapshot,
        nodes: Sequence[Node],
        levels: Sequence[Level],
        assessor: Assessor | None,
    ) -> None:
        self._assessor = assessor or Assessor(nodes)
        self._nodes, self._keyspaces = nodes, snapshot.keyspaces.read
        self._number = {node.host_id: n for n, node in enumerate(nodes)}
        self._unplaced = {each.host_id for each in snapshot.unplaced}
        self._now = self._assessor.health(self._keyspaces, nodes)
        dcs = tuple(sorted({node.dc for node in nodes}))
        self._asked: Asked = {
            each.name: checks_asked(each, self._now[each.name].by_check, dcs, levels)
            for each in self._keyspaces
            if each.name in self._now
        }
        self._known = bool(self._asked)  # nothing is known to hold where no keyspace is
        self._tables: dict[str, StopTable] = {}

    def together(self, members: Sequence[Member]) -> Step:
        """Judge a rack as a whole."""
        hosts = {each.host_id for each in members}
        nodes = [
            node.as_liveness(Liveness.DOWN) if node.host_id in hosts else node
            for node in self._nodes
        ]
        then = self._assessor.health(self._keyspaces, nodes)
        return _step(
            members,
            whole_rack=True,
            known=self._knows(members),
            losses=() if _all_down(members) else tuple(self._losses(then)),
        )

    def _losses(self, health: Mapping[str, ReplicationHealth]) -> Iterator[Loss]:
        for name, checks in self._asked.items():
            for check in checks:
                worst = health[name].by_check[check].worst
                if worst.failing:
                    yield Loss(name, check, 1 - worst.share)

    def alone(self, member: Member) -> Step:
        """Judge one member; all at once, as thousands would take too long one by one."""
        number = self._number.get(member.host_id)
        known = self._knows([member]) and number is not None
        losses = () if number is None or _all_down([member]) else tuple(self._alone(number))
        return _step([member], known=known, losses=losses)

    def _alone(self, number: int) -> Iterator[Loss]:
        self._tables = self._tables or stop_tables(self._nodes, self._now)
        for name, checks in self._asked.items():
            table = self._tables[name]
            for check in checks:
                worst = self._now[name].by_check[check].worst
                lost = float(table.worst[number, table.checks.index(check)])
                if worst.failing or lost:
                    yield Loss(name, check, float(np.clip(1 - worst.share + lost, 0.0, 1.0)))

    def _knows(self, members: Sequence[Member]) -> bool:
        return self._known and not any(each.host_id in self._unplaced for each in members)


def _all_down(members: Sequence[Member]) -> bool:
    """Say whether stopping them takes nothing away that there is."""
    return all(each.liveness is Liveness.DOWN for each in members)


def as_json(order: DrainOrder) -> Json:
    """Return the order as ``docs/schemas/drain-order.json`` has it."""
    return {
        "safe": order.safe,
        "unknown": list(map(str, order.unknown)),
        "steps": [
            {
                "pods": list(step.pods),
                "members": list(map(str, step.hosts)),
                "dc": step.dc or None,
                "rack": step.rack or None,
                "wholeRack": step.whole_rack,
                "safe": step.safe,
                "known": step.known,
                "losses": _losses(step.losses),
            }
            for step in order.steps
        ],
        "apart": [
            {"dc": dc or None, "rack": rack or None, "losses": _losses(losses)}
            for (dc, rack), losses in order.apart.items()
        ],
    }


def _losses(losses: Sequence[Loss]) -> list[Json]:
    return [
        {"keyspace": each.keyspace, **check_fields(each.check), "share": each.share}
        for each in losses
    ]
