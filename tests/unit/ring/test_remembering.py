"""The ring's history outlives those who saw it, and no write of one loses another's."""

import logging
import time
from pathlib import Path

import pytest

from localring.apiserver import ApiServer
from localring.apiserver.faults import Fault, Kind
from ring.history import Change, What
from ring.observe.kube import Api
from ring.past import MOST, decoded, encoded
from ring.remembering import Remembering
from tests.unit.ring.test_leader import served
from tests.unit.ring.test_manager import made
from tests.unit.ring.worlds import World

NAME = "cassandra-ring-history"
LABELS = {"app.kubernetes.io/managed-by": "cassandra-k8s-ring-manager"}
STRANGE = '{"at":1,"what":"moved"}'
KEPT = '{"at":2,"what":"restarted","pod":"cassandra-0"}'
Told = list[tuple[What, str]]


class Replica:
    """A manager over a healthy ring, with what keeps its history."""

    def __init__(self, api: Api, *, leads: bool = True) -> None:
        self.leads = leads
        self._sources, latest, self._manager = made(World(3))
        self.remembering = Remembering(
            api,
            "default",
            NAME,
            LABELS,
            shown=latest.shown,
            leads=lambda: self.leads,
            learn=self._manager.learn_past,
        )

    async def goes_down(self, number: int) -> None:
        """See that a member goes down."""
        await self._manager.cycle()
        self._sources.world.down(number)
        await self._manager.cycle()

    async def history(self) -> Told:
        """Return what is told after the next cycle."""
        judged = await self._manager.cycle()
        return [(each.what, each.pod) for each in judged.history.log]


def kept(server: ApiServer) -> Told:
    text = server.store.get("configmaps", NAME, "default")["data"]["changes"]
    return [(each.what, each.pod) for each in decoded(text).changes]


def down(*numbers: int) -> Told:
    return [(What.WENT_DOWN, f"cassandra-{number}") for number in numbers]


async def test_who_starts_later_knows_what_was_seen_whether_it_leads_or_not(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (server, api):
        first = Replica(api)
        await first.goes_down(1)
        await first.remembering.step()
        for leads in (True, False):
            later = Replica(api, leads=leads)
            await later.remembering.step()  # before its first picture
            assert await later.history() == down(1)
            await later.remembering.step()
            assert (later.remembering.writes, later.remembering.failure) == (0, "")

        assert kept(server) == down(1)


async def test_only_who_leads_writes_and_only_what_is_new(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        replica = Replica(api, leads=False)
        await replica.goes_down(1)
        await replica.remembering.step()
        assert replica.remembering.writes == 0
        replica.leads = True
        for _ in range(3):
            await replica.remembering.step()
            await replica.history()

        assert (replica.remembering.writes, kept(server)) == (1, down(1))


async def test_who_takes_over_goes_on_with_what_the_other_kept(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        one, two = Replica(api), Replica(api, leads=False)
        await two.remembering.step()
        await one.goes_down(1)
        await one.remembering.step()
        await two.goes_down(1)  # saw the same
        await two.goes_down(2)
        two.leads = True
        await two.remembering.step()

        assert kept(server) == await two.history() == down(1, 2)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.FAIL, verb="update", times=1),
        Fault(kind=Kind.FAIL, verb="update", times=1, status=409),
        Fault(kind=Kind.DROP_RESPONSE, verb="update", times=1),
        Fault(kind=Kind.FAIL, verb="get", times=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.verb}-{fault.status}",
)
async def test_a_write_that_fails_loses_nothing(tmp_path: Path, fault: Fault) -> None:
    async with served(tmp_path) as (server, api):
        replica = Replica(api)
        await replica.goes_down(1)
        await replica.remembering.step()
        await replica.goes_down(2)
        server.faults.add(fault)
        for _ in range(2):
            await replica.remembering.step()

        assert kept(server) == down(1, 2)
    assert replica.remembering.failure == ""


async def test_what_cannot_be_read_is_told_of_once_and_the_rest_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    meta = {"name": NAME, "namespace": "default", "labels": LABELS}
    async with served(tmp_path) as (server, api):
        body = {
            "metadata": meta,
            "data": {"changes": f"hello\n{STRANGE}\n{KEPT}", "note": "mine"},
        }
        server.store.create("configmaps", body, "default")
        replica = Replica(api, leads=False)
        with caplog.at_level(logging.WARNING):
            await replica.remembering.step()
            await replica.goes_down(1)
            replica.leads = True
            await replica.remembering.step()

        assert kept(server) == [(What.RESTARTED, "cassandra-0"), *down(1)]
        text = server.store.get("configmaps", NAME, "default")["data"]["changes"]
        assert STRANGE in text
        assert server.store.get("configmaps", NAME, "default")["data"]["note"] == "mine"
    said = [each.getMessage() for each in caplog.records]
    assert len(said) == 1
    assert "line 1: " in said[0]


async def test_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        body = {"metadata": {"name": NAME, "namespace": "default"}, "data": {"a": "b"}}
        server.store.create("configmaps", body, "default")
        replica = Replica(api)
        await replica.goes_down(1)
        await replica.remembering.step()

        assert server.store.get("configmaps", NAME, "default")["data"] == {"a": "b"}
    assert "somebody else's" in replica.remembering.failure


async def test_who_leads_no_more_has_no_failure(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        replica = Replica(api)
        await replica.remembering.step()
        meta = {"name": NAME, "namespace": "default"}  # somebody else's
        server.store.create("configmaps", {"metadata": meta, "data": {}}, "default")
        await replica.remembering.step()
        assert replica.remembering.failure
        replica.leads = False
        await replica.remembering.step()

    assert replica.remembering.failure == ""


async def test_what_was_kept_by_a_clock_that_was_ahead_loses_no_later_change(
    tmp_path: Path,
) -> None:
    ahead = [
        Change(what=What.RESTARTED, at=time.time() + 3600 + n, pod="cassandra-0")
        for n in range(MOST)
    ]
    meta = {"name": NAME, "namespace": "default", "labels": LABELS}
    async with served(tmp_path) as (server, api):
        body = {"metadata": meta, "data": {"changes": encoded(ahead)}}
        server.store.create("configmaps", body, "default")
        replica = Replica(api)
        await replica.remembering.step()
        await replica.goes_down(1)
        await replica.remembering.step()

        assert kept(server)[-1:] == down(1)
        assert len(kept(server)) == MOST
