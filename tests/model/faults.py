"""What may go wrong in a world: what Kubernetes, the network, machines and operators cause.

Each fault counts against the bound of a search. What ends one (a link that is back, a pod that
is scaled up again) is an ordinary move.
"""

from collections.abc import Iterator

from tests.model import cassandra, laws, seeing, values
from tests.model import state as m
from tests.model.cassandra import with_pod
from tests.model.moves import Broken, Move, overtaken, wrote
from tests.model.wording import host_of, owner, what


def faults(world: m.World) -> Iterator[Move]:
    """Give every fault that can happen now."""
    for n, pod in enumerate(world.pods):
        if pod.address >= 0:
            yield from _of_process(world, n, pod)
            yield from _of_pod(world, n, pod)
            yield from _of_sidecar(world, n, pod)
        elif pod.claim:
            yield ("claim deleted", n, ""), claim_lost(world, n)
        yield from _of_disk(world, n, pod)
        if world.ledger[n]:
            yield ("ledger entry deleted", n, ""), entry_deleted(world, n)
    yield from _of_service(world)
    yield from _of_ring(world)


def _of_process(world: m.World, n: int, pod: m.Pod) -> Iterator[Move]:
    if pod.run != m.STOPPED:
        yield ("crashes", n, ""), cassandra.stopped(world, n)
    if pod.step and pod.step[0] != m.ANSWER and seeing.asks_api(world, n):
        broken = laws.written(world, n, pod.step)
        label = ("gets no answer to a write that succeeded", n, what(world, pod.step))
        yield label, Broken(broken) if broken else wrote(world, n, pod.step, known=False)
        if not world.flight:
            later = with_pod(world, n, pod._replace(step=(), stepped=True))
            later = later._replace(flight=(n, pod.step))
            yield (
                ("takes a write for failed that is under way", n, what(world, pod.step)),
                later,
            )
    if pod.run == m.NORMAL and len(world.maps) == 1 and not pod.ghost:
        yield from _decommissioned(world, n, pod)


def _decommissioned(world: m.World, n: int, pod: m.Pod) -> Iterator[Move]:
    host, truth = seeing.process(pod)
    rest = tuple(p for p in cassandra.peers_in(world, truth) if p.host != host)
    others = any(not peer.joining for peer in rest)  # else Cassandra refuses
    if others and pod.disk.kind == m.MEMBER:
        left = pod._replace(
            run=m.GONE, disk=pod.disk._replace(kind=m.LEFT), old=cassandra.spoken(world, n)
        )
        yield (
            ("is decommissioned", n, ""),
            cassandra.changed_map(with_pod(world, n, left), truth, rest),
        )


def _of_pod(world: m.World, n: int, pod: m.Pod) -> Iterator[Move]:
    yield ("is rescheduled", n, ""), moved(world, n, m.NEW + n)
    for address in sorted(dead_addresses(world)):
        text = f"at {owner(world, address)}, which another had"
        yield ("is rescheduled", n, text), moved(world, n, address)
    if world.api:
        yield ("loses pod and volume", n, ""), volume_lost(world, n)
        yield ("is scaled away", n, ""), scaled_away(world, n)
    for k in range(n + 1, len(world.pods)):
        other = world.pods[k].address
        if other >= 0:
            both = moved(moved(world, n, other), k, pod.address)
            yield ("swaps addresses", n, f"with {values.pod_name(k)}"), both


def _of_sidecar(world: m.World, n: int, pod: m.Pod) -> Iterator[Move]:
    if pod.link == m.LINKED and world.api:
        yield ("is cut off from the API server", n, ""), unlinked(world, n, m.CUT)
        yield ("hears its watch late", n, ""), unlinked(world, n, m.LAGGING)


def _of_disk(world: m.World, n: int, pod: m.Pod) -> Iterator[Move]:
    if pod.disk != m.Disk():
        yield ("finds its data directory empty", n, ""), emptied(world, n)
        if pod.run == m.NORMAL and not pod.ghost:
            yield ("has its disk emptied while it runs", n, ""), emptied_under(world, n)
    if pod.disk.kind == m.MEMBER and pod.run == m.STOPPED:
        unmarked = pod.disk._replace(kind=m.UNMARKED)
        yield ("loses its mark", n, ""), with_pod(world, n, pod._replace(disk=unmarked))
    if pod.run == m.STOPPED:
        for k, other in enumerate(world.pods):
            if k != n and other.disk.kind == m.MEMBER:
                copy = pod._replace(disk=other.disk)
                yield ("gets a copy of a disk", n, values.pod_name(k)), with_pod(world, n, copy)
        if world.stash[:1] == (n,) and not _about_to_found(world):
            again = with_pod(world, n, pod._replace(disk=world.stash[1]))
            yield ("gets its lost disk back", n, ""), again._replace(stash=())


def _about_to_found(world: m.World) -> bool:
    """Whether a sidecar has looked at all disks, and founds a ring next.

    Nobody can see a disk that is put back in that moment; it is refused as foreign then, and
    keeps its data.
    """
    told_itself = any(
        pod.step[:2] == (m.ANSWER, (pod.address,)) and pod.disk.kind <= m.JOINING_DISK
        for pod in world.pods
    )
    steps = [pod.step for pod in world.pods] + [world.flight[1] if world.flight else ()]
    writes = any(step[:1] == (m.RECORD,) and step[1].how == m.FOUNDED for step in steps)
    return told_itself or writes


def _of_service(world: m.World) -> Iterator[Move]:
    if world.api:
        if world.record:
            yield ("the record is deleted", -1, ""), record_deleted(world)
        if world.turn:
            yield ("the Lease is deleted", -1, ""), overtaken(world._replace(turn=()), m.TURN)
        yield ("the API server is away", -1, ""), api_away(world)
        if not world.paused:
            yield ("an operator pauses", -1, ""), world._replace(paused=True)
    if not world.blind:
        yield ("volume claims are not found", -1, ""), world._replace(blind=True)
    running = [n for n, pod in enumerate(world.pods) if pod.run != m.STOPPED]
    if len(running) > 1:
        dark = world
        for n in running:
            dark = cassandra.stopped(dark, n)
        yield ("all crash at once", -1, ""), dark
    here = [n for n, pod in enumerate(world.pods) if pod.address >= 0]
    if len(here) > 1:
        turned = world
        addresses = [world.pods[n].address for n in here]
        for n, address in zip(here, addresses[1:] + addresses[:1], strict=True):
            turned = moved(turned, n, address)
        yield ("all are rescheduled, each at another's address", -1, ""), turned


def _of_ring(world: m.World) -> Iterator[Move]:
    for truth, peers in world.maps:
        alive = any(pod.run == m.NORMAL for pod in world.pods)
        for peer in peers:
            if alive and not peer.joining and not peer.up:
                rest = tuple(each for each in peers if each != peer)
                after = cassandra.changed_map(world, truth, rest)
                yield ("nodetool removenode", -1, host_of(world, peer.host)), after


def removed(world: m.World, host: int) -> m.World:
    """Take a host out of the ring that has it, whoever knows whether it is down."""
    for truth, peers in world.maps:
        rest = tuple(peer for peer in peers if peer.host != host)
        if rest != peers:
            world = cassandra.changed_map(world, truth, rest)
    return world


def dead_addresses(world: m.World) -> set[int]:
    """Return the addresses that somebody had and nobody has."""
    known = {peer.address for _, peers in world.maps for peer in peers}
    known |= {entry.address for entry in world.ledger if entry}
    return known - {pod.address for pod in world.pods} - {m.NO_ADDRESS}


def moved(world: m.World, n: int, address: int) -> m.World:
    """Delete a pod: it is back at another address, with another UID if the API server is up.

    Without one a machine that starts again gives its pods new addresses all the same, and their
    sidecars remember.
    """
    world = cassandra.stopped(world, n)
    pod = world.pods[n]
    if not world.api:
        return with_pod(world, n, pod._replace(address=address, source=m.REMEMBERED))
    pod = pod._replace(address=address, link=m.LINKED, seen=(), source=m.WATCHED)
    return _renamed_uid(with_pod(world, n, pod), n)


def _renamed_uid(world: m.World, n: int) -> m.World:
    pod = world.pods[n]
    if pod.old:
        world = with_pod(world, n, pod._replace(old=pod.old._replace(present=False)))
    turn = (n, False) if world.turn[:1] == (n,) else world.turn
    world = _in_entries(world, n, uid=False)
    return world._replace(turn=turn)


def _in_entries(world: m.World, n: int, **changes: bool) -> m.World:
    """Change what every copy of the pod's entry, and steps that write it, say of its UIDs."""

    def change(entry: tuple) -> tuple:
        return entry._replace(**changes) if entry else ()

    def change_ledger(ledger: tuple) -> tuple:
        return (*ledger[:n], change(ledger[n]), *ledger[n + 1 :])

    def change_step(step: tuple) -> tuple:
        ours = step[:1] == (m.ENTRY,) and step[2] == n
        return (m.ENTRY, change(step[1]), n) if ours else step

    pods = tuple(
        pod._replace(
            seen=pod.seen._replace(ledger=change_ledger(pod.seen.ledger)) if pod.seen else (),
            step=change_step(pod.step),
        )
        if pod.seen or pod.step
        else pod
        for pod in world.pods
    )
    flight = (world.flight[0], change_step(world.flight[1])) if world.flight else ()
    return world._replace(pods=pods, ledger=change_ledger(world.ledger), flight=flight)


def emptied(world: m.World, n: int) -> m.World:
    """Stop a process and empty its disk, under the same volume claim."""
    disk = world.pods[n].disk
    if disk.kind == m.MEMBER and not world.stash:
        world = world._replace(stash=(n, disk))
    world = cassandra.stopped(world, n)
    return with_pod(world, n, world.pods[n]._replace(disk=m.Disk()))


def emptied_under(world: m.World, n: int) -> m.World:
    pod = world.pods[n]
    return with_pod(
        world,
        n,
        pod._replace(disk=m.Disk(), ghost=seeing.process(pod), old=cassandra.spoken(world, n)),
    )


def claim_lost(world: m.World, n: int) -> m.World:
    """Delete the claim of a pod that is scaled away."""
    world = with_pod(world, n, world.pods[n]._replace(disk=m.Disk(), claim=False))
    return _renamed_claim(world, n)


def _renamed_claim(world: m.World, n: int) -> m.World:
    def change(record: tuple) -> tuple:
        if not record:
            return ()
        adopted = tuple(each for each in record.adopted if each != n)
        mine = record.founder == n
        return record._replace(claim=record.claim and not mine, adopted=adopted)

    def change_step(step: tuple) -> tuple:
        return (m.RECORD, change(step[1])) if step[:1] == (m.RECORD,) else step

    world = _in_entries(world, n, claim=False)
    pods = tuple(
        pod._replace(
            step=change_step(pod.step),
            seen=pod.seen._replace(record=change(pod.seen.record)) if pod.seen else (),
        )
        for pod in world.pods
    )
    flight = (world.flight[0], change_step(world.flight[1])) if world.flight else ()
    return world._replace(pods=pods, record=change(world.record), flight=flight)


def volume_lost(world: m.World, n: int) -> m.World:
    """Delete pod and claim; both come back new."""
    world = emptied(moved(world, n, m.NEW + n), n)
    return _renamed_claim(world, n)


def scaled_away(world: m.World, n: int) -> m.World:
    """Delete a pod for good; its claim stays."""
    world = moved(world, n, m.NO_ADDRESS)
    return with_pod(world, n, world.pods[n]._replace(link=m.LINKED, seen=()))


def entry_deleted(world: m.World, n: int) -> m.World:
    ledger = (*world.ledger[:n], (), *world.ledger[n + 1 :])
    return overtaken(world._replace(ledger=ledger), m.ENTRY, n)


def record_deleted(world: m.World) -> m.World:
    return overtaken(world._replace(record=()), m.RECORD)


def unlinked(world: m.World, n: int, link: int) -> m.World:
    pod = world.pods[n]
    fresh = link == m.CUT and pod.run == m.STOPPED
    source = m.NOTHING if fresh else m.WATCHED
    seen = () if fresh else snapshot(world)
    return with_pod(world, n, pod._replace(link=link, seen=seen, source=source))


def snapshot(world: m.World) -> m.Seen:
    addresses = tuple(pod.address for pod in world.pods)
    return m.Seen(addresses, world.record, world.ledger)


def api_away(world: m.World) -> m.World:
    seen = snapshot(world)
    pods = tuple(pod if pod.seen else pod._replace(seen=seen) for pod in world.pods)
    return world._replace(api=False, pods=pods)
