"""Judges two states of a ring, range by range: what is lost, what got worse, what moves.

What one range wins is no comfort for what another loses, so totals do not tell a loss.  The
ranges of both states are laid over each other and sorted into the few pairs of kinds, before
and after; every check is judged on those.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ring.health import Assessor, CheckHealth, ReplicationHealth
from ring.levels import Check, Counts, Tally, margins
from ring.model import RING_SIZE, HostId, Local, Replication, RingState
from ring.ownership import ExactWidths
from ring.profile import renumbered
from ring.tokens import ends_at, united, widths_of
from ring.transfer import DataLoss, data_loss, gains


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check, before and after.

    Attributes:
        before: its answer before.
        after: the answer after, to the same question.
        lost_worst: tokens of ranges that could be served and then cannot, where unknown
            nodes are down; of 2^64.
        lost_best: the same where they are up.

    """

    before: CheckHealth
    after: CheckHealth
    lost_worst: int
    lost_best: int

    @property
    def check(self) -> Check:
        """The question."""
        return self.after.check

    @property
    def is_loss(self) -> bool:
        """Say whether any range can no longer be served that could be, in either case."""
        return self.lost_worst > 0 or self.lost_best > 0

    @property
    def is_worse(self) -> bool:
        """Say whether some range is lost, or there is less to spare where it is least."""
        return (
            self.is_loss
            or self.after.worst.margin < self.before.worst.margin
            or self.after.best.margin < self.before.best.margin
        )


@dataclass(frozen=True, slots=True)
class ReplicationChange:
    """What a change does to all keyspaces with one replication before and one after.

    Attributes:
        changes: every check that there was before.
        after: the health after, with every check that there is then.
        gains: by host, tokens of new ranges that have to be copied to it; of 2^64.
        data_loss: what cannot be copied, because nobody is left who has it.
        unplaced: whether there were replicas before and there is none anywhere after.

    """

    changes: tuple[CheckChange, ...]
    after: ReplicationHealth
    gains: Mapping[HostId, int]
    data_loss: DataLoss
    unplaced: bool

    @property
    def worse(self) -> tuple[CheckChange, ...]:
        """The checks that got worse."""
        return tuple(change for change in self.changes if change.is_worse)

    @property
    def moved(self) -> float:
        """Data to copy, in rings: 1.0 is as much as one replica of the whole keyspace."""
        return sum(self.gains.values()) / RING_SIZE


def compare(
    before: RingState, after: RingState, handing_over: Collection[HostId] = ()
) -> dict[str, ReplicationChange]:
    """Judge two states of a ring, and say what differs for each keyspace of both, by name.

    LocalStrategy is left out, as nothing of it is placed on the ring.

    Args:
        before: the ring as it is.
        after: the ring as it would be.
        handing_over: nodes that are gone after, but first give others what they hold.

    """
    old, new = Assessor(before.nodes), Assessor(after.nodes)
    health_before, health_after = old.health(before.keyspaces), new.health(after.keyspaces)
    replications = {each.name: each.replication for each in before.keyspaces}
    known: dict[tuple[Replication, Replication], ReplicationChange] = {}
    found = {}
    for keyspace in after.keyspaces:
        name, was, now = keyspace.name, replications.get(keyspace.name), keyspace.replication
        if was is None or isinstance(was, Local) or isinstance(now, Local):
            continue
        if (was, now) not in known:
            there, then = old.placement(was), new.placement(now)
            known[was, now] = ReplicationChange(
                _changes(health_before[name], health_after[name]),
                health_after[name],
                gains(before.nodes, there, after.nodes, then),
                data_loss(before.nodes, there, after.nodes, handing_over),
                unplaced=bool(there.width) and not then.width,
            )
        found[name] = known[was, now]
    return found


def _changes(before: ReplicationHealth, after: ReplicationHealth) -> tuple[CheckChange, ...]:
    """Ask the questions of before again: a data centre that got lost is a loss."""
    both = _Overlay(before, after)
    return tuple(
        CheckChange(each, after.answer(each.check), *both.lost(each.check))
        for each in before.checks
    )


class _Overlay:
    """The ranges of two states laid over each other, by pair of kinds."""

    def __init__(self, before: ReplicationHealth, after: ReplicationHealth) -> None:
        self._early, self._late = before, after
        old, new = before.profile, after.profile
        was, now = old.segments.tokens, new.segments.tokens
        tokens = united(was, now)
        early, late = old.kind[ends_at(was, tokens)], new.kind[ends_at(now, tokens)]
        kinds = old.kinds * new.kinds
        pair, example, pairs = renumbered(early * new.kinds + late, kinds)
        self._pairs = early[example], late[example]
        # One range alone is the whole ring, which does not fit in a width.
        whole = len(tokens) == 1
        widths = ExactWidths.of(widths_of(tokens), pair, pairs).tokens()
        self._widths = [RING_SIZE] if whole else widths

    def lost(self, check: Check) -> tuple[int, int]:
        """Return the tokens that a check loses, in the worst and in the best case."""
        old, new = self._early.profile, self._late.profile
        worst = self._lost(check, old.worst, new.worst)
        if old.best is old.worst and new.best is new.worst:
            return worst, worst
        return worst, self._lost(check, old.best, new.best)

    def _lost(self, check: Check, before: Tally, after: Tally) -> int:
        early, late = self._pairs
        could: Counts = margins(check, self._early.demand, before)[early]
        can: Counts = margins(check, self._late.demand, after)[late]
        lost = (could >= 0) & (can < 0)
        return sum(width for width, gone in zip(self._widths, lost, strict=True) if gone)
