"""Faults of memory: history that is compacted away, and answers from a cache that is behind."""

import pytest

from localring.apiserver import ApiServer, Fault, Kind
from tests.contract.cluster import Cluster, put

pytestmark = pytest.mark.usefixtures("free_of_leftovers")


@pytest.mark.parametrize("as_status", [False, True])
async def test_a_resume_from_before_a_compaction_is_410(
    server: ApiServer, stage: Cluster, *, as_status: bool
) -> None:
    version = server.store.version
    put(server, "a")
    server.store.compact()
    if as_status:
        server.faults.add(Fault(kind=Kind.EXPIRED_AS_STATUS))
    params = {"watch": "true", "resourceVersion": version}
    answer = await stage.ask("GET", stage.path("configmaps"), params=params)

    assert answer.status == (410 if as_status else 200)
    told = answer.body if as_status else answer.body["object"]
    assert (told["code"], told["reason"]) == (410, "Expired")
    now = await stage.list("configmaps", labelSelector="")
    assert now.names == ["a"]


async def test_a_page_from_before_a_compaction_is_410(
    server: ApiServer, stage: Cluster
) -> None:
    for name in "abc":
        put(server, name)
    first = await stage.list("configmaps", labelSelector="", limit="1")
    put(server, "d")
    server.store.compact()
    token = first.body["metadata"]["continue"]
    answer = await stage.list("configmaps", limit="1", **{"continue": token})

    assert (answer.status, answer.reason) == (410, "Expired")


async def test_an_expiry_can_strike_just_once(server: ApiServer, stage: Cluster) -> None:
    server.faults.add(Fault(kind=Kind.EXPIRE, times=1))
    version = server.store.version
    put(server, "a")
    query = {"labelSelector": "", "resourceVersion": version}
    async with stage.watch("configmaps", **query) as first:
        assert (await first.next())["type"] == "ERROR"
    async with stage.watch("configmaps", **query) as second:
        assert await second.told() == ("ADDED", "a")


async def test_a_stale_list_is_shown_only_to_those_who_allow_it(
    server: ApiServer, stage: Cluster
) -> None:
    old = put(server, "a")
    new = put(server, "b")
    server.faults.add(Fault(kind=Kind.STALE_LIST, version=old))

    async def names(**query: str) -> list[str]:
        return (await stage.list("configmaps", labelSelector="", **query)).names

    assert await names(resourceVersion="0") == ["a"]
    assert await names(resourceVersion=old) == ["a"]
    assert await names(resourceVersion=new) == ["a", "b"]
    assert await names() == ["a", "b"]


async def test_the_cache_ignores_the_limit_of_a_list_that_may_be_old(
    server: ApiServer, stage: Cluster
) -> None:
    for name in "abc":
        put(server, name)
    query = {"labelSelector": "", "resourceVersion": "0", "limit": "1"}

    assert (await stage.list("configmaps", **query)).names == ["a", "b", "c"]


async def test_pages_tell_how_much_is_left_where_nothing_selects(
    server: ApiServer, stage: Cluster
) -> None:
    for name in "abc":
        put(server, name)
    page = await stage.list("configmaps", labelSelector="", limit="1")

    assert page.body["metadata"]["remainingItemCount"] == 2
