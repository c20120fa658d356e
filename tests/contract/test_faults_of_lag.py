"""Watches that are told late, or not at all."""

import asyncio

import aiohttp
import pytest

from localring.apiserver import ApiServer, Fault, Kind
from tests.contract.cluster import OTHER, PATIENCE, Cluster, Ended, Stream, put

pytestmark = pytest.mark.usefixtures("free_of_leftovers")


async def test_a_lagging_watch_is_told_in_order_once_the_lag_is_removed(
    server: ApiServer, stage: Cluster, stream: Stream
) -> None:
    with server.faults.active(Fault(kind=Kind.LAG, resource="configmaps", client="first")):
        put(server, "a")
        async with stage.session.get(
            server.url + stage.path("configmaps"), params={"watch": "1"}, headers=OTHER
        ) as response:
            prompt = Stream(response)
            assert await prompt.told() == ("ADDED", "a")
        put(server, "b")
        late = asyncio.create_task(stream.told())
        await stage.list("configmaps")

        assert not late.done()
    assert await late == ("ADDED", "a")
    assert await stream.told() == ("ADDED", "b")


async def test_a_watch_that_lags_by_some_time_is_told_after_it(
    server: ApiServer, stream: Stream
) -> None:
    server.faults.add(Fault(kind=Kind.LAG, seconds=0.05))
    put(server, "a")

    assert await stream.told() == ("ADDED", "a")


async def test_a_resumed_watch_lags_like_the_one_before(
    server: ApiServer, stage: Cluster
) -> None:
    before = server.store.version
    put(server, "a")
    with server.faults.active(Fault(kind=Kind.LAG)):
        query = {"labelSelector": "", "resourceVersion": before}
        async with stage.watch("configmaps", **query) as stream:
            late = asyncio.create_task(stream.told())
            await stage.list("configmaps")

            assert not late.done()
            server.faults.clear()
            assert await late == ("ADDED", "a")


async def test_the_bookmarks_of_a_lagging_watch_do_not_pass_what_is_held_back() -> None:
    async with (
        ApiServer("127.71.0.3", bookmark_seconds=0.01) as server,
        aiohttp.ClientSession() as session,
    ):
        stage = Cluster(session, server.url, "", "default")
        query = {"labelSelector": "", "allowWatchBookmarks": "true"}
        async with stage.watch("configmaps", **query) as stream:
            assert (await stream.next())["type"] == "BOOKMARK"
            before = server.store.version
            server.faults.add(Fault(kind=Kind.LAG))
            held = put(server, "a")
            bookmarks = [await stream.next() for _ in range(3)]
            server.faults.clear()
            event = await stream.next()
            while event["type"] == "BOOKMARK":
                event = await stream.next()

    versions = {told["object"]["metadata"]["resourceVersion"] for told in bookmarks}
    assert (versions, event["object"]["metadata"]["resourceVersion"]) == ({before}, held)


async def test_a_server_may_send_no_bookmarks_though_asked() -> None:
    async with (
        ApiServer("127.71.0.3", bookmark_seconds=0.01) as server,
        aiohttp.ClientSession() as session,
    ):
        stage = Cluster(session, server.url, "", "default")
        server.faults.add(Fault(kind=Kind.NO_BOOKMARKS))
        query = {"labelSelector": "", "allowWatchBookmarks": "1", "timeoutSeconds": "1"}
        async with stage.watch("configmaps", **query) as stream:
            with pytest.raises(Ended):
                await stream.next()


async def test_a_half_open_watch_hears_neither_events_nor_bookmarks_nor_its_end() -> None:
    async with (
        ApiServer("127.71.0.3", bookmark_seconds=0.01) as server,
        aiohttp.ClientSession(headers={"User-Agent": "first/1"}) as session,
    ):
        stage = Cluster(session, server.url, "", "default")
        query = {"labelSelector": "", "allowWatchBookmarks": "true", "timeoutSeconds": "1"}
        async with stage.watch("configmaps", **query) as deaf:
            assert (await deaf.next())["type"] == "BOOKMARK"
            with server.faults.active(Fault(kind=Kind.HALF_OPEN, client="first")):
                version = put(server, "a")
                async with session.get(
                    server.url + stage.path("configmaps"),
                    params={"watch": "1", **query},
                    headers=OTHER,
                ) as response:
                    other = await response.read()
            heard = deaf.response.content.read_nowait()

            assert version.encode() in other
            assert version.encode() not in heard
            assert not deaf.response.content.at_eof()
        async with asyncio.timeout(PATIENCE):
            await server.until_open_watches(0)  # it notices that the deaf client went away


async def test_a_watch_that_does_not_keep_up_is_cut() -> None:
    async with (
        ApiServer("127.71.0.3", queue_limit=3) as server,
        aiohttp.ClientSession() as session,
    ):
        stage = Cluster(session, server.url, "", "default")
        async with stage.watch("configmaps", labelSelector="") as stream:
            server.faults.add(Fault(kind=Kind.LAG))
            for name in "abcd":
                put(server, name)

            with pytest.raises(aiohttp.ClientPayloadError, match="ConnectionResetError"):
                await stream.next()
