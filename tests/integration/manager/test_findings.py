"""Findings that can be brought about on a real ring, and that go away again."""

from collections.abc import Callable
from uuid import UUID

import pytest

from localring.cql import connect
from localring.kit import Kit
from localring.objects import PodIdentity, pod, pod_status
from localring.options import Options
from localring.ring import LocalRing
from ring.finding import Kind
from ring.history import What
from ring.judged import Judged
from tests.integration.manager.conftest import Watched, is_whole

PATIENCE = 90.0  # seconds
LOGINS = "ALTER KEYSPACE system_auth WITH replication = "


def found(kind: Kind) -> Callable[[Judged], bool]:
    return lambda judged: kind in {each.kind for each in judged.found}


def absent(kind: Kind) -> Callable[[Judged], bool]:
    return lambda judged: not found(kind)(judged)


def schema_changed(judged: Judged) -> bool:
    """Say whether it is told; it is once every member is known to have the new one."""
    return What.SCHEMA_CHANGED in {each.what for each in judged.history.log}


async def alter(ring: LocalRing, statement: str) -> None:
    async with connect(ring.pod(0).address) as session:
        await session.execute(statement)
        await session.agree_on_schema()


async def test_logins_on_one_node_are_found_until_they_are_replicated(manager: Watched) -> None:
    await manager.until("logins on one node", found(Kind.LOGINS_ON_ONE_NODE), PATIENCE)
    await alter(manager.ring, LOGINS + "{'class': 'NetworkTopologyStrategy', 'dc1': 3}")
    try:
        await manager.until("logins on three", absent(Kind.LOGINS_ON_ONE_NODE), PATIENCE)
        await manager.until("a new schema on all", schema_changed, PATIENCE)
    finally:
        await alter(
            manager.ring, LOGINS + "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        )


async def test_a_node_outside_of_the_zone_that_its_rack_is_named_after_is_found(
    manager: Watched,
) -> None:
    store = manager.ring.api.store
    zones = {"node-0": "rack1", "node-1": "rack2", "node-2": "rack2"}
    for name, zone in zones.items():
        labels = {"topology.kubernetes.io/zone": zone}
        store.create("nodes", {"metadata": {"name": name, "labels": labels}})
    try:
        await manager.until("a rack that is no zone", found(Kind.RACK_NOT_ZONE), PATIENCE)
        (told,) = [each for each in manager.judged.found if each.kind is Kind.RACK_NOT_ZONE]
        assert told.evidence == {"pods": {"cassandra-2": {"rack": "rack3", "zone": "rack2"}}}
    finally:
        for name in zones:
            store.delete("nodes", name)
    await manager.until("no zones any more", absent(Kind.RACK_NOT_ZONE), PATIENCE)


async def test_a_pod_with_another_members_address_is_found(manager: Watched) -> None:
    ring = manager.ring
    old = ring.pod(2).address
    await ring.stop(1, 2)
    ring.start(1, address=old)
    try:
        await manager.until("a swapped address", found(Kind.ADDRESS_SWAP), PATIENCE)
        (told,) = [each for each in manager.judged.found if each.kind is Kind.ADDRESS_SWAP]
        assert told.evidence["pod"] == "cassandra-1"
        assert told.evidence["knownPod"] == "cassandra-2"
    finally:
        ring.start(2)
        await ring.lose(1)
        ring.start(1)
    await manager.until("the whole ring again", is_whole, 180)
    assert absent(Kind.ADDRESS_SWAP)(manager.judged)


async def test_two_rings_under_one_service_are_found(
    manager: Watched, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = PodIdentity(3, "rack1")
    store = manager.ring.api.store
    owner = UUID(store.get("statefulsets", "cassandra", "default")["metadata"]["uid"])
    async with LocalRing(kit, Options(), print) as other:
        other.cluster.scale(4)
        other.start(3)
        await other.wait_until_whole()
        stranger = other.pod(3)
        monkeypatch.setattr("localring.apiserver.store.uuid4", lambda: stranger.uid)
        store.create("pods", pod(identity, owner), "default")
        monkeypatch.undo()
        status = {"status": pod_status(stranger.address, ready=True)}
        store.patch("pods", identity.name, status, "default")
        try:
            await manager.until("two rings", found(Kind.TWO_RINGS), PATIENCE)
            (told,) = [each for each in manager.judged.found if each.kind is Kind.TWO_RINGS]
            assert sorted(map(len, told.evidence["rings"])) == [1, 3]
        finally:
            store.delete("pods", identity.name, "default")
    await manager.until("one ring", absent(Kind.TWO_RINGS), PATIENCE)
