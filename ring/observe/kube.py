"""Requests to the API server through the official client; its only importer.

The client brings what is tedious to get right: kubeconfig, exec plugins, tokens that change.
Bodies stay bytes: its models take seconds to import and megabytes to hold, for fields that
nobody here reads.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from ring.observe.bodies import whole
from ring.observe.errors import Expired, KubeError

REQUEST_SECONDS: Final = 15.0
"""Bound on a whole request, such as one page of a list."""
CONNECT_SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 2**20
"""Of one answer: a page of 500 pods of 100 KiB."""
MOST_ERROR_BYTES: Final = 16 * 2**10

_FAILURES: Final = (
    aiohttp.ClientError,
    aiohttp.http.HttpProcessingError,
    OSError,
    ApiException,
    ConfigException,  # of a token file that has gone when it is read again
)
Load = Callable[[Configuration], Any]


class Api:
    """One API server as one user.  Use as async context manager.

    Every failure is a `KubeError`.  A refused token (401) makes the next request read the
    credentials anew.
    """

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Take a kubeconfig; without one, what a pod is given."""
        self._kubeconfig, self._context = kubeconfig, context
        self._client: ApiClient | None = None
        self._users: Counter[ApiClient] = Counter()
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open nothing yet: credentials that cannot be read are a failure of each request."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None and client not in self._users:
            await client.close()  # else its last user does

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a successful answer."""
        return await self._whole("GET", path, query, None)

    async def write(self, method: str, path: str, body: Mapping[str, Any]) -> bytes:
        """Send an object; 409 is its status where another was faster."""
        return await self._whole(method, path, None, body)

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, str], silence: float
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Hand out the lines of an answer that goes on; it fails after so much silence."""
        bounds = aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=silence
        )
        with _translated(f"GET {path}"):
            async with self._answer("GET", path, query, None, bounds) as response:
                yield _lines(response.content, path)

    async def _whole(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> bytes:
        bounds = aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=CONNECT_SECONDS)
        with _translated(f"{method} {path}"):
            async with self._answer(method, path, query, body, bounds) as response:
                return await whole(response.content, MOST_BYTES)

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        bounds: aiohttp.ClientTimeout,
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        async with asyncio.timeout(REQUEST_SECONDS) as limit, self._used() as client:
            request = await client.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json"},
                body=body,
                auth_settings=["BearerToken"],
            )
            answer = await client.call_api(*request, _request_timeout=bounds)
            async with answer.response as response:
                if not response.ok:
                    if response.status == HTTPStatus.UNAUTHORIZED and client is self._client:
                        self._client = None  # the next request reads the token anew
                    raise await _refusal(response, f"{method} {path}")
                limit.reschedule(None)  # from here on ``bounds`` holds
                yield response

    @asynccontextmanager
    async def _used(self) -> AsyncGenerator[ApiClient]:
        """Hand out the client, and close it after its last use once it is replaced."""
        client = await self._open()
        self._users[client] += 1
        try:
            yield client
        finally:
            self._users[client] -= 1
            if not self._users[client]:
                del self._users[client]
                if client is not self._client:
                    await client.close()

    async def _open(self) -> ApiClient:
        async with self._opening:
            if self._client is None:
                try:
                    self._client = ApiClient(await self._configuration())
                except Exception as error:
                    # The client's loaders raise whatever their parsers do.
                    said = f"{type(error).__name__}: {error}"
                    raise KubeError(f"credentials cannot be read: {said}") from error
                self._client.user_agent = "ring-manager"
            return self._client

    async def _configuration(self) -> Configuration:
        configuration = Configuration()
        configuration.retries = False
        if self._kubeconfig is None:
            load_incluster_config(configuration)
        else:
            await load_kube_config(
                str(self._kubeconfig), self._context, configuration, persist_config=False
            )
        return configuration


class _translated:  # noqa: N801 -- reads as a verb where it is used
    """Turn whatever the client raises into a `KubeError` without what may hold a token."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, _FAILURES):
            said = "no answer in time" if isinstance(error, TimeoutError) else _said(error)
            raise KubeError(f"{self._what}: {said}") from None


def _said(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message  # its text holds the request's headers
    return str(error) or type(error).__name__


async def _refusal(response: aiohttp.ClientResponse, what: str) -> KubeError:
    raw = await response.content.read(MOST_ERROR_BYTES)
    try:
        said = json.loads(raw)["message"]
    except (ValueError, KeyError, TypeError):
        said = response.reason or ""
    text = f"{response.status} {said} ({what})"
    if response.status == HTTPStatus.GONE:
        return Expired(text, response.status)
    return KubeError(text, response.status)


async def _lines(content: aiohttp.StreamReader, path: str) -> AsyncIterator[bytes]:
    with _translated(f"GET {path}"):
        async for line in content:
            if line.strip():
                yield line
