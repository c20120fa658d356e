"""The Roles in the manifests grant what sidecar and manager ask for, and nothing more.

Both ask an emulated API server, through all that they ever ask through.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from localring.apiserver.requestlog import Logged
from ring.leader import Election
from seedprovider.announce import REPEAT_SECONDS, Announcer, Kind
from seedprovider.decision import TakeTurn, WriteEntry
from seedprovider.kube.client import KubeClient
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.transport import Transport
from seedprovider.model import Endpoint, Turn
from seedprovider.registry import Registry
from tests.fakes.rights import MANAGER, SIDECAR, asked, granted, refused, unused
from tests.fakes.situations import entry, pod, uid
from tests.unit.ring.observe.stage import staged, watching
from tests.unit.ring.test_keeper import keeping
from tests.unit.ring.test_remembering import Replica
from tests.unit.seedprovider.test_install import Pod as Installed
from tests.unit.seedprovider.test_install import here as installed
from tests.unit.seedprovider.test_program import Pod as Programmed
from tests.unit.seedprovider.test_program import pod as programmed

__all__ = ["installed", "programmed"]  # fixtures

AT = "2026-01-02T03:04:05.678901Z"
PATIENCE = 30.0  # seconds


async def test_the_sidecars_role_grants_what_it_asks_for_and_nothing_more(
    programmed: Programmed, installed: Installed
) -> None:
    installed.has_nodes("a")
    assert await installed.installs() == 0
    api = programmed.api
    async with aiohttp.ClientSession() as http, programmed.serving():
        async with http.get(f"{programmed.loopback}/v1/seeds?disk=empty") as answer:
            assert answer.status == 200
        async with asyncio.timeout(PATIENCE):
            await api.requests.until(1, resource="events", status=201)
    credentials = Credentials(api.url, Path(programmed.env["SEEDPROVIDER_KUBE_TOKEN_FILE"]))
    async with Transport(credentials, user_agent="seedprovider/unit") as transport:
        await comes_in(transport)
        async with telling(transport) as announcer, asyncio.timeout(PATIENCE):
            for _ in range(2):
                announcer.tell(Kind.WITHHELD, "waiting")
            await api.requests.until(1, resource="events", verb="patch", status=200)
    requests = [*api.requests, *installed.api.requests]

    assert refused(requests) == set()
    assert unused(SIDECAR, requests) == set()


async def comes_in(transport: Transport) -> None:
    """Write an entry, take the join turn, keep it, give it back, write the entry anew."""
    holder = pod(1), uid(1)
    registry = Registry(transport, namespace="ns", service="cassandra", claim="data", family=4)
    await registry.take(WriteEntry(replace(entry(1), version=None)), AT)
    turn = await registry.take(TakeTurn(holder, Turn()), AT)
    await registry.renew_turn(holder, AT)
    assert await registry.release_turn(holder, AT) != turn
    live = await registry.read_live()
    await registry.take(WriteEntry(live.kept.ledger[pod(1)]), AT)


@asynccontextmanager
async def telling(transport: Transport) -> AsyncIterator[Announcer]:
    """Run an announcer to whom all that it told is long ago."""
    times = iter(range(0, 10**6, int(REPEAT_SECONDS)))
    announcer = Announcer(
        KubeClient(transport),
        namespace="ns",
        endpoint=Endpoint(pod(1), uid(1), "10.0.0.2"),
        lost=lambda: None,
        clock=lambda: float(next(times)),
        wall=lambda: AT,
    )
    task = asyncio.create_task(announcer.run())
    yield announcer
    task.cancel()
    await asyncio.wait([task])


async def test_the_managers_role_grants_what_it_asks_for_and_nothing_more(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage, asyncio.timeout(PATIENCE):
        stage.add_pods(0)
        election = Election(stage.api, "default", "cassandra-ring-manager", "one", {})
        await election.step()
        await election.step()
        keeper = keeping(stage.api)
        await keeper.step()
        replica = Replica(stage.api)
        await replica.goes_down(1)
        remembering = replica.remembering
        await remembering.step()
        store = stage.server.store
        for name in ("cassandra-contact-points", "cassandra-ring-history"):
            store.patch("configmaps", name, {"data": None}, "default")
        await keeper.step()
        await remembering.step()
        async with watching(stage):
            await stage.until(
                lambda o: all(each.age is not None for each in o.kubernetes.values())
            )
            for resource in {
                right.resource for right in granted(MANAGER) if right.verb == "watch"
            }:
                await stage.server.requests.until(1, resource=resource, verb="watch")
        requests = [*stage.server.requests]

    assert (election.leads, keeper.writes, remembering.writes) == (True, 2, 2)
    assert refused(requests) == set()
    assert unused(MANAGER, requests) == set()


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("delete", "/api/v1/namespaces/ns/configmaps/cassandra-ring"),
        ("get", "/api/v1/namespaces/ns/services/another"),
        ("list", "/api/v1/namespaces/ns/services"),
        ("list", "/api/v1/namespaces/ns/secrets"),
        ("update", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/another"),
    ],
)
def test_what_no_rule_grants_is_told(verb: str, path: str) -> None:
    request = Logged("", path, {}, verb, "", "seedprovider/0.1.0 cassandra-0")

    assert {program for program, _ in refused([request])} == {"seedprovider"}


def test_a_watch_of_one_object_by_its_name_names_it() -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
    query = {"fieldSelector": "metadata.name=cassandra-join"}
    watch = Logged("GET", path, query, "watch", "leases", "ring-manager")
    everything = Logged("GET", path, {}, "watch", "leases", "ring-manager")

    assert [right.name for _, right in asked([watch, everything])] == ["cassandra-join", ""]
    assert len(refused([watch, everything])) == 1
