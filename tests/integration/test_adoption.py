"""Rings that were there before the sidecars."""

from ipaddress import IPv4Address

from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.conftest import PODS, Stage
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import (
    PATIENCE,
    delete_record,
    events,
    hosts,
    mark_file,
    record,
    until_marked,
    until_mode,
    until_recorded,
    until_serving,
    until_told,
)


@provokes(Rule.ADOPTION)
async def test_a_ring_with_data_is_adopted_by_one_rolling_restart(stage: Stage) -> None:
    async with stage(2) as ring:
        seeds = await plain_ring(ring, 0, 1)
        await write(ring, "from before", replicas=2)
        for ordinal in (0, 1):
            assert record(ring) is None
            await restart_with_sidecar(ring, ordinal, seeds)
        adopted = await until_recorded(ring, ["adopted"])
        await ring.wait_until_whole()
        members = await hosts(ring)

        for ordinal in (0, 1):
            found = await until_marked(ring, ordinal)
            assert found["ring-id"] == adopted["ringId"]
            assert found["host-id"] == members[ring.identity(ordinal).name]
            assert await read(ring, ordinal, replicas=2) == {"from before"}


async def test_two_rings_that_were_founded_apart_are_not_adopted_and_both_are_named(
    stage: Stage,
) -> None:
    async with stage(2) as ring:
        for ordinal in (0, 1):
            await plain_ring(ring, ordinal)
        await write(ring, "ring of 0", replicas=1, through=0)
        own = [(pod.address,) for pod in ring.pods.values()]
        for ordinal in (0, 1):
            await restart_with_sidecar(ring, ordinal, own[ordinal])
        await until_event(ring, "cassandra-0 and cassandra-1 are in two rings")
        assert record(ring) is None
        assert await read(ring, 0, replicas=1) == {"ring of 0"}

        await ring.stop(1)  # the operator decides for the ring of 0
        await ring.replace_volume(1)
        ring.start(1)
        await until_recorded(ring, ["adopted"])
        await ring.wait_until_whole()
        assert await read(ring, 1, replicas=1) == {"ring of 0"}


@provokes(Rule.ADOPTION)
async def test_a_ring_whose_record_and_marks_are_all_lost_is_adopted_anew(
    ring: LocalRing,
) -> None:
    await write(ring, "adopted anew")
    before, lost = await hosts(ring), record(ring)
    await ring.stop(*PODS)
    for ordinal in PODS:
        mark_file(ring, ordinal).unlink()
    delete_record(ring)
    seed = ring.fresh_address()
    ring.start(0, address=seed, configured=(seed,))
    for ordinal in PODS[1:]:
        ring.start(ordinal, address=ring.fresh_address(), configured=(seed,))
    adopted = await until_recorded(ring, ["founded", "adopted", "rebuilt"])
    await ring.wait_until_whole()

    assert lost
    assert adopted["how"] == "adopted"
    assert adopted["ringId"] != lost["ringId"]
    for ordinal in PODS:
        assert (await until_marked(ring, ordinal))["ring-id"] == adopted["ringId"]
    assert await hosts(ring) == before
    assert await read(ring, 1) == {"adopted anew"}


async def plain_ring(ring: LocalRing, *ordinals: int) -> tuple[IPv4Address, ...]:
    """Start pods without sidecars, the first as the seed of all; give their addresses."""
    addresses = tuple(ring.fresh_address() for _ in ordinals)
    for ordinal, address in zip(ordinals, addresses, strict=True):
        ring.start(ordinal, address=address, configured=addresses[:1], plain=True)
        await until_serving(ring, ordinal)
    return addresses


async def restart_with_sidecar(
    ring: LocalRing, ordinal: int, seeds: tuple[IPv4Address, ...]
) -> None:
    """Give a pod its sidecar in a restart, at the same address; wait until it serves again."""
    address = ring.pod(ordinal).address
    await ring.stop(ordinal)
    ring.start(ordinal, address=address, configured=seeds)
    told = await until_told(ring, ordinal, Rule.ADOPTION)
    assert told.seeds == {str(seed) for seed in seeds}
    await until_mode(ring, ordinal, "NORMAL")
    await until_serving(ring, ordinal)


async def until_event(ring: LocalRing, text: str) -> None:
    async def missing() -> str | None:
        told = [message for _, _, message in events(ring)]
        return None if any(text in message for message in told) else f"Events: {told}"

    await ring.wait_until(f"an Event that says {text}", missing, PATIENCE)
