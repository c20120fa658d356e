"""A ring manager as commands ask it: through the API server's service proxy, or directly."""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

from ring.client.access import Access
from ring.client.errors import AccessError, RefusedError, SilentError, UnavailableError
from ring.client.hedged import TIMES, Hedged
from ring.client.transport import Answer, Transport
from ring.readjson import loads

Json = dict[str, Any]
Params = Sequence[tuple[str, str]]

PORT: Final = 8080
OK, FORBIDDEN, NOT_FOUND = 200, 403, 404
UNAUTHORIZED, WRONG, CONFLICT, UNAVAILABLE = 401, 400, 409, 503
SILENCE_SECONDS: Final = 40.0
"""Of a stream: the manager writes at least every 15 s; two were missed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which manager is asked.

    Attributes:
        direct: its URL, where it is asked directly; empty through the API server.

    """

    namespace: str = "default"
    service: str = "cassandra"
    direct: str = ""

    @property
    def name(self) -> str:
        """Name of the manager's own Service."""
        return f"{self.service}-ring-manager"

    @property
    def base(self) -> str:
        """What paths begin with."""
        if self.direct:
            return ""
        service = quote(f"http:{self.name}:{PORT}", safe=":")
        namespace = quote(self.namespace, safe="")
        return f"/api/v1/namespaces/{namespace}/services/{service}/proxy"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the manager answered, and which picture that is of.

    Attributes:
        age: of the picture in seconds; None where it does not say.
        stale: whether the manager itself calls it too old.

    """

    body: Any
    age: float | None = None
    stale: bool = False
    version: str = ""


class Manager:
    """Asks one manager."""

    def __init__(
        self, access: Access, place: Place, again: Callable[[], "Manager"] | None = None
    ) -> None:
        """Nothing is sent before the first question.

        ``again`` makes another of it, with credentials of then.
        """
        self.place = place
        self.again = again or (lambda: Manager(access, place))
        self._transport = Transport(access)  # of the stream
        self._hedged = Hedged(lambda: Transport(access), times=1 if place.direct else TIMES)

    def __enter__(self) -> Self:
        """Let ``with`` end the connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the connection."""
        self._transport.close()
        self._hedged.close()

    def get(self, path: str, params: Params = ()) -> Reply:
        """Ask for a path of docs/ring-api.md.

        Raises:
            RefusedError: where there is no such thing, or it is not allowed.
            UnavailableError: where there is no answer now.

        """
        answer = self._asked(self._path(path, params))
        if answer.status != OK:
            raise explained(answer, self.place)
        return _reply(answer, self.place)

    def raw(self, path: str) -> bytes:
        """Ask for a path, and return the body as it came; raises as `get`."""
        answer = self._asked(self._path(path, ()))
        if answer.status != OK:
            raise explained(answer, self.place)
        return answer.body

    def events(self, last: str = "") -> Iterator[str]:
        """Yield the version of each new picture from ``/v1/stream``; "" where it only lives.

        Raises:
            AccessError: as `get`; also when the stream falls silent.

        """
        headers = {"Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        found = self._transport.lines(self._path("/v1/stream", ()), headers, SILENCE_SECONDS)
        for line in found:
            if isinstance(line, Answer):
                if line.status != OK:
                    raise explained(line, self.place)
                yield ""
            elif line.startswith(b"id:"):
                last = line[3:].strip().decode(errors="replace")
            elif line.startswith(b":"):
                yield ""
            elif not line.strip() and last:
                yield last

    def abort(self) -> None:
        """End what is being read, from another thread."""
        self._transport.abort()

    def _asked(self, path: str) -> Answer:
        try:
            return self._hedged.get(path)
        except SilentError as error:
            if self.place.direct:
                raise
            raise SilentError(
                f"{error.problem} from the ring manager {self.place.name} in namespace"
                f" {self.place.namespace}, which was asked {TIMES} times",
                "see whether it runs, and on a Kubernetes node that is Ready:"
                f" kubectl -n {self.place.namespace} get pods -o wide"
                f" -l app={self.place.name}",
            ) from error

    def _path(self, path: str, params: Params) -> str:
        query = f"?{urlencode(params)}" if params else ""
        return f"{self.place.base}{path}{query}"


def _reply(answer: Answer, place: Place) -> Reply:
    try:
        body = loads(answer.body)
    except ValueError as error:
        raise UnavailableError(
            f"what answers as ring manager{_where(place)} sends no JSON",
            "is something else behind this address?",
        ) from error
    age = answer.headers.get("x-ring-age", "")
    return Reply(
        body,
        float(age) if age.replace(".", "", 1).isdigit() else None,
        answer.headers.get("x-ring-stale") == "true",
        answer.headers.get("x-ring-version", ""),
    )


def _where(place: Place) -> str:
    return f" at {place.direct}" if place.direct else f" in namespace {place.namespace}"


def explained(answer: Answer, place: Place) -> AccessError:
    """Say what an error answer means, and what to do about it."""
    try:
        body = loads(answer.body)
    except ValueError:
        body = None
    match body:
        case {"error": str(error), "hint": str(hint)}:
            if answer.status == WRONG:
                return RefusedError(WRONG, error)  # the hint is for programs that ask by HTTP
            if answer.status in {NOT_FOUND, CONFLICT}:
                return RefusedError(answer.status, error, hint)
            return UnavailableError(f"the ring manager: {error}", hint)
        case {"kind": "Status", "message": str(message)}:
            return _from_api_server(answer.status, message, place)
        case _:
            if answer.status == UNAVAILABLE:
                return UnavailableError(f"the ring manager{_where(place)} cannot answer now")
            return RefusedError(
                answer.status,
                f"what was asked as ring manager{_where(place)} answers HTTP {answer.status}",
                "is something else behind this address, or an older manager?",
            )


def _from_api_server(status: int, message: str, place: Place) -> AccessError:
    text = " ".join(message.split())
    match status:
        case 401:
            return RefusedError(
                status,
                f"the API server does not know you: {text}",
                "log in again, or choose another context with --context",
            )
        case 403:
            return RefusedError(
                status,
                f"the API server does not let you: {text}",
                "you need the verb get on services/proxy, resource name"
                f" http:{place.name}:{PORT}, in namespace {place.namespace}",
            )
        case 404:
            return RefusedError(
                status,
                f"there is no ring manager: Service {place.name} does not exist in namespace"
                f" {place.namespace}",
                "name another namespace with -n or another Cassandra Service with --service;"
                " or install it: add manifests/components/manager to your overlay and kubectl"
                " apply -k that (docs/ring-manager.md)",
            )
        case 503:
            return UnavailableError(
                f"the ring manager {place.name} in namespace {place.namespace} is not ready:"
                f" {text}",
                f"see: kubectl -n {place.namespace} get pods -l app={place.name}",
            )
        case _:
            return UnavailableError(f"the API server answers HTTP {status}: {text}")


def direct(url: str) -> tuple[Access, Place]:
    """Return the way to a manager by its own URL."""
    secure = url.lower().startswith("https:")
    tls = ssl.create_default_context() if secure else None
    return Access(url.rstrip("/"), tls=tls, proxy=""), Place(direct=url)


def as_params(names: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return repeated parameters in order."""
    return [(name, value) for name, values in names.items() for value in values]
