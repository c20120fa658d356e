"""Whether a world gets whole once faults stop, and what an operator has to do for it.

From every world a fair continuation is followed: links and the API server are back, time
passes, every pod takes its turn at every move that it has, with fresh words. It has to end with
every pod that is there NORMAL in one ring, or with pods that are withheld for a reason that
docs/operations.md has a way out of. Then each way out is tried: none may break a law, and one
has to lead on.
As every world that a search finds is followed, a fair run can not end in one that is stuck.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.model import cassandra, deciding, faults, laws, moves, seeing, values
from tests.model import state as m
from tests.model.deciding import Brain, Told
from tests.model.moves import Broken
from tests.model.packing import Hashes

OPERATOR_ACTS = 5
"""An operator who has to do more than this has not been helped."""


class Stuck(NamedTuple):
    """A pod that waits: its number, and what it is told."""

    pod: int
    told: Told


class Harm(str):
    """A law that is broken on the way, which no other way out makes up for."""

    __slots__ = ()


@dataclass
class Settler:
    """Follows fair continuations and remembers which worlds are known to get whole.

    Attributes:
        mended: worlds that get whole as they are once mended and half a minute later, before
            they are made canonical: most have many others that come to the same.
        rules: how often each rule was what an operator had to resolve, and with which act.

    """

    brain: Brain
    good: Hashes = field(default_factory=Hashes)
    mended: Hashes = field(default_factory=Hashes)
    rules: dict[tuple[str, str], int] = field(default_factory=dict)

    def dead_end(self, world: m.World) -> str | None:
        """Say why the world never gets whole; None if it does."""
        rested = rested_of(world)
        key = hash(rested)
        if key in self.mended:
            return None
        text = self._follow(rested, OPERATOR_ACTS)
        if text is None:
            self.mended.add(key)
        return text

    def _follow(self, world: m.World, acts: int) -> str | None:
        passed: list[int] = []
        on_the_way: set[int] = set()
        text: str | None = None
        while True:
            world = m.canonical(cassandra.collected(world))
            key = hash(world)
            if key in self.good:
                break
            if key in on_the_way:
                text = f"goes round in circles: {describe(world)}"
                break
            passed.append(key)
            on_the_way.add(key)
            after = fair_move(self.brain, world)
            if after is None:
                text = self._resolve(world, acts)
                break
            if isinstance(after, Broken):
                return Harm(after.text)
            broken = laws.standing(after)
            if broken is not None:
                return Harm(broken)
            world = after
        if text is None:
            for key in passed:
                self.good.add(key)
        return text

    def _resolve(self, world: m.World, acts: int) -> str | None:
        """Find out whether a world at rest is whole, or an operator can help."""
        waiting = stuck(self.brain, world)
        if not waiting:
            return unwhole(world)
        if acts == 0:
            return f"no end of operator's acts: {describe(world)}"
        first = led = ""
        for pod, told in waiting:
            for name, after in remedies(world, pod, told):
                text = self._follow(after, acts - 1)
                if isinstance(text, Harm):
                    return Harm(f"an act that is advised ({told.rule}: {name}) harms: {text}")
                if text is None and not led:
                    led = name
                    key = (told.rule, name)
                    self.rules[key] = self.rules.get(key, 0) + 1
                first = first or text or ""
        if led:
            return None
        reasons = "; ".join(f"{values.pod_name(n)} {t.rule}: {t.reason}" for n, t in waiting)
        return f"a dead end: {reasons}{' / ' if first else ''}{first}"


def describe(world: m.World) -> str:
    """Say in a few words what the pods of a world are."""
    return ", ".join(
        f"{values.pod_name(n)} {values.DISKS[pod.disk.kind]}/{pod.run}"
        for n, pod in enumerate(world.pods)
    )


def fair_move(brain: Brain, world: m.World) -> "m.World | Broken | None":
    """Return the world after the next move of a fair run; None where nothing moves any more.

    What is broken is mended first, then time passes, then who has begun something goes on, then
    everybody who can begin something does. No pod is passed over for ever: what it waits for is
    either another's move, which comes first, or nothing.
    """
    later = rested_of(world)
    if later != world:
        return later
    waiting: m.World | None = None
    for going_on in (True, False):
        for n, pod in enumerate(world.pods):
            asks = pod.run in {m.STOPPED, m.WAITING} and not pod.step
            if asks == going_on:
                continue
            for _, after in _next(brain, world, n):
                if isinstance(after, Broken):
                    return after
                if _progress(world, after, n):
                    return after
                waiting = waiting or after
    return waiting


def _progress(before: m.World, after: m.World, n: int) -> bool:
    """Whether more happened than that a pod began to wait."""
    one, two = before.pods[n], after.pods[n]
    return not (two.run == m.WAITING and not two.step and not two.promised) or one.step != ()


def rested_of(world: m.World) -> m.World:
    """Return the world with everything mended, half a minute later."""
    return cassandra.tick(_mended(world))


def _mended(world: m.World) -> m.World:
    if not world.api:
        world = moves.api_back(world)
    for n, pod in enumerate(world.pods):
        if pod.link != m.LINKED:
            world = moves.relinked(world, n)
    if world.flight:
        n, step = world.flight
        world = moves.wrote(world._replace(flight=()), n, step, known=False)
    return world


def _next(brain: Brain, world: m.World, n: int) -> Iterator[moves.Move]:
    pod = world.pods[n]
    if pod.address < 0:
        return
    if pod.run in {m.STOPPED, m.WAITING}:
        if pod.step:
            yield from moves.carried_out(world, n)
        else:
            yield from moves.look(brain, world, n, everything=False)
    elif pod.run == m.STARTING:
        yield ("", n, ""), cassandra.gossip(world, n)
    elif pod.run == m.JOINING:
        yield ("", n, ""), cassandra.finish(world, n)
    else:
        marked = cassandra.mark(world, n) if pod.run == m.NORMAL else None
        if marked is not None:
            yield ("", n, ""), marked
        yield from moves.scribe(brain, world, n)


def stuck(brain: Brain, world: m.World) -> list[Stuck]:
    """Return the pods that ask and are not let in."""
    waiting = []
    for n, pod in enumerate(world.pods):
        if pod.address < 0 or pod.run not in {m.STOPPED, m.WAITING}:
            continue
        blank = pod.disk.kind <= m.JOINING_DISK
        known = seeing.live(world) if blank else seeing.watched(world, n)
        sight, _ = next(seeing.sights(world, n, known, everything=False))
        told = brain.decide(sight)
        if told.rule == "member-in-doubt":
            told = brain.decide(sight._replace(known=seeing.live(world)))
        waiting.append(Stuck(n, told))
    return waiting or _without_record(world)


def _without_record(world: m.World) -> list[Stuck]:
    """Return a running pod whose sidecar cannot give the ring a record, as an Event tells."""
    running = [n for n, pod in enumerate(world.pods) if pod.run == m.NORMAL and not pod.ghost]
    if world.record or not running:
        return []
    sight, _ = next(seeing.sights(world, running[0], seeing.live(world), everything=False))
    if not deciding.missing_record(sight):
        return []
    told = Brain().duty("record", sight)
    adopts = world.pods[running[0]].disk.kind == m.UNMARKED
    return [Stuck(running[0], told._replace(rule="adoption" if adopts else "rebuild-blocked"))]


def unwhole(world: m.World) -> str | None:
    """Say why a world in which nobody waits is not whole; None if it is."""
    rings = {seeing.process(pod)[1] for pod in world.pods if pod.run == m.NORMAL}
    if len(rings) > 1:
        return f"{len(rings)} rings run"
    for n, pod in enumerate(world.pods):
        if pod.address < 0 or pod.run == m.GONE:
            continue
        name, entry = values.pod_name(n), world.ledger[n]
        if pod.run != m.NORMAL:
            return f"{name} neither runs nor waits"
        if pod.ghost:
            continue  # a process on an emptied disk runs on until it is restarted
        if pod.disk.kind != m.MEMBER or not world.record or pod.disk.ring != world.record[0]:
            return f"{name} runs on a disk without the record's mark"
        mine = (m.IN_MEMBER, pod.disk.host, True, True)
        if not entry or (entry.state, entry.host, entry.uid, entry.claim) != mine:
            return f"{name} runs and its ledger entry does not say so"
        if world.turn == (n, True):
            return f"{name} keeps the turn"
    return None


# -- what docs/operations.md tells an operator to do -------------------------------------------


Remedies = Iterator[tuple[str, m.World]]


def remedies(world: m.World, n: int, told: Told) -> Remedies:
    """Give what the rule's section of docs/operations.md advises, the gentlest first."""
    match told.rule:
        case "paused":
            yield "take the pause annotation away", world._replace(paused=False)
        case "volume-unknown":
            yield "correct the claim's name", world._replace(blind=False)
        case "member-removed" | "member-replaced":
            yield "delete the ledger entry", faults.entry_deleted(world, n)
            if laws.advises_to_empty(told):
                yield from _emptied(world, n)
        case "member-cloned":
            yield from _started(world)
            yield from _emptied(world, n)
        case "disk-foreign" if "delete the ring record" in told.reason:
            yield "delete the record", faults.record_deleted(world)
        case "disk-foreign" | "disk-left" | "unmarked-stranger":
            yield from _emptied(world, n)
        case _:
            yield from _for_all(world, n, told.rule)


def _for_all(world: m.World, n: int, rule: str) -> Remedies:
    """Give what rules advise that wait for others."""
    yield from _started(world)
    match rule:
        case "found-blocked":
            yield from _claims_deleted(world)
            yield from _stopped(world)
            yield "approve the founding", world._replace(approved=n)
        case "rebuild-blocked" | "adoption":
            yield from _left_emptied(world)
            yield from _restarted_on_nothing(world)
            yield from _claims_deleted(world)
        case "join-wait":
            yield from _restarted_on_nothing(world)
            yield from _removed(world)
            yield from _all_forgotten(world)
        case "replace-wait":
            yield from _restarted_on_nothing(world)
            yield from _all_forgotten(world)


def _started(world: m.World) -> Remedies:
    absent = [n for n, pod in enumerate(world.pods) if pod.address < 0]
    if absent:
        for n in absent:
            world = moves.back(world, n)
        yield "start the pods", world


def _claims_deleted(world: m.World) -> Remedies:
    for n, pod in enumerate(world.pods):
        if pod.address < 0 and pod.claim:
            yield f"delete the claim of {values.pod_name(n)}", faults.claim_lost(world, n)


def _stopped(world: m.World) -> Remedies:
    """Stop a node that may be on its way into a lost ring, or runs on an emptied disk."""
    for n, pod in enumerate(world.pods):
        if pod.address >= 0 and (pod.ghost or cassandra.is_starting(pod) or pod.disk.ring):
            yield f"stop {values.pod_name(n)}", cassandra.stopped(world, n)


def _restarted_on_nothing(world: m.World) -> Remedies:
    for n, pod in enumerate(world.pods):
        if pod.ghost:
            yield "restart the pod whose disk was emptied", cassandra.stopped(world, n)


def _removed(world: m.World) -> Remedies:
    if any(pod.run == m.NORMAL for pod in world.pods):
        for truth, peers in world.maps:
            for peer in peers:
                if not peer.up and not peer.joining:
                    rest = tuple(each for each in peers if each != peer)
                    after = cassandra.changed_map(world, truth, rest)
                    yield f"nodetool removenode host {peer.host}", after


def _all_forgotten(world: m.World) -> Remedies:
    """Delete record and ledger, only where all data is lost for good."""
    if all(pod.disk.kind in {m.EMPTY, m.JOINING_DISK, m.LEFT} for pod in world.pods):
        for n in range(len(world.pods)):
            world = faults.entry_deleted(world, n)
        yield "delete the ConfigMaps", faults.record_deleted(world)


def _left_emptied(world: m.World) -> Remedies:
    for n, pod in enumerate(world.pods):
        if pod.disk.kind == m.LEFT:
            yield "empty the disk of the pod that left", faults.emptied(world, n)


def _emptied(world: m.World, n: int) -> Remedies:
    yield "empty the data directory", faults.emptied(world, n)
