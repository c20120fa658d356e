"""``/openapi.json`` and what is served are the same: requests are made from the one."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from ring.observe.seeds import Seeds, session
from ring.web import AskSeeds
from seedprovider.model import Disk, DiskState
from seedprovider.question import Question
from tests.fakes.faces import REFUSED, SEEDS, WITHHELD, make_face
from tests.unit.ring.schema import faults
from tests.unit.ring.serving import Client, Stage, serving
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

Json = dict[str, Any]

REQUESTS = 40  # of one path, drawn together and sent to one server
WORDS = [
    *("cassandra-0", "cassandra-5", "worker-1", "dc1", "dc1/a", "dc1/z", "a/b/c", "10.0.0.1"),
    *(str(host(1)), str(host(1)).upper(), "shop", "system_auth", "system", "no-such", "QUORUM"),
    *("shop=NetworkTopologyStrategy,dc1:2", "shop=SimpleStrategy", "dc1/a=1,2,3", "dc1/a=x"),
    *("", "0", "1", "1000", "-1", "99999999999999999999", "é", "\x00", "\n", "%", "x" * 300),
]


def resolved(document: Json, schema: Json) -> Json:
    """Return a schema with what it refers to."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    found: Json = document["components"]["schemas"][name] if name else schema
    return found


def value(schema: Json) -> st.SearchStrategy[str]:
    """Return texts that fit a parameter, and some that do not."""
    usual = st.sampled_from(WORDS) | st.text(max_size=8)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | usual
    if schema.get("type") == "integer":
        return st.integers(-1, schema.get("maximum", 10) + 1).map(str) | usual
    return usual


def requests(path: str, item: Json) -> st.SearchStrategy[str]:
    """Return URLs of one operation."""
    parameters = item["get"].get("parameters", [])
    inside = [each for each in parameters if each["in"] == "path"]
    asked = [each for each in parameters if each["in"] == "query"]
    pairs = [
        st.tuples(st.just(each["name"]), value(each["schema"].get("items", each["schema"])))
        for each in asked
    ]
    pairs.append(st.tuples(st.sampled_from(["wide", "Level", ""]), st.just("1")))
    query = st.lists(st.one_of(pairs), max_size=4)
    places = st.tuples(*(value(each["schema"]) for each in inside))

    def url(drawn: tuple[tuple[str, ...], list[tuple[str, str]]]) -> str:
        filled = path
        for each, word in zip(inside, drawn[0], strict=True):
            filled = filled.replace(f"{{{each['name']}}}", quote(word, safe="") or "x")
        words = "&".join(f"{quote(name, safe='')}={quote(w, safe='')}" for name, w in drawn[1])
        return f"{filled}?{words}" if words else filled

    return st.tuples(places, query).map(url)


HAD = [  # what an asker may say to have, and whether the answer with this tag is among it
    ("{0}", True),
    ("W/{0}", True),
    ('"other", {0}', True),
    ('"other"', False),
    ('"test-1-000000000000", W/"test-2"', False),
    ("*", False),
    ("", False),
    ('"', False),
    ("no tag {1}", False),
    ("\xe9, ,;=", False),
]


async def check_had(client: Client, item: Json, url: str, tag: str, had: str) -> None:
    """Ask again for what was had, or not; hold the answer to the document."""
    text, same = next(each for each in HAD if each[0] == had)
    said = text.format(tag, tag.strip('"'))
    async with client.get(url, headers={"If-None-Match": said}) as answer:
        assert answer.status == (304 if same else 200), f"{url}: {said}"
        assert answer.headers["ETag"] == tag
        for name in item["get"]["responses"][str(answer.status)]["headers"]:
            assert name in answer.headers, f"{url}: {name} is missing"
        body = await answer.read()
        assert (body == b"") is same
        assert same <= ("Content-Type" not in answer.headers)


async def check(client: Client, document: Json, item: Json, url: str, had: str) -> None:
    """Hold one answer to the document."""
    async with client.get(url) as answer:
        told = item["get"]["responses"].get(str(answer.status))
        assert told is not None, f"{url}: {answer.status} {await answer.text()}"
        content = told.get("content", {})
        assert answer.content_type in content, f"{url}: {answer.content_type}"
        for name in told.get("headers", ()):
            assert name in answer.headers, f"{url}: {name} is missing"
        if answer.content_type == "application/json":
            schema = resolved(document, content["application/json"]["schema"])
            body = json.loads(await answer.read())
            assert list(faults(schema, body)) == [], url
        tag = answer.headers.get("ETag")
    if tag is not None:
        assert "304" in item["get"]["responses"]
        await check_had(client, item, url, tag, had)


def where(number: int) -> str:
    return f"127.71.5.{number + 1}"


def reachable(world: World) -> World:
    for seat in world.seats:
        seat.pod = replace(seat.pod, address=where(seat.number))
    return world


def troubled() -> World:
    world = reachable(World(6))
    world.down(4)
    world.keyspaces["odd"] = {"class": "Odd"}
    return world


def blind() -> World:
    world = World(3)
    for seat in world.seats:
        seat.speaks = False
    return world


def stages() -> dict[str, Stage]:
    made = {
        "healthy": Stage(reachable(World(3))),
        "troubled": Stage(troubled()),
        "blind": Stage(blind()),
    }
    for stage in made.values():
        stage.show()
    made["stale"] = Stage(World(3))
    made["stale"].show()
    made["stale"].latest.stale_seconds = -1
    made["nothing"] = Stage(World(3))
    return made


STAGES = stages()
SKIPPED = {"/v1/stream"}  # never ends; test_web.py reads it


@asynccontextmanager
async def sidecars() -> AsyncGenerator[AskSeeds]:
    """Run the sidecars of four pods, as they are; the last was not asked by its node yet."""
    async with AsyncExitStack() as exits:
        asking = await exits.enter_async_context(session())
        folder = Path(exits.enter_context(TemporaryDirectory()))
        port = 0
        for number, says in enumerate((SEEDS, WITHHELD, REFUSED, None)):
            face, _, oracle, _ = make_face(asking, folder, number)
            if says is not None:
                oracle.says = says
                await oracle.answer(Question(Disk(DiskState.EMPTY), None, ()))
            runner = web.AppRunner(face.pod_network(), shutdown_timeout=0.1)
            await runner.setup()
            exits.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, where(number), port).start()
            port = runner.addresses[0][1]
        yield Seeds(asking, port).ask


async def served_document() -> Json:
    async with serving(Stage(World(3))) as client, client.get("/openapi.json") as answer:
        document: Json = await answer.json()
        return document


DOCUMENT = asyncio.run(served_document())
PATHS = [path for path in DOCUMENT["paths"] if path not in SKIPPED]


@pytest.mark.parametrize("stage", list(STAGES))
@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=2)
@given(data=st.data())
def test_every_answer_is_one_that_the_document_tells_of(
    data: st.DataObject, path: str, stage: str
) -> None:
    item = DOCUMENT["paths"][path]
    question = st.tuples(requests(path, item), st.sampled_from([text for text, _ in HAD]))
    asked = data.draw(st.lists(question, min_size=5, max_size=REQUESTS))

    async def ask_all() -> None:
        async with sidecars() as ask_seeds, serving(STAGES[stage], ask_seeds) as client:
            for url, had in asked:
                await check(client, DOCUMENT, item, url, had)

    asyncio.run(ask_all())


def test_the_document_refers_to_nothing_that_it_lacks() -> None:
    text = json.dumps(DOCUMENT)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert names
    assert names <= set(DOCUMENT["components"]["schemas"])


async def test_seeds_are_what_the_sidecars_themselves_answer() -> None:
    async with (
        sidecars() as ask_seeds,
        serving(STAGES["troubled"], ask_seeds) as client,
        client.get("/v1/seeds") as answer,
    ):
        pods = (await answer.json())["pods"]

    told = [pods[f"cassandra-{number}"] for number in range(4)]
    reasons = [each["explanation"] and each["explanation"]["reason"] for each in told]
    assert reasons == [SEEDS.reason, WITHHELD.reason, REFUSED.reason, None]
    assert told[3]["failure"] == "cassandra-3 has not asked for seeds yet"
    assert pods["cassandra-5"]["failure"]  # nobody is there
