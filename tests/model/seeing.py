"""What a pod's sidecar can know in a world.

A `Sight` is all that one decision rests on, in the model's numbers. The real sidecar looks
again after each step and asks the others anew; before its first step a word may be up to 5 s
old, and any word may be missing.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tests.model import state as m


class Known(NamedTuple):
    """What the API server says, or a watch or a cache said last.

    Attributes:
        here: which pods exist, by live read; () without one, and so the next three.
        source: index into `SOURCES`, unused with a live read.

    """

    addresses: tuple[int, ...]
    record: tuple
    ledger: tuple
    source: int = m.WATCHED
    here: tuple[bool, ...] = ()
    claims: tuple[bool, ...] = ()
    turn: tuple = ()
    paused: bool = False
    approved: int = -1


class Sight(NamedTuple):
    """All that one decision rests on.

    Attributes:
        words: by pod, the asker's own among them; () for one that is not heard.
        strangers: addresses at which another pod answers than the one named there.
        claim: whether the asker's own volume claim is found.

    """

    asker: int
    disk: m.Disk
    address: int
    claim: bool
    turn: bool
    promised: int
    words: tuple[tuple, ...]
    strangers: tuple[int, ...]
    known: Known


_said: tuple[m.World | None, dict[int, m.Word]] = (None, {})
"""The words of the world looked at last: one world's moves ask for them again and again."""


def word(world: m.World, n: int) -> m.Word:
    """Return what the sidecar of pod `n` says just now."""
    global _said  # noqa: PLW0603 -- a memory of one entry
    if _said[0] is not world:
        _said = (world, {})
    said = _said[1].get(n)
    if said is None:
        said = _said[1][n] = _word(world, n)
    return said


def _word(world: m.World, n: int) -> m.Word:
    pod = world.pods[n]
    kind, ring, host, _ = pod.disk
    named = kind in {m.JOINING_DISK, m.MEMBER, m.LEFT}
    if kind <= m.JOINING_DISK and pod.run == m.WAITING:
        ring = pod.promised
    disk = m.Disk(kind, 0 if kind == m.UNMARKED else ring, host if named else 0, 0)
    running = pod.run >= m.JOINING
    own = (pod.ghost[0] if pod.ghost else host) if running else 0
    record = pod.seen.record if pod.seen else world.record
    heard = record[0] if record and pod.source != m.NOTHING else 0
    present = True
    return m.Word(present, pod.address, disk, pod.run, own, peers_of(world, n), (), heard)


def peers_of(world: m.World, n: int) -> tuple[m.Peer, ...]:
    """Return whom the process in pod `n` has in its ring, none while it is on its way in."""
    pod = world.pods[n]
    if pod.run != m.NORMAL:
        return ()
    host, truth = process(pod)
    return tuple(
        peer
        for number, peers in world.maps
        if number == truth
        for peer in peers
        if peer.host != host
    )


def process(pod: m.Pod) -> tuple[int, int]:
    """Return the host ID and the ring, in truth, of the process."""
    return pod.ghost or (pod.disk.host, pod.disk.truth)


def live(world: m.World) -> Known:
    """Return what the API server says to whoever asks now."""
    return Known(
        tuple(pod.address for pod in world.pods),
        world.record,
        world.ledger,
        m.WATCHED,
        tuple(pod.address >= 0 for pod in world.pods),
        tuple(pod.claim and not world.blind for pod in world.pods),
        world.turn,
        world.paused,
        world.approved,
    )


def watched(world: m.World, n: int) -> Known:
    """Return what pod `n` knows without a live read."""
    pod = world.pods[n]
    if pod.source == m.NOTHING:
        nobody = tuple(p.address if k == n else -1 for k, p in enumerate(world.pods))
        return Known(nobody, (), ((),) * len(world.pods), m.NOTHING)
    if pod.seen:
        seen = pod.seen
        addresses = tuple(pod.address if k == n else a for k, a in enumerate(seen.addresses))
        return Known(addresses, seen.record, seen.ledger, pod.source)
    addresses = tuple(each.address for each in world.pods)
    return Known(addresses, world.record, world.ledger, pod.source)


def asks_api(world: m.World, n: int) -> bool:
    """Whether live reads and writes of pod `n` get through."""
    return world.api and world.pods[n].link != m.CUT


def sights(
    world: m.World, n: int, known: Known, *, everything: bool = True
) -> Iterator[tuple[Sight, bool]]:
    """Give every sight that pod `n` may have, and whether all in it is of this moment.

    With `everything` False only the one in which all that can be heard is heard just now.
    """
    pod, choices, strangers = world.pods[n], [], []
    holder = world.turn[0] if world.turn and known.here else -1
    here = {p.address: k for k, p in enumerate(world.pods) if p.address >= 0}
    for k, other in enumerate(world.pods):
        if k == n:
            choices.append([(word(world, n), True)])
            continue
        at = known.addresses[k]
        options: list[tuple[tuple, bool]] = []
        reached = here.get(at) if at >= 0 else None
        if reached == k:
            options.append((word(world, k), True))
        elif reached is not None:
            strangers.append(at)
        if not options:
            options.append(((), True))
        elif everything:
            options.append(((), False))
        late = everything and other.old and n in other.old.to
        if late and not pod.stepped and k != holder:
            options.append((other.old._replace(to=()), False))
        choices.append(options)
    for chosen in product(*choices):
        yield (
            Sight(
                n,
                pod.disk._replace(truth=0),
                pod.address,
                pod.claim and not (world.blind and pod.run <= m.WAITING),
                pod.turn,
                pod.promised,
                tuple(each for each, _ in chosen),
                tuple(strangers),
                known,
            ),
            all(fresh for _, fresh in chosen),
        )
