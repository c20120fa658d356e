"""Sidecars with garbage or silence are each their own failure; all together end in time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from ring.judged import Judged, judge
from ring.observe import seeds as module
from ring.observe.seeds import Seeds, session
from tests.unit.ring.serving import AT
from tests.unit.ring.worlds import World

Answer = Callable[[], Awaitable[web.Response]]


@asynccontextmanager
async def served(*answers: Answer) -> AsyncGenerator[tuple[Seeds, Judged, list[str]]]:
    """Give each pod of a world a sidecar that answers so."""
    world, asked = World(len(answers)), list[str]()
    by_host: dict[str, Answer] = {}
    for seat, answer in zip(world.seats, answers, strict=True):
        address = f"127.71.4.{seat.number + 1}"
        seat.pod = replace(seat.pod, address=address)
        by_host[address] = answer

    async def handler(request: web.Request) -> web.Response:
        host = (request.url.host or "").partition(":")[0]
        asked.append(host)
        return await by_host[host]()

    app = web.Application()
    app.router.add_get("/v1/seeds", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()  # noqa: S104 -- each pod has its address
    async with session() as asking:
        try:
            seeds = Seeds(asking, runner.addresses[0][1])
            yield seeds, judge(world.observed(), AT), asked
        finally:
            await runner.cleanup()


def says(body: bytes) -> Answer:
    async def answer() -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return answer


async def silent() -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def test_garbage_is_the_failure_of_its_pod_alone() -> None:
    garbage = [b'{"x":"\xff"}', b'{"x":' * 50_000, b"<html>", b"[1]", b"x" * (2**20 + 1)]
    async with served(says(b'{"seeds":[]}'), *map(says, garbage)) as (seeds, judged, _):
        found: dict[str, Any] = (await seeds.ask(judged, None))["pods"]

    assert found["cassandra-0"]["explanation"] == {"seeds": []}
    assert all(found[f"cassandra-{n}"]["failure"] for n in range(1, 6))


async def test_all_together_end_in_time_and_are_asked_once_for_all_askers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PATIENCE_FOR_ALL", 0.2)
    async with served(silent, silent) as (seeds, judged, asked):
        async with asyncio.timeout(10):
            first, second = await asyncio.gather(
                seeds.ask(judged, None), seeds.ask(judged, None)
            )

    assert first is second
    assert len(asked) == 2
    assert all("0.2 s" in each["failure"] for each in first["pods"].values())
