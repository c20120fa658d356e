"""What Cassandra does in the model: it starts, joins, replaces, is forgotten, and dies.

The members of one ring share one map of hosts (``TokenMetadata``), which a start, a join and a
replacement change at once, and what is up in which changes when some time has passed. A host
that starts at an address makes all forget another host that had it. Every change goes through
`changed_map`, so that running processes notice who vanished as the product's own duty says.
"""

from tests.model import deciding, seeing
from tests.model.state import (
    GONE,
    IN_MEMBER,
    JOINING,
    JOINING_DISK,
    MEMBER,
    NEW,
    NORMAL,
    STARTING,
    STOPPED,
    UNMARKED,
    Disk,
    Peer,
    Pod,
    Word,
    World,
)


def with_pod(world: World, n: int, pod: Pod) -> World:
    """Replace one pod."""
    return world._replace(pods=(*world.pods[:n], pod, *world.pods[n + 1 :]))


def spoken(world: World, n: int) -> Word:
    """Return what pod `n` says before a change of it, to be remembered as its old word."""
    others = tuple(k for k in range(len(world.pods)) if k != n)
    return seeing.word(world, n)._replace(to=others)


def peers_in(world: World, truth: int) -> tuple[Peer, ...]:
    """Return the map of one ring."""
    for number, peers in world.maps:
        if number == truth:
            return peers
    return ()


def runs_host(world: World, host: int) -> bool:
    """Whether some process with this host ID is NORMAL."""
    return any(pod.run == NORMAL and seeing.process(pod)[0] == host for pod in world.pods)


def members_at(world: World, seeds: tuple[int, ...]) -> list[int]:
    """Return the rings, in truth, of the NORMAL processes at these addresses."""
    return [
        seeing.process(pod)[1]
        for pod in world.pods
        if pod.run == NORMAL and pod.address in seeds
    ]


def changed_map(world: World, truth: int, peers: tuple[Peer, ...]) -> World:
    """Give a ring another map; its NORMAL processes note who vanished from it."""
    others = tuple(each for each in world.maps if each[0] != truth)
    after = world._replace(maps=(*others, (truth, peers)))
    known = {entry.host for entry in world.ledger if entry and entry.state == IN_MEMBER}
    for n, pod in enumerate(world.pods):
        if pod.run != NORMAL or seeing.process(pod)[1] != truth:
            continue
        lost = deciding.vanished(seeing.word(world, n), seeing.word(after, n)) & known
        back = {peer.host for peer in peers}
        gone = tuple(sorted((set(pod.gone) | lost) - back))
        if gone != pod.gone:
            after = with_pod(after, n, pod._replace(gone=gone))
    return after


def _settled_at(peers: tuple[Peer, ...], host: int, address: int, *, joining: bool) -> tuple:
    """Put a host at an address; whoever had it is forgotten."""
    rest = [peer for peer in peers if peer.host != host and peer.address != address]
    return (*rest, Peer(host, address, joining, up=True))


def start_member(world: World, n: int) -> World:
    """Let a process on a disk with data become NORMAL."""
    pod = world.pods[n]
    host, truth = pod.disk.host, pod.disk.truth
    # A node whose host ID another one has, too, keeps its own place ("because it's mine").
    twin = any(p.run == NORMAL and seeing.process(p) == (host, truth) for p in world.pods)
    # Its own map is read from its disk, so that its start forgets nobody's absence.
    world = with_pod(world, n, _reset(pod, run=NORMAL, old=spoken(world, n)))
    if twin:
        return world
    peers = _settled_at(peers_in(world, truth), host, pod.address, joining=False)
    return changed_map(world, truth, peers)


def gossip(world: World, n: int) -> World:
    """Let a process with a blank disk that has its seeds write its first data, or die."""
    pod = world.pods[n]
    old = spoken(world, n)
    host = pod.disk.host or NEW
    if pod.seeds == (pod.address,):
        disk = Disk(JOINING_DISK, pod.disk.ring, host, NEW)
        return with_pod(world, n, pod._replace(disk=disk, run=JOINING, old=old))
    rings = members_at(world, tuple(each for each in pod.seeds if each != pod.address))
    truth = rings[0] if rings else 0
    if not rings or not _may_replace(world, pod, truth) or _collides(world, pod, truth):
        return stopped(world, n)
    if pod.replace == pod.address:
        # Whoever takes the place of a host at its own address keeps the host ID.
        host = next(peer.host for peer in peers_in(world, truth) if peer.address == pod.address)
    disk = Disk(JOINING_DISK, pod.disk.ring, host, truth)
    world = with_pod(world, n, pod._replace(disk=disk, run=JOINING, old=old))
    if pod.replace >= 0:
        return world
    peers = _settled_at(peers_in(world, truth), host, pod.address, joining=True)
    return changed_map(world, truth, peers)


def _collides(world: World, pod: Pod, truth: int) -> bool:
    """Whether a member is known at the joiner's address (``checkForEndpointCollision``)."""
    return pod.replace < 0 and any(
        peer.address == pod.address and peer.host != pod.disk.host and not peer.joining
        for peer in peers_in(world, truth)
    )


def _may_replace(world: World, pod: Pod, truth: int) -> bool:
    """Whether the host to replace is known and not alive (``prepareForReplacement``)."""
    if pod.replace < 0:
        return True
    return any(
        peer.address == pod.replace and not runs_host(world, peer.host)
        for peer in peers_in(world, truth)
    )


def finish(world: World, n: int) -> World:
    """Let a process that joins become NORMAL; it dies where no member is left to stream."""
    pod = world.pods[n]
    host, truth = pod.disk.host, pod.disk.truth
    alone = pod.seeds == (pod.address,)
    old = spoken(world, n)
    running = [p for p in world.pods if p.run == NORMAL and seeing.process(p)[1] == truth]
    if not alone and not running:
        return stopped(world, n)
    peers = peers_in(world, truth)
    if pod.replace >= 0:
        peers = tuple(
            peer for peer in peers if peer.address != pod.replace or runs_host(world, peer.host)
        )
    world = with_pod(world, n, _reset(pod, run=NORMAL, old=old))
    return changed_map(world, truth, _settled_at(peers, host, pod.address, joining=False))


def mark(world: World, n: int) -> World | None:
    """Let a NORMAL node's mark become ``member`` once its sidecar names the ring."""
    pod = world.pods[n]
    record = seeing.watched(world, n).record
    fits = pod.disk.kind in {JOINING_DISK, UNMARKED} and not pod.ghost
    if pod.run != NORMAL or not fits or not record:
        return None
    disk = pod.disk._replace(kind=MEMBER, ring=record[0])
    return with_pod(world, n, pod._replace(disk=disk, old=spoken(world, n)))


def _reset(pod: Pod, *, run: int, old: Word | tuple) -> Pod:
    return pod._replace(
        run=run,
        seeds=(),
        replace=-1,
        step=(),
        turn=False,
        promised=0,
        stepped=False,
        old=old,
        gone=(),
    )


def stopped(world: World, n: int) -> World:
    """End a process; its sidecar's words of before count for a while."""
    pod = world.pods[n]
    old = spoken(world, n) if pod.address >= 0 else pod.old
    return with_pod(world, n, _reset(pod, run=STOPPED, old=old)._replace(ghost=()))


def tick(world: World) -> World:
    """Let half a minute pass: old words are over, failure detectors know who is there.

    A joiner that is no more has been dropped from gossip by then.
    """
    pods = tuple([pod._replace(old=()) if pod.old else pod for pod in world.pods])
    maps = tuple([(truth, _noticed(world, truth, peers)) for truth, peers in world.maps])
    return world._replace(pods=pods, maps=maps)


def _noticed(world: World, truth: int, peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
    alive, joining = dict[int, set[int]](), set()
    for pod in world.pods:
        host, ring = seeing.process(pod)
        if ring == truth and pod.run in {NORMAL, GONE}:
            alive.setdefault(host, set()).add(pod.address)
        elif ring == truth and pod.run == JOINING:
            joining.add(host)
    noticed = []
    for peer in peers:
        if peer.joining and peer.host not in joining:
            continue
        host, address, is_joining, _ = peer
        places = alive.get(host, ())
        if places and address not in places:
            address = min(places)  # a copy has outlived the disk that it was made of
        noticed.append(Peer(host, address, is_joining, bool(places) or host in joining))
    return tuple(noticed)


def collected(world: World) -> World:
    """Drop the maps of rings that no disk and no process is in any more."""
    if not world.maps:
        return world
    used = {pod.disk.truth for pod in world.pods}
    used.update([pod.ghost[1] for pod in world.pods if pod.ghost])
    if world.stash:
        used.add(world.stash[1].truth)
    if all(truth in used for truth, _ in world.maps):
        return world
    return world._replace(maps=tuple([each for each in world.maps if each[0] in used]))


def is_starting(pod: Pod) -> bool:
    """Whether a process with a blank disk is on its way in."""
    return pod.run in {STARTING, JOINING}
