"""The invariants of the protocol, checked against what is true and no sidecar can see.

Each check returns a sentence that says what is broken, or None. Numbers are those of the list
"Invariants" in docs/architecture.md.
"""

from tests.model import cassandra, deciding, seeing, values
from tests.model import state as m

ADVICE = frozenset(
    {"member-removed", "member-replaced", "disk-foreign", "member-cloned", "unmarked-stranger"}
)
"""Rules whose reason tells an operator that a disk may be emptied."""


def name(n: int) -> str:
    return values.pod_name(n)


def advises_to_empty(told: deciding.Told) -> bool:
    """Whether an operator is told that this disk may be emptied."""
    return "empty the data directory" in told.reason


def decided(
    world: m.World, sight: seeing.Sight, told: deciding.Told, *, fresh: bool
) -> str | None:
    """Check a decision at the moment it is taken; `fresh`: it rests on no old word."""
    n, pod = sight.asker, world.pods[sight.asker]
    step = told.step
    if not pod.disk.kind <= m.JOINING_DISK or told.rule.startswith("member-"):
        # Who acts on an advice reads it after the next question, a second later.
        advice = _bad_advice(world, n, told) if fresh else None
        return advice or _unserved(world, sight, told)
    if not step:
        return None
    if not sight.known.here:
        return f"5: {name(n)} is let in with a blank disk and no word of the API server"
    if sight.known.paused:
        return f"4: {name(n)} is let in during a pause"
    if step[0] == m.ANSWER:
        return _blank_answer(world, n, step, fresh=fresh)
    founds = step[0] == m.RECORD and step[1].how == m.FOUNDED
    return _over_data(world, n) if founds else None


def _bad_advice(world: m.World, n: int, told: deciding.Told) -> str | None:
    if told.rule not in ADVICE or (told.rule == "member-cloned" and not told.refused):
        return None
    if not advises_to_empty(told):
        return None
    disk, entry = world.pods[n].disk, world.ledger[n]
    if told.rule == "unmarked-stranger" and not (
        entry and (entry.host, entry.claim) == (disk.host, True)
    ):
        return None  # no mark, and nobody wrote this volume down: nothing but the disk knows it
    if told.rule == "member-cloned" and cassandra.runs_host(world, disk.host):
        return None
    elsewhere = any(k != n and pod.disk.host == disk.host for k, pod in enumerate(world.pods))
    needed = any(
        peer.host == disk.host and not peer.joining
        for peer in cassandra.peers_in(world, disk.truth)
    )
    lives = _living_rings(world) - {disk.truth}
    if needed and not elsewhere and not lives:
        return (
            f"6: {name(n)} is told to empty a disk that its ring has as a member ({told.rule})"
        )
    return None


def _unserved(world: m.World, sight: seeing.Sight, told: deciding.Told) -> str | None:
    """Object where a member waits though nothing that its sidecar knows speaks against it.

    Whoever is silent and whatever is away: what was known outlives the API server.
    """
    n, known = sight.asker, sight.known
    disk = world.pods[n].disk
    if told.step or disk.kind != m.MEMBER:
        return None
    entry, record = known.ledger[n], known.record
    other_ring = bool(record) and record[0] != disk.ring
    other_host = bool(entry) and (entry.state, entry.host) != (m.IN_MEMBER, disk.host)
    twin = any(
        k != n and each and each.host == disk.host for k, each in enumerate(known.ledger)
    )
    twin |= any(
        k != n and disk.host in {pod.disk.host, seeing.process(pod)[0]}
        for k, pod in enumerate(world.pods)
    )
    # A word of up to 5 s ago may still speak of the disk that this one is a copy of.
    twin |= any(
        k != n and said and disk.host in {said.disk.host, said.host}
        for k, said in enumerate(sight.words)
    )
    if other_ring or other_host or twin:
        return None
    return f"5: {name(n)} is a member, and is withheld ({told.rule})"


def _living_rings(world: m.World) -> set[int]:
    rings = set()
    for pod in world.pods:
        if pod.run == m.NORMAL:
            rings.add(seeing.process(pod)[1])
        if pod.disk.kind in {m.MEMBER, m.UNMARKED} and pod.claim:
            rings.add(pod.disk.truth)
    return rings


def _blank_answer(world: m.World, n: int, step: tuple, *, fresh: bool) -> str | None:
    _, seeds, replaced, ring = step
    own = world.pods[n].address
    record = world.record
    if own in seeds and seeds != (own,):
        return f"2: {name(n)} is told itself among others with a blank disk"
    if seeds == (own,):
        return _first_of_two(world, n)
    if record and ring != record[0]:
        return f"3: {name(n)} is led into ring {ring}, the record says {record[0]}"
    if fresh and replaced < 0:
        return _unsettled(world, n, seeds)
    return _alive(world, n, seeds, replaced) if fresh else None


def _over_data(world: m.World, n: int) -> str | None:
    """Say whose data a new ring's record would lock out."""
    for k, pod in enumerate(world.pods):
        holds = pod.disk.kind in {m.MEMBER, m.UNMARKED} and pod.claim
        if k != n and holds and world.approved != n:
            return f"1: {name(n)} founds while {name(k)} holds data of ring {pod.disk.ring}"
    return None


def _first_of_two(world: m.World, n: int) -> str | None:
    """Say why nobody may start as the first of a ring: somebody has data, or is on its way."""
    for k, pod in enumerate(world.pods):
        if k != n and pod.run in {m.STARTING, m.JOINING, m.NORMAL}:
            return f"1: {name(n)} founds while {name(k)} is in a ring or on its way"
    return _over_data(world, n)


def _unsettled(world: m.World, n: int, seeds: tuple[int, ...]) -> str | None:
    rings = cassandra.members_at(world, seeds)
    if not rings:
        return f"3: {name(n)} is led to addresses where no member runs"
    for peer in cassandra.peers_in(world, rings[0]):
        if peer.host == world.pods[n].disk.host:
            continue
        if peer.joining or not peer.up:
            what = "is joining" if peer.joining else "is down"
            return f"4: {name(n)} is let in while host {peer.host} {what}"
    return None


def heard(world: m.World, n: int, step: tuple) -> str | None:
    """Check an answer at the moment that a node with a blank disk starts to use it."""
    seeds, own = step[1], world.pods[n].address
    for k, pod in enumerate(world.pods):
        if k != n and cassandra.is_starting(pod):
            return f"4: {name(n)} and {name(k)} come in at the same time"
    return _first_of_two(world, n) if seeds == (own,) else None


def _alive(world: m.World, n: int, seeds: tuple[int, ...], replaced: int) -> str | None:
    for ring in set(cassandra.members_at(world, seeds)):
        for peer in cassandra.peers_in(world, ring):
            if peer.address == replaced and cassandra.runs_host(world, peer.host):
                return f"6: {name(n)} is to take the place of host {peer.host}, which runs"
    return None


def started(world: m.World, n: int, seeds: tuple[int, ...], sight: seeing.Sight) -> str | None:
    """Check that a disk with data may start, with these seeds."""
    disk = world.pods[n].disk
    rings = set(cassandra.members_at(world, seeds))
    if rings - {disk.truth}:
        return f"3: {name(n)} gets a seed of another ring"
    known = sight.known
    for k, pod in enumerate(world.pods):
        # A copy whose original nobody has heard of, or heard of as stopped some seconds ago,
        # cannot be told from it.
        entry, said = known.ledger[k], sight.words[k]
        told = (said or entry).host == disk.host if said or entry else False
        twice = pod.run == m.NORMAL and seeing.process(pod)[0] == disk.host
        if k != n and told and twice:
            return f"6: host {disk.host} of {name(n)} already runs in {name(k)}"
    entry = world.ledger[n]
    mine = entry and world.record and entry.ring == world.record[0]
    heard = known.source == m.WATCHED and known.ledger == world.ledger
    if not (mine and heard and disk.kind == m.MEMBER):
        return None
    if entry.state == m.IN_LEFT and entry.host == disk.host:
        return f"6: {name(n)} starts though its host was removed"
    if entry.state == m.IN_MEMBER and entry.host != disk.host:
        return f"6: {name(n)} starts though its host was replaced"
    return None


def written(before: m.World, n: int, step: tuple) -> str | None:
    """Check a ledger entry or record that is about to be written by pod `n`."""
    if step[0] == m.RECORD:
        return _record_written(before, n, step[1])
    if step[0] != m.ENTRY:
        return None
    entry, of = step[1], step[2]
    held = before.ledger[of]
    if not held or not held.host or held.ring != entry.ring:
        return None
    known = any(
        peer.host == held.host and not peer.joining
        for _, peers in before.maps
        for peer in peers
    )
    closed = entry.host == 0
    left = entry.state == m.IN_LEFT and held.state != m.IN_LEFT
    elsewhere = cassandra.runs_host(before, held.host)
    if known and closed and of == n and not elsewhere:
        return f"6: the entry of host {held.host} is closed while its ring knows it"
    if known and left and of != n:
        return f"6: host {held.host} of {name(of)} is written off while its ring knows it"
    return None


def _record_written(before: m.World, n: int, record: m.Record) -> str | None:
    if record.how == m.FOUNDED:
        return _over_data(before, n)
    if record.how == m.ADOPTED:
        truths = {pod.disk.truth for pod in before.pods if pod.disk.kind == m.UNMARKED}
        return "1: two rings are adopted as one" if len(truths) > 1 else None
    marks = {
        pod.disk.ring
        for pod in before.pods
        if pod.disk.kind == m.MEMBER and pod.disk.truth in _running_rings(before)
    }
    if marks and record.ring not in marks:
        return f"3: the record is rebuilt as ring {record.ring}, which does not run"
    return None


def _running_rings(world: m.World) -> set[int]:
    return {seeing.process(pod)[1] for pod in world.pods if pod.run == m.NORMAL}


def standing(world: m.World) -> str | None:
    """Check what must hold in every world: one ring runs."""
    rings = _running_rings(world)
    if len(rings) > 1:
        return f"1: {len(rings)} rings run"
    return None
