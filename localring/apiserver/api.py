"""The HTTP face: who may ask, what is asked, and which fault strikes the answer."""

import asyncio
from functools import partial

import msgspec
from aiohttp import hdrs, web

from localring.apiserver import proxying, status
from localring.apiserver.connection import reset, send_half
from localring.apiserver.faults import Caller, Faults, Kind
from localring.apiserver.lists import list_document, stale_version
from localring.apiserver.query import is_true, list_options
from localring.apiserver.requestlog import Logged, RequestLog
from localring.apiserver.resources import Target, target_of
from localring.apiserver.status import ApiError
from localring.apiserver.store import Store
from localring.apiserver.watching import Watches
from localring.apiserver.writes import address, document, write

BODY_LIMIT = 3 * 2**20  # bytes, kube-apiserver's MaxRequestBodyBytes
VERSION = {  # generated clients insist on every field
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0+localring",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Api:
    """Answers requests, and remembers them.

    Attributes:
        tokens: the bearer tokens accepted; with none at all, nobody is asked for one.

    """

    def __init__(self, store: Store, faults: Faults, watches: Watches) -> None:
        self.tokens: set[str] = set()
        self.requests = RequestLog()
        self._store = store
        self._faults = faults
        self._watches = watches
        self._proxy = proxying.ServiceProxy(store)

    def application(self) -> web.Application:
        """Build the application; nothing is bound and nothing runs until a server has it."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route(hdrs.METH_ANY, "/{path:.*}", self.handle)
        app.on_cleanup.append(self._end)
        return app

    async def _end(self, _app: web.Application) -> None:
        await self._proxy.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, faults included."""
        target, proxied = target_of(request.path), proxying.match(request.path)
        caller = _caller(request, target, proxying.SUBRESOURCE if proxied else "")
        entry = self.requests.begin(_entry(request, caller))
        await self._faults.hang(caller)
        try:
            self._admit(caller, target)
            if proxied is not None:
                if self._faults.strike(Kind.FORBID, caller):
                    raise proxying.forbidden(proxied)
                response = await self._proxy.answer(request, proxied, caller)
                self.requests.answer(entry, response.status)
                return response
            if caller.verb == "watch" and target is not None:
                options = list_options(target, request.query)
                return await self._watches.serve(
                    request, caller, options, partial(self.requests.answer, entry)
                )
            response = await self._answer(request, target, caller)
        except ApiError as error:
            response = document(error.document(), error.code)
            response.headers.update(error.headers())
        if rule := self._faults.strike(Kind.DELAY, caller):
            await asyncio.sleep(rule.seconds or 0.0)
        if self._faults.strike(Kind.DROP_RESPONSE, caller):
            reset(request.transport)
            return response
        self.requests.answer(entry, response.status)
        return response

    def _admit(self, caller: Caller, target: Target | None) -> None:
        known = not self.tokens or caller.token in self.tokens
        public = not caller.resource and caller.verb == "get"
        if self._faults.strike(Kind.UNAUTHORIZED, caller) or not (known or public):
            raise status.unauthorized()
        if rule := self._faults.strike(Kind.THROTTLE, caller):
            raise status.too_many_requests(round(rule.seconds or 1))
        if target is not None and self._faults.strike(Kind.FORBID, caller):
            raise status.forbidden(target.resource, target.name, caller.verb)
        if rule := self._faults.strike(Kind.FAIL, caller):
            raise status.failure(rule.status)

    async def _answer(
        self, request: web.Request, target: Target | None, caller: Caller
    ) -> web.StreamResponse:
        if target is None:
            return _outside(request)
        if caller.verb == "list":
            return await self._list(request, target, caller)
        if caller.verb == "get":
            return document(self._store.get(*address(target), target.namespace))
        return await write(self._store, request, target, caller.verb)

    async def _list(
        self, request: web.Request, target: Target, caller: Caller
    ) -> web.StreamResponse:
        options = list_options(target, request.query)
        asks_history = options.resume is not None or options.exact
        if asks_history and self._faults.strike(Kind.EXPIRE, caller):
            raise status.expired("the history asked for has been compacted")
        stale = stale_version(self._faults, caller)
        body = msgspec.json.encode(list_document(self._store, options, stale))
        if self._faults.strike(Kind.GARBAGE_LIST, caller):
            body = b"<html>" + body[: len(body) // 2]
        if self._faults.strike(Kind.TRUNCATED_LIST, caller):
            return await send_half(request, body)
        return web.Response(body=body, content_type="application/json")


def _outside(request: web.Request) -> web.Response:
    """Answer what names no resource; unknown paths get plain text, as from the real mux."""
    if request.method == hdrs.METH_GET:
        path = request.path.rstrip("/")
        if path == "/version":
            return document(VERSION)
        if path in ("/livez", "/readyz"):
            return web.Response(text="ok")
    return web.Response(status=404, text="404 page not found\n")


def _caller(request: web.Request, target: Target | None, subresource: str = "") -> Caller:
    kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    verb = _VERBS.get(request.method, request.method.lower())
    if target is not None and verb == "get" and not target.name:
        verb = "watch" if is_true(request.query, "watch") else "list"
    return Caller(
        client=request.headers.get(hdrs.USER_AGENT, ""),
        token=token.strip() if kind.lower() == "bearer" else "",
        verb=verb,
        resource=target.resource.plural if target else subresource,
    )


def _entry(request: web.Request, caller: Caller) -> Logged:
    return Logged(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        verb=caller.verb,
        resource=caller.resource,
        client=caller.client,
    )
