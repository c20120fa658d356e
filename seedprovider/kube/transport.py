"""HTTP to the API server: one request at a time, each bounded, each failure a `KubeError`."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Self

import aiohttp
from yarl import URL

from seedprovider.kube.credentials import Credentials
from seedprovider.kube.errors import (
    KubeError,
    Malformed,
    Silent,
    Unavailable,
    from_status,
    parse_retry_after,
)
from seedprovider.kube.events import decode_status

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

REQUEST_SECONDS: Final = 10.0
"""Bound on a whole request, and on the wait for a watch to be taken up."""
CONNECT_SECONDS: Final = 5.0
"""Bound on DNS, connect and TLS; shorter, so that a write stuck there is known as not sent."""
MAX_BODY_BYTES: Final = 16 * 2**20
"""One page of a list: 500 objects of 32 KiB, far more than the sidecar's kinds take."""
MAX_ERROR_BYTES: Final = 16 * 1024
"""Enough for any Status; of a proxy's error page we read nothing anyway."""
MAX_CONNECTIONS: Final = 32
"""One for each watch, and some for reads and writes at the same time."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask.

    Attributes:
        method: anything but GET is a write, whose outcome can be unknown.
        path: percent-encoded URL path.
        query: not encoded.
        body: JSON of the kind that ``content_type`` says, or None.

    """

    method: Method
    path: str
    query: Mapping[str, str] | None = None
    body: bytes | None = None
    content_type: str = "application/json"

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET"

    def __str__(self) -> str:
        """Name it for a reason: never the query or the body."""
        return f"{self.method} {self.path}"


_FAILURES: Final = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError)


class Transport:
    """Connections to one API server as one service account.  Use as async context manager.

    Nothing is retried here, and nothing behind our back by aiohttp where it could write twice.

    Attributes:
        requests: sent so far, a watch counted once.

    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        user_agent: str,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        """Keep what is needed; nothing is opened before the ``async with``."""
        self.requests = 0
        self._credentials = credentials
        self._user_agent = user_agent
        self._request_seconds = request_seconds
        self._connect_seconds = min(CONNECT_SECONDS, request_seconds / 2)
        self._base = URL(credentials.base_url).origin()
        self._ssl: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Make the session; no connection yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": self._user_agent,
                "Accept": "application/json",
                # The way is short, and inflating costs memory in a small container.
                "Accept-Encoding": "identity",
            },
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection, also those of streams still open."""
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> bytes:
        """Return the body of the 2xx answer, at most `MAX_BODY_BYTES`; raise `KubeError`."""
        bounds = aiohttp.ClientTimeout(
            total=self._request_seconds, connect=self._connect_seconds
        )
        async with self._answer(request, bounds) as response:
            body = await _read(response.content, MAX_BODY_BYTES)
        if len(body) <= MAX_BODY_BYTES:
            return body
        reason = f"{request}: the answer is over {MAX_BODY_BYTES} bytes"
        if request.writes:
            raise Unavailable(reason, outcome_unknown=True)
        raise Malformed(reason)

    @asynccontextmanager
    async def stream(
        self, request: Request, *, silence_seconds: float
    ) -> AsyncGenerator[aiohttp.StreamReader, None]:
        """Hand out an answer that goes on; raise `Silent` where that long brings no byte."""
        bounds = aiohttp.ClientTimeout(
            total=None, connect=self._connect_seconds, sock_read=silence_seconds
        )
        async with self._answer(request, bounds) as response:
            yield response.content

    @asynccontextmanager
    async def _answer(
        self, request: Request, bounds: aiohttp.ClientTimeout
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Send, hand out a 2xx answer, and translate every failure until it is closed."""
        try:
            async with asyncio.timeout(self._request_seconds) as limit:
                response = await self._send(request, bounds)
                async with response:
                    if response.status not in range(200, 300):
                        raise await _refusal(request, response)
                    limit.reschedule(None)  # from here on ``bounds`` holds
                    yield response
        except _FAILURES as error:
            if isinstance(error, aiohttp.ClientSSLError):
                self._ssl = None  # the CA may have been replaced: read its file again
            # aiohttp's response errors hold the request's headers, and so the token.
            holds_token = isinstance(error, aiohttp.ClientResponseError)
            failure = _translate(error, request)
            cause = None if holds_token else error
        else:
            return
        raise failure from cause  # outside the handler, or __context__ would hold it

    async def _send(
        self, request: Request, bounds: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("the transport is not open")
        self.requests += 1
        content = {} if request.body is None else {"Content-Type": request.content_type}
        return await self._session.request(
            request.method,
            self._base.with_path(request.path, encoded=True).with_query(request.query),
            headers=self._credentials.headers() | content,
            data=request.body,
            timeout=bounds,
            ssl=self._trust() or True,
            allow_redirects=False,  # a redirect would carry the token away
            middlewares=(_never_resend,) if request.writes else (),
        )

    def _trust(self) -> ssl.SSLContext | None:
        if self._ssl is None:
            self._ssl = self._credentials.ssl_context()
        return self._ssl


class _AnswerLost(aiohttp.ClientError):
    """The connection broke after a write went out on it."""


async def _never_resend(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a PUT or DELETE again when a kept-alive connection breaks.

    It may have been carried out; sent twice, it would come back as a `Conflict` with ourselves.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _AnswerLost(str(error)) from error


async def _read(content: aiohttp.StreamReader, limit_bytes: int) -> bytes:
    """Return the body, or a little more than ``limit_bytes`` of a longer one."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > limit_bytes:
            break
    return bytes(body)


async def _refusal(request: Request, response: aiohttp.ClientResponse) -> KubeError:
    status = decode_status(await _read(response.content, MAX_ERROR_BYTES))
    said = status.message or status.reason or response.reason or ""
    return from_status(
        response.status,
        f"{request}: HTTP {response.status} {said}",
        creating=request.method == "POST",
        write=request.writes,
        retry_after_seconds=parse_retry_after(response.headers.get("Retry-After")),
    )


def _translate(error: Exception, request: Request) -> Unavailable:
    never_sent = isinstance(
        error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
    )
    said = str(error) or (
        "no answer in time" if isinstance(error, TimeoutError) else repr(error)
    )
    if isinstance(error, aiohttp.SocketTimeoutError):
        return Silent(f"{request}: {said}")
    return Unavailable(f"{request}: {said}", outcome_unknown=request.writes and not never_sent)
