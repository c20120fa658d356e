"""A manager beside the real ring: it runs in this process, on the stage's API server."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest_asyncio

from localring.ring import LocalRing
from localring.waiting import wait_until
from ring.judged import Judged
from ring.serve import Running, Settings, running

SEEN_PATIENCE = 60.0  # seconds until the manager shows what happened
Json = dict[str, Any]


def kubeconfig(ring: LocalRing) -> Path:
    """Write one for the stage's API server, with its token file."""
    path = ring.directory / "kubeconfig"
    cluster = {"name": "stage", "cluster": {"server": ring.api.url}}
    user = {"name": "manager", "user": {"tokenFile": str(ring.directory / "token")}}
    context = {"name": "stage", "context": {"cluster": "stage", "user": "manager"}}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [user],
        "contexts": [context],
        "current-context": "stage",
    }
    path.write_bytes(msgspec.json.encode(body))  # which is YAML too
    return path


def settings(ring: LocalRing, **changes: Any) -> Settings:  # noqa: ANN401 -- of any setting
    """Return how a manager of the ring is told about it."""
    usual = Settings(
        namespace="default",
        identity="manager-0",
        kubeconfig=kubeconfig(ring),
        host="127.0.0.1",
        port=0,
    )
    return replace(usual, **changes)


class Watched:
    """A manager that runs beside a ring, and its API."""

    def __init__(self, ring: LocalRing, it: Running, session: aiohttp.ClientSession) -> None:
        self.ring, self.it, self._session = ring, it, session

    @property
    def judged(self) -> Judged:
        """The newest picture."""
        shown = self.it.latest.shown()
        assert shown is not None
        return shown.judged

    @property
    def states(self) -> dict[str, str]:
        """Each pod's member as ``nodetool status`` writes it."""
        return {each.name: each.state for each in self.judged.snapshot.members}

    @property
    def kinds(self) -> set[str]:
        """What is found."""
        return {str(each.kind) for each in self.judged.found}

    async def get(self, path: str, status: int = 200) -> Json:
        """Ask the API."""
        async with self._session.get(self.it.url + path) as response:
            body: Json = await response.json()
            assert response.status == status, body
            return body

    async def until(
        self, what: str, holds: Callable[[Judged], bool], patience: float = SEEN_PATIENCE
    ) -> float:
        """Wait until a picture is so; return how many seconds it took."""

        async def missing() -> str | None:
            if self.it.task.done():
                self.it.task.result()
            shown = self.it.latest.shown()
            if shown is not None and holds(shown.judged):
                return None
            return self.told() if shown is not None else "no picture yet"

        return await wait_until(what, missing, patience=patience)

    def told(self) -> str:
        """Say in one line what the manager shows, for a test that waits in vain."""
        found = "; ".join(f"{each.kind}: {each.what}" for each in self.judged.found)
        return f"{self.states}, certain: {self.judged.snapshot.is_certain}, found: {found}"


def is_whole(judged: Judged) -> bool:
    """Say whether the picture is of a whole ring with tokens and keyspaces."""
    snapshot = judged.snapshot
    up = all(each.state == "UN" and each.tokens for each in snapshot.members)
    pods = snapshot.pods or {}
    return bool(
        up
        and snapshot.is_certain
        and len(snapshot.members) == len(pods)
        and snapshot.keyspaces.read
        and all(reading.is_fresh(60) for reading in snapshot.observed.kubernetes.values())
    )


@asynccontextmanager
async def watched(ring: LocalRing, **changes: Any) -> AsyncGenerator[Watched]:  # noqa: ANN401
    """Run a manager beside a ring."""
    async with (
        aiohttp.ClientSession(trust_env=False) as session,
        running(settings(ring, **changes)) as it,
    ):
        yield Watched(ring, it, session)


@pytest_asyncio.fixture(loop_scope="session")
async def manager(ring: LocalRing) -> AsyncGenerator[Watched]:
    async with watched(ring) as it:
        await it.until("a picture of the whole ring", is_whole)
        yield it
