"""Answers over HTTP as the manager gives them: JSON, errors with a hint, tags, compression."""

import asyncio
import gzip
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec
from aiohttp import web

from ring.errors import InputError, RingError, TooLittleKnownError, UnknownNodeError
from ring.judged import Shown
from ring.picture import moment

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WORTH_GZIP: Final = 1400
"""Bytes; what fits in one packet gains nothing."""
AT_ONCE: Final = 2
"""Answers that one renderer computes at the same time: on two cores more gain nothing."""
PATIENCE: Final = 10.0
"""Seconds that a question waits for its turn."""
KEPT: Final = 64
"""Answers kept while a picture is the newest."""
RETRY_SECONDS: Final = "2"
GUARDS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Nothing from elsewhere, nothing inline, and no text that becomes HTML (trusted types).
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
}
HINTS: Final = {
    404: "see /openapi.json for what there is",
    405: "everything here is read-only: GET",
    413: "questions have no body",
}
OVERSIGHT: Final = "this is a fault of the manager; its log says more"

log = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818 -- an answer, not a fault
    """An error answer, raised where it is noticed."""

    def __init__(self, status: int, error: str, hint: str) -> None:
        super().__init__(error)
        self.status, self.error, self.hint = status, error, hint


def encode(body: object) -> bytes:
    """Write JSON."""
    return msgspec.json.encode(body)


def failure(status: int, error: str, hint: str) -> web.Response:
    """Return an error answer; 503 says when to ask again."""
    headers = {"Cache-Control": "no-store", **GUARDS}
    if status == web.HTTPServiceUnavailable.status_code:
        headers["Retry-After"] = RETRY_SECONDS
    return web.Response(
        status=status,
        body=encode({"error": " ".join(error.split()), "hint": hint}),
        content_type="application/json",
        headers=headers,
    )


@web.middleware
async def in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into an answer of one form."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return failure(refusal.status, refusal.error, refusal.hint)
    except UnknownNodeError as error:
        return failure(404, str(error), "/v1/members and /v1/keyspaces list what there is")
    except InputError as error:
        return failure(400, str(error), "see /openapi.json for parameters and their form")
    except TooLittleKnownError as error:
        return failure(503, str(error), "/v1/findings says which source cannot be read")
    except RingError as error:
        return failure(409, str(error), "/v1/findings says what is wrong with the ring")
    except web.HTTPException as error:
        answer = failure(
            error.status, error.reason, HINTS.get(error.status, "see /openapi.json")
        )
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except (ConnectionError, asyncio.CancelledError):
        raise  # nobody is there to be answered
    except Exception:
        log.exception("%s %s", request.method, request.path)
        return failure(500, "unforeseen failure", OVERSIGHT)


def only(request: web.Request, names: Iterable[str] = (), repeated: Iterable[str] = ()) -> None:
    """Refuse parameters of other names, and those given twice where one is meant."""
    once, often = set(names), set(repeated)
    for name in request.query:
        if name not in once | often:
            known = ", ".join(sorted(once | often)) or "none"
            raise Refusal(400, f"{name[:100]!r} is not a parameter", f"there is {known}")
        if name in once and len(request.query.getall(name)) > 1:
            raise Refusal(400, f"{name} is given twice", "leave one")


def whole_number(request: web.Request, name: str, default: int, limit: int) -> int:
    """Return a parameter that is a whole number from 1 to a limit."""
    text = request.query.get(name)
    if text is None:
        return default
    if not (
        text.isascii()
        and text.isdigit()
        and len(text) <= len(str(limit))
        and 1 <= int(text) <= limit
    ):
        raise Refusal(400, f"{name}: {text[:100]!r} is wrong", f"a whole number, 1 to {limit}")
    return int(text)


def takes_gzip(request: web.Request) -> bool:
    """Say whether the asker wants gzip (RFC 9110 12.5.3)."""
    for coding in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = coding.replace(" ", "").partition(";")
        if name == "gzip":
            return re.fullmatch(r"q=0(\.0*)?", weight) is None
    return False


def about(shown: Shown) -> dict[str, str]:
    """Return the headers that say which picture an answer is of, and how old that is."""
    return {
        "X-Ring-Version": shown.version,
        "X-Ring-At": moment(shown.judged.at),
        "X-Ring-Age": f"{shown.age:.3f}",
        "X-Ring-Stale": "true" if shown.stale else "false",
        "X-Ring-Certain": "true" if shown.certain else "false",
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }


class Renderer:
    """Renders answers beside the event loop, each once for a picture, a few at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._version = ""
        self._kept: dict[tuple[str, bool], tuple[bytes, bool]] = {}

    async def answer(
        self, request: web.Request, shown: Shown, render: Callable[[], object]
    ) -> web.StreamResponse:
        """Answer from a picture; 304 where the asker has it.

        ``render`` returns JSON values, or bytes that are JSON already.
        """
        headers, tag = about(shown), _tag(request, shown)
        for each in request.if_none_match or ():
            if each.value in {tag, f"{tag}-gzip"}:
                return web.Response(status=304, headers=headers | {"ETag": f'"{each.value}"'})
        body, coded = await self._body(request, shown, render)
        if coded:
            headers["Content-Encoding"] = "gzip"
            tag += "-gzip"  # a strong tag is of bytes, and these are others
        return web.Response(
            body=body,
            content_type="application/json",
            headers={**headers, **GUARDS, "ETag": f'"{tag}"'},
        )

    async def _body(
        self, request: web.Request, shown: Shown, render: Callable[[], object]
    ) -> tuple[bytes, bool]:
        if shown.version != self._version:
            self._version, self._kept = shown.version, {}
        kept, key = self._kept, (request.path_qs, takes_gzip(request))
        if key not in kept:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._turn.acquire()
            except TimeoutError:
                raise Refusal(503, "too many questions at once", "ask again") from None
            try:
                if key not in kept:  # somebody may have asked the same meanwhile
                    made = await asyncio.to_thread(_rendered, render, zips=key[1])
                    if len(kept) >= KEPT:
                        return made
                    kept[key] = made
            finally:
                self._turn.release()
        return kept[key]


def _tag(request: web.Request, shown: Shown) -> str:
    """Name an answer: who has its tag has had it, so that there was one to this question."""
    asked = hashlib.blake2b(request.path_qs.encode(), digest_size=6).hexdigest()
    return f"{shown.version}-{asked}"


def _rendered(render: Callable[[], object], *, zips: bool) -> tuple[bytes, bool]:
    made = render()
    body = made if isinstance(made, bytes) else encode(made)
    if zips and len(body) >= WORTH_GZIP:
        return gzip.compress(body, compresslevel=5, mtime=0), True
    return body, False
