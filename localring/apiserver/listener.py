"""Listening, and ceasing to in one moment: no connection is left that belongs to nobody.

asyncio's own `Server` cannot promise that on Python 3.11: closed between its ``accept()`` and
the making of the transport, it drops the connection unclosed, and the client waits for ever.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from localring.apiserver.connection import reset_when_closed

BACKLOG = 128


class Listener:
    """Accepts connections on a bound socket, from its making until `close`.

    Each one is handed to a protocol that ``factory`` makes; from then on it is the factory's.
    """

    def __init__(
        self,
        sock: socket.socket,
        factory: Callable[[], asyncio.BaseProtocol],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._sock = sock
        self._factory = factory
        self._ssl = ssl_context
        self._loop = asyncio.get_running_loop()
        self._opening: dict[asyncio.Task[None], socket.socket] = {}
        sock.setblocking(False)  # noqa: FBT003 - a positional-only argument
        sock.listen(BACKLOG)
        self._loop.add_reader(sock, self._accept)

    async def close(self) -> None:
        """Refuse new connections, and reset those that no protocol has taken over yet."""
        self._loop.remove_reader(self._sock)
        self._sock.close()  # the kernel resets what waits in its backlog
        opening = dict(self._opening)
        for task, connection in opening.items():
            reset_when_closed(connection)
            task.cancel()
        if opening:
            await asyncio.wait(opening)

    def _accept(self) -> None:
        try:
            connection, _ = self._sock.accept()
        except (BlockingIOError, ConnectionAbortedError):  # it went away before we looked
            return
        connection.setblocking(False)  # noqa: FBT003 - likewise
        task = self._loop.create_task(self._open(connection))
        self._opening[task] = connection
        task.add_done_callback(self._opened)

    async def _open(self, connection: socket.socket) -> None:
        # OSError covers a handshake that fails, and a client that is gone by now.
        with contextlib.suppress(OSError):
            await self._loop.connect_accepted_socket(self._factory, connection, ssl=self._ssl)

    def _opened(self, task: asyncio.Task[None]) -> None:
        connection = self._opening.pop(task)
        if task.cancelled():  # perhaps before its first step, when nobody else closes it
            connection.close()
