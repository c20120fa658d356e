"""The service proxy: ``…/services/[SCHEME:]NAME:PORT/proxy/…`` leads to an endpoint.

As on a real server, endpoints are those that EndpointSlices name as ready, one is taken at
random, and the answer is passed on as it comes.  Only GET, HEAD and HTTP to the endpoint.
"""

import random
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from localring.apiserver import status
from localring.apiserver.faults import Caller
from localring.apiserver.resources import RESOURCES
from localring.apiserver.status import ApiError
from localring.apiserver.store import Store

PATH = re.compile(
    r"/api/v1/namespaces/(?P<namespace>[^/]+)/services/"
    r"(?P<id>(?:(?P<scheme>https?):)?(?P<name>[^:/]+):(?P<port>[^:/]+))/proxy(?P<rest>/.*|$)"
)
SUBRESOURCE = "services/proxy"
NAMED_BY = "kubernetes.io/service-name"
DIAL_SECONDS = 5.0
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"})
OWN = HOP_BY_HOP | {"host", "authorization"}
"""The server keeps the caller's credentials to itself."""


class ServiceProxy:
    """Passes questions on to what Services lead to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._session: aiohttp.ClientSession | None = None

    async def answer(
        self, request: web.Request, found: re.Match[str], caller: Caller
    ) -> web.StreamResponse:
        """Answer from an endpoint; raise `ApiError` where there is none."""
        if caller.verb not in {"get", "head"}:
            raise status.method_not_allowed(request.method)
        address, port = self._endpoint(found)
        rest = request.raw_path.partition("/proxy")[2]  # as it was sent, percent-encoded
        url = URL(f"http://{address}:{port}{rest or '/'}", encoded=True)
        headers = {n: v for n, v in request.headers.items() if n.lower() not in OWN}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=DIAL_SECONDS)
        try:
            async with self._asking().request(
                request.method,
                url,
                headers=headers,
                allow_redirects=False,
                timeout=timeout,
            ) as answer:
                return await _passed_on(request, answer)
        except aiohttp.ClientConnectorError as error:
            raise _unavailable(f"error trying to reach service: {error}") from error

    async def close(self) -> None:
        """End the connections to endpoints."""
        if self._session is not None:
            await self._session.close()

    def _asking(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        return self._session

    def _endpoint(self, found: re.Match[str]) -> tuple[str, int]:
        namespace, name = found["namespace"], found["name"]
        service = self._store.get("services", name, namespace)
        ports = service.get("spec", {}).get("ports", ())
        wanted = next(
            (p for p in ports if found["port"] in (str(p["port"]), p.get("name"))), None
        )
        if found["scheme"] == "https":
            raise status.bad_request("this server's proxy speaks HTTP to endpoints")
        there = [
            (address, port["port"])
            for each in self._store.list("endpointslices", namespace)
            if each["metadata"].get("labels", {}).get(NAMED_BY) == name
            for port in each.get("ports") or ()
            if wanted is not None and port.get("name", "") == wanted.get("name", "")
            for endpoint in each.get("endpoints") or ()
            if _is_ready(endpoint)
            for address in endpoint["addresses"]
        ]
        if not there:
            raise _unavailable(f'no endpoints available for service "{found["id"]}"')
        return random.choice(there)  # noqa: S311 -- no secret


def match(path: str) -> re.Match[str] | None:
    """Return what a path of the proxy names; None for another path."""
    return PATH.fullmatch(path)


def forbidden(found: re.Match[str]) -> ApiError:
    """403: RBAC does not let the caller through."""
    error = status.forbidden(RESOURCES["services"], found["id"], "get")
    where = f'resource "{SUBRESOURCE}" in API group "" in the namespace "{found["namespace"]}"'
    message = f'services "{found["id"]}" is forbidden: User cannot get {where}'
    return ApiError(error.code, error.reason, message)


def _is_ready(endpoint: Mapping[str, Any]) -> bool:
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message)


async def _passed_on(
    request: web.Request, answer: aiohttp.ClientResponse
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if name.lower() not in HOP_BY_HOP:
            response.headers.add(name, value)
    await response.prepare(request)
    if request.method != hdrs.METH_HEAD:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    await response.write_eof()
    return response
