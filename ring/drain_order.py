"""An order to stop all pods in: whole racks at once where nothing is lost, else one by one.

Every step is judged on the ring as it is now, as the gate would: those of the step before have
to be up again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ring.errors import InputError
from ring.finding import Finding
from ring.gate import reason_fields
from ring.health import Assessor, ReplicationHealth
from ring.levels import Check, Level
from ring.members import Member
from ring.model import HostId, Liveness, Mode
from ring.obstacles import Reason, blind, is_cut, obstacles
from ring.snapshot import RingSnapshot
from ring.stopping import StopTable, stop_tables
from ring.stopping_pods import Stopping, as_counted, takes_nothing
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
        known: whether nothing forbids it besides losses, and these are known.
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
    """All pods of a Service, each in one step, less those of members on their way in.

    Attributes:
        steps: first pods that are no member, then racks; one by one from the highest ordinal
            down, as StatefulSets are updated.
        apart: why whole racks may not stop together, by data centre and rack.
        unknown: members that were counted as down because nobody can rely on them.
        reasons: what forbids every step that takes something away.

    """

    steps: tuple[Step, ...]
    apart: Mapping[tuple[str, str], tuple[Loss, ...]]
    unknown: tuple[HostId, ...]
    reasons: tuple[Reason, ...]

    @property
    def safe(self) -> bool:
        """Say whether every step is, and nothing forbids to begin."""
        return not self.reasons and all(step.safe for step in self.steps)


def drain_order(
    snapshot: RingSnapshot,
    found: Sequence[Finding],
    levels: Sequence[Level] = (),
    assessor: Assessor | None = None,
) -> DrainOrder:
    """Return an order of all pods; racks in which somebody is down already come first.

    Args:
        snapshot: the ring as it is seen.
        found: what was found about it.
        levels: those that clients use; without, as `ring.health.judged_at` has them.
        assessor: of a ring with the same tokens, where there is one already.

    """
    judge = _Judge(snapshot, found, levels, assessor)
    pods = (*(snapshot.pods or {}), *snapshot.observed.pods.broken)
    strangers = [pod for pod in pods if pod not in snapshot.who.by_pod]
    steps = [judge.stranger(pod) for pod in strangers]
    apart: dict[tuple[str, str], tuple[Loss, ...]] = {}
    for place, members in _racks(snapshot).items():
        whole = judge.together(members)
        if len(members) == 1 or not whole.losses:
            steps.append(whole)
        else:
            apart[place] = whole.losses
            steps += [judge.alone(each) for each in reversed(members)]
    return DrainOrder(tuple(steps), apart, judge.unknown, judge.reasons)


def _racks(snapshot: RingSnapshot) -> dict[tuple[str, str], list[Member]]:
    """Return members whose pods exist, or may, by place; who is not placed stands alone."""
    found: dict[tuple[str, str], list[Member]] = {}
    for each in snapshot.members:
        if each.pod and each.exists is not False and each.mode is not Mode.JOINING:
            found.setdefault((each.dc, each.rack), []).append(each)
    degraded = {
        place
        for place, members in found.items()
        if any(each.counted is not Liveness.UP for each in members)
    }
    order = sorted(found, key=lambda place: (place[0], place not in degraded, place[1]))
    return {place: found[place] for place in order}


class _Judge:
    """Judges racks and single members on one ring, as the gate would.

    Attributes:
        reasons: what forbids every step that takes something away.
        unknown: members that were counted as down because nobody can rely on them.

    """

    def __init__(
        self,
        snapshot: RingSnapshot,
        found: Sequence[Finding],
        levels: Sequence[Level],
        assessor: Assessor | None,
    ) -> None:
        self._snapshot, self._keyspaces = snapshot, snapshot.keyspaces.read
        self._nodes = nodes = as_counted(snapshot)
        self._cut = is_cut(found)
        self.unknown = tuple(n.host_id for n in nodes if n.liveness is Liveness.UNKNOWN)
        everyone = Stopping((), frozenset(snapshot.by_host))
        self.reasons = (
            *blind(snapshot, everyone),
            *obstacles(snapshot, found, Stopping((), frozenset())),
        )
        self._number = {node.host_id: n for n, node in enumerate(nodes)}
        self._now: Mapping[str, ReplicationHealth] = {}
        with suppress(InputError):  # no member's tokens are known
            self._assessor = assessor or Assessor(nodes)
            self._now = self._assessor.health(self._keyspaces, nodes)
        dcs = tuple(sorted({node.dc for node in nodes}))
        self._asked: Asked = {
            each.name: checks_asked(each, self._now[each.name].by_check, dcs, levels)
            for each in self._keyspaces
            if each.name in self._now
        }
        self._tables: dict[str, StopTable] = {}

    def stranger(self, pod: str) -> Step:
        """Judge a pod that is no member."""
        return self._step([], [pod], lambda: ())

    def together(self, members: Sequence[Member]) -> Step:
        """Judge a rack as a whole."""
        hosts = {each.host_id for each in members}

        def losses() -> Iterator[Loss]:
            nodes = [
                node.as_liveness(Liveness.DOWN) if node.host_id in hosts else node
                for node in self._nodes
            ]
            return self._losses(self._assessor.health(self._keyspaces, nodes))

        return self._step(members, [each.pod for each in members], losses, whole_rack=True)

    def alone(self, member: Member) -> Step:
        """Judge one member; all at once, as thousands would take too long one by one."""
        number = self._number.get(member.host_id)
        return self._step([member], [member.pod], lambda: self._alone(number))

    def _step(
        self,
        members: Sequence[Member],
        pods: Sequence[str],
        losses: Callable[[], Iterable[Loss]],
        *,
        whole_rack: bool = False,
    ) -> Step:
        hosts = tuple(each.host_id for each in members)
        stopping = Stopping(tuple(pods), frozenset(hosts))
        idle = takes_nothing(self._snapshot, stopping, cut=self._cut)
        judged = bool(self._asked)  # nothing is known to hold where no keyspace is
        free = idle or (judged and not self.reasons)
        return Step(
            pods=stopping.pods,
            hosts=hosts,
            dc=members[0].dc if members else "",
            rack=members[0].rack if members else "",
            whole_rack=whole_rack,
            known=free and not any(blind(self._snapshot, stopping)),
            losses=() if idle or not judged else tuple(losses()),
        )

    def _losses(self, health: Mapping[str, ReplicationHealth]) -> Iterator[Loss]:
        for name, checks in self._asked.items():
            for check in checks:
                worst = health[name].by_check[check].worst
                if worst.failing:
                    yield Loss(name, check, 1 - worst.share)

    def _alone(self, number: int | None) -> Iterator[Loss]:
        if number is None:
            return
        self._tables = self._tables or stop_tables(self._nodes, self._now)
        for name, checks in self._asked.items():
            table = self._tables[name]
            for check in checks:
                worst = self._now[name].by_check[check].worst
                lost = float(table.worst[number, table.checks.index(check)])
                if worst.failing or lost:
                    yield Loss(name, check, float(np.clip(1 - worst.share + lost, 0.0, 1.0)))


def as_json(order: DrainOrder) -> Json:
    """Return the order as ``docs/schemas/drain-order.json`` has it."""
    return {
        "safe": order.safe,
        "reasons": [reason_fields(each) for each in order.reasons],
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
