"""The manager's HTTP API, of whatever picture is the newest; docs/ring-api.md describes it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from ring import asked, parts, stops_asked
from ring.history import LOG_LIMIT
from ring.http import GUARDS, Refusal, Renderer, about, encode, in_json, only, whole_number
from ring.judged import Judged, Shown
from ring.latest import Latest
from ring.openapi import document
from ring.stream import Streams

Json = dict[str, Any]
Exposition = Callable[[], bytes]
AskSeeds = Callable[[Judged, str | None], Awaitable[Json]]

HERE: Final = Path(__file__).parent
PAGE: Final = HERE / "page"
SCHEMAS: Final = HERE / "schemas"
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
HISTORY_SHOWN: Final = 100
CHECKS: Final = ("decisive", "all")
STREAMS: Final = web.AppKey("streams", Streams)


def make_app(
    latest: Latest,
    *,
    exposition: Exposition = bytes,
    ask_seeds: AskSeeds | None = None,
    page: Path = PAGE,
    streams: Streams | None = None,
) -> web.Application:
    """Build the application.

    Args:
        latest: where the newest picture is.
        exposition: returns what ``/metrics`` says.
        ask_seeds: asks the sidecars of a picture's pods, or of one, for ``/v1/seeds``.
        page: folder of the web page, whose ``index.html`` is served at ``/``.
        streams: of ``/v1/stream``.

    """
    face = _Face(latest, exposition, ask_seeds, page)
    streams = streams or Streams(latest)
    app = web.Application(middlewares=[in_json], client_max_size=1024)
    app[STREAMS] = streams
    app.on_shutdown.append(_end_streams)
    for path, handler in {
        "/v1/ring": face.ring,
        "/v1/members": face.members,
        "/v1/findings": face.findings,
        "/v1/history": face.history,
        "/v1/keyspaces": face.keyspaces,
        "/v1/keyspaces/{name}": face.keyspace,
        "/v1/ringfile": face.ringfile,
        "/v1/whatif": face.whatif,
        "/v1/arcs": face.arcs,
        "/v1/gate": face.gate,
        "/v1/drain-order": face.drain_order,
        "/v1/seeds": face.seeds,
        "/v1/stream": streams.handle,
        "/livez": face.livez,
        "/readyz": face.readyz,
        "/metrics": face.metrics,
        "/openapi.json": face.openapi,
        "/": face.page,
        r"/page/{file:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+}": face.page,
    }.items():
        app.router.add_get(path, handler)
    return app


async def _end_streams(app: web.Application) -> None:
    await app[STREAMS].close()


@cache
def schemas() -> Mapping[str, Json]:
    """Return the schemas of docs/schemas by name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}


class _Face:
    """Handlers over the newest picture."""

    def __init__(
        self, latest: Latest, exposition: Exposition, ask_seeds: AskSeeds | None, page: Path
    ) -> None:
        self._latest, self._exposition, self._ask_seeds = latest, exposition, ask_seeds
        self._page = page
        self._renderer = Renderer()
        self._thinker = Renderer()  # changes take longest, and let nobody else wait

    def _shown(self) -> Shown:
        shown = self._latest.shown()
        if shown is None:
            raise Refusal(
                503, "nothing has been observed yet", "the first picture takes a few seconds"
            )
        return shown

    def _fresh(self) -> Shown:
        """Return a picture to decide by: not a stale one."""
        shown = self._shown()
        if shown.stale:
            raise Refusal(
                503,
                f"the newest picture is {shown.age:.0f} seconds old: nothing is decided by it",
                "see the manager's log; GET /v1/ring still shows that picture, marked stale",
            )
        return shown

    async def ring(self, request: web.Request) -> web.StreamResponse:
        """Show the whole picture."""
        only(request)
        shown = self._shown()
        return await self._renderer.answer(request, shown, partial(parts.whole, shown))

    async def members(self, request: web.Request) -> web.StreamResponse:
        """Show the members."""
        only(request)
        shown = self._shown()
        return await self._renderer.answer(
            request, shown, partial(parts.part, shown, "members")
        )

    async def findings(self, request: web.Request) -> web.StreamResponse:
        """Show the findings."""
        only(request)
        shown = self._shown()
        return await self._renderer.answer(
            request, shown, partial(parts.part, shown, "findings")
        )

    async def history(self, request: web.Request) -> web.StreamResponse:
        """Show the last changes."""
        only(request, ["limit"])
        limit = whole_number(request, "limit", HISTORY_SHOWN, LOG_LIMIT)
        shown = self._shown()
        return await self._renderer.answer(request, shown, partial(parts.history, shown, limit))

    async def keyspaces(self, request: web.Request) -> web.StreamResponse:
        """Show how healthy keyspaces are."""
        only(request, ["checks"])
        if (wanted := request.query.get("checks", "decisive")) not in CHECKS:
            raise Refusal(400, f"checks: {wanted[:100]!r} is wrong", "decisive or all")
        shown = self._shown()
        return await self._renderer.answer(
            request, shown, partial(parts.keyspaces, shown, everything=wanted == "all")
        )

    async def keyspace(self, request: web.Request) -> web.StreamResponse:
        """Show one keyspace."""
        only(request)
        shown, name = self._shown(), request.match_info["name"]
        return await self._renderer.answer(request, shown, partial(parts.keyspace, shown, name))

    async def ringfile(self, request: web.Request) -> web.StreamResponse:
        """Give a ring file of this moment."""
        only(request)
        shown = self._fresh()
        return await self._renderer.answer(
            request, shown, partial(parts.ring_file, shown.judged)
        )

    async def whatif(self, request: web.Request) -> web.StreamResponse:
        """Think a change through."""
        question = asked.question(request.query.items())
        shown = self._fresh()
        return await self._thinker.answer(
            request, shown, partial(asked.whatif, shown.judged, question)
        )

    async def arcs(self, request: web.Request) -> web.StreamResponse:
        """Show where on the ring nothing can be spared, now or after a change."""
        question = asked.question(request.query.items(), needs_change=False)
        shown = self._fresh() if question.change else self._shown()
        return await self._thinker.answer(request, shown, partial(_arcs, shown, question))

    async def gate(self, request: web.Request) -> web.StreamResponse:
        """Say whether pods may stop now."""
        asked_about = stops_asked.stop(request.query.items())
        shown = self._fresh()
        return await self._renderer.answer(
            request, shown, partial(stops_asked.gate_answer, shown, asked_about)
        )

    async def drain_order(self, request: web.Request) -> web.StreamResponse:
        """Show an order to stop all pods in."""
        levels = stops_asked.levels(request.query.items())
        shown = self._fresh()
        return await self._renderer.answer(
            request, shown, partial(stops_asked.drain_order_answer, shown, levels)
        )

    async def seeds(self, request: web.Request) -> web.Response:
        """Show every node's seeds and why, as its sidecar says now."""
        only(request, ["pod"])
        shown = self._shown()
        if self._ask_seeds is None:
            raise Refusal(503, "no sidecar can be asked here", "ask a running manager")
        body = await self._ask_seeds(shown.judged, request.query.get("pod"))
        return web.Response(
            body=encode(parts.head(shown) | body),
            content_type="application/json",
            headers={**about(shown), **GUARDS, "Cache-Control": "no-store"},
        )

    async def livez(self, _request: web.Request) -> web.Response:
        """Say that the event loop turns."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        """Say whether there is a picture that is not stale."""
        self._fresh()
        return web.Response(text="ok\n")

    async def metrics(self, _request: web.Request) -> web.Response:
        """Expose metrics."""
        return web.Response(body=self._exposition(), headers={"Content-Type": TEXT})

    async def openapi(self, _request: web.Request) -> web.Response:
        """Describe all this."""
        return web.Response(
            body=encode(document(schemas(), metadata.version("cassandra-k8s-ring"))),
            content_type="application/json",
            headers=GUARDS,
        )

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Serve a file of the page, which is one folder without others in it."""
        name = request.match_info.get("file", "index.html")
        path = self._page / name
        if not path.is_file():
            raise Refusal(404, f"there is no {request.path[:100]}", "the page is at /")
        return web.FileResponse(path, headers={**GUARDS, "Cache-Control": "no-cache"})


def _arcs(shown: Shown, question: asked.Question) -> Json:
    return parts.head(shown) | {"replications": asked.weak_arcs(shown.judged, question)}
