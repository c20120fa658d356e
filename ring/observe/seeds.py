"""Asks sidecars what their nodes were told to use as seeds, and why."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import msgspec

from ring.errors import UnknownNodeError
from ring.judged import Judged
from ring.manager import addresses
from ring.objects import pod_order
from ring.observe.bodies import GARBAGE, whole
from ring.observe.line import AGENT, host_in_url

Json = dict[str, Any]

PATIENCE: Final = 4.0
"""Seconds for one sidecar: it may ask others before it explains."""
PATIENCE_FOR_ALL: Final = 8.0
"""Seconds for all of them; commands wait 15 for an answer."""
AT_ONCE: Final = 128
MOST_BYTES: Final = 2**20
FULL: Final = 50
"""Up to so many pods explanations are given whole; of more, only the chosen candidates."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Seeds:
    """Asks the sidecars of a picture's pods."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session, self._port = session, port
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._flights: dict[str | None, asyncio.Task[Json]] = {}

    async def ask(self, judged: Judged, pod: str | None) -> Json:
        """Return every pod's seeds, or one's; `UnknownNodeError` where there is no such pod.

        Who asks the same while it is being asked gets the same answer: so many questions are
        under way at most as there are pods.
        """
        flight = self._flights.get(pod)
        if flight is None:
            flight = self._flights[pod] = asyncio.create_task(self._ask(judged, pod))
            flight.add_done_callback(lambda done: self._landed(pod, done))
        return await asyncio.shield(flight)

    def _landed(self, pod: str | None, flight: asyncio.Task[Json]) -> None:
        del self._flights[pod]
        if not flight.cancelled():
            flight.exception()  # perhaps nobody waits for it any more

    async def _ask(self, judged: Judged, pod: str | None) -> Json:
        there = addresses(judged.snapshot.observed)
        if pod is not None:
            if pod not in there:
                raise UnknownNodeError(f"there is no pod {pod} with an address")
            there = {pod: there[pod]}
        names = sorted(there, key=pod_order)
        ends = asyncio.get_running_loop().time() + PATIENCE_FOR_ALL
        answers = await asyncio.gather(*(self._in_time(there[name], ends) for name in names))
        return {
            "pods": {
                name: _shown(judged, name, answer, whole=len(names) <= FULL)
                for name, answer in zip(names, answers, strict=True)
            }
        }

    async def _in_time(self, address: str, ends: float) -> Json | str:
        try:
            async with asyncio.timeout_at(ends):
                return await self._one(address)
        except TimeoutError:
            return f"no answer within {PATIENCE_FOR_ALL:g} s, as too many others gave none"

    async def _one(self, address: str) -> Json | str:
        """Return an explanation, or why there is none."""
        url = f"http://{host_in_url(address)}:{self._port}/v1/seeds"
        try:
            async with (
                self._turn,
                asyncio.timeout(PATIENCE),
                self._session.get(url, allow_redirects=False) as response,
            ):
                body = await whole(response.content, MOST_BYTES)
                if response.content_type != "application/json":
                    said = " ".join(body[:200].decode(errors="replace").split())
                    return said or f"HTTP {response.status}"
                return _decode(body)
        except TimeoutError:
            return f"no answer within {PATIENCE:g} s"
        except GARBAGE as error:
            return f"no explanation: {error}"
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError) as error:
            return str(error) or type(error).__name__


def _shown(judged: Judged, pod: str, answer: Json | str, *, whole: bool) -> Json:
    host = judged.snapshot.who.by_pod.get(pod)
    member = judged.snapshot.by_host.get(host) if host else None
    in_use = member.seeds if member else None
    told = answer if isinstance(answer, dict) else None
    return {
        "hostId": str(host) if host else None,
        "inUse": sorted(in_use) if in_use is not None else None,
        "explanation": told if told is None or whole else _chosen(told),
        "failure": answer if isinstance(answer, str) else None,
    }


def _chosen(told: Mapping[str, Any]) -> Json:
    """Leave out candidates that were not chosen: of n nodes they are n times n."""
    listed = told.get("candidates")
    if not isinstance(listed, list):
        return dict(told)
    kept = [each for each in listed if isinstance(each, dict) and each.get("chosen") is True]
    before = told.get("candidatesLeftOut")
    left_out = before if isinstance(before, int) else 0
    return {**told, "candidates": kept, "candidatesLeftOut": left_out + len(listed) - len(kept)}


def session() -> aiohttp.ClientSession:
    """Make the session for these questions; close it at the end."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=AT_ONCE),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=60),  # whoever asks has a closer bound
        headers={"Accept-Encoding": "identity", "User-Agent": AGENT},
        auto_decompress=False,
        read_bufsize=2**14,
        trust_env=False,
    )
