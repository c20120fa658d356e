"""The HTTP face held to docs/contracts.md, status by status and header by header."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from seedprovider.decision import Answer, Rule, Seeds
from seedprovider.model import Disk, DiskState, Heartbeat, Peer, PeerState
from seedprovider.node import MAX_BODY_BYTES, Received, parse_report
from seedprovider.racks import FILE, rack_text
from seedprovider.tending import Reply
from seedprovider.web import KEPT_SECONDS, SOON_SECONDS, START_SECONDS
from seedprovider.world import World
from tests.fakes.faces import REFUSED, SEEDS, WITHHELD, Nurse, Oracle, make_face
from tests.fakes.situations import RING, Stage, address, disk, host, uid

MEMBER = "/v1/seeds?disk=member"
EMPTY = "/v1/seeds?disk=empty"
JSON = {"Accept": "application/json"}


@dataclass
class House:
    world: World
    oracle: Oracle
    nurse: Nurse
    loopback: TestClient[web.Request, web.Application]
    network: TestClient[web.Request, web.Application]
    now: list[float]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    now = [1000.0]

    def clock() -> float:
        return now[0]

    async with aiohttp.ClientSession() as session:
        face, world, oracle, nurse = make_face(session, tmp_path, clock=clock)
        async with (
            TestClient(TestServer(face.loopback(), host="127.50.5.1")) as loopback,
            TestClient(TestServer(face.pod_network(), host="127.50.5.1")) as network,
        ):
            yield House(world, oracle, nurse, loopback, network, now)


def _is_one_line(text: str) -> bool:
    return text.endswith("\n") and text.count("\n") == 1 and bool(text.strip())


# -- GET /v1/seeds on loopback -----------------------------------------------------------------


async def test_seeds_are_ip_literals_one_a_line_with_what_the_mark_needs(house: House) -> None:
    house.world.own.pvc_uid = "pvc-0"
    answer = await house.loopback.get(MEMBER)

    assert (answer.status, await answer.read()) == (200, b"10.0.0.1\nfd00::2\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Length"] == "17"
    assert (answer.headers["X-Ring-Id"], answer.headers["X-Pvc-Uid"]) == (RING, "pvc-0")
    assert not {"X-Replace", "X-Actions", "Retry-After"} & set(answer.headers)


async def test_during_adoption_and_before_the_volume_is_known_nothing_is_made_up(
    house: House,
) -> None:
    house.oracle.says = replace(SEEDS, ring_id=None, rule=Rule.ADOPTION)
    answer = await house.loopback.get("/v1/seeds?disk=unmarked&configured=10.0.0.1")

    assert answer.status == 200
    assert not {"X-Ring-Id", "X-Pvc-Uid"} & set(answer.headers)


async def test_to_replace_a_lost_disk_its_address_is_told(house: House) -> None:
    house.oracle.says = replace(SEEDS, replace="10.0.0.9", rule=Rule.REPLACE)
    answer = await house.loopback.get(EMPTY)

    assert answer.headers["X-Replace"] == "10.0.0.9"


def test_seeds_without_an_address_cannot_even_be_decided() -> None:
    with pytest.raises(ValueError, match="without seeds"):
        replace(SEEDS, seeds=())


@pytest.mark.parametrize(
    ("waiting", "seconds"), [(0.0, "1"), (SOON_SECONDS - 0.001, "1"), (SOON_SECONDS, "5")]
)
async def test_withheld_seeds_say_why_and_when_to_ask_again(
    house: House, waiting: float, seconds: str
) -> None:
    house.oracle.says, house.oracle.waiting = WITHHELD, waiting
    for headers in ({}, JSON):
        answer = await house.loopback.get(EMPTY, headers=headers)
        assert (answer.status, answer.headers["Retry-After"]) == (503, seconds)
        assert WITHHELD.reason in await answer.text()
    assert (await house.loopback.get(EMPTY)).headers["X-Rule"] == WITHHELD.rule


async def test_a_refusal_says_why_and_not_to_ask_again(house: House) -> None:
    house.oracle.says = REFUSED
    answer = await house.loopback.get(MEMBER)

    assert (answer.status, await answer.text()) == (409, f"{REFUSED.reason}\n")
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("says", [WITHHELD, REFUSED])
async def test_a_reason_stays_on_one_line_whatever_is_in_it(house: House, says: Answer) -> None:
    house.oracle.says = replace(says, reason="first\r\nX-Replace: 10.0.0.9\n\nlast")
    answer = await house.loopback.get(MEMBER)

    assert await answer.text() == "first X-Replace: 10.0.0.9 last\n"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "disk=full",
        "disk=empty&disk=empty",
        "disk=empty&disc=empty",
        "disk=empty&ring=1",
        "disk=empty&address=a%0Ab",
        "disk=%FF%FE",
    ],
)
async def test_a_malformed_question_is_one_line_and_asks_nobody(
    house: House, query: str
) -> None:
    answer = await house.loopback.get(f"/v1/seeds?{query}")

    assert answer.status == 400
    assert _is_one_line(await answer.text())
    assert house.oracle.questions == []


async def test_the_question_arrives_as_it_was_asked(house: House) -> None:
    query = f"disk=member&ring={RING}&host={host(0)}&pvc=p%2F0&address=fd00::1&configured=a%2Cb"
    await house.loopback.get(f"/v1/seeds?{query}")

    (question,) = house.oracle.questions
    assert question.disk == Disk(DiskState.MEMBER, RING, host(0), "p/0")
    assert (question.address, question.configured) == ("fd00::1", ("a", "b"))


# -- the same as JSON --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "status", "outcome"),
    [(SEEDS, 200, "seeds"), (WITHHELD, 503, "withheld"), (REFUSED, 409, "refused")],
)
async def test_json_tells_the_same_decision_with_the_same_status(
    house: House, says: Answer, status: int, outcome: str
) -> None:
    house.oracle.says = says
    answer = await house.loopback.get(MEMBER, headers=JSON)
    body = await answer.json()

    assert answer.status == status
    assert (body["outcome"], body["reason"], body["rule"]) == (outcome, says.reason, says.rule)
    assert body["seeds"] == list(says.seeds if isinstance(says, Seeds) else ())
    assert body["ringId"] == RING
    assert body["replace"] is None
    assert body["view"] == {"source": "live", "ageSeconds": 0.0}
    assert body["candidates"][0] == {
        "pod": "cassandra-0",
        "address": "10.0.0.1",
        "chosen": isinstance(says, Seeds),
        "why": body["candidates"][0]["why"],
        "terminating": False,
    }


async def test_json_names_the_address_to_replace(house: House) -> None:
    house.oracle.says = replace(SEEDS, replace="10.0.0.9")

    assert (await (await house.loopback.get(EMPTY, headers=JSON)).json())["replace"] == (
        "10.0.0.9"
    )


# -- an answer given again ---------------------------------------------------------------------


async def test_the_same_question_within_a_second_is_answered_from_memory(house: House) -> None:
    first = await (await house.loopback.get(MEMBER)).text()
    house.now[0] += KEPT_SECONDS - 0.001
    again = await house.loopback.get(MEMBER)
    as_json = await house.loopback.get(MEMBER, headers=JSON)

    assert await again.text() == first
    assert (await as_json.json())["seeds"] == first.split()
    assert len(house.oracle.questions) == 1


async def test_after_a_second_it_is_decided_anew(house: House) -> None:
    await house.loopback.get(MEMBER)
    house.now[0] += KEPT_SECONDS
    await house.loopback.get(MEMBER)

    assert len(house.oracle.questions) == 2


async def test_whatever_changes_makes_the_answer_kept_void(house: House) -> None:
    await house.loopback.get(MEMBER)
    house.world.own.revision += 1
    house.oracle.says = REFUSED

    assert (await house.loopback.get(MEMBER)).status == 409


async def test_another_question_is_not_answered_with_the_answer_kept(house: House) -> None:
    await house.loopback.get(MEMBER)
    await house.loopback.get(MEMBER + f"&ring={RING}")

    assert len(house.oracle.questions) == 2


@pytest.mark.parametrize(
    ("query", "says"),
    [(EMPTY, SEEDS), (EMPTY, WITHHELD), (MEMBER, WITHHELD), (MEMBER, REFUSED)],
)
async def test_admission_and_what_is_no_list_are_decided_each_time(
    house: House, query: str, says: Answer
) -> None:
    house.oracle.says = says
    await house.loopback.get(query)
    await house.loopback.get(query)

    assert len(house.oracle.questions) == 2


# -- PUT /v1/node ------------------------------------------------------------------------------

BEAT: dict[str, Any] = {"mode": "NORMAL", "disk": {"state": "member"}}


async def test_a_heartbeat_is_answered_with_what_to_use_and_to_do(house: House) -> None:
    house.nurse.reply = Reply(("10.0.0.2",), RING, "pvc-0", ("reload-seeds", "send-peers"))
    answer = await house.loopback.put("/v1/node", json=BEAT)

    assert (answer.status, await answer.text()) == (200, "10.0.0.2\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (answer.headers["X-Ring-Id"], answer.headers["X-Pvc-Uid"]) == (RING, "pvc-0")
    assert answer.headers["X-Actions"] == "reload-seeds send-peers"
    assert [received.beat.mode for received in house.nurse.heard] == ["NORMAL"]


async def test_without_a_list_there_is_no_content_but_still_the_headers(house: House) -> None:
    house.nurse.reply = Reply((), RING, "pvc-0", ("send-peers",))
    answer = await house.loopback.put("/v1/node", json=BEAT)

    assert (answer.status, await answer.read()) == (204, b"")
    assert (answer.headers["X-Ring-Id"], answer.headers["X-Actions"]) == (RING, "send-peers")


async def test_what_is_not_known_has_no_header(house: House) -> None:
    answer = await house.loopback.put("/v1/node", json=BEAT)

    assert not {"X-Ring-Id", "X-Pvc-Uid", "X-Actions"} & set(answer.headers)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"mode":"NORMAL"}', b"\xff"])
async def test_a_malformed_heartbeat_is_one_line_and_changes_nothing(
    house: House, body: bytes
) -> None:
    answer = await house.loopback.put("/v1/node", data=body)

    assert answer.status == 400
    assert _is_one_line(await answer.text())
    assert house.nurse.heard == []


def _whole(size: int) -> BytesIO:
    return BytesIO(json.dumps(BEAT).encode().ljust(size))


async def _chunks(size: int) -> AsyncIterator[bytes]:
    body = json.dumps(BEAT).encode().ljust(size)
    for start in range(0, size, 65536):
        yield body[start : start + 65536]


Body = Callable[[int], Any]


@pytest.mark.parametrize("body", [_whole, _chunks])
async def test_a_heartbeat_has_at_most_one_mebibyte(house: House, body: Body) -> None:
    just = await house.loopback.put("/v1/node", data=body(MAX_BODY_BYTES))
    assert just.status == 204
    more = await house.loopback.put("/v1/node", data=body(MAX_BODY_BYTES + 1))

    assert more.status == 413
    assert _is_one_line(await more.text())
    assert len(house.nurse.heard) == 1


# -- GET /v1/node ------------------------------------------------------------------------------

PEER = Peer(host(1), "10.0.0.2", up=True, state=PeerState.NORMAL)


def beat(house: House, hash_: str = "h1") -> None:
    said = Heartbeat(mode="NORMAL", host_id=host(0), disk=disk(0), peers=(PEER,))
    house.world.own.hear(Received(said, hash_, {"cluster": "Test Cluster"}))


async def test_a_node_is_shown_as_the_contract_says_on_both_listeners(
    house: House, tmp_path: Path
) -> None:
    house.world.own.pvc_uid = "pvc-0"
    (tmp_path / FILE).write_text(rack_text("zone-a"))
    beat(house)
    house.now[0] += 0.4
    for client in (house.loopback, house.network):
        answer = await client.get("/v1/node")
        body = await answer.json()
        aged = body.pop("heartbeat")

        assert answer.headers["Content-Type"].startswith("application/json")
        assert body == {
            "pod": "cassandra-0",
            "podUid": uid(0),
            "namespace": "ns",
            "service": "cassandra",
            "pvcUid": "pvc-0",
            "ringId": None,
            "address": address(0),
            "disk": {"state": "empty", "ringId": None, "hostId": None, "pvcUid": None},
            "rack": "zone-a",
            "cassandra": "answering",
        }
        assert (aged["ageSeconds"], aged["cluster"]) == (0.4, "Test Cluster")
        assert aged["peers"][0]["hostId"] == host(1)


async def test_what_one_sidecar_shows_another_understands(house: House) -> None:
    beat(house)
    told = parse_report(await (await house.network.get("/v1/node")).read(), address(0), 5.0)

    assert told.report.heartbeat == house.world.own.beat
    assert (told.namespace, told.service, told.report.pod) == (
        "ns",
        "cassandra",
        "cassandra-0",
    )


async def test_before_the_first_heartbeat_it_is_null(house: House) -> None:
    assert (await (await house.network.get("/v1/node")).json())["heartbeat"] is None


@pytest.mark.parametrize(("query", "sent"), [("?peers=h1", False), ("?peers=h2", True)])
async def test_peers_are_left_out_for_who_holds_them_already(
    house: House, query: str, *, sent: bool
) -> None:
    beat(house)
    body = await (await house.network.get(f"/v1/node{query}")).json()

    assert ("peers" in body["heartbeat"]) is sent
    assert body["heartbeat"]["peersHash"] == "h1"


async def test_a_directory_that_cannot_be_read_is_shown_as_unknown(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "system").touch()

    body = await (await house.network.get("/v1/node")).json()
    assert body["disk"]["state"] == "unknown"


@pytest.mark.parametrize("path", ["/v1/node?peer=h1", "/v1/seeds?pods=a"])
async def test_an_unknown_parameter_is_named(house: House, path: str) -> None:
    answer = await house.network.get(path)

    assert answer.status == 400
    assert "is not a parameter" in await answer.text()


# -- the explanation ---------------------------------------------------------------------------


async def test_our_own_pod_is_told_what_it_was_told(house: House) -> None:
    assert (await house.network.get("/v1/seeds?pod=cassandra-0")).status == 404
    house.oracle.says = WITHHELD
    await house.loopback.get(EMPTY)
    for path in ("/v1/seeds?pod=cassandra-0", "/v1/seeds"):
        answer = await house.network.get(path)
        assert (answer.status, (await answer.json())["reason"]) == (503, WITHHELD.reason)

    assert len(house.oracle.questions) == 1


async def test_of_another_pod_is_told_what_it_would_be_and_nothing_is_done(
    house: House,
) -> None:
    report = Stage().ring_of(0, 1).reports["cassandra-1"]
    house.world.inquirer._told["cassandra-1"] = parse_report(
        json.dumps(
            {
                "pod": "cassandra-1",
                "podUid": uid(1),
                "namespace": "ns",
                "service": "cassandra",
                "pvcUid": "pvc-1",
                "disk": {"state": "member", "ringId": RING, "hostId": host(1)},
                "cassandra": "answering",
            }
        ).encode(),
        report.address,
        house.now[0],
    )
    answer = await house.network.get("/v1/seeds?pod=cassandra-1")

    assert (answer.status, (await answer.json())["seeds"]) == (200, list(SEEDS.seeds))
    (supposed,) = house.oracle.supposed
    assert (supposed.pod, supposed.uid, supposed.pvc_uid) == ("cassandra-1", uid(1), "pvc-1")
    assert (supposed.address, supposed.disk.host_id) == (address(1), host(1))
    assert house.oracle.questions == []


@pytest.mark.parametrize("pod", ["cassandra-9", "a%0Ab", "%FF", "x" * 1000])
async def test_of_a_pod_that_nobody_knows_nothing_is_told(house: House, pod: str) -> None:
    answer = await house.network.get(f"/v1/seeds?pod={pod}")

    assert answer.status == 404
    assert _is_one_line(await answer.text())


# -- probes and metrics ------------------------------------------------------------------------


async def test_a_sidecar_is_alive_as_long_as_its_loop_turns(house: House) -> None:
    answer = await house.network.get("/livez")

    assert (answer.status, await answer.text()) == (200, "ok\n")


async def test_it_has_started_once_it_could_answer_or_had_its_time(house: House) -> None:
    answer = await house.network.get("/startupz")
    assert answer.status == 503
    assert _is_one_line(await answer.text())
    house.now[0] += START_SECONDS + 0.001

    assert (await house.network.get("/startupz")).status == 200


async def test_ready_is_what_the_tender_says(house: House) -> None:
    assert (await house.network.get("/readyz")).status == 200
    house.nurse.reason = "Cassandra is\nJOINING"
    answer = await house.network.get("/readyz")

    assert (answer.status, await answer.text()) == (503, "Cassandra is JOINING\n")


async def test_metrics_come_in_the_text_format_of_prometheus(house: House) -> None:
    answer = await house.network.get("/metrics")

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# HELP seedprovider_heartbeats_total" in await answer.text()


# -- two listeners, two duties -----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/livez", "/startupz", "/readyz", "/metrics", "/"])
async def test_loopback_is_for_cassandra_alone(house: House, path: str) -> None:
    assert (await house.loopback.get(path)).status == 404


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/v1/node", "/v1/seeds", "/livez", "/metrics"])
async def test_the_pod_network_can_only_read(house: House, method: str, path: str) -> None:
    answer = await house.network.request(method, path, json=BEAT)

    assert answer.status == 405
    assert (house.nurse.heard, house.oracle.questions) == ([], [])


async def test_a_question_from_the_pod_network_is_no_question_of_our_node(
    house: House,
) -> None:
    assert (await house.network.get(EMPTY)).status == 400
    assert house.oracle.questions == []
