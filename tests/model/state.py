"""The state of the model: small frozen tuples of integers, and their canonical form.

Identities are kept as what the protocol can tell of them. A pod UID or a volume's UID is either
the present one or an earlier one, so a reference to it is a flag. A ``resourceVersion`` only
says whether somebody else wrote meanwhile, so a step whose object was written is dropped at
once. Addresses, host IDs, ring IDs and rings in truth are small numbers without a meaning of
their own, and pods are alike but for their ordinals, which only choose who founds first; that
choice is left open here. `canonical` therefore renames all of these, and two worlds that differ
in names alone are one.
"""

from collections.abc import Sequence
from itertools import permutations, product
from typing import NamedTuple, TypeVar

EMPTY, JOINING_DISK, MEMBER, LEFT, UNMARKED = range(5)
"""What a disk is; see `seedprovider.model.DiskState`."""
STOPPED, WAITING, STARTING, JOINING, NORMAL, GONE = range(6)
"""What a process does; WAITING asks for seeds, GONE is decommissioned and still runs."""
IN_JOINING, IN_MEMBER, IN_LEFT = range(3)
"""State of a ledger entry."""
FOUNDED, ADOPTED, REBUILT = range(3)
ANSWER, RECORD, ENTRY, TURN, PROMISE = range(5)
"""What a sidecar has decided and not carried out yet: first field of `Pod.step`."""
LINKED, CUT, LAGGING = range(3)
"""A sidecar and the API server: reads and watches; neither; reads, and a watch that stands."""
WATCHED, REMEMBERED, NOTHING = range(3)
"""Where a sidecar without live reads knows from; see `seedprovider.model.Source`."""

NO_ADDRESS = -1
NEW = 90
"""Numbers from here on are new names; `canonical` makes them small."""


T = TypeVar("T", bound=type)


def _quick(kind: T) -> T:
    """Give a named tuple a `_replace` five times as fast: a search spends its time there."""
    places = {name: at for at, name in enumerate(kind._fields)}
    new = tuple.__new__

    def replaced(self: tuple, **changes: object) -> tuple:
        values = list(self)
        for name, value in changes.items():
            values[places[name]] = value
        return new(kind, values)

    kind._replace = replaced
    return kind


@_quick
class Disk(NamedTuple):
    """A data directory; `host` and `truth` (the ring it is in, in truth) are 0 for none.

    `ring` is what the mark says; on an empty disk the ring that its node was let into.
    """

    kind: int = EMPTY
    ring: int = 0
    host: int = 0
    truth: int = 0


@_quick
class Peer(NamedTuple):
    """A host as the members of its ring have it in their token metadata."""

    host: int
    address: int
    joining: bool
    up: bool


@_quick
class Word(NamedTuple):
    """What a pod's sidecar answers; `present` is False once the pod is another one.

    `to`: of an old word, the pods that have not asked for a newer one since. `record`: ring of
    the record as this sidecar has heard, 0 for none.
    """

    present: bool
    address: int
    disk: Disk
    run: int
    host: int
    peers: tuple[Peer, ...]
    to: tuple[int, ...] = ()
    record: int = 0


@_quick
class Entry(NamedTuple):
    """A ledger entry; `uid` and `claim` tell whether these are the pod's present ones."""

    ring: int
    uid: bool
    claim: bool
    host: int
    state: int
    address: int


@_quick
class Record(NamedTuple):
    """The ring record; `claim` tells whether the founder's volume is still the one named."""

    ring: int
    founder: int
    claim: bool
    how: int
    adopted: tuple[int, ...] = ()


@_quick
class Seen(NamedTuple):
    """What a watch that stands showed last: addresses by pod, record, ledger."""

    addresses: tuple[int, ...]
    record: tuple
    ledger: tuple


@_quick
class Pod(NamedTuple):
    """A pod, its volume, its process and its sidecar.

    Attributes:
        address: `NO_ADDRESS` where the pod is scaled away.
        claim: whether it has a volume claim.
        ghost: host and ring, in truth, of a process whose disk was emptied under it, or ().
        seeds, replace: what the process was told, while it is on its way in.
        step: decided and not carried out yet, or ().
        turn: whether the present start took the turn and nobody wrote it since.
        promised: ring that its sidecar tells others the node may be on its way into, or 0.
        stepped: whether the next look rests on words spoken after a step.
        old: what the sidecar said up to 5 s ago, which others may still take for its word.
        gone: hosts that the process had in its ring and has no more.
        seen: what its watch shows while that stands, else ().

    """

    address: int
    claim: bool = True
    disk: Disk = Disk()
    run: int = STOPPED
    ghost: tuple = ()
    seeds: tuple[int, ...] = ()
    replace: int = NO_ADDRESS
    step: tuple = ()
    turn: bool = False
    promised: int = 0
    stepped: bool = False
    old: tuple = ()
    gone: tuple[int, ...] = ()
    link: int = LINKED
    seen: tuple = ()
    source: int = WATCHED


@_quick
class World(NamedTuple):
    """Everything.

    Attributes:
        turn: holder's number and whether its pod is still that one, (-1, False) when free, ()
            where there is no Lease.
        maps: token metadata of each ring in truth, by its number.
        api: whether the API server answers at all.
        blind: whether volume claims cannot be found (a wrong name, a missing right).
        approved: the pod that an operator lets found, -1 for none.
        stash: pod and disk that was lost and may be put back, or ().
        flight: pod and step that is still under way to the API server, or ().

    """

    pods: tuple[Pod, ...]
    record: tuple = ()
    ledger: tuple = ()
    turn: tuple = ()
    maps: tuple[tuple[int, tuple[Peer, ...]], ...] = ()
    api: bool = True
    blind: bool = False
    paused: bool = False
    approved: int = -1
    stash: tuple = ()
    flight: tuple = ()


_OLD = Pod._fields.index("old")


class _Names(dict[int, int]):
    """New small numbers in the order of first use."""

    def __missing__(self, key: int) -> int:
        value = self[key] = len(self)
        return value


def canonical(world: World) -> World:
    """Return the world with its names made small and its pods put in order."""
    return canonical_with_order(world)[0]


def canonical_with_order(world: World) -> tuple[World, tuple[int, ...]]:
    """Return it, and which pod of `world` each of its pods was."""
    keys = [_shape(world, n) for n in range(len(world.pods))]
    ranked = sorted(range(len(keys)), key=keys.__getitem__)
    groups: list[list[int]] = []
    for n in ranked:
        if groups and keys[groups[-1][0]] == keys[n]:
            groups[-1].append(n)
        else:
            groups.append([n])
    if len(groups) == len(keys):
        return _renamed(world, ranked), tuple(ranked)
    best = None
    for parts in product(*(permutations(group) for group in groups)):
        order = tuple(n for part in parts for n in part)
        candidate = _renamed(world, order)
        score = hash(present(candidate)), hash(candidate)
        if best is None or score < best[0]:
            best = score, candidate, order
    assert best is not None
    return best[1], best[2]


def present(world: World) -> tuple:
    """Return what a world is without its old words.

    The names in it and the order of its pods do not depend on old words once it is canonical.
    """
    pods, *rest = world
    return (*[pod[:_OLD] + pod[_OLD + 1 :] for pod in pods], *rest)


def renamed(world: World) -> World:
    """Return the world with its names made small and its pods as they are."""
    return _renamed(world, range(len(world.pods)))


def _shape(world: World, n: int) -> tuple:
    """Return what is the pod's own and has no name in it, of the present."""
    pod, entry, record = world.pods[n], world.ledger[n], world.record
    disk = pod.disk
    return (
        -pod.run,
        disk.kind,
        disk.ring > 0,
        disk.host > 0,
        pod.address < 0,
        pod.claim,
        (entry.state, entry.uid, entry.claim, entry.host > 0) if entry else (),
        pod.step[:1],
        pod.link,
        world.turn[:1] == (n,),
        record[1:2] == (n,),
        pod.turn,
        pod.stepped,
        pod.promised > 0,
        len(pod.gone),
        pod.source,
        len(pod.ghost),
        world.stash[:1] == (n,),
        world.flight[:1] == (n,),
    )


def _renamed(world: World, order: Sequence[int]) -> World:
    names = _Renaming(order)
    return names.world(world, order)


class _Renaming:
    """One renaming of pods, addresses, hosts, rings, and rings in truth."""

    def __init__(self, order: Sequence[int]) -> None:
        self.pods = {-1: -1} | {old: new for new, old in enumerate(order)}
        self.addresses = _Names({NO_ADDRESS: NO_ADDRESS})
        self.hosts, self.rings, self.truths = _Names({0: 0}), _Names({0: 0}), _Names({0: 0})

    def world(self, w: World, order: Sequence[int]) -> World:
        pods = [w.pods[n] for n in order]
        addresses = self.addresses
        for pod in pods:
            addresses[pod.address]
        first = [self.disk(pod.disk) for pod in pods]
        record = self.record(w.record)
        ledger = tuple([self.entry(w.ledger[n]) for n in order])
        maps = tuple(
            sorted([(self.truths[truth], self.peers(peers)) for truth, peers in w.maps])
        )
        now = [self.pod(pod, disk, order) for pod, disk in zip(pods, first, strict=True)]
        turn, approved = (
            (self.pods[w.turn[0]], w.turn[1]) if w.turn else (),
            self.pods[w.approved],
        )
        stash = (self.pods[w.stash[0]], self.disk(w.stash[1])) if w.stash else ()
        flight = (self.pods[w.flight[0]], self.step(w.flight[1])) if w.flight else ()
        # Old words last: what is of the present has the same names with them and without.
        named = tuple(
            [
                after._replace(old=self.word(before.old)) if before.old else after
                for before, after in zip(pods, now, strict=True)
            ]
        )
        return World(
            named, record, ledger, turn, maps, w.api, w.blind, w.paused, approved, stash, flight
        )

    def word(self, old: Word) -> Word:
        return Word(
            old.present,
            self.addresses[old.address],
            self.disk(old.disk),
            old.run,
            self.hosts[old.host],
            self.peers(old.peers),
            tuple(sorted([self.pods[n] for n in old.to])),
            self.rings[old.record],
        )

    def disk(self, disk: Disk) -> Disk:
        kind, ring, host, truth = disk
        if not (ring or host or truth):
            return disk
        return Disk(kind, self.rings[ring], self.hosts[host], self.truths[truth])

    def peers(self, peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
        if not peers:
            return ()
        hosts, addresses = self.hosts, self.addresses
        return tuple(sorted([Peer(hosts[h], addresses[a], j, u) for h, a, j, u in peers]))

    def record(self, record: tuple) -> tuple:
        if not record:
            return ()
        ring, founder, claim, how, adopted = record
        pods = self.pods
        return Record(
            self.rings[ring],
            pods[founder],
            claim,
            how,
            tuple(sorted([pods[n] for n in adopted])),
        )

    def entry(self, entry: tuple) -> tuple:
        if not entry:
            return ()
        ring, uid, claim, host, state, address = entry
        return Entry(
            self.rings[ring], uid, claim, self.hosts[host], state, self.addresses[address]
        )

    def step(self, step: tuple) -> tuple:
        if not step:
            return ()
        match step[0]:
            case 0:
                _, seeds, replaced, ring = step
                names = self.addresses
                told = tuple(sorted([names[each] for each in seeds]))
                return (ANSWER, told, names[replaced], self.rings[ring])
            case 1:
                return (RECORD, self.record(step[1]))
            case 2:
                return (ENTRY, self.entry(step[1]), self.pods[step[2]])
            case _:
                return step

    def pod(self, pod: Pod, disk: Disk, order: Sequence[int]) -> Pod:
        names = self.addresses
        ghost = pod.ghost
        return Pod(
            names[pod.address],
            pod.claim,
            disk,
            pod.run,
            (self.hosts[ghost[0]], self.truths[ghost[1]]) if ghost else (),
            tuple(sorted([names[each] for each in pod.seeds])) if pod.seeds else (),
            names[pod.replace],
            self.step(pod.step) if pod.step else (),
            pod.turn,
            self.rings[pod.promised],
            pod.stepped,
            (),
            tuple(sorted([self.hosts[host] for host in pod.gone])) if pod.gone else (),
            pod.link,
            self.seen(pod.seen, order) if pod.seen else (),
            pod.source,
        )

    def seen(self, seen: Seen, order: Sequence[int]) -> Seen:
        return Seen(
            tuple([self.addresses[seen.addresses[n]] for n in order]),
            self.record(seen.record),
            tuple([self.entry(seen.ledger[n]) for n in order]),
        )
