"""One HTTP connection to a server, over TLS and proxies; every wait has a bound."""

import contextlib
import os
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Final
from urllib.parse import urlsplit

from ring.client.access import Access
from ring.client.errors import ConfigError, SilentError, UnavailableError

CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 15.0
"""How long a server may say nothing: the manager computes for some seconds at most."""
ANSWER_SECONDS: Final = 60.0
"""How long a whole answer may take: megabytes over a thin line."""
MAX_BYTES: Final = 512 * 2**20
CHUNK: Final = 1 << 16
GZIP: Final = 31  # zlib's number for a gzip header and a window of any size
AGENT: Final = "cassandra-k8s-ring"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever the status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Connection(HTTPConnection):
    """Connects by TLS with a name of its own, through a proxy's tunnel where one is set."""

    def __init__(self, host: str, port: int, access: Access, name: str) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._tls, self._name = access.tls, name

    def connect(self) -> None:
        super().connect()
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)
        self.sock.settimeout(SILENCE_SECONDS)


class Transport:
    """Asks one server, one question after the other."""

    def __init__(self, access: Access) -> None:
        """Nothing is sent before the first question."""
        parts = urlsplit(access.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"{access.url} is no http or https URL")
        self.access = access
        self._prefix = parts.path.rstrip("/")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ConfigError(f"{access.url}: {error}") from error
        self._place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._connection = _connection(access, parts.scheme, parts.hostname, port)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once; a connection that was kept and has ended meanwhile is made anew.

        Raises:
            UnavailableError: where no whole answer comes in time.

        """
        with self._failures():
            response = self._ask(path, {"Accept-Encoding": "gzip", **(headers or {})})
            body = _whole(response)
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("content-encoding") == "gzip":
            body = _unzipped(body, self._place)
        return Answer(response.status, found, body)

    def lines(
        self, path: str, headers: Mapping[str, str], silence: float
    ) -> Iterator[bytes | Answer]:
        """Yield an answer's lines as they come; first the answer without its body.

        Where the status is not 200 that has the body, and no line comes.
        """
        with self._failures():
            response = self._ask(path, dict(headers))
            found = {name.lower(): value for name, value in response.getheaders()}
            if response.status != 200:  # noqa: PLR2004 -- HTTP's own number
                yield Answer(response.status, found, _whole(response))
                return
            if self._connection.sock is not None:
                self._connection.sock.settimeout(silence)
            yield Answer(response.status, found, b"")
            while line := response.readline(CHUNK):
                yield line

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def abort(self) -> None:
        """End the connection from another thread; whoever reads from it gets an error."""
        sock = self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _ask(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        sent = {"User-Agent": AGENT, "Accept": "*/*", **self.access.headers, **headers}
        kept = self._connection.sock is not None
        try:
            self._connection.request("GET", self._prefix + path, headers=sent)
            return self._connection.getresponse()
        except (ConnectionError, HTTPException):
            self._connection.close()
            if not kept:
                raise
        self._connection.request("GET", self._prefix + path, headers=sent)
        return self._connection.getresponse()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise UnavailableError(
                f"{self._place}: its certificate is not trusted: {error.verify_message}",
                "see certificate-authority and tls-server-name of the kubeconfig's cluster",
            ) from error
        except TimeoutError as error:
            self._connection.close()
            raise SilentError(f"{self._place}: no answer in time") from error
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise UnavailableError(f"{self._place}: {_said(error)}") from error
        except BaseException:
            self._connection.close()  # half of an answer may be left on it
            raise


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _connection(access: Access, scheme: str, host: str, port: int) -> HTTPConnection:
    name = access.server_name or host
    proxy = access.proxy if access.proxy is not None else _of_environment(scheme, host, port)
    if not proxy:
        return _Connection(host, port, access, name)
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme="http")
    if parts.scheme != "http" or not parts.hostname:
        raise ConfigError(
            f"proxy {proxy} is not supported here", "HTTP proxies are: http://HOST:PORT"
        )
    connection = _Connection(parts.hostname, parts.port or 80, access, name)
    connection.set_tunnel(host, port)
    return connection


def _of_environment(scheme: str, host: str, port: int) -> str:
    """Return the proxy that the environment names, as kubectl does."""
    if not any(os.environ.get(each) for each in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")):
        return ""
    from urllib.request import (  # noqa: PLC0415 -- seldom needed, slow to import
        getproxies,
        proxy_bypass,
    )

    if proxy_bypass(f"{host}:{port}") or proxy_bypass(host):
        return ""
    return getproxies().get(scheme, "")


def _whole(response: HTTPResponse) -> bytes:
    """Read a body, in bounded time and size."""
    ends = time.monotonic() + ANSWER_SECONDS
    parts, size = [], 0
    while part := response.read1(CHUNK):
        parts.append(part)
        size += len(part)
        if size > MAX_BYTES or time.monotonic() > ends:
            raise TimeoutError
    if response.length:
        raise HTTPException("the answer was cut off")
    response.close()  # else the connection would not take another question
    return b"".join(parts)


def _unzipped(body: bytes, place: str) -> bytes:
    unzip = zlib.decompressobj(GZIP)
    try:
        found = unzip.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise UnavailableError(f"{place}: the answer is damaged: {error}") from error
    if not unzip.eof:
        raise UnavailableError(f"{place}: the answer is cut off, or too large")
    return found
