"""Kubernetes Events: few, counted, bounded, and never in anybody's way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from localring.apiserver import ApiServer, Fault
from localring.apiserver import Kind as FaultKind
from seedprovider.announce import (
    MAX_MESSAGE,
    QUEUE,
    REMEMBERED,
    REPEAT_SECONDS,
    Announcer,
    Kind,
)
from seedprovider.kube.client import KubeClient
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.transport import Transport
from seedprovider.model import Endpoint
from tests.fakes.pauses import Bell


@dataclass
class Office:
    """An announcer at a real API server; it writes only while it is `open`."""

    api: ApiServer
    transport: Transport
    lost: int = 0
    now: float = 0.0
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.announcer = Announcer(
            KubeClient(self.transport),
            namespace="ns",
            endpoint=Endpoint("cassandra-0", "uid-0", "10.0.0.1"),
            lost=self._lose,
            clock=lambda: self.now,
            wall=lambda: f"2026-01-01T00:{int(self.now / 60):02d}:00.000000Z",
        )
        self.tell = self.announcer.tell
        self.api.store.listen(lambda _: self.bell.ring())

    def _lose(self) -> None:
        self.lost += 1
        self.bell.ring()

    def events(self) -> list[dict[str, Any]]:
        return self.api.store.list("events", "ns")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.announcer.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
        assert task.cancelled()

    async def until(self, written: int, lost: int = 0) -> None:
        """Wait until the counts of all events and of those lost have come to these."""

        def there() -> bool:
            counts = sum(event["count"] for event in self.events())
            return counts >= written and self.lost >= lost

        await self.bell.until(there)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with (
        ApiServer("127.50.2.1") as api,
        Transport(Credentials(api.url), user_agent="unit/1") as transport,
    ):
        yield Office(api, transport)


async def test_an_event_says_what_happened_to_which_pod(office: Office) -> None:
    async with office.open():
        office.tell(Kind.REFUSED, "this disk is of another ring")
        await office.until(1)

    (event,) = office.events()
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "ns",
        "name": "cassandra-0",
        "uid": "uid-0",
    }
    assert (event["type"], event["reason"]) == ("Warning", "SeedsRefused")
    assert (event["message"], event["count"]) == ("this disk is of another ring", 1)
    assert event["metadata"]["name"].startswith("cassandra-0.")


async def test_what_goes_as_it_should_is_no_warning(office: Office) -> None:
    async with office.open():
        office.tell(Kind.MEMBER, "m")
        await office.until(1)

    assert [event["type"] for event in office.events()] == ["Normal"]


async def test_the_same_reason_again_is_one_event_and_counted_after_a_while(
    office: Office,
) -> None:
    async with office.open():
        for _ in range(5):
            office.tell(Kind.WITHHELD, "wait")
        await office.until(1)
        office.now = REPEAT_SECONDS - 0.001
        office.tell(Kind.WITHHELD, "wait")
        office.now = REPEAT_SECONDS
        office.tell(Kind.WITHHELD, "wait")
        await office.until(2)

    (event,) = office.events()
    assert event["count"] == 2
    assert event["firstTimestamp"] < event["lastTimestamp"]
    assert [each.verb for each in office.api.requests] == ["create", "patch"]


async def test_another_reason_or_kind_is_another_event(office: Office) -> None:
    async with office.open():
        office.tell(Kind.WITHHELD, "wait")
        office.tell(Kind.WITHHELD, "wait for another")
        office.tell(Kind.REFUSED, "wait")
        await office.until(3)

    assert len(office.events()) == 3


async def test_an_event_that_expired_is_made_anew_with_a_new_count(office: Office) -> None:
    async with office.open():
        office.tell(Kind.WITHHELD, "wait")
        await office.until(1)
        office.api.store.delete("events", office.events()[0]["metadata"]["name"], "ns")
        office.now = REPEAT_SECONDS
        office.tell(Kind.WITHHELD, "wait")
        await office.until(1)

    assert [event["count"] for event in office.events()] == [1]
    assert office.lost == 0


async def test_a_message_is_cut_to_what_the_api_takes(office: Office) -> None:
    async with office.open():
        office.tell(Kind.WITHHELD, "x" * 5000)
        office.tell(Kind.WITHHELD, "x" * 5001)
        await office.until(1)

    assert [event["message"] for event in office.events()] == ["x" * MAX_MESSAGE]


async def test_an_event_that_cannot_be_written_is_counted_and_the_next_is_written(
    office: Office,
) -> None:
    office.api.faults.add(Fault(kind=FaultKind.FORBID, resource="events", times=1))
    async with office.open():
        office.tell(Kind.WITHHELD, "first")
        office.tell(Kind.WITHHELD, "second")
        await office.until(1, lost=1)

    assert office.lost == 1
    assert [event["message"] for event in office.events()] == ["second"]


async def test_a_server_that_is_away_costs_events_and_nothing_else(office: Office) -> None:
    await office.api.refuse()
    async with office.open():
        office.tell(Kind.WITHHELD, "wait")
        await office.until(0, lost=1)
        await office.api.accept()
        office.now = REPEAT_SECONDS
        office.tell(Kind.WITHHELD, "wait")
        await office.until(1)

    assert [event["count"] for event in office.events()] == [1]


async def test_every_event_is_written_or_counted_as_lost_however_many_come_at_once(
    office: Office,
) -> None:
    told = QUEUE + 10
    for n in range(told):
        office.tell(Kind.WITHHELD, f"reason {n}")
    async with office.open():
        await office.until(QUEUE, lost=told - QUEUE)

    assert (len(office.events()), office.lost) == (QUEUE, told - QUEUE)


async def test_what_is_remembered_of_reasons_is_bounded(office: Office) -> None:
    async with office.open():
        for n in range(3 * REMEMBERED):
            office.tell(Kind.WITHHELD, f"reason {n}")
            await office.until(n + 1)

    assert len(office.announcer._told) <= REMEMBERED
    assert len(office.events()) == 3 * REMEMBERED
