"""The ConfigMap with contact points: kept beside what others put into it, or left alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localring.apiserver import ApiServer
from ring.keeper import Keeper
from ring.observe.kube import Api
from tests.unit.ring.serving import Stage
from tests.unit.ring.test_leader import served
from tests.unit.ring.worlds import World

NAME = "cassandra-contact-points"
LABELS = {"app.kubernetes.io/managed-by": "cassandra-k8s-ring-manager"}
POINTS = "10.0.0.0,10.0.0.1,10.0.0.2"


def keeping(api: Api, leads: Callable[[], bool] = lambda: True) -> Keeper:
    stage = Stage(World())
    stage.show()
    return Keeper(api, "default", NAME, LABELS, 9042, shown=stage.latest.shown, leads=leads)


def found(server: ApiServer) -> dict[str, Any]:
    body: dict[str, Any] = server.store.get("configmaps", NAME, "default")
    return body


def put(server: ApiServer, meta: dict[str, Any], data: dict[str, str]) -> None:
    body = {"metadata": {"name": NAME, "namespace": "default", **meta}, "data": data}
    server.store.create("configmaps", body, "default")


async def test_what_others_wrote_into_it_stays(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        meta = {"labels": {**LABELS, "team": "shop"}, "annotations": {"reloader": "true"}}
        put(server, meta, {"MY_KEY": "v", "CASSANDRA_CONTACT_POINTS": "10.9.9.9"})
        keeper = keeping(api)
        await keeper.step()
        await keeper.step()

        body = found(server)
    assert (keeper.writes, keeper.failure) == (1, "")
    assert body["data"].items() >= {"MY_KEY": "v", "CASSANDRA_PORT": "9042"}.items()
    assert "10.9.9.9" not in body["data"]["CASSANDRA_CONTACT_POINTS"]
    assert {name: body["metadata"][name] for name in meta} == meta


@pytest.mark.parametrize("labels", [{}, {"app.kubernetes.io/managed-by": "Helm"}])
async def test_one_that_is_somebody_elses_is_left_alone(
    tmp_path: Path, labels: dict[str, str]
) -> None:
    async with served(tmp_path) as (server, api):
        put(server, {"labels": labels}, {"MY_KEY": "v"})
        keeper = keeping(api)
        await keeper.step()

        assert found(server)["data"] == {"MY_KEY": "v"}
    assert "somebody else's" in keeper.failure


async def test_one_that_is_gone_is_written_again(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, api):
        keeper = keeping(api)
        await keeper.step()
        first = found(server)["data"]
        server.store.delete("configmaps", NAME, "default")
        await keeper.step()

        assert found(server)["data"] == first
    assert (keeper.writes, keeper.failure) == (2, "")


async def test_who_leads_no_more_has_no_failure(tmp_path: Path) -> None:
    turns = iter([True, False])
    async with served(tmp_path) as (server, api):
        put(server, {"labels": {}}, {"MY_KEY": "v"})
        keeper = keeping(api, lambda: next(turns))
        await keeper.step()
        assert keeper.failure
        await keeper.step()

    assert keeper.failure == ""
