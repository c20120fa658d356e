"""Pods that are more than there were: they come in one after the other, and leave again."""

from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.conftest import PODS, joining, most_at_once, watched_until_whole
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    PATIENCE,
    entry,
    founded,
    hosts,
    known,
    until_mode,
    until_told,
)

NEW = (3, 4)
LONG_AGO = "2020-01-01T00:00:00.000000Z"


async def test_a_pod_killed_while_joining_is_no_member_without_data_when_all_start_again(
    ring: LocalRing,
) -> None:
    await write(ring, "joining", replicas=1)
    ring.start(3)
    await until_mode(ring, 3, "JOINING")
    await ring.lose(*PODS, 3)
    ring.start(*PODS, 3)
    await ring.wait_until_whole()
    log = ring.pod(3).node.settings.log.read_text()

    assert not founded(ring, 3)
    assert joining(log)  # it asked the ring, and came to be NORMAL after that
    assert await read(ring, 3, replicas=1) == {"joining"}
    await leave(ring, 3)
    assert await read(ring, 0, replicas=1) == {"joining"}


@provokes(Rule.JOIN_WAIT)
async def test_a_holder_of_the_join_turn_frozen_past_its_lease_still_has_it(
    ring: LocalRing,
) -> None:
    await write(ring, "grown")
    before = await hosts(ring)
    await ring.scale(len(PODS) + len(NEW))
    holder = await first_let_in(ring)
    (waiting,) = set(NEW) - {holder}
    pod = ring.pod(holder)
    pod.node.freeze()
    pod.sidecar.process.freeze()
    try:
        expire_turn(ring)
        told = await until_told_by(ring, 0, waiting, Rule.JOIN_WAIT)
        assert pod.name in told
        waiter = (await known(ring))[ring.pod(waiting).name]
        assert waiter.mode in {None, "STARTING"}
    finally:
        pod.sidecar.process.thaw()
        pod.node.thaw()
    looks = await watched_until_whole(ring)
    logs = [ring.pod(ordinal).node.settings.log.read_text() for ordinal in (holder, waiting)]
    first, second = map(joining, logs)

    assert most_at_once(looks) == 1
    assert first[1] < second[0]
    assert await read(ring, waiting) == {"grown"}

    await leave(ring, *reversed(NEW))
    assert await hosts(ring) == before
    assert await read(ring, 1) == {"grown"}


@provokes(Rule.DISK_LEFT)
async def test_a_decommissioned_disk_started_again_is_refused_until_it_is_emptied(
    ring: LocalRing,
) -> None:
    await write(ring, "left", replicas=1)
    before = await hosts(ring)
    ring.start(3)
    await ring.wait_until_whole()
    await leave(ring, 3, emptied=False)
    ring.start(3)
    told = await until_told(ring, 3, Rule.DISK_LEFT)
    assert told.outcome == "refused"
    assert (await known(ring))["cassandra-3"].mode in {None, "STARTING"}
    await ring.lose(3)
    await ring.replace_volume(3)

    assert await hosts(ring) == before
    assert await read(ring, 0, replicas=1) == {"left"}


async def first_let_in(ring: LocalRing) -> int:
    """Wait until one of the new pods is let in; give its ordinal."""
    found: list[int] = []

    async def missing() -> str | None:
        for ordinal in NEW:
            told = await ring.pod(ordinal).client.explain(ring.pod(ordinal).name)
            if told and told.rule == Rule.JOIN:
                found.append(ordinal)
        return None if found else "nobody let in yet"

    await ring.wait_until("a pod that is let in", missing, PATIENCE)
    return found[0]


def expire_turn(ring: LocalRing) -> None:
    """Let the Lease of the join turn look as if its holder had been silent for years."""
    spec = {"spec": {"renewTime": LONG_AGO, "acquireTime": LONG_AGO}}
    ring.api.store.patch("leases", "cassandra-join", spec, "default")


async def until_told_by(ring: LocalRing, asked: int, ordinal: int, rule: Rule) -> str:
    """Ask one pod's sidecar what another would be told now, until it is by this rule."""
    name, heard = ring.pod(ordinal).name, list[str]()

    async def missing() -> str | None:
        told = await ring.pod(asked).client.explain(name)
        if told is None or told.rule != rule:
            return f"{name} would be told {told}"
        heard.append(told.reason)
        return None

    await ring.wait_until(f"{name} told by {rule}", missing, PATIENCE)
    return heard[-1]


async def leave(ring: LocalRing, *ordinals: int, emptied: bool = True) -> None:
    """Decommission pods and scale them away, for good where their disks are emptied too."""
    for ordinal in ordinals:
        await ring.pod(ordinal).node.nodetool("decommission")

    async def missing() -> str | None:
        late = [str(n) for n in ordinals if entry(ring, n).get("state") != "left"]
        return f"still members: {', '.join(late)}" if late else None

    await ring.wait_until("a ledger without them", missing, PATIENCE)
    await ring.scale(len(PODS))
    for ordinal in ordinals if emptied else ():
        await ring.replace_volume(ordinal)
    await ring.wait_until_whole()
