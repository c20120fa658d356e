"""``/openapi.json`` and what is served are the same: requests are made from the one."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


async def check(client: Client, document: Json, item: Json, url: str) -> None:
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


def troubled() -> World:
    world = World(6)
    world.down(4)
    world.keyspaces["odd"] = {"class": "Odd"}
    return world


def blind() -> World:
    world = World(3)
    for seat in world.seats:
        seat.speaks = False
    return world


def stages() -> dict[str, Stage]:
    made = {"healthy": Stage(World(3)), "troubled": Stage(troubled()), "blind": Stage(blind())}
    for stage in made.values():
        stage.show()
    made["stale"] = Stage(World(3))
    made["stale"].show()
    made["stale"].latest.stale_seconds = -1
    made["nothing"] = Stage(World(3))
    return made


STAGES = stages()
SKIPPED = {"/v1/stream"}  # never ends; test_web.py reads it


async def ask_seeds(judged: object, pod: str | None) -> Json:
    del judged, pod
    return {"pods": {}}


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
    urls = data.draw(st.lists(requests(path, item), min_size=5, max_size=REQUESTS))

    async def ask_all() -> None:
        async with serving(STAGES[stage], ask_seeds) as client:
            for url in urls:
                await check(client, DOCUMENT, item, url)

    asyncio.run(ask_all())


def test_the_document_refers_to_nothing_that_it_lacks() -> None:
    text = json.dumps(DOCUMENT)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert names
    assert names <= set(DOCUMENT["components"]["schemas"])
