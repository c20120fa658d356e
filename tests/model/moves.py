"""What may happen in a world without anybody's fault, one small move at a time.

A move is a label and the world after it, or a `Broken` with the sentence of the law. A step
that a sidecar decided on and the write itself are two moves, so that everything, a crash too,
can come between. A failed compare-and-swap is not a move of its own: `wrote` drops the steps
that can only fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.model import cassandra, deciding, laws, seeing
from tests.model import state as m
from tests.model.cassandra import with_pod
from tests.model.deciding import Brain, Told
from tests.model.wording import what

Label = tuple[str, int, str]
"""What happens, to which pod (-1 for all), and more about it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A law that the move breaks."""

    text: str


Move = tuple[Label, "m.World | Broken"]


def moves(brain: Brain, world: m.World) -> Iterator[Move]:
    """Give every move that needs no fault; worlds are not canonical yet."""
    for n, pod in enumerate(world.pods):
        if pod.address >= 0:
            yield from _of_pod(brain, world, n, pod)
        else:
            yield ("scaled up", n, ""), back(world, n)
    yield from _of_all(world)


def _of_pod(brain: Brain, world: m.World, n: int, pod: m.Pod) -> Iterator[Move]:
    match pod.run:
        case m.STOPPED | m.WAITING:
            yield from carried_out(world, n) if pod.step else look(brain, world, n)
        case m.STARTING:
            yield ("meets the ring", n, ""), cassandra.gossip(world, n)
        case m.JOINING:
            yield ("is NORMAL", n, ""), cassandra.finish(world, n)
        case m.NORMAL:
            marked = cassandra.mark(world, n)
            if marked is not None:
                yield ("marks its disk", n, ""), marked
    if pod.run in {m.NORMAL, m.GONE} and seeing.asks_api(world, n):
        yield from scribe(brain, world, n)
    if pod.link != m.LINKED:
        yield ("is linked again", n, ""), relinked(world, n)


def _of_all(world: m.World) -> Iterator[Move]:
    later = cassandra.tick(world)
    if later != world:
        yield ("half a minute passes", -1, ""), later
    if not world.api:
        yield ("the API server is back", -1, ""), api_back(world)
    if world.paused:
        yield ("the pause is over", -1, ""), world._replace(paused=False)
    if world.blind:
        yield ("claims are found again", -1, ""), world._replace(blind=False)
    if world.flight:
        n, step = world.flight
        broken = laws.written(world, n, step)
        after = wrote(world._replace(flight=()), n, step, known=False)
        yield (
            ("a late write arrives", n, what(world, step)),
            Broken(broken) if broken else after,
        )


def look(brain: Brain, world: m.World, n: int, *, everything: bool = True) -> Iterator[Move]:
    """Let a node that starts ask, and its sidecar decide, with every word that it may have."""
    pod = world.pods[n]
    blank = pod.disk.kind <= m.JOINING_DISK
    by_api = seeing.asks_api(world, n)
    known = seeing.live(world) if blank and by_api else seeing.watched(world, n)
    seen: set[tuple] = set()
    for sight, fresh in seeing.sights(world, n, known, everything=everything):
        seen_by, told = sight, brain.decide(sight)
        if told.rule == "member-in-doubt" and by_api:
            seen_by = sight._replace(known=seeing.live(world), strangers=())
            told = brain.decide(seen_by)
        if told.step[:1] == (m.RECORD,) and _rests_on_old(world, sight):
            continue  # a record is written on words asked for anew
        broken = laws.decided(world, seen_by, told, fresh=fresh)
        starts = starts_member(pod, told)
        if broken is None and starts:
            broken = laws.started(world, n, told.step[1], seen_by)
        label = (
            "asks",
            n,
            f"{told.rule}: {what(world, told.step) if told.step else told.reason}",
        )
        if broken is not None:
            yield label, Broken(broken)
            continue
        outcome = (told.step, starts, told.rule if not told.step else "")
        if outcome in seen:
            continue
        seen.add(outcome)
        after = _after_decision(world, told, seen_by)
        if after != world:
            yield label, after


def starts_member(pod: m.Pod, told: Told) -> bool:
    """Whether the answer is for a disk with data, or for one that is a member unawares."""
    if told.step[:1] != (m.ANSWER,):
        return False
    return pod.disk.kind > m.JOINING_DISK or told.rule.startswith("member-")


def _rests_on_old(world: m.World, sight: seeing.Sight) -> bool:
    return any(said and said != seeing.word(world, k) for k, said in enumerate(sight.words))


def _asked_anew(world: m.World, n: int) -> m.World:
    """Let the words of before a step be over for the pod that has asked for newer ones."""
    if not world.pods[n].stepped:
        return world
    pods = tuple(
        pod._replace(old=_unheard(pod.old, n)) if pod.old else pod for pod in world.pods
    )
    return world._replace(pods=pods)


def _unheard(old: m.Word, n: int) -> tuple:
    to = tuple(k for k in old.to if k != n)
    return old._replace(to=to) if to else ()


def _after_decision(world: m.World, told: Told, sight: seeing.Sight) -> "m.World | Broken":
    n = sight.asker
    pod = world.pods[n]
    world = _asked_anew(world, n)
    if sight.known.here and pod.seen:
        # What was read live goes before a watch that has not moved since.
        pod = pod._replace(seen=pod.seen._replace(record=world.record))
        world = with_pod(world, n, pod)
    if not told.step:
        # The admission ends; the next question begins a new one.
        after = pod._replace(
            run=m.WAITING, turn=False, promised=0, stepped=False, old=_old(world, n)
        )
        return with_pod(world, n, after)
    if told.step[0] == m.PROMISE:
        # From here on others are told of it, and what follows rests on words of after it.
        ring = told.step[1]
        after = pod._replace(run=m.WAITING, promised=ring, stepped=True, old=_old(world, n))
        return with_pod(world, n, after)
    if told.step[0] != m.ANSWER:
        return with_pod(
            world, n, pod._replace(run=m.WAITING, step=told.step, old=_old(world, n))
        )
    if not starts_member(pod, told):
        after = pod._replace(
            run=m.WAITING, step=told.step, turn=False, stepped=False, old=_old(world, n)
        )
        return with_pod(world, n, after)
    # One that died before its mark was written starts as the member that it is.
    after = cassandra.start_member(world, n)
    broken = laws.standing(after)
    return Broken(broken) if broken else after


def _old(world: m.World, n: int) -> tuple:
    """Return the word of before where the first question changes it."""
    pod = world.pods[n]
    return cassandra.spoken(world, n) if pod.run == m.STOPPED else pod.old


def carried_out(world: m.World, n: int) -> Iterator[Move]:
    """Let a sidecar write what it decided, or the node hear its answer."""
    pod, step = world.pods[n], world.pods[n].step
    if step[0] == m.ANSWER:
        broken = laws.heard(world, n, step)
        _, seeds, replaced, ring = step
        disk = pod.disk._replace(ring=ring)
        if disk.ring != pod.disk.ring and disk.kind == m.JOINING_DISK:
            disk = m.Disk(m.JOINING_DISK, ring, 0, 0)
        after = pod._replace(
            run=m.STARTING,
            disk=disk,
            seeds=seeds,
            replace=replaced,
            step=(),
            promised=0,  # the mark names the ring from here on
            old=cassandra.spoken(world, n),
        )
        label = ("hears its seeds", n, what(world, step))
        yield label, Broken(broken) if broken else with_pod(world, n, after)
        return
    label = ("writes", n, what(world, step))
    if not seeing.asks_api(world, n):
        yield label, with_pod(world, n, pod._replace(step=(), stepped=True))
        return
    broken = laws.written(world, n, step)
    yield label, Broken(broken) if broken else wrote(world, n, step, known=True)


def wrote(world: m.World, n: int, step: tuple, *, known: bool) -> m.World:
    """Write an object; steps of others on the same object can only fail now.

    `known`: the sidecar of `n` learns of it and goes on; not of a late or unanswered write.
    """
    if step[0] == m.RECORD:
        world = world._replace(record=step[1])
    elif step[0] == m.ENTRY:
        ledger = list(world.ledger)
        ledger[step[2]] = step[1]
        world = world._replace(ledger=tuple(ledger))
    else:
        world = world._replace(turn=(n, True))
    world = overtaken(world, step[0], step[2] if step[0] == m.ENTRY else -1)
    if not known:
        return world
    mine = step[0] == m.TURN
    pod = world.pods[n]._replace(step=(), stepped=True)
    return with_pod(world, n, pod._replace(turn=mine or pod.turn))


def overtaken(world: m.World, kind: int, of: int = -1) -> m.World:
    """Drop all steps on an object that somebody has written."""

    def fails(step: tuple) -> bool:
        return step[:1] == (kind,) and (kind != m.ENTRY or step[2] == of)

    pods = tuple(
        pod._replace(
            step=() if fails(pod.step) else pod.step,
            stepped=pod.stepped or fails(pod.step),
            turn=pod.turn and kind != m.TURN,
        )
        for pod in world.pods
    )
    flight = () if world.flight and fails(world.flight[1]) else world.flight
    return world._replace(pods=pods, flight=flight)


def scribe(brain: Brain, world: m.World, n: int) -> Iterator[Move]:
    """Let the sidecar of a running node write down what is true, one thing at a time."""
    pod = world.pods[n]
    known = seeing.watched(world, n)
    sight, _ = next(seeing.sights(world, n, known, everything=False))
    if pod.run == m.NORMAL and not known.record and deciding.missing_record(sight):
        sight, _ = next(seeing.sights(world, n, seeing.live(world), everything=False))
        told = brain.duty("record", sight)
        if told.step:
            yield from _duty_done(world, n, told, "gives the ring its record")
        return
    told = brain.duty("ledger", sight)
    if not told.step:
        told = brain.duty("removal", sight, pod.gone)
    if told.step:
        of = told.step[2]
        if known.ledger[of] == world.ledger[of]:
            yield from _duty_done(world, n, told, "writes the ledger")
        return
    entry = known.ledger[n]
    done = bool(entry) and entry.state == m.IN_MEMBER and entry.uid
    if done and world.turn == (n, True):
        free = overtaken(world._replace(turn=(-1, False)), m.TURN)
        yield ("frees the turn", n, ""), free


def _duty_done(world: m.World, n: int, told: Told, text: str) -> Iterator[Move]:
    broken = laws.written(world, n, told.step)
    after = wrote(world, n, told.step, known=False)
    yield (text, n, what(world, told.step)), Broken(broken) if broken else after


def back(world: m.World, n: int) -> m.World:
    """Scale up: the pod is there again, with a new UID and address, on its volume if any."""
    pod = world.pods[n]._replace(address=m.NEW + n, claim=True, source=m.WATCHED)
    return with_pod(world, n, pod)


def relinked(world: m.World, n: int) -> m.World:
    pod = world.pods[n]._replace(link=m.LINKED, seen=(), source=m.WATCHED)
    return with_pod(world, n, pod)


def api_back(world: m.World) -> m.World:
    pods = tuple(
        pod if pod.link != m.LINKED else pod._replace(seen=(), source=m.WATCHED)
        for pod in world.pods
    )
    return world._replace(api=True, pods=pods)
