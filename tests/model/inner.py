"""What happens in a real run between two lines: the model's moves that nobody writes down.

Cassandra hears its seeds, writes its first data, joins, becomes NORMAL, and its mark follows;
heartbeats and disk readings show some of it, up to seconds late. `towards` puts in as few moves
of one pod as make a world agree with what its sidecar says. Where a process ends nobody knows
how far it had come: `ended` gives every world that may be, and what is read from its disk later
tells which one it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from seedprovider import evidence
from seedprovider.model import Disk, DiskState, Report
from tests.model import cassandra, faults, moves, values
from tests.model import state as m
from tests.model.abstraction import Names
from tests.model.cassandra import with_pod
from tests.model.moves import Broken

UNNAMED = 500_000
"""Hosts and rings in truth from here on are made by the model and not yet known by name."""
DEEP = 5
"""Hears, gossips, is NORMAL, marks, leaves: no pod can go further than that unseen."""
LATE_SECONDS = 12.0
"""How long a reading may be behind: those of the disk count for 5 s, heartbeats too."""
RANKS = {m.EMPTY: 0, m.JOINING_DISK: 1, m.MEMBER: 2, m.LEFT: 3, m.UNMARKED: 1}
RUNNING = frozenset({"NORMAL", "LEAVING", "MOVING"})


@dataclass
class Track:
    """What the replay remembers of pods beside the worlds.

    Attributes:
        changed: when the model's disk of a pod changed last.
        asked: pods whose node asked for seeds since its pod or its last process began.
        strange: pods that were given a disk from elsewhere.

    """

    changed: dict[int, float] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    strange: set[int] = field(default_factory=set)

    def may_adopt(self, n: int, worlds: list[m.World]) -> bool:
        """Whether a pod's disk may be what the model cannot know: none of its runs on it."""
        idle = all(world.pods[n].run <= m.WAITING for world in worlds)
        return n in self.strange or (idle and n not in self.asked)


class _Same(dict[int, int]):
    """Leaves every name but a few as it is."""

    def __missing__(self, key: int) -> int:
        return key


def renamed(
    world: m.World,
    *,
    hosts: dict[int, int] | None = None,
    rings: dict[int, int] | None = None,
    truths: dict[int, int] | None = None,
) -> m.World:
    """Put other numbers for some names."""
    order = range(len(world.pods))
    naming = m._Renaming(order)
    naming.addresses = _Same()  # type: ignore[assignment]
    naming.hosts = _Same(hosts or {})  # type: ignore[assignment]
    naming.rings = _Same(rings or {})  # type: ignore[assignment]
    naming.truths = _Same(truths or {})  # type: ignore[assignment]
    return naming.world(world, order)


def with_ring(world: m.World, ring: int) -> m.World:
    """Give a ring that is about to be founded its number."""
    return renamed(world, rings={m.NEW: ring}) if ring else world


def with_names(world: m.World) -> m.World:
    """Give a host and a ring in truth that a move has made numbers of their own."""
    used = {pod.disk.host for pod in world.pods} | {p.host for _, ps in world.maps for p in ps}
    truths = {pod.disk.truth for pod in world.pods} | {truth for truth, _ in world.maps}
    if m.NEW not in used | truths:
        return world
    host = max({UNNAMED, *used}) + 1
    truth = max({UNNAMED, *truths}) + 1
    return renamed(world, hosts={m.NEW: host}, truths={m.NEW: truth})


def tidied(world: m.World) -> m.World:
    """Drop what the replay does not look at, so that worlds that differ in it alone are one.

    What is heard of others is held against what they said, not the model's one old word.
    """
    pods = tuple(pod._replace(old=(), stepped=False) for pod in world.pods)
    return cassandra.collected(world._replace(pods=pods))


def grown(world: m.World, size: int) -> m.World:
    """Make room for more pods, which are not there yet."""
    more = size - len(world.pods)
    if more <= 0:
        return world
    pods = tuple(
        pod._replace(
            seen=pod.seen._replace(
                addresses=pod.seen.addresses + (m.NO_ADDRESS,) * more,
                ledger=pod.seen.ledger + ((),) * more,
            )
        )
        if pod.seen
        else pod
        for pod in world.pods
    )
    absent = m.Pod(m.NO_ADDRESS, claim=False)
    return world._replace(pods=pods + (absent,) * more, ledger=world.ledger + ((),) * more)


def gone(world: m.World, n: int) -> m.World:
    """Delete a pod, whose process has ended."""
    pod = world.pods[n]._replace(address=m.NO_ADDRESS, link=m.LINKED, seen=())
    return faults._renamed_uid(with_pod(world, n, pod), n)


def there(world: m.World, n: int, address: int) -> m.World:
    """Let a pod be there (again)."""
    pod = world.pods[n]
    if pod.address >= 0:
        return world
    seen = () if world.api else faults.snapshot(world)
    again = pod._replace(address=address, source=m.WATCHED, seen=seen)
    return with_pod(world, n, again)


def claimed(world: m.World, n: int) -> m.World:
    """Let a pod have a volume claim."""
    return with_pod(world, n, world.pods[n]._replace(claim=True))


def claim_gone(world: m.World, n: int) -> m.World:
    """Delete a claim, and with it the disk."""
    return faults.claim_lost(cassandra.stopped(world, n), n)


def freed(world: m.World) -> "m.World | str":
    """Free the join turn, which only a holder does whose entry says that it is a member."""
    n = world.turn[0] if world.turn else -1
    entry = world.ledger[n] if n >= 0 else ()
    if not entry or entry.state != m.IN_MEMBER or not entry.uid or world.turn != (n, True):
        return f"its holder {n} is no member by the ledger"
    return moves.overtaken(world._replace(turn=(-1, False)), m.TURN)


def removed(world: m.World, hosts: set[int]) -> m.World:
    """Take hosts from the maps that no process runs, as ``nodetool removenode`` does."""
    for truth, peers in world.maps:
        rest = tuple(
            peer
            for peer in peers
            if peer.host not in hosts or cassandra.runs_host(world, peer.host)
        )
        if rest != peers:
            world = cassandra.changed_map(world, truth, rest)
    return world


def is_on_its_way(world: m.World, n: int) -> bool:
    """Whether the process in a pod may have data that its sidecar has not told of."""
    pod = world.pods[n]
    return cassandra.is_starting(pod) or pod.step[:1] == (m.ANSWER,)


def ended(world: m.World, n: int) -> Iterator[m.World]:
    """End a process, however far it had come since it was seen last."""
    seen = set[m.World]()
    for each in (world, *_further(world, n)):
        after = cassandra.stopped(each, n)
        if after not in seen:
            seen.add(after)
            yield after


def _further(world: m.World, n: int) -> Iterator[m.World]:
    reached = [world]
    for _ in range(DEEP):
        reached = [
            after
            for each in reached
            for after in own_moves(each, n, leaving=False)
            if isinstance(after, m.World)
        ]
        yield from reached


def own_moves(world: m.World, n: int, *, leaving: bool = True) -> Iterator["m.World | str"]:
    """Give what the node in a pod may have done without its sidecar."""
    pod = world.pods[n]
    match pod.run:
        case m.WAITING | m.STOPPED if pod.step[:1] == (m.ANSWER,):
            for _, after in moves.carried_out(world, n):
                yield after.text if isinstance(after, Broken) else after
        case m.STARTING:
            after = with_names(cassandra.gossip(world, n))
            if after.pods[n].run == m.JOINING:
                yield after
            else:
                yield "with these seeds it dies"
        case m.JOINING:
            after = cassandra.finish(world, n)
            if after.pods[n].run == m.NORMAL:
                yield after
            else:
                yield "there is no member that it could stream from"
        case m.NORMAL:
            marked = cassandra.mark(world, n)
            if marked is not None:
                yield marked
            if leaving:
                yield from (
                    after
                    for _, after in faults._of_process(world, n, pod)
                    if isinstance(after, m.World) and after.pods[n].run == m.GONE
                )


def towards(
    world: m.World, n: int, report: Report, names: Names, track: Track, now: float
) -> "m.World | str":
    """Put in as few moves of the pod's node as make the world agree with what is said of it."""
    reached, why = [world], ""
    for _ in range(DEEP):
        following: list[m.World] = []
        for each in reached:
            found = agrees(each, n, report, names, track, now)
            if not isinstance(found, str):
                return found
            why = why or found
            for after in own_moves(each, n):
                if isinstance(after, str):
                    why = f"{why}, and {after}"
                else:
                    following.append(after)
        reached = following
        # What is read of a disk may be of before the moves that are put in.
        track = replace(track, changed={**track.changed, n: now})
    return why


def agrees(
    world: m.World, n: int, report: Report, names: Names, track: Track, now: float
) -> "m.World | str":
    """Return the world, a host named by now, if what is said of a pod is so in it."""
    beat = evidence.fresh_heartbeat(report)
    mode = beat.mode if beat else None
    run = world.pods[n].run
    if mode == "DECOMMISSIONED" and run != m.GONE:
        return "it has left the ring"
    if mode in RUNNING and run != m.NORMAL:
        return f"it is {mode}, and in the model in state {run}"
    if mode == "JOINING" and run not in {m.JOINING, m.NORMAL}:
        return f"it is JOINING, and in the model in state {run}"
    found = other_disk(world, n, report.disk, names, track, now)
    if isinstance(found, str) or beat is None or beat.host_id is None or run < m.JOINING:
        return found
    if found.pods[n].ghost:
        return found
    return with_host(found, n, names.hosts[beat.host_id])


def other_disk(
    world: m.World, n: int, disk: Disk, names: Names, track: Track, now: float
) -> "m.World | str":
    """Return the world if a pod's disk is as it is read, or was moments ago."""
    if disk.state is DiskState.UNKNOWN:
        return world
    held, read = world.pods[n].disk, names.disk(disk)
    late = now - track.changed.get(n, float("-inf")) < LATE_SECONDS
    if read.kind != held.kind:
        if m.UNMARKED in {read.kind, held.kind} and world.pods[n].run != m.NORMAL:
            late = False  # only a node that runs comes from the one to the other
        if late and RANKS[read.kind] < RANKS[held.kind]:
            return world
        return f"its disk is {disk.state}, and in the model {values.DISKS[held.kind]}"
    if read.kind in {m.EMPTY, m.UNMARKED}:
        pod = world.pods[n]
        meant = {0, held.ring, pod.promised, pod.step[3] if pod.step[:1] == (m.ANSWER,) else 0}
        return world if read.ring in meant or late else f"it is on its way to {disk.ring_id}"
    if read.ring and read.ring != held.ring:
        return f"its disk is of ring {disk.ring_id}"
    return with_host(world, n, read.host) if read.host else world


def with_host(world: m.World, n: int, host: int) -> "m.World | str":
    """Name the host of a pod, or hold that it has that name."""
    held = world.pods[n].disk.host
    if held == host:
        return world
    if held > UNNAMED:
        return renamed(world, hosts={held: host})
    return f"it is host {host}, and in the model {held}"


def ready_to_ask(world: m.World, n: int) -> Iterator[m.World]:
    """Let a node ask: one that ran has ended, an answer that was not heard is forgotten."""
    pod = world.pods[n]
    if pod.run <= m.WAITING and not pod.step:
        yield world
    if pod.run != m.STOPPED:
        yield from ended(world, n)


def adopted(world: m.World, n: int, report: Report, names: Names) -> m.World:
    """Take over a disk, and a process on it, that come from outside of the model."""
    disk, pod = names.disk(report.disk), world.pods[n]
    beat = evidence.fresh_heartbeat(report)
    host = disk.host or (names.hosts[beat.host_id] if beat and beat.host_id else 0)
    truth = 0 if disk.kind == m.EMPTY else _truth(world, n, host, disk.ring)
    if truth and not host:
        host = max({UNNAMED, *(each.disk.host for each in world.pods)}) + 1
    disk = disk._replace(host=host if truth else 0, truth=truth)
    runs = bool(beat) and beat is not None and beat.mode in RUNNING and truth > 0
    pod = pod._replace(disk=disk, run=m.NORMAL if runs else pod.run, step=(), ghost=())
    world = with_pod(world, n, pod)
    if not runs:
        return world
    peers = cassandra._settled_at(
        cassandra.peers_in(world, truth), host, pod.address, joining=False
    )
    return cassandra.changed_map(world, truth, peers)


def _truth(world: m.World, n: int, host: int, ring: int) -> int:
    """Find the ring, in truth, of a disk: by its host, else by its mark, else a new one."""
    for truth, peers in world.maps:
        if any(peer.host == host for peer in peers):
            return truth
    for k, pod in enumerate(world.pods):
        if k != n and pod.disk.truth and ring in {0, pod.disk.ring}:
            return pod.disk.truth
    truths = {pod.disk.truth for pod in world.pods} | {truth for truth, _ in world.maps}
    return max({UNNAMED, *truths}) + 1
