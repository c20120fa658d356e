"""The server as a whole: its listeners, its life, and what tests hold of it."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from aiohttp import web

from localring.apiserver.api import Api
from localring.apiserver.connection import reset
from localring.apiserver.control import control_application
from localring.apiserver.faults import Faults
from localring.apiserver.listener import Listener
from localring.apiserver.requestlog import RequestLog
from localring.apiserver.store import Store
from localring.apiserver.watch import QUEUE_LIMIT, Ending
from localring.apiserver.watching import Watches

BOOKMARK_SECONDS = 60.0  # about what a real server takes
_STOP_SECONDS = 1.0  # for handlers that notice the end of their connection


class ApiServer:
    """An API server on a port of its own, from ``async with`` on.

    Everything here belongs to the thread of the event loop that entered the context.

    Attributes:
        store: the objects; what is written here reaches watches as any other write does.
        faults: what goes wrong.

    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tokens: Iterable[str] = (),
        bookmark_seconds: float = BOOKMARK_SECONDS,
        queue_limit: int = QUEUE_LIMIT,
        store: Store | None = None,
        ssl_context: ssl.SSLContext | None = None,
        control_port: int | None = None,
    ) -> None:
        """Port 0 takes a free one; without a control port there is no ``/_faults``."""
        self.store = store or Store()
        self.faults = Faults()
        self._watches = Watches(
            self.store, self.faults, bookmark_seconds=bookmark_seconds, queue_limit=queue_limit
        )
        self._api = Api(self.store, self.faults, self._watches)
        self._api.tokens.update(tokens)
        self._host = host
        self._port = port
        self._ssl = ssl_context
        self._control_port = control_port
        self._listener: Listener | None = None
        self._told: list[Callable[[bool], None]] = []
        self._exit = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end; the same for the server's whole life."""
        return f"{'https' if self._ssl else 'http'}://{_bracketed(self._host)}:{self._port}"

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return self._port

    @property
    def control_port(self) -> int:
        """The port of ``/_faults``; raise `ValueError` where there is none."""
        if self._control_port is None:
            raise ValueError("this server was started without a control port")
        return self._control_port

    @property
    def control_url(self) -> str:
        """Base URL of ``/_faults``; raise `ValueError` where there is none."""
        return f"http://{_bracketed(self._host)}:{self.control_port}"

    @property
    def tokens(self) -> set[str]:
        """The tokens accepted, to be changed in place; empty means that none is asked for."""
        return self._api.tokens

    @property
    def requests(self) -> RequestLog:
        """What was asked so far."""
        return self._api.requests

    @property
    def open_watches(self) -> int:
        """How many watches are being served."""
        return len(self._watches)

    async def until_open_watches(self, number: int) -> None:
        """Wait until just so many watches are being served, unbounded."""
        await self._watches.until(number)

    @property
    def accepting(self) -> bool:
        """Whether the server listens."""
        return self._listener is not None

    async def __aenter__(self) -> Self:
        """Start to listen; raise `OSError` where the port is taken."""
        async with contextlib.AsyncExitStack() as stack:
            # A socket that is bound and never listens keeps the port while we refuse.
            holder = stack.enter_context(_bound(self._host, self._port))
            self._port = holder.getsockname()[1]
            self._runner = web.AppRunner(
                self._api.application(),
                access_log=None,
                handler_cancellation=True,
                shutdown_timeout=_STOP_SECONDS,
            )
            await self._runner.setup()
            stack.push_async_callback(self._runner.cleanup)
            stack.push_async_callback(self.refuse)
            await self.accept()
            if self._control_port is not None:
                await self._start_control(stack)
            self._exit = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop at once: connections are reset, nothing is waited for."""
        await self._exit.aclose()

    async def refuse(self) -> None:
        """Be as a server that died: reset every connection, refuse new ones."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            self._tell()
            await listener.close()
        self._reset_connections()

    async def accept(self) -> None:
        """Listen (again), on the same port."""
        if self._listener is None:
            factory = _protocols(self._runner)
            self._listener = Listener(_bound(self._host, self._port), factory, self._ssl)
            self._tell()

    def listen(self, listener: Callable[[bool], None]) -> None:
        """Call ``listener`` whenever the server comes to accept connections, or no more."""
        self._told.append(listener)

    def _tell(self) -> None:
        for listener in self._told:
            listener(self.accepting)

    def cut_watches(self, *, resource: str | None = None, client: str | None = None) -> int:
        """Reset the connections of the watches open now; return how many."""
        return self._watches.end(Ending.CUT, resource=resource, client=client)

    def end_watches(self, *, resource: str | None = None, client: str | None = None) -> int:
        """End the watches open now as a timeout would; return how many."""
        return self._watches.end(Ending.CLEAN, resource=resource, client=client)

    async def _start_control(self, stack: contextlib.AsyncExitStack) -> None:
        runner = web.AppRunner(
            control_application(self), access_log=None, shutdown_timeout=_STOP_SECONDS
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        sock = _bound(self._host, self._control_port or 0)
        self._control_port = sock.getsockname()[1]
        stack.push_async_callback(Listener(sock, _protocols(runner)).close)

    def _reset_connections(self) -> None:
        server = self._runner.server
        for connection in server.connections if server else ():
            reset(connection.transport)


def _protocols(runner: web.AppRunner) -> web.Server:
    if runner.server is None:
        raise RuntimeError("the server is not entered")
    return runner.server


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Holder and listener share the port.  Only listening sockets are given connections.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
