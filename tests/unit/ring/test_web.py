"""The manager's API answers from the newest picture, says how old it is, or refuses."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from ring.judged import Judged
from ring.ringfile import parse
from ring.stream import Streams
from tests.unit.ring.schema import faults
from tests.unit.ring.serving import AT, Client, Stage, Time, serving
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
PARTS = ["ring", "members", "findings", "history", "keyspaces", "keyspaces/shop"]


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return found


async def got(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    async with client.get(path) as answer:
        body: dict[str, Any] = await answer.json()
        assert answer.status == status, body
        if status >= 400:
            assert list(faults(schema("error"), body)) == []
        return body


def shown(nodes: int = 3) -> Stage:
    stage = Stage(World(nodes))
    stage.show()
    return stage


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/ring", "ring"),
        ("/v1/keyspaces", "keyspaces"),
        ("/v1/keyspaces/shop", "keyspace"),
        ("/v1/ringfile", "ring-file"),
        ("/v1/whatif?stop=cassandra-1", "whatif"),
        ("/v1/keyspaces?checks=all", "keyspaces"),
        ("/v1/arcs", "arcs"),
        ("/v1/arcs?stop=cassandra-1&rack=dc1/a", "arcs"),
        ("/v1/gate?pod=cassandra-1", "gate"),
        ("/v1/gate?node=worker-4&keyspace=shop&level=one", "gate"),
        ("/v1/drain-order?level=QUORUM", "drain-order"),
    ],
)
async def test_answers_are_as_documented(path: str, name: str) -> None:
    stage = shown(6)
    stage.world.down(4)
    stage.show()
    async with serving(stage) as client:
        assert list(faults(schema(name), await got(client, path))) == []


@pytest.mark.parametrize("part", PARTS)
async def test_every_part_says_which_picture_it_is_of(part: str) -> None:
    async with serving(shown()) as client, client.get(f"/v1/{part}") as answer:
        body = await answer.json()

        assert body["version"] == answer.headers["X-Ring-Version"] == "test-1"
        assert body["at"] == answer.headers["X-Ring-At"] == "2026-01-01T00:00:00.000Z"
        assert (body["stale"], body["certain"]) == (False, True)


async def test_before_the_first_picture_there_is_no_answer_and_the_manager_is_not_ready() -> (
    None
):
    async with serving(Stage(World())) as client:
        for path in ("/v1/ring", "/v1/whatif?stop=cassandra-0", "/v1/seeds", "/readyz"):
            body = await got(client, path, 503)
            assert body["error"] == "nothing has been observed yet"
        async with client.get("/livez") as answer:
            assert answer.status == 200


async def test_an_asker_that_has_the_picture_is_told_so_and_how_old_it_is() -> None:
    time = Time()
    stage = Stage(World(), time)
    stage.show()
    async with serving(stage) as client:
        async with client.get("/v1/ring") as first:
            tag = first.headers["ETag"]
        time.now += 3
        async with client.get("/v1/ring", headers={"If-None-Match": tag}) as again:
            assert (again.status, again.headers["X-Ring-Age"]) == (304, "3.000")
        stage.show()
        async with client.get("/v1/ring", headers={"If-None-Match": tag}) as newer:
            assert newer.status == 200


async def test_a_tag_is_of_the_bytes_that_were_sent() -> None:
    async with serving(shown()) as client:
        tags = set()
        for coding in ("gzip", "identity", "gzip;q=0"):
            async with client.get("/v1/ring", headers={"Accept-Encoding": coding}) as answer:
                tags.add((answer.headers["ETag"], answer.headers.get("Content-Encoding")))

    coded, plain = sorted(tags, key=lambda each: each[1] is None)
    assert plain[0].startswith('"test-1-')
    assert coded == (f'{plain[0][:-1]}-gzip"', "gzip")
    assert plain[1] is None


@pytest.mark.parametrize(
    "path", ["/v1/keyspaces/shed", "/v1/gate?pod=cassandra-9", "/v1/keyspaces?checks=all"]
)
async def test_who_has_the_picture_has_no_other_answer_from_it(path: str) -> None:
    async with serving(shown()) as client:
        async with client.get("/v1/ring") as answer:
            tag = answer.headers["ETag"]
        for had in (tag, "*"):
            async with client.get(path, headers={"If-None-Match": had}) as answer:
                assert answer.status == (404 if "9" in path or "shed" in path else 200)


async def test_what_ifs_that_take_long_let_nobody_else_wait() -> None:
    stage, under_way, end = shown(), threading.Event(), threading.Event()

    def slow(*_: object) -> dict[str, Any]:
        under_way.set()
        assert end.wait(20)
        return {}

    async with serving(stage) as client:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ring.asked.whatif", slow)
            asking = [
                asyncio.create_task(got(client, f"/v1/whatif?stop=cassandra-{n}"))
                for n in range(3)
            ]
            try:
                await asyncio.to_thread(under_way.wait, 20)
                assert (await got(client, "/v1/gate?pod=cassandra-1"))["allowed"] is True
            finally:
                end.set()
            await asyncio.gather(*asking)


async def test_a_stale_picture_is_shown_as_such_and_nothing_is_decided_by_it() -> None:
    time = Time()
    stage = Stage(World(), time)
    stage.show()
    async with serving(stage) as client:
        async with client.get("/v1/ring") as answer:
            tag = answer.headers["ETag"]
        time.now += stage.latest.stale_seconds + 1
        async with client.get("/v1/ring", headers={"If-None-Match": tag}) as answer:
            body = await answer.json()
        assert (answer.status, body["stale"], body["certain"]) == (200, True, False)
        assert answer.headers["X-Ring-Stale"] == "true"
        for path in (
            *("/readyz", "/v1/ringfile", "/v1/whatif?stop=cassandra-0"),
            *("/v1/gate?pod=cassandra-0", "/v1/drain-order"),
        ):
            assert "21 seconds old" in (await got(client, path, 503))["error"]


async def test_every_check_of_every_keyspace_is_told_to_who_asks_for_all() -> None:
    async with serving(shown()) as client:
        some = (await got(client, "/v1/keyspaces"))["keyspaces"]["shop"]["checks"]
        everything = (await got(client, "/v1/keyspaces?checks=all"))["keyspaces"]["shop"][
            "checks"
        ]

    assert {each["decides"] for each in some} == {True}
    assert [each for each in everything if each["decides"]] == some
    assert {each["level"] for each in everything} > {"ONE", "QUORUM", "ALL", "SERIAL"}


async def test_arcs_show_what_has_nothing_to_spare_and_what_a_change_would_lose() -> None:
    stage = shown(6)
    async with serving(stage) as client:
        now = await got(client, "/v1/arcs")
        one = await got(client, "/v1/arcs?stop=cassandra-1")
        two = await got(client, "/v1/arcs?stop=cassandra-1&stop=cassandra-2")
        await got(client, "/v1/arcs?stop=cassandra-9", 404)

    def kinds(body: dict[str, Any]) -> set[tuple[int, bool]]:
        shop = next(each for each in body["replications"] if "shop" in each["keyspaces"])
        return {(arc["margin"], arc["newly"]) for arc in shop["arcs"]}

    assert kinds(now) == set()
    assert kinds(one) == {(0, False)}
    assert (-1, True) in kinds(two)


async def test_the_ring_file_is_the_ring() -> None:
    stage = shown()
    async with serving(stage) as client, client.get("/v1/ringfile") as answer:
        assert parse(await answer.read()) == stage.world.snapshot().ring


async def test_a_pod_may_be_named_in_a_what_if_and_means_its_member() -> None:
    stage = shown(3)
    async with serving(stage) as client:
        bodies = [
            await got(client, f"/v1/whatif?stop={name}&stop=cassandra-2")
            for name in ("cassandra-1", host(1), "10.0.0.1")
        ]

    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["safe"] is False


async def test_one_machine_may_be_drained_where_each_rack_has_a_replica() -> None:
    async with serving(shown(3)) as client:
        assert (await got(client, "/v1/whatif?drain=worker-1"))["safe"] is True
        assert (await got(client, "/v1/whatif?dc=dc1"))["safe"] is False
        assert (await got(client, "/v1/whatif?rack=dc1/a&level=all"))["safe"] is False


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/ring?wide=yes", 400, "'wide' is not a parameter"),
        ("/v1/history?limit=0", 400, "limit: '0' is wrong"),
        ("/v1/history?limit=1&limit=2", 400, "limit is given twice"),
        ("/v1/whatif", 400, "names no change"),
        ("/v1/whatif?stop=", 400, "stop: names nothing"),
        ("/v1/whatif?stop=cassandra-9", 404, "stop: no node is cassandra-9"),
        ("/v1/whatif?rack=a", 400, "rack: 'a' is not DC/RACK"),
        ("/v1/whatif?stop=cassandra-0&level=MOST", 400, "level: 'MOST' is none of"),
        (f"/v1/whatif?{'&'.join(['add=dc1/a'] * 101)}", 400, "add: is given more than 100"),
        ("/v1/whatif?halt=cassandra-0", 400, "halt: is not a parameter"),
        ("/v1/whatif?stop=cassandra-0&keyspace=shed", 400, "keyspace: there is no keyspace"),
        ("/v1/keyspaces/shed", 404, "there is no keyspace shed"),
        ("/v1/gate", 400, "names nothing to stop"),
        ("/v1/gate?pod=cassandra-0&node=worker-0", 400, "names nothing to stop"),
        ("/v1/gate?pod=", 400, "pod: names nothing"),
        ("/v1/gate?pod=cassandra-9", 404, "no pod of cassandra is 'cassandra-9'"),
        ("/v1/gate?node=worker-9", 404, "no Kubernetes node is 'worker-9'"),
        ("/v1/gate?node=worker-0&node=worker-1", 400, "node: is given twice"),
        ("/v1/gate?pod=cassandra-0&keyspace=shed", 404, "there is no keyspace shed"),
        ("/v1/drain-order?pod=cassandra-0", 400, "pod: is not a parameter"),
        ("/v1/nothing", 404, "Not Found"),
        ("/page/..%2fweb.py", 404, "Not Found"),
        ("/page/nothing.js", 404, "there is no /page/nothing.js"),
    ],
)
async def test_a_wrong_question_is_told_what_is_wrong(
    path: str, status: int, error: str
) -> None:
    async with serving(shown()) as client:
        assert error in (await got(client, path, status))["error"]


async def test_a_second_pod_may_not_stop_beside_one_that_is_down() -> None:
    stage = shown(3)
    async with serving(stage) as client:
        assert (await got(client, "/v1/gate?pod=cassandra-1"))["allowed"] is True
        assert (await got(client, "/v1/drain-order"))["safe"] is True
        stage.world.down(0)
        stage.show()
        body = await got(client, "/v1/gate?pod=cassandra-1")
        assert (body["allowed"], body["reasons"][0]["code"]) == (False, "level-lost")
        assert (await got(client, "/v1/drain-order"))["safe"] is False


async def test_nothing_can_be_written() -> None:
    async with serving(shown()) as client, client.post("/v1/ring", data=b"x") as answer:
        body = await answer.json()

        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
        assert list(faults(schema("error"), body)) == []


async def test_where_no_tokens_are_known_health_is_not_made_up() -> None:
    stage = Stage(World())
    for seat in stage.world.seats:
        seat.speaks = False
    stage.show()
    async with serving(stage) as client:
        for path in ("/v1/keyspaces", "/v1/ringfile", "/v1/whatif?stop=10.0.0.1"):
            assert "tokens are known" in (await got(client, path, 503))["error"]


async def test_history_is_the_last_and_says_how_much_is_before() -> None:
    stage = shown(4)
    for _ in range(2):
        stage.world.down(1)
        stage.show()
        stage.world = World(4)
        stage.show()
    async with serving(stage) as client:
        body = await got(client, "/v1/history?limit=1")

    assert [each["what"] for each in body["history"]] == ["came-back"]
    assert body["earlier"] == 3


async def test_seeds_are_asked_for_of_the_pods_of_the_picture() -> None:
    asked: list[tuple[float, str | None]] = []

    async def ask(judged: Judged, pod: str | None) -> dict[str, Any]:
        asked.append((judged.at, pod))
        return {"pods": {}}

    async with serving(shown(), ask) as client:
        body = await got(client, "/v1/seeds?pod=cassandra-1")

    assert asked == [(AT, "cassandra-1")]
    assert list(faults(schema("seeds"), body)) == []


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, as the server notices a closed stream when it writes."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 -- there is nothing to be told by
            await asyncio.sleep(0.01)


async def events(answer: ClientResponse, count: int) -> list[dict[str, Any]]:
    """Read this many events of a stream."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        async for line in answer.content:
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
            if len(found) == count:
                return found
    raise AssertionError(f"the stream ended after {found}")


async def test_a_stream_tells_of_every_new_picture() -> None:
    stage = shown(4)
    async with serving(stage) as client, client.get("/v1/stream") as answer:
        assert answer.content_type == "text/event-stream"
        (first,) = await events(answer, 1)
        stage.world.down(1)
        stage.show()
        (second,) = await events(answer, 1)

    assert first["members"] == {"up": 4, "down": 0, "unknown": 0}
    assert second["members"] == {"up": 3, "down": 1, "unknown": 0}
    assert second["version"] == "test-2"
    assert second["findings"]["warning"] >= 1


async def test_a_stream_that_comes_back_is_not_told_what_it_knows() -> None:
    stage = shown()
    known = {"Last-Event-ID": "test-1"}
    async with serving(stage) as client, client.get("/v1/stream", headers=known) as answer:
        await answer.content.readline()  # its pause before it comes back
        stage.show()
        (event,) = await events(answer, 1)

    assert event["version"] == "test-2"


async def test_a_quiet_stream_is_kept_open_with_comments() -> None:
    stage = shown()
    async with (
        serving(stage, streams=Streams(stage.latest, quiet=0.01)) as client,
        client.get("/v1/stream") as answer,
        asyncio.timeout(10),
    ):
        assert b": still here\n" in [await answer.content.readline() for _ in range(12)]


async def test_streams_are_limited_and_a_closed_one_makes_room() -> None:
    stage = shown()
    streams = Streams(stage.latest, limit=1, quiet=0.01)
    async with serving(stage, streams=streams) as client:
        async with client.get("/v1/stream"):
            body = await got(client, "/v1/stream", 503)
            assert body["error"] == "1 streams are open"
        await until(lambda: not streams.count)
        async with client.get("/v1/stream") as answer:
            assert answer.status == 200


async def test_a_stream_ends_with_the_program() -> None:
    stage = shown()
    async with serving(stage) as client, client.get("/v1/stream") as answer:
        await events(answer, 1)
        await client.server.close()

        assert await answer.content.read() == b"\n"  # of the event, and no error after it


async def test_a_picture_that_goes_stale_is_an_event() -> None:
    stage = shown()
    stage.latest.stale_seconds = 0.05
    async with serving(stage) as client, client.get("/v1/stream") as answer:
        found = await events(answer, 2)

    assert [each["stale"] for each in found] == [False, True]


async def test_the_document_names_every_route() -> None:
    stage = shown()
    async with serving(stage) as client:
        document = await got(client, "/openapi.json")
        served = {
            route.resource.canonical for route in client.app.router.routes() if route.resource
        }

    assert served - set(document["paths"]) == {"/", "/page/{file}"}
    assert set(document["paths"]) - served == set()
