"""Asking other sidecars: real servers on loopback, as bad as neighbours can be."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from seedprovider import inquiry
from seedprovider.inquiry import FORGET_SECONDS, GONE_SECONDS, Inquirer
from seedprovider.model import Endpoint, Report
from seedprovider.node import MAX_BODY_BYTES
from tests.fakes.pauses import Bell
from tests.fakes.situations import RING, host

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PEER = {"hostId": host(9), "address": "10.0.0.9", "up": True, "state": "normal"}


def endpoint(n: int, address: str | None = None) -> Endpoint:
    return Endpoint(f"cassandra-{n}", f"uid-{n}", address or f"127.50.3.{n + 1}")


def said(n: int, mode: str = "NORMAL", **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    disk = {"state": "member", "ringId": RING, "hostId": host(n)}
    beat = {"ageSeconds": 0.1, "mode": mode, "hostId": host(n), "disk": disk}
    return {
        "pod": f"cassandra-{n}",
        "podUid": f"uid-{n}",
        "namespace": "ns",
        "service": "cassandra",
        "disk": disk,
        "cassandra": "answering",
        "heartbeat": {**beat, **more.pop("beat", {})},
        **more,
    }


@dataclass
class Street:
    """Neighbours at addresses of their own, all on one port, and the inquirer that asks."""

    port: int = 0
    now: float = 100.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    inside: int = 0
    peak: int = 0
    bell: Bell = field(default_factory=Bell)
    answers: dict[str, dict[str, Any] | bytes | Handler] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        address = request.transport.get_extra_info("sockname")[0]
        self.asked.append((address, request.query_string))
        self.inside += 1
        self.peak = max(self.peak, self.inside)
        self.bell.ring()
        try:
            answer = self.answers[address]
            if callable(answer):
                return await answer(request)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            return web.Response(body=body, content_type="application/json")
        finally:
            self.inside -= 1
            self.bell.ring()

    def says(self, n: int, answer: dict[str, Any] | bytes | Handler | None = None) -> Endpoint:
        place = endpoint(n)
        self.answers[place.address] = said(n) if answer is None else answer
        return place

    def times(self, n: int) -> int:
        return sum(address == endpoint(n).address for address, _ in self.asked)


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    made = Street()
    app = web.Application()
    app.router.add_get("/v1/node", made.handle)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
    )
    await runner.setup()
    for n in range(6):
        site = web.TCPSite(runner, endpoint(n).address, made.port)
        await site.start()
        made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as opened:
        yield opened


@pytest.fixture
def inquirer(street: Street, session: aiohttp.ClientSession) -> Inquirer:
    return Inquirer(
        session,
        namespace="ns",
        service="cassandra",
        port=street.port,
        clock=lambda: street.now,
    )


def word(inquirer: Inquirer, n: int) -> Report:
    return inquirer.reports[f"cassandra-{n}"]


def mode(inquirer: Inquirer, n: int) -> str | None:
    beat = word(inquirer, n).heartbeat
    return beat.mode if beat else None


# -- good neighbours ---------------------------------------------------------------------------


async def test_each_answers_for_itself(street: Street, inquirer: Inquirer) -> None:
    await inquirer.ask([street.says(n) for n in range(3)], 0.0)

    assert inquirer.reports.keys() == {f"cassandra-{n}" for n in range(3)}
    assert (word(inquirer, 1).address, word(inquirer, 1).received) == ("127.50.3.2", 100.0)
    assert (inquirer.failures, inquirer.strangers) == (0, {})


async def test_nobody_to_ask_is_no_wait(inquirer: Inquirer) -> None:
    await inquirer.ask([], 0.0)

    assert inquirer.reports == {}


async def test_a_word_that_is_young_enough_is_not_asked_for_again(
    street: Street, inquirer: Inquirer
) -> None:
    place = street.says(0)
    await inquirer.ask([place], 2.0)
    street.now += 1.999
    await inquirer.ask([place], 2.0)
    assert street.times(0) == 1
    street.now += 0.001
    await inquirer.ask([place], 2.0)

    assert street.times(0) == 2
    assert word(inquirer, 0).received == street.now


async def test_a_word_is_as_old_as_the_question_that_it_answers(
    street: Street, inquirer: Inquirer
) -> None:
    async def slow(_: web.Request) -> web.Response:
        street.now += 1.2
        return web.json_response(said(0))

    await inquirer.ask([street.says(0, slow)], 0.0)

    assert word(inquirer, 0).received == street.now - 1.2


async def test_a_pod_that_moved_is_asked_at_once(street: Street, inquirer: Inquirer) -> None:
    await inquirer.ask([street.says(0)], 2.0)
    street.answers[endpoint(1).address] = said(0)
    await inquirer.ask([endpoint(0, endpoint(1).address)], 2.0)

    assert word(inquirer, 0).address == endpoint(1).address


async def test_only_a_word_that_differs_in_more_than_its_age_is_a_change(
    street: Street, inquirer: Inquirer
) -> None:
    place = street.says(0)
    await inquirer.ask([place], 0.0)
    before = inquirer.revision
    street.now += 1
    street.says(0, said(0, beat={"ageSeconds": 0.9}))
    await inquirer.ask([place], 0.0)
    assert inquirer.revision == before
    street.says(0, said(0, "LEAVING"))
    await inquirer.ask([place], 0.0)

    assert inquirer.revision == before + 1


async def test_a_decision_works_on_one_moment_whatever_is_learned_meanwhile(
    street: Street, inquirer: Inquirer
) -> None:
    await inquirer.ask([street.says(0)], 0.0)
    taken = inquirer.reports
    await inquirer.ask([street.says(1)], 0.0)

    assert taken.keys() == {"cassandra-0"}


async def test_ipv6_addresses_are_asked_too(inquirer: Inquirer, street: Street) -> None:
    app = web.Application()
    app.router.add_get("/v1/node", _status(200))
    async with _serving(app, "::1", street.port):
        await inquirer.ask([endpoint(0, "::1")], 0.0)

    assert word(inquirer, 0).address == "::1"


@contextlib.asynccontextmanager
async def _serving(app: web.Application, address: str, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        yield
    finally:
        await runner.cleanup()


# -- peers, sent once --------------------------------------------------------------------------


def peers_of(inquirer: Inquirer, n: int) -> tuple[str, ...] | None:
    beat = word(inquirer, n).heartbeat
    return None if beat is None or beat.peers is None else tuple(p.host_id for p in beat.peers)


async def test_peers_that_are_known_are_not_sent_again_and_kept(
    street: Street, inquirer: Inquirer
) -> None:
    place = street.says(0, said(0, beat={"peersHash": "h1", "peers": [PEER]}))
    await inquirer.ask([place], 0.0)
    street.says(0, said(0, beat={"peersHash": "h1"}))
    await inquirer.ask([place], 0.0)

    assert [query for _, query in street.asked] == ["", "peers=h1"]
    assert peers_of(inquirer, 0) == (host(9),)


async def test_other_peers_take_their_place(street: Street, inquirer: Inquirer) -> None:
    place = street.says(0, said(0, beat={"peersHash": "h1", "peers": [PEER]}))
    await inquirer.ask([place], 0.0)
    street.says(0, said(0, beat={"peersHash": "h2", "peers": []}))
    await inquirer.ask([place], 0.0)

    assert peers_of(inquirer, 0) == ()


async def test_peers_of_another_hash_that_are_not_sent_are_unknown(
    street: Street, inquirer: Inquirer
) -> None:
    place = street.says(0, said(0, beat={"peersHash": "h1", "peers": [PEER]}))
    await inquirer.ask([place], 0.0)
    street.says(0, said(0, beat={"peersHash": "h2"}))
    await inquirer.ask([place], 0.0)

    assert peers_of(inquirer, 0) is None


async def test_peers_are_asked_for_whole_until_they_came(
    street: Street, inquirer: Inquirer
) -> None:
    """A sidecar that started anew knows the hash from a heartbeat before it has the peers."""
    place = street.says(0, said(0, beat={"peersHash": "h1"}))
    await inquirer.ask([place], 0.0)
    street.says(0, said(0, beat={"peersHash": "h1", "peers": [PEER]}))
    await inquirer.ask([place], 0.0)

    assert [query for _, query in street.asked] == ["", ""]
    assert peers_of(inquirer, 0) == (host(9),)


# -- strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "who"),
    [
        ({"pod": "cassandra-7"}, "ns/cassandra/cassandra-7"),
        ({"service": "other"}, "ns/other/cassandra-0"),
        ({"namespace": "other"}, "other/cassandra/cassandra-0"),
    ],
)
async def test_who_answers_in_the_place_of_a_pod_is_told_and_not_believed(
    street: Street, inquirer: Inquirer, change: dict[str, str], who: str
) -> None:
    place = street.says(0)
    await inquirer.ask([place], 0.0)
    street.says(0, {**said(0), **change})
    await inquirer.ask([place], 0.0)

    assert inquirer.strangers == {place.address: who}
    assert inquirer.reports == {}


async def test_a_stranger_that_stays_is_one_change(street: Street, inquirer: Inquirer) -> None:
    place = street.says(0, said(7))
    await inquirer.ask([place], 0.0)
    before = inquirer.revision
    await inquirer.ask([place], 0.0)

    assert inquirer.revision == before


async def test_a_stranger_is_forgotten_when_the_pod_itself_answers(
    street: Street, inquirer: Inquirer
) -> None:
    place = street.says(0, said(7))
    await inquirer.ask([place], 0.0)
    street.says(0)
    await inquirer.ask([place], 0.0)

    assert inquirer.strangers == {}
    assert mode(inquirer, 0) == "NORMAL"


async def test_a_stranger_is_forgotten_when_nobody_answers_there(
    street: Street, inquirer: Inquirer
) -> None:
    place = street.says(0, said(7))
    await inquirer.ask([place], 0.0)
    street.says(0, _status(500))
    await inquirer.ask([place], 0.0)

    assert inquirer.strangers == {}


# -- bad neighbours ----------------------------------------------------------------------------


def _status(status: int, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        body = b"" if status == 204 else json.dumps(said(0)).encode()
        return web.Response(status=status, body=body, headers=headers)

    return answer


async def _redirect(request: web.Request) -> web.Response:
    """Lead to a neighbour that would say what is wanted."""
    port = request.transport.get_extra_info("sockname")[1]
    return web.Response(status=302, headers={"Location": f"http://127.50.3.2:{port}/v1/node"})


async def _for_ever(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def _never(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def _half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(json.dumps(said(0)).encode())
    request.transport.abort()
    return response


async def _packed(_: web.Request) -> web.Response:
    return web.Response(body=json.dumps(said(0)).encode(), headers={"Content-Encoding": "gzip"})


BAD: dict[str, dict[str, Any] | bytes | Handler] = {
    "an error": _status(500),
    "not found": _status(404),
    "no content": _status(204),
    "a redirect": _redirect,
    "nothing": b"",
    "no json": b"<html>",
    "another object": b"{}",
    "deep json": b"[" * 10**5,
    "a malformed id": said(0, ringId="1"),
    "too much": json.dumps(said(0)).encode() + b" " * MAX_BODY_BYTES,
    "without end": _for_ever,
    "half of it": _half,
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_answer_is_a_failure_and_the_last_good_word_stays(
    street: Street, inquirer: Inquirer, kind: str
) -> None:
    place = street.says(0)
    await inquirer.ask([place], 0.0)
    street.now += 1
    street.says(0, BAD[kind])
    street.says(1, said(0))  # where the redirect leads
    await inquirer.ask([place], 0.0)

    assert inquirer.failures == 1
    assert word(inquirer, 0).received == 100.0
    assert street.times(1) == 0


async def test_an_answer_that_claims_to_be_packed_is_not_unpacked(
    street: Street, inquirer: Inquirer
) -> None:
    await inquirer.ask([street.says(0, _packed)], 0.0)

    assert mode(inquirer, 0) == "NORMAL"


async def test_just_as_much_as_allowed_is_read(street: Street, inquirer: Inquirer) -> None:
    body = json.dumps(said(0)).encode()
    await inquirer.ask([street.says(0, body.ljust(MAX_BODY_BYTES))], 0.0)

    assert mode(inquirer, 0) == "NORMAL"


async def test_who_does_not_answer_in_time_is_given_up(
    street: Street, inquirer: Inquirer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry, "ANSWER_SECONDS", 0.05)
    await inquirer.ask([street.says(0, _never), street.says(1)], 0.0)

    assert inquirer.failures == 1
    assert inquirer.reports.keys() == {"cassandra-1"}


async def test_an_address_where_nobody_listens_is_asked_no_more_often_than_others(
    inquirer: Inquirer, street: Street
) -> None:
    place = endpoint(0, "127.50.3.200")
    await inquirer.ask([place], 2.0)
    await inquirer.ask([place], 2.0)
    assert inquirer.failures == 1
    street.now += 2
    await inquirer.ask([place], 2.0)

    assert inquirer.failures == 2


# -- many at once ------------------------------------------------------------------------------


@dataclass
class Door:
    """Holds those who ask until it is opened."""

    open: asyncio.Event = field(default_factory=asyncio.Event)

    def before(self, body: dict[str, Any]) -> Handler:
        async def answer(_: web.Request) -> web.Response:
            await self.open.wait()
            return web.json_response(body)

        return answer


async def _some_turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_are_asked_at_the_same_time_than_set(
    street: Street, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiry, "AT_ONCE", 2)
    inquirer = Inquirer(session, namespace="ns", service="cassandra", port=street.port)
    door = Door()
    asking = asyncio.create_task(
        inquirer.ask([street.says(n, door.before(said(n))) for n in range(6)], 0.0)
    )
    await street.bell.until(lambda: street.inside == 2)
    door.open.set()
    await asking

    assert street.peak == 2
    assert len(inquirer.reports) == 6


async def test_who_asks_at_the_same_time_shares_one_request(
    street: Street, inquirer: Inquirer
) -> None:
    door = Door()
    place = street.says(0, door.before(said(0)))
    asking = [asyncio.create_task(inquirer.ask([place], 2.0)) for _ in range(3)]
    await street.bell.until(lambda: street.inside == 1)
    door.open.set()
    await asyncio.gather(*asking)

    assert street.times(0) == 1


async def test_who_wants_a_word_spoken_from_now_on_does_not_take_one_under_way(
    street: Street, inquirer: Inquirer
) -> None:
    door = Door()
    place = street.says(0, door.before(said(0, "JOINING")))
    first = asyncio.create_task(inquirer.ask([place], 2.0))
    await street.bell.until(lambda: street.inside == 1)
    street.says(0)
    await inquirer.ask([place], 0.0)

    assert mode(inquirer, 0) == "NORMAL"
    door.open.set()
    await first
    assert mode(inquirer, 0) == "NORMAL"  # the older word came later, and is not believed


async def test_requests_that_wait_for_their_turn_do_not_pile_up(
    street: Street, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has not been sent yet will be answered after now: it serves every later asker."""
    monkeypatch.setattr(inquiry, "AT_ONCE", 1)
    inquirer = Inquirer(session, namespace="ns", service="cassandra", port=street.port)
    door = Door()
    places = [street.says(n, door.before(said(n))) for n in range(3)]
    asking = [asyncio.create_task(inquirer.ask(places, 0.0))]
    await street.bell.until(lambda: street.inside == 1)
    asking += [asyncio.create_task(inquirer.ask(places, 0.0)) for _ in range(10)]
    await _some_turns()
    door.open.set()
    await asyncio.gather(*asking)

    assert [street.times(n) for n in range(3)] == [2, 1, 1]


async def test_who_stops_waiting_does_not_stop_the_asking(
    street: Street, inquirer: Inquirer
) -> None:
    door = Door()
    place = street.says(0, door.before(said(0)))
    waiting = asyncio.create_task(inquirer.ask([place], 2.0))
    await street.bell.until(lambda: street.inside == 1)
    waiting.cancel()
    await asyncio.wait([waiting])
    door.open.set()
    await inquirer.ask([place], 2.0)

    assert street.times(0) == 1
    assert mode(inquirer, 0) == "NORMAL"


# -- forgetting --------------------------------------------------------------------------------


async def test_pods_and_addresses_that_are_gone_are_forgotten(
    street: Street, inquirer: Inquirer
) -> None:
    places = [street.says(0), street.says(1), street.says(2, said(7))]
    await inquirer.ask(places, 0.0)
    before = inquirer.revision
    street.now += GONE_SECONDS
    inquirer.keep_only(places[:1])

    assert inquirer.reports.keys() == {"cassandra-0"}
    assert inquirer.strangers == {}
    assert inquirer.revision > before


async def test_that_a_stranger_is_gone_is_a_change(street: Street, inquirer: Inquirer) -> None:
    await inquirer.ask([street.says(2, said(7))], 0.0)
    before = inquirer.revision
    inquirer.keep_only([])
    assert inquirer.strangers
    street.now += GONE_SECONDS
    inquirer.keep_only([])

    assert inquirer.revision > before


async def test_words_too_old_to_count_are_forgotten(street: Street, inquirer: Inquirer) -> None:
    place = street.says(0)
    await inquirer.ask([place], 0.0)
    street.now += FORGET_SECONDS - 0.001
    inquirer.keep_only([place])
    assert inquirer.reports.keys() == {"cassandra-0"}
    street.now += 0.001
    inquirer.keep_only([place])

    assert inquirer.reports == {}
