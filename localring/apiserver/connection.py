"""Connections that break: resets, and responses that stop half-way."""

import asyncio
import socket
import struct

from aiohttp import web

_NO_LINGER = struct.pack("ii", 1, 0)


def reset(transport: asyncio.BaseTransport | None) -> None:
    """Break a connection off at once: the peer reads ECONNRESET and not an end of file."""
    if not isinstance(transport, asyncio.WriteTransport):
        return
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        reset_when_closed(sock)
    transport.abort()


def reset_when_closed(sock: socket.socket) -> None:
    """Have the socket's closing break the connection off instead of ending it."""
    # With a linger time of zero, close() sends RST instead of FIN.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


async def send_half(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise the whole body, send its first half, and close the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
