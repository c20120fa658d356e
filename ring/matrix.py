"""Who sees whom: the views of all members in one small array, and what they add up to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ring.model import HostId, Liveness
from ring.tokens import Indexes
from ring.words import PeerState, Seen, Sight

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Viewer:
    """What is known of a member as one who sees others.

    Attributes:
        sight: what it last said of others, where that is fresh.
        age: seconds since it said so.
        runs: whether its process takes part in the ring; None where nobody can tell.
        votes: whether its word on others counts: it is a running member, and not one that
            is still on its way in.
        near: whether it belongs to this Service, so that it could be heard.

    """

    sight: Sight | None = None
    age: float | None = None
    runs: bool | None = None
    votes: bool = False
    near: bool = True


@dataclass(frozen=True, eq=False)
class Votes:
    """How the running members see each member, one number for each member.

    Attributes:
        up, down: of those who were heard, with the member's own word where it runs.
        undecided: heard, and its failure detector says nothing.
        silent: how many may run and were not heard, whomever it is about.

    """

    up: Counts
    down: Counts
    undecided: Counts
    silent: int


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows are observers, columns whom they see, both in the order of ``hosts``.

    Attributes:
        cells: `Seen`; UNKNOWN in the rows of those who were not heard, and on the diagonal.
        ages: seconds since each observer's word; NaN where it was not heard.
        states: for each `PeerState` how many voters have each member in it.
        voters: observers that were heard and whose word counts.
        idle: members whose process is known to take no part in the ring.

    """

    hosts: tuple[HostId, ...]
    cells: NDArray[np.int8]
    ages: NDArray[np.float64]
    states: Counts
    voters: Flags
    votes: Votes
    idle: Flags

    def liveness(self, member: int) -> Liveness:
        """Return how a majority sees a member.

        Up takes a majority of those heard.  Down takes one of all that may run, the member
        itself among them: who is silent may serve, cut off together with whoever would say so.
        """
        votes = self.votes
        up, down, heard = int(votes.up[member]), int(votes.down[member]), self._heard(member)
        if 2 * up > heard:
            return Liveness.UP
        if 2 * down > heard + votes.silent:
            return Liveness.DOWN
        if heard == 0 and self.idle[member]:
            return Liveness.DOWN  # nobody is left to say so
        return Liveness.UNKNOWN

    def surely_up(self, member: int) -> bool:
        """Say whether a majority of all that may run sees a member up, silent ones included."""
        return 2 * int(self.votes.up[member]) > self._heard(member) + self.votes.silent

    def _heard(self, member: int) -> int:
        votes = self.votes
        return int(votes.up[member] + votes.down[member] + votes.undecided[member])

    def saying(self, member: int, seen: Seen) -> Indexes:
        """Return the voters that see a member so."""
        return np.flatnonzero(self.voters & (self.cells[:, member] == seen))

    def state(self, member: int) -> PeerState | None:
        """Return the state in which most voters have a member; None where none knows it."""
        counts = self.states[:, member]
        return PeerState(int(counts.argmax())) if counts.any() else None

    def rings(self) -> list[Indexes]:
        """Return voters by ring: of one are those who know a common host, or others who do.

        A cut network does not part them, as who is unreachable is still known.
        """
        knows = (self.cells != Seen.ABSENT) & self.voters[:, np.newaxis]
        np.fill_diagonal(knows, self.voters)
        taken = np.zeros(len(self.hosts), np.bool_)

        def step(new: Indexes) -> Flags:
            hosts = np.flatnonzero(knows[new].any(axis=0) & ~taken)  # each is looked up once
            taken[hosts] = True
            return np.asarray(knows[:, hosts].any(axis=1))

        return _components(self.voters, step)

    def islands(self) -> list[Indexes]:
        """Return voters by island: who is linked there does not see the other down."""
        apart = self.cells == Seen.DOWN
        stranger = self.cells == Seen.ABSENT
        linked = ~(apart | apart.T | (stranger & stranger.T))
        return _components(self.voters, lambda new: np.asarray(linked[new].any(axis=0)))


def _components(among: Flags, step: Callable[[Indexes], Flags]) -> list[Indexes]:
    """Part members into what is linked, largest first; ``step`` leads from some to the next."""
    left = among.copy()
    found = []
    while left.any():
        new = np.flatnonzero(left)[:1]
        parts = []
        while len(new):
            left[new] = False
            parts.append(new)
            new = np.flatnonzero(step(new) & left)
        found.append(np.sort(np.concatenate(parts)))
    return sorted(found, key=lambda part: (-len(part), int(part[0])))


def matrix(hosts: Sequence[HostId], viewers: Sequence[Viewer]) -> Matrix:
    """Put views together; ``viewers`` are the members of ``hosts``, in the same order."""
    size = len(hosts)
    number = {host: n for n, host in enumerate(hosts)}
    cells = np.zeros((size, size), np.int8)
    ages = np.full(size, np.nan)
    states = np.zeros((len(PeerState), size), np.int64)
    heard = np.zeros(size, np.bool_)
    places: dict[int, tuple[Indexes, Flags]] = {}  # by the columns that many sights share
    for n, viewer in enumerate(viewers):
        sight = viewer.sight
        if sight is None or viewer.age is None:
            continue
        if id(sight.hosts) not in places:
            places[id(sight.hosts)] = _places(sight.hosts, number)
        columns, there = places[id(sight.hosts)]
        heard[n], ages[n] = True, viewer.age
        cells[n] = Seen.ABSENT
        cells[n, columns] = np.frombuffer(sight.up, np.int8)[there]
        cells[n, n] = Seen.UNKNOWN
        if viewer.votes:
            said = np.frombuffer(sight.states, np.uint8)[there]
            other = columns != n
            states[said[other], columns[other]] += 1
    voters = heard & np.array([viewer.votes for viewer in viewers], np.bool_)
    idle = np.array([viewer.runs is False for viewer in viewers], np.bool_)
    votes = _votes(cells, voters, heard, viewers)
    return Matrix(tuple(hosts), cells, ages, states, voters, votes, idle)


def _places(hosts: Iterable[HostId], number: Mapping[HostId, int]) -> tuple[Indexes, Flags]:
    """Return the numbers of those hosts that are members, and which of them are."""
    at = np.array([number.get(host, -1) for host in hosts], np.intp)
    return at[at >= 0], at >= 0


def _votes(
    cells: NDArray[np.int8], voters: Flags, heard: Flags, viewers: Sequence[Viewer]
) -> Votes:
    cast = cells[voters]
    own = np.array([viewer.runs is True for viewer in viewers], np.int64)
    may_run = np.array(
        [viewer.near and viewer.runs is not False for viewer in viewers], np.bool_
    )
    undecided = (cast == Seen.UNKNOWN).sum(axis=0) - voters  # less the diagonal
    return Votes(
        (cast == Seen.UP).sum(axis=0) + own,
        (cast == Seen.DOWN).sum(axis=0),
        undecided,
        int((may_run & ~heard).sum()),
    )
