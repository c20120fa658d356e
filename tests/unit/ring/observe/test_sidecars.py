"""Sidecars that answer, hang, lie or talk nonsense: each is its own reading."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web

from ring.observe.answer import LONG
from ring.observe.sidecars import MOST_FAILURE, PATIENCE, READ_AT_ONCE, Sidecars
from ring.observe.words import MOST_BYTES, BadWordError, Columns, Listener
from ring.reading import Reading
from ring.words import DiskState, Pool, Process, Seen, Sidecar
from tests.unit.ring.strategies import host

Json = dict[str, Any]
HOST = "127.71.0.3"
WALL = 1_767_225_600.0  # whole seconds, as HTTP dates are


def peers(*others: int) -> list[Json]:
    return [
        {"hostId": str(host(n)), "address": f"10.0.0.{n}", "up": n != 2, "state": "normal"}
        for n in others
    ]


def word(number: int = 0, **changes: Any) -> Json:  # noqa: ANN401 -- of any field
    beat = {
        "ageSeconds": 0.3,
        "mode": "NORMAL",
        "hostId": str(host(number)),
        "address": f"10.0.0.{number}",
        "dc": "dc1",
        "rack": "a",
        "native": True,
        "load": 5.0,
        "seeds": ["10.0.0.1"],
        "peersHash": "one",
        "peers": peers(1, 2),
    }
    return {
        "pod": f"cassandra-{number}",
        "podUid": "u",
        "disk": {"state": "member", "hostId": str(host(number))},
        "cassandra": "answering",
        "heartbeat": beat,
        **changes,
    }


class Asker:
    """Sidecars at one address, each pod with a handler of its own on a port of its own."""

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self.news = 0

    def make(self, port: int) -> Sidecars:
        return Sidecars(lambda: self.targets, port, self._changed)

    def _changed(self) -> None:
        self.news += 1


@asynccontextmanager
async def served(
    handler: Callable[[web.Request], Any], at: str = HOST
) -> AsyncGenerator[tuple[Asker, Sidecars]]:
    app = web.Application()
    app.router.add_get("/v1/node", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, at, 0)
    await site.start()
    asker = Asker()
    asker.targets = {"cassandra-0": HOST}
    sidecars = asker.make(runner.addresses[0][1])
    try:
        yield asker, sidecars
    finally:
        sidecars.close()
        await runner.cleanup()


async def asked(sidecars: Sidecars) -> Reading[Sidecar]:
    await asyncio.gather(*sidecars.ask_all())
    return sidecars.readings()["cassandra-0"]


async def test_what_a_sidecar_says_is_heard() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(word())

    async with served(handler) as (_, sidecars):
        reading = await asked(sidecars)

    said = reading.value
    assert said
    assert (reading.failure, said.disk.state, said.process) == (
        "",
        DiskState.MEMBER,
        Process.ANSWERING,
    )
    assert said.heartbeat
    assert said.heartbeat.sight
    assert said.heartbeat.sight.hosts == (host(0), host(1), host(2))
    assert list(said.heartbeat.sight.up) == [Seen.UNKNOWN, Seen.UP, Seen.DOWN]


async def test_peers_are_asked_for_only_while_their_hash_is_another() -> None:
    hashes: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        known = request.query.get("peers")
        hashes.append(known)
        body = word()
        if known == "one":
            del body["heartbeat"]["peers"]
        return web.json_response(body)

    async with served(handler) as (asker, sidecars):
        first, second = await asked(sidecars), await asked(sidecars)

    assert hashes == [None, "one"]
    assert first.value
    assert second.value
    assert first.value.heartbeat
    assert second.value.heartbeat
    assert second.value.heartbeat.sight is first.value.heartbeat.sight
    assert asker.news == 1  # the second answer was none


async def test_peers_of_another_hash_that_are_not_sent_are_unknown_and_asked_for_whole() -> (
    None
):
    hashes: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        hashes.append(request.query.get("peers"))
        body = word()
        if len(hashes) == 2:
            body["heartbeat"] |= {"peersHash": "two"}
            del body["heartbeat"]["peers"]
        return web.json_response(body)

    async with served(handler) as (_, sidecars):
        await asked(sidecars)
        reading = await asked(sidecars)
        await asked(sidecars)

    assert reading.value
    assert reading.value.heartbeat
    assert reading.value.heartbeat.sight is None
    assert hashes == [None, "one", None]


async def redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("http://127.0.0.1:1/")


def answering(body: bytes) -> Callable[[web.Request], Any]:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return handler


async def failing(_: web.Request) -> web.Response:
    raise web.HTTPInternalServerError


async def cut(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (answering(b"<html>hello</html>"), "no answer of a sidecar"),
        (answering(b"[]"), "no answer of a sidecar"),
        (answering(b"[" * 100_000), "no answer of a sidecar"),
        (answering(b'{"pod": "x"}'), "no answer of a sidecar"),
        (answering(b"x" * (MOST_BYTES + 1)), "over 4 MiB"),
        (redirect, "HTTP 302"),
        (failing, "HTTP 500"),
        (cut, "disconnected"),
    ],
    ids=range(8),
)
async def test_nonsense_is_a_failure_that_says_what_it_was(
    handler: Callable[[web.Request], Any], said: str
) -> None:
    async with served(handler) as (_, sidecars):
        reading = await asked(sidecars)

    assert (reading.value, reading.age) == (None, None)
    assert said in reading.failure


async def test_who_hangs_keeps_nobody_waiting_and_is_not_asked_twice() -> None:
    begun = asyncio.Event()
    times = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal times
        times += 1
        begun.set()
        await asyncio.sleep(PATIENCE * 10)
        return web.Response()

    async with served(handler) as (_, sidecars):
        (task,) = sidecars.ask_all()
        await begun.wait()
        assert sidecars.ask_all() == [task]
        await task
        reading = sidecars.readings()["cassandra-0"]

    assert times == 1
    assert reading.failure == f"no answer within {PATIENCE:g} s"


async def test_answers_that_do_not_end_keep_no_long_one_from_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stalled = {f"cassandra-{n}": f"127.71.1.{n}" for n in range(1, READ_AT_ONCE + 1)}

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.url.host == HOST:
            return web.json_response(word(more="x" * 2 * LONG))
        answer = web.StreamResponse(headers={"Content-Length": str(2 * LONG)})
        await answer.prepare(request)
        await answer.write(b"{")
        await asyncio.sleep(PATIENCE * 10)
        return answer

    async with served(handler, "0.0.0.0") as (asker, sidecars):  # noqa: S104 -- many of one
        asker.targets = dict(stalled)
        monkeypatch.setattr("ring.observe.sidecars.PATIENCE", 1.0)
        await asyncio.gather(*sidecars.ask_all())
        monkeypatch.setattr("ring.observe.sidecars.PATIENCE", 20.0)
        asker.targets = stalled | {"cassandra-0": HOST}
        *others, task = sidecars.ask_all()
        await task

        assert not any(each.done() for each in others)
        assert sidecars.readings()["cassandra-0"].failure == ""


async def test_a_failure_is_told_in_one_short_line_that_does_nothing_to_a_terminal() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=500, reason="\x9b31m" + "x" * 1000)

    async with served(handler) as (_, sidecars):
        reading = await asked(sidecars)

    assert reading.failure.startswith(r"HTTP 500 Â\x9b31mxx")
    assert len(reading.failure) == MOST_FAILURE


async def test_what_was_said_before_a_failure_stays_with_its_age() -> None:
    fails = False

    async def handler(_: web.Request) -> web.Response:
        if fails:
            raise web.HTTPServiceUnavailable
        return web.json_response(word())

    async with served(handler) as (_, sidecars):
        before = await asked(sidecars)
        fails = True
        after = await asked(sidecars)

    assert after.value == before.value
    assert after.failure.startswith("HTTP 503")
    assert after.age
    assert before.age
    assert after.age > before.age


async def test_another_address_is_another_sidecar() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(word())

    async with served(handler) as (asker, sidecars):
        await asked(sidecars)
        asker.targets = {"cassandra-0": "127.71.0.4"}
        reading = await asked(sidecars)
        assert reading.value is None
        asker.targets = {}
        sidecars.ask_all()
        assert sidecars.readings() == {}


@pytest.mark.parametrize("ahead", [-300.0, 0.0, 300.0])
async def test_a_clock_is_compared_by_the_date_of_the_answer(ahead: float) -> None:
    dates = iter((WALL, WALL + ahead))

    async def handler(_: web.Request) -> web.Response:
        answer = web.json_response(word())
        answer.headers["Date"] = formatdate(next(dates), usegmt=True)
        return answer

    async with served(handler) as (_, sidecars):
        began = time.monotonic()
        first, second = await asked(sidecars), await asked(sidecars)
        between = time.monotonic() - began

    assert first.value
    assert second.value
    clock, later = first.value.clock, second.value.clock
    assert clock
    assert later
    moved = later.ahead - clock.ahead - ahead
    assert -between - clock.error - later.error <= moved <= clock.error + later.error


async def test_setting_the_managers_own_clock_sets_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handler(_: web.Request) -> web.Response:
        answer = web.json_response(word())
        answer.headers["Date"] = formatdate(WALL, usegmt=True)
        return answer

    async with served(handler) as (_, sidecars):
        first = await asked(sidecars)
        monkeypatch.setattr("time.time", lambda: WALL + 4 * 3600)
        second = await asked(sidecars)

    assert first.value
    assert second.value
    assert first.value.clock
    assert second.value.clock
    assert abs(first.value.clock.ahead - second.value.clock.ahead) < 60


@pytest.mark.parametrize(
    "changes",
    [
        {"ageSeconds": -1},
        {"mode": None},
        {"hostId": "me"},
        {"peers": [{"hostId": "me", "address": "10.0.0.1"}]},
        {"peers": [{"hostId": str(host(1)), "address": "somewhere"}]},
        {"peers": [{"hostId": "-" * 100 + str(host(1)), "address": "10.0.0.1"}]},
        {"peers": [{"hostId": str(host(1)), "address": "x" * 100}]},
        {"peers": [{"hostId": str(host(1)), "address": "fe80::1%eth0"}]},
        {"address": "fe80::1%eth0"},
        {"peers": {}},
        {"seeds": ["x"] * 2000},
        {"load": "much"},
    ],
)
def test_a_heartbeat_that_cannot_be_is_refused_whole(changes: Json) -> None:
    body = word()
    body["heartbeat"] |= changes

    with pytest.raises(BadWordError, match=r"^.{,300}$"):
        Listener(Columns(Pool())).hear(json.dumps(body).encode())


def test_words_of_later_versions_are_unknown_and_not_refused() -> None:
    body = word(cassandra="dreaming", disk={"state": "molten"}, more={})
    body["heartbeat"]["peers"][0]["state"] = "resting"
    said = Listener(Columns(Pool())).hear(json.dumps(body).encode())

    assert (said.process, said.disk.state) == (Process.UNKNOWN, DiskState.UNKNOWN)
    assert said.heartbeat
    assert said.heartbeat.sight
