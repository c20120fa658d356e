"""The fault switches for other processes: ``/_faults`` on a listener of its own.

It has a port of its own because it has to answer while the API server refuses connections.
A body such as ``{"rules": [{"kind": "lag", "client": "seedprovider", "seconds": 5}]}`` puts
just that rule in force; `Switches` lists what else there is.  ``GET /_requests`` gives the log.
"""

from typing import Protocol

import msgspec
from aiohttp import web

from localring.apiserver.faults import Fault, Faults
from localring.apiserver.requestlog import RequestLog
from localring.apiserver.store import Store


class Controlled(Protocol):
    """What can be switched from outside; `ApiServer` has it."""

    store: Store
    faults: Faults

    @property
    def tokens(self) -> set[str]:
        """The tokens accepted."""
        ...

    @property
    def requests(self) -> RequestLog:
        """What was asked so far."""
        ...

    @property
    def accepting(self) -> bool:
        """Whether the server listens."""
        ...

    async def refuse(self) -> None:
        """Stop listening, reset every connection."""
        ...

    async def accept(self) -> None:
        """Listen again."""
        ...

    def cut_watches(self, *, resource: str | None = None, client: str | None = None) -> int:
        """Reset watches."""
        ...

    def end_watches(self, *, resource: str | None = None, client: str | None = None) -> int:
        """End watches cleanly."""
        ...


class Whom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which open watches are meant: all, or those of a resource or client."""

    resource: str | None = None
    client: str | None = None


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a PUT.  What is absent stays as it is.

    Attributes:
        rules: the rules in force from now on, instead of those before.
        accepting: whether to listen.
        tokens: the tokens accepted from now on.
        compact: forget the history, once.
        cut_watches: reset the watches open now, once.
        end_watches: end the watches open now, once.

    """

    rules: list[Fault] | None = None
    accepting: bool | None = None
    tokens: list[str] | None = None
    compact: bool = False
    cut_watches: Whom | None = None
    end_watches: Whom | None = None


def control_application(server: Controlled) -> web.Application:
    """Build the control listener's application: ``/_faults`` and ``/_requests``."""

    async def show(_: web.Request) -> web.Response:
        return _json({"accepting": server.accepting, "rules": server.faults.rules()})

    async def switch(request: web.Request) -> web.Response:
        try:
            switches = msgspec.json.decode(await request.read(), type=Switches)
        except msgspec.DecodeError as error:
            return web.Response(status=400, text=f"{error}\n")
        await _apply(server, switches)
        return await show(request)

    async def requests(_: web.Request) -> web.Response:
        return _json(list(server.requests))

    app = web.Application()
    app.router.add_get("/_faults", show)
    app.router.add_put("/_faults", switch)
    app.router.add_get("/_requests", requests)
    return app


async def _apply(server: Controlled, switches: Switches) -> None:
    if switches.rules is not None:
        server.faults.replace(switches.rules)
    if switches.tokens is not None:
        server.tokens.clear()
        server.tokens.update(switches.tokens)
    if switches.compact:
        server.store.compact()
    if (whom := switches.cut_watches) is not None:
        server.cut_watches(resource=whom.resource, client=whom.client)
    if (whom := switches.end_watches) is not None:
        server.end_watches(resource=whom.resource, client=whom.client)
    if switches.accepting is not None:
        await (server.accept() if switches.accepting else server.refuse())


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
