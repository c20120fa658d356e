"""The HTTP face: one application on loopback for Cassandra, one on the pod network."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec
from aiohttp import web

from seedprovider.decision import Refused, Seeds, Withheld
from seedprovider.engine import Answered, Engine
from seedprovider.explain import explain, status_of
from seedprovider.metrics import CONTENT_TYPE, Metrics
from seedprovider.model import Asker, PodName
from seedprovider.node import (
    MAX_BODY_BYTES,
    MAX_TEXT,
    BadInputError,
    encode_disk,
    encode_heartbeat,
    parse_heartbeat,
)
from seedprovider.question import parse_question
from seedprovider.tending import Reply, Tender
from seedprovider.world import World

RETRY_SOON: Final = 1
RETRY_LATER: Final = 5
SOON_SECONDS: Final = 60.0
"""A node that waits longer than this asks less often."""
KEPT_SECONDS: Final = 1.0
"""An answer to the same question is given again for this long while nothing changed."""
START_SECONDS: Final = 10.0
"""After this long without API server and cache, "able to answer" means to say so."""


class Face:
    """Handlers over the parts; holds no state but the last rendered answer."""

    def __init__(
        self,
        world: World,
        engine: Engine,
        tender: Tender,
        metrics: Metrics,
        *,
        namespace: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._engine = engine
        self._tender = tender
        self._metrics = metrics
        self._namespace = namespace
        self._clock = clock
        self._started = clock()
        self._kept: tuple[object, float, Answered] | None = None

    def loopback(self) -> web.Application:
        """Build the application that only Cassandra in this pod may reach."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/v1/seeds", self.get_seeds)
        app.router.add_put("/v1/node", self.put_node)
        app.router.add_get("/v1/node", self.get_node)
        return app

    def pod_network(self) -> web.Application:
        """Build the read-only application for other pods, the kubelet and Prometheus."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/v1/node", self.get_node)
        app.router.add_get("/v1/seeds", self.get_explanation)
        app.router.add_get("/livez", self.livez)
        app.router.add_get("/startupz", self.startupz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.get_metrics)
        return app

    # -- loopback -----------------------------------------------------------------------------

    async def get_seeds(self, request: web.Request) -> web.Response:
        """Tell Cassandra its seeds, or why not."""
        key = (request.query_string, self._world.revision)
        now = self._clock()
        if self._kept is not None and self._kept[0] == key and now < self._kept[1]:
            answered = self._kept[2]
        else:
            try:
                question = parse_question(list(request.query.items()))
            except BadInputError as error:
                return _line(400, str(error))
            answered = await self._engine.answer(question)
            if isinstance(answered.answer, Seeds) and not answered.asker.disk.is_blank:
                key = (request.query_string, self._world.revision)
                self._kept = (key, self._clock() + KEPT_SECONDS, answered)
        if "application/json" in request.headers.get("Accept", ""):
            return _json(answered)
        return self._text(answered)

    def _text(self, answered: Answered) -> web.Response:
        match answered.answer:
            case Seeds() as seeds:
                ring_id = seeds.ring_id
                reply = Reply(seeds.seeds, ring_id, self._world.own.pvc_uid, ())
                response = _seeds(reply)
                if seeds.replace is not None:
                    response.headers["X-Replace"] = seeds.replace
                return response
            case Withheld(rule=rule, reason=reason):
                response = _line(503, reason)
                response.headers["X-Rule"] = rule.value
                response.headers["Retry-After"] = str(_retry_after(answered.asker))
                return response
            case Refused(reason=reason):
                return _line(409, reason)

    async def put_node(self, request: web.Request) -> web.Response:
        """Take a heartbeat and say what to do next."""
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return _line(413, f"a heartbeat has at most {MAX_BODY_BYTES} bytes")
        try:
            received = parse_heartbeat(await request.read())
        except web.HTTPRequestEntityTooLarge:
            return _line(413, f"a heartbeat has at most {MAX_BODY_BYTES} bytes")
        except BadInputError as error:
            return _line(400, str(error))
        return _seeds(self._tender.hear(received))

    # -- pod network --------------------------------------------------------------------------

    async def get_node(self, request: web.Request) -> web.Response:
        """Show what is known of the node beside us."""
        unknown = set(request.query) - {"peers"}
        if unknown:
            return _line(400, f"{min(unknown)[:MAX_TEXT]!r} is not a parameter; peers is")
        own = self._world.own
        await own.look_at_disk()
        self._world.note_own()
        received, age = own.received, own.beat_age
        beat = None
        if received is not None and age is not None:
            known = request.query.get("peers")
            whole = known is None or known != received.peers_hash
            beat = encode_heartbeat(received, age, with_peers=whole)
        body = {
            "pod": own.pod,
            "podUid": own.uid,
            "namespace": self._namespace,
            "service": self._world.service,
            "pvcUid": own.pvc_uid,
            "ringId": self._world.ring_id,
            "address": own.endpoint.address,
            "disk": encode_disk(own.shown_disk()),
            "rack": own.rack,
            "cassandra": own.process.value,
            "heartbeat": beat,
        }
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    async def get_explanation(self, request: web.Request) -> web.Response:
        """Explain what a pod is told: ours as it was told, another as it would be."""
        unknown = set(request.query) - {"pod"}
        if unknown:
            return _line(400, f"{min(unknown)[:MAX_TEXT]!r} is not a parameter; pod is")
        pod = PodName(request.query.get("pod", self._world.own.pod))
        if pod == self._world.own.pod:
            if self._engine.last is None:
                return _line(404, f"{pod} has not asked for seeds yet")
            return _json(self._engine.last)
        return await self._would_be(pod)

    async def _would_be(self, pod: PodName) -> web.Response:
        view = self._world.view()
        report = view.reports.get(pod)
        if report is None:
            return _line(404, f"nothing is known of {pod[:MAX_TEXT]}: it was not asked")
        asker = replace(
            self._engine.asker(report.disk, report.address),
            pod=report.pod,
            uid=report.pod_uid,
            pvc_uid=report.pvc_uid,
        )
        return _json(await self._engine.suppose(asker))

    async def livez(self, _request: web.Request) -> web.Response:
        """Say that the event loop turns, which is all that a restart could mend."""
        return _line(200, "ok")

    async def startupz(self, _request: web.Request) -> web.Response:
        """Say whether an answer can be given, from the cache too."""
        waited = self._clock() - self._started
        if self._world.synced or self._world.remembered or waited > START_SECONDS:
            return _line(200, "ok")
        return _line(503, "the API server has not been read yet, and nothing is remembered")

    async def readyz(self, _request: web.Request) -> web.Response:
        """Say whether Cassandra is ready for clients and for the rollout to go on."""
        reason = self._tender.not_ready()
        return _line(200, "ok") if reason is None else _line(503, reason)

    async def get_metrics(self, _request: web.Request) -> web.Response:
        """Expose metrics."""
        return web.Response(
            body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE}
        )


def _seeds(reply: Reply) -> web.Response:
    headers: dict[str, str] = {}
    if reply.ring_id is not None:
        headers["X-Ring-Id"] = reply.ring_id
    if reply.pvc_uid is not None:
        headers["X-Pvc-Uid"] = reply.pvc_uid
    if reply.actions:
        headers["X-Actions"] = " ".join(reply.actions)
    if not reply.seeds:
        return web.Response(status=204, headers=headers)
    text = "".join(f"{seed}\n" for seed in reply.seeds)
    return web.Response(text=text, headers=headers)


def _line(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=" ".join(text.split()) + "\n")


def _json(answered: Answered) -> web.Response:
    body = explain(answered.answer, answered.view, answered.asker)
    response = web.Response(
        status=status_of(answered.answer),
        body=msgspec.json.encode(body),
        content_type="application/json",
    )
    if isinstance(answered.answer, Withheld):
        response.headers["Retry-After"] = str(_retry_after(answered.asker))
    return response


def _retry_after(asker: Asker) -> int:
    return RETRY_SOON if asker.waiting < SOON_SECONDS else RETRY_LATER
