"""What the sidecar of a node writes down for it, against an API server with real conflicts."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seedprovider import objects
from seedprovider.decision import Policy, TakeTurn
from seedprovider.kube.events import Listed
from seedprovider.metrics import Metrics
from seedprovider.model import (
    Disk,
    DiskState,
    Entry,
    EntryState,
    Heartbeat,
    Origin,
    Record,
    Turn,
)
from seedprovider.node import Received
from seedprovider.scribe import Scribe
from seedprovider.tending import Tender
from tests.fakes.desk import Desk
from tests.fakes.situations import RING, host

AT = "2026-01-02T03:04:05.678901Z"
MEMBER = Disk(DiskState.MEMBER, RING, host(0))


@dataclass
class Writing:
    desk: Desk
    scribe: Scribe

    @property
    def holder(self) -> tuple[str, str]:
        own = self.desk.world.own
        return own.pod, own.uid

    @property
    def turn(self) -> str:
        """Who has the turn, by the API server."""
        lease = self.desk.api.store.get("leases", "cassandra-join", "ns")
        return str(lease["spec"]["holderIdentity"])

    @property
    def has_turn(self) -> bool:
        return self.turn == "/".join(self.holder)

    def beats(self, mode: str, disk: Disk = MEMBER, host_id: str | None = None) -> None:
        """Let the node send a heartbeat."""
        beat = Heartbeat(mode=mode, disk=disk, host_id=host_id, peers=())
        self.desk.world.own.hear(Received(beat, None, {}))

    def write_entry(self, n: int, uid: str, state: EntryState = EntryState.MEMBER) -> None:
        """Create a ledger entry, or write over one, behind the sidecar's back."""
        entry = Entry(
            pod=f"cassandra-{n}",
            ring_id=RING,
            pod_uid=uid,
            pvc_uid=f"pod-{uid}",
            host_id=host(n),
            state=state,
        )
        self.put(objects.entry_body(entry, "ns", "cassandra"))

    def put(self, body: dict[str, Any]) -> None:
        store, name = self.desk.api.store, body["metadata"]["name"]
        if any(each["metadata"]["name"] == name for each in store.list("configmaps", "ns")):
            store.delete("configmaps", name, "ns")
        store.create("configmaps", body, "ns")

    async def hear_maps(self) -> None:
        """Let the watch show what is there now, and nothing that comes after."""
        maps = await self.desk.registry.config_maps().list()
        self.desk.world.maps.take(maps)
        self.desk.world.slices.take(Listed((), "1"))


@pytest.fixture
async def writing(desk: Desk, tmp_path: Path) -> Writing:
    """A member by record and ledger, which has the turn; its watch shows all that."""
    tender = Tender(desk.world, desk.engine, Metrics(), policy=Policy())
    scribe = Scribe(
        desk.world,
        desk.engine,
        tender,
        desk.registry,
        desk.announcer,
        state_dir=tmp_path,
        clock=lambda: desk.now[0],
    )
    made = Writing(desk, scribe)
    founded = Record(
        ring_id=RING, founder="cassandra-1", founder_pvc_uid=None, how=Origin.FOUNDED, at=AT
    )
    made.put(objects.record_body(founded, "ns", "cassandra"))
    made.write_entry(0, desk.world.own.uid)
    await desk.registry.take(TakeTurn(made.holder, Turn()), AT)
    await made.hear_maps()
    return made


async def test_a_member_frees_the_turn_that_it_came_in_with(writing: Writing) -> None:
    writing.beats("NORMAL", host_id=host(0))
    await writing.scribe.round()

    assert writing.turn == ""


async def test_the_turn_of_a_start_on_an_emptied_disk_stays_though_the_watch_shows_a_member(
    writing: Writing,
) -> None:
    writing.beats("STARTING", Disk(DiskState.EMPTY))
    await writing.scribe.round()

    assert writing.has_turn


async def test_the_turn_stays_while_the_ledger_says_joining_and_is_freed_when_it_does_not(
    writing: Writing,
) -> None:
    uid = writing.desk.world.own.uid
    writing.write_entry(0, uid, EntryState.JOINING)
    writing.beats("NORMAL", Disk(DiskState.JOINING, RING), host(5))
    await writing.scribe.round()
    assert writing.has_turn

    writing.write_entry(0, uid)
    writing.desk.now[0] += 5
    writing.beats("NORMAL", host_id=host(0))
    await writing.scribe.round()
    assert writing.turn == ""


async def test_a_node_that_waits_costs_no_look_at_the_turn(writing: Writing) -> None:
    before = writing.desk.api.requests.count(resource="leases")
    for _ in range(3):
        writing.beats("STARTING", Disk(DiskState.EMPTY))
        await writing.scribe.round()
        writing.desk.now[0] += 1

    assert writing.desk.api.requests.count(resource="leases") == before


async def test_an_entry_that_cannot_be_written_is_told_with_what_is_in_the_way(
    writing: Writing,
) -> None:
    store = writing.desk.api.store
    store.delete("configmaps", "cassandra-0-member", "ns")
    store.create("configmaps", {"metadata": {"name": "cassandra-0-member"}}, "ns")
    await writing.hear_maps()
    writing.beats("NORMAL", host_id=host(0))
    await writing.scribe.round()
    async with asyncio.timeout(30):
        await writing.desk.api.requests.until(1, verb="create", resource="events")

    (event,) = store.list("events", "ns")
    assert "ConfigMap cassandra-0-member exists without the labels" in event["message"]
