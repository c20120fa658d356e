"""The emulated server's switches: each fault is what a client of a real server would see."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from localring.apiserver import ApiError, ApiServer, Fault, Kind
from tests.contract.cluster import PATIENCE, Cluster, Ended, Stream

pytestmark = pytest.mark.usefixtures("free_of_leftovers")
OTHER = {"User-Agent": "second/1"}


def put(server: ApiServer, name: str, **data: str) -> str:
    """Create or change a config map in the store; give its version."""
    body = {"metadata": {"name": name}, "data": data}
    write = server.store.has("configmaps", name, "default")
    made = (
        server.store.patch("configmaps", name, body, "default")
        if write
        else server.store.create("configmaps", body, "default")
    )
    return str(made["metadata"]["resourceVersion"])


@pytest.fixture
async def stream(stage: Cluster, server: ApiServer) -> AsyncIterator[Stream]:
    """A watch of the config maps that has begun, and was told all there was."""
    async with stage.watch("configmaps", labelSelector="") as stream:
        put(server, "begun")
        assert await stream.told() == ("ADDED", "begun")
        yield stream


async def test_a_refusing_server_resets_connections_and_comes_back_on_its_port(
    server: ApiServer, stage: Cluster, stream: Stream
) -> None:
    url = server.url
    await server.refuse()

    with pytest.raises(aiohttp.ClientError):
        await stream.next()
    with pytest.raises(aiohttp.ClientConnectorError):
        await stage.list("configmaps")
    assert not server.accepting

    await server.accept()
    assert (server.url, (await stage.list("configmaps")).status) == (url, 200)


async def test_a_hanging_request_is_answered_once_the_rule_is_removed(
    server: ApiServer, stage: Cluster
) -> None:
    with server.faults.active(Fault(kind=Kind.HANG, client="first")):
        asked = asyncio.create_task(stage.list("configmaps"))
        other = await stage.ask("GET", stage.path("configmaps"), headers=OTHER)
        async with asyncio.timeout(PATIENCE):
            await server.requests.until(1, client="first")

        assert (other.status, asked.done()) == (200, False)
    assert (await asked).status == 200


async def test_a_client_that_gives_up_on_a_hanging_request_leaves_nothing_behind(
    server: ApiServer, stage: Cluster
) -> None:
    server.faults.add(Fault(kind=Kind.HANG))
    impatient = aiohttp.ClientTimeout(total=0.05)
    with pytest.raises(TimeoutError):
        await stage.ask("GET", stage.path("configmaps"), timeout=impatient)

    assert [entry.status for entry in server.requests] == [None]


async def test_a_cut_watch_is_reset_and_not_ended(server: ApiServer, stream: Stream) -> None:
    assert server.cut_watches() == 1

    with pytest.raises(aiohttp.ClientPayloadError, match="ConnectionResetError"):
        await stream.next()


async def test_only_the_watches_of_the_client_meant_are_cut(
    server: ApiServer, stream: Stream
) -> None:
    assert server.cut_watches(client="second") == 0
    assert server.cut_watches(resource="pods") == 0
    put(server, "still")

    assert await stream.told() == ("ADDED", "still")


async def test_watches_can_be_ended_cleanly(server: ApiServer, stream: Stream) -> None:
    assert server.end_watches() == 1

    with pytest.raises(Ended):
        await stream.next()


async def test_every_watch_ends_at_once_as_long_as_the_rule_is_in_force(
    server: ApiServer, stage: Cluster, stream: Stream
) -> None:
    server.faults.add(Fault(kind=Kind.END_WATCH))
    async with stage.watch("configmaps", resourceVersion=server.store.version) as fresh:
        for ended in (stream, fresh):
            with pytest.raises(Ended):
                await ended.next()


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


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (Fault(kind=Kind.UNAUTHORIZED), 401, "Unauthorized"),
        (Fault(kind=Kind.FORBID, resource="leases"), 403, "Forbidden"),
        (Fault(kind=Kind.THROTTLE, seconds=3), 429, "TooManyRequests"),
        (Fault(kind=Kind.FAIL, times=1), 500, "InternalError"),
        (Fault(kind=Kind.FAIL, status=503), 503, "ServiceUnavailable"),
    ],
)
async def test_a_refusal_asked_for_is_a_status(
    server: ApiServer, stage: Cluster, fault: Fault, status: int, reason: str
) -> None:
    with server.faults.active(fault):
        answer = await stage.list("leases")

        assert (answer.status, answer.reason) == (status, reason)
        assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert (await stage.list("leases")).status == 200


@pytest.mark.parametrize(
    "elsewhere",
    [
        Fault(kind=Kind.FORBID, resource="pods"),
        Fault(kind=Kind.FORBID, client="second"),
        Fault(kind=Kind.FORBID, token="else"),  # noqa: S106
        Fault(kind=Kind.FORBID, verb="watch"),
    ],
)
async def test_a_rule_strikes_nobody_but_those_it_means(
    server: ApiServer, stage: Cluster, elsewhere: Fault
) -> None:
    server.faults.add(elsewhere)

    assert (await stage.list("leases")).status == 200


async def test_a_rule_strikes_as_often_as_it_says(server: ApiServer, stage: Cluster) -> None:
    server.faults.add(Fault(kind=Kind.FAIL, times=2))
    statuses = [(await stage.list("leases")).status for _ in range(3)]

    assert statuses == [500, 500, 200]
    assert server.faults.rules() == []


async def test_tokens_can_be_changed_while_the_server_runs(
    server: ApiServer, stage: Cluster
) -> None:
    server.tokens.update({"old", "new"})
    stage.token = "old"  # noqa: S105
    assert (await stage.list("leases")).status == 200

    server.tokens.discard("old")
    assert (await stage.list("leases")).status == 401
    stage.token = "new"  # noqa: S105
    assert (await stage.list("leases")).status == 200


async def test_lists_can_be_garbage_or_break_off(server: ApiServer, stage: Cluster) -> None:
    with server.faults.active(Fault(kind=Kind.GARBAGE_LIST)), pytest.raises(ValueError):  # noqa: PT011
        await stage.list("leases")
    server.faults.add(Fault(kind=Kind.TRUNCATED_LIST))
    with pytest.raises(aiohttp.ClientPayloadError):
        await stage.list("leases")


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


async def test_a_garbage_line_comes_once_to_each_watch(
    server: ApiServer, stream: Stream
) -> None:
    server.faults.add(Fault(kind=Kind.GARBAGE_LINE))

    with pytest.raises(ValueError):  # noqa: PT011 - no JSON
        await stream.next()
    put(server, "after")
    assert await stream.told() == ("ADDED", "after")


async def test_a_line_can_be_too_long_for_anybody(server: ApiServer, stream: Stream) -> None:
    server.faults.add(Fault(kind=Kind.OVERSIZED_LINE, size_bytes=2**22))

    with pytest.raises(aiohttp.http_exceptions.LineTooLong):
        await stream.next()


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


async def test_a_write_may_be_done_though_its_answer_never_comes(
    server: ApiServer, stage: Cluster
) -> None:
    server.faults.add(Fault(kind=Kind.DROP_RESPONSE, verb="create", times=1))

    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await stage.create("configmaps", stage.body("a"))
    assert (await stage.get("configmaps", "a")).status == 200


async def test_a_delayed_write_is_done_before_it_is_answered(
    server: ApiServer, stage: Cluster
) -> None:
    server.faults.add(Fault(kind=Kind.DELAY, verb="create", seconds=60))

    with pytest.raises(TimeoutError):
        await stage.ask(
            "POST",
            stage.path("configmaps"),
            json=stage.body("a"),
            timeout=aiohttp.ClientTimeout(total=0.1),
        )
    assert (await stage.get("configmaps", "a")).status == 200


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


async def test_requests_are_counted_for_each_client(server: ApiServer, stage: Cluster) -> None:
    await stage.list("leases")
    await stage.ask("GET", stage.path("leases", "absent"), headers=OTHER)

    assert server.requests.count(client="first", verb="list", resource="leases") == 1
    assert server.requests.count(client="second", verb="get", status=404) == 1
    assert len(server.requests) == 2


async def test_a_pod_on_a_node_is_marked_first_and_ends_when_its_kubelet_says_so(
    server: ApiServer, stage: Cluster
) -> None:
    pod = {"metadata": {"name": stage.name("p")}, "spec": {"nodeName": "worker"}}
    server.store.create("pods", pod, "default")
    marked = (await stage.delete("pods", "p")).body["metadata"]

    assert marked["deletionGracePeriodSeconds"] == 30
    assert (await stage.get("pods", "p")).body["metadata"] == marked
    server.store.delete("pods", stage.name("p"), "default")
    assert (await stage.get("pods", "p")).status == 404


async def test_a_pod_without_a_node_or_without_grace_is_gone_at_once(
    server: ApiServer, stage: Cluster
) -> None:
    for short, spec in {"p": {}, "q": {"nodeName": "worker"}}.items():
        body = {"metadata": {"name": stage.name(short)}, "spec": spec}
        server.store.create("pods", body, "default")
    await stage.delete("pods", "p")
    path = stage.path("pods", stage.name("q"))
    await stage.ask("DELETE", path, json={"gracePeriodSeconds": 0})

    assert server.store.list("pods") == []


def test_a_rule_that_could_not_work_is_refused() -> None:
    for bad in (
        {"kind": Kind.DELAY},
        {"kind": Kind.STALE_LIST},
        {"kind": Kind.FAIL, "times": 0},
        {"kind": Kind.FAIL, "status": 200},
        {"kind": Kind.LAG, "seconds": -1.0},
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            Fault(**bad)


async def test_the_store_refuses_in_process_as_over_http(server: ApiServer) -> None:
    put(server, "a")

    with pytest.raises(ApiError) as refused:
        server.store.create("configmaps", {"metadata": {"name": "a"}}, "default")
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")
