"""One replica leads at a time, by the clocks of those who take part."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from localring.apiserver import ApiServer
from localring.apiserver.faults import Fault, Kind
from ring import leader
from ring.kept import CONFLICT, Found
from ring.leader import HELD_SECONDS, LEADS_SECONDS, PATIENCE, PERIOD, Election
from ring.observe.errors import KubeError
from ring.observe.kube import Api
from tests.unit.ring.observe.stage import HOST, TOKEN, write_kubeconfig
from tests.unit.ring.serving import Time

NAME = "cassandra-ring-manager"


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[tuple[ApiServer, Api]]:
    async with (
        ApiServer(HOST, tokens=[TOKEN]) as server,
        Api(write_kubeconfig(folder, server.url)) as api,
    ):
        yield server, api


def taking_part(api: Api, identity: str, time: Time) -> Election:
    return Election(api, "default", NAME, identity, {"a": "b"}, clock=time)


def holder(server: ApiServer) -> str:
    return str(server.store.get("leases", NAME, "default")["spec"]["holderIdentity"])


async def test_the_first_leads_and_the_second_follows(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        one, two = taking_part(api, "one", Time()), taking_part(api, "two", Time())
        for _ in range(3):
            await one.step()
            await two.step()

        assert (one.leads, two.leads, holder(server)) == (True, False, "one")


async def test_a_leader_that_falls_silent_is_followed_when_its_time_is_over(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (server, api):
        there, here = Time(), Time()
        one, two = taking_part(api, "one", there), taking_part(api, "two", here)
        await one.step()
        await two.step()
        here.now += HELD_SECONDS
        await two.step()
        assert not two.leads
        here.now += 1
        await two.step()
        assert (two.leads, holder(server)) == (True, "two")

        await one.step()  # it comes back, and has not led for long by its own clock
        assert not one.leads


async def test_a_leader_stops_before_another_may_begin(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        time = Time()
        one = taking_part(api, "one", time)
        await one.step()
        await server.refuse()
        time.now += LEADS_SECONDS
        await one.step()

        assert LEADS_SECONDS < HELD_SECONDS
        assert not one.leads
        assert one.failure


async def test_renewals_count_from_when_they_were_asked_for(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        time = Time()
        one = taking_part(api, "one", time)
        await one.step()
        time.now += LEADS_SECONDS - 1
        with server.faults.active(Fault(kind=Kind.FAIL, resource="leases")):
            await one.step()
        assert one.leads
        time.now += 1
        assert not one.leads


async def test_of_two_that_take_a_free_lease_at_once_one_leads(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        one = taking_part(api, "one", Time())
        await one.step()
        await one._give_up()
        assert (one.leads, holder(server)) == (False, "")
        two, three = taking_part(api, "two", Time()), taking_part(api, "three", Time())
        before = await two._lease.read()
        await three.step()
        with pytest.raises(KubeError) as refused:
            await two._lease.write(before, {"spec": {"holderIdentity": "two"}})
        assert refused.value.status == CONFLICT
        await two.step()

        assert [two.leads, three.leads] == [False, True]


async def test_transitions_are_counted_and_the_time_of_the_first_is_kept(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (server, api):
        one = taking_part(api, "one", Time())
        await one.step()
        first = server.store.get("leases", NAME, "default")["spec"]
        await one.step()
        second = server.store.get("leases", NAME, "default")["spec"]

    assert first["acquireTime"] == second["acquireTime"]
    assert (first["leaseTransitions"], second["leaseTransitions"]) == (1, 1)
    assert first["renewTime"] < second["renewTime"]


async def test_a_renewal_that_hangs_is_given_up_while_there_is_time_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "PATIENCE", 0.05)
    async with served(tmp_path) as (server, api):
        time = Time()
        one = taking_part(api, "one", time)
        await one.step()
        with server.faults.active(Fault(kind=Kind.HANG, resource="leases")):
            await one.step()
            assert "no answer" in one.failure
            await one._give_up()  # ends, too
        assert not one.leads
        await one.step()
        assert (one.leads, one.failure) == (True, "")

    assert 2 * (PERIOD * 1.2 + PATIENCE) > LEADS_SECONDS > PERIOD * 2.4 + PATIENCE


@pytest.mark.parametrize("spec", [{"leaseDurationSeconds": "long"}, ["x"], 3])
def test_a_lease_of_another_form_is_a_failure_that_a_step_survives(spec: object) -> None:
    with pytest.raises(KubeError, match="spec: "):
        Found("1", {}, {"spec": spec}).part("spec", leader._Spec)


async def test_what_others_wrote_into_the_lease_stays(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        one = taking_part(api, "one", Time())
        await one.step()
        lease = server.store.get("leases", NAME, "default")
        meta = {**lease["metadata"], "annotations": {"kept": "yes"}}
        server.store.replace("leases", NAME, {**lease, "metadata": meta}, "default")
        await one.step()

        assert (
            server.store.get("leases", NAME, "default")["metadata"]["annotations"]
            == meta["annotations"]
        )
