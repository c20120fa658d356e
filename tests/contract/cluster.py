"""An API server, emulated or real, as a test talks to it: over HTTP and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from localring.apiserver import ApiServer

PATIENCE = 20.0  # seconds, until something that has to come counts as lost
GROUPS = {
    "leases": "apis/coordination.k8s.io/v1",
    "endpointslices": "apis/discovery.k8s.io/v1",
    "statefulsets": "apis/apps/v1",
}
MERGE_PATCH = "application/merge-patch+json"
RUN_LABEL = "contract-run"
OTHER = {"User-Agent": "second/1"}  # the fixtures' own client is ``first/1``


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def reason(self) -> str:
        return str(self.body["reason"])

    @property
    def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"])

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.body["items"]]


class Ended(Exception):  # noqa: N818 - an end is no error here
    """The watch came to its end."""


@dataclass(slots=True)
class Stream:
    """An open watch, read event by event."""

    response: aiohttp.ClientResponse

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            line = await self.response.content.readline()
        if not line:
            raise Ended
        event: dict[str, Any] = json.loads(line)
        return event

    async def told(self) -> tuple[str, str]:
        """Give kind and object name of the next event."""
        event = await self.next()
        return event["type"], event["object"]["metadata"]["name"]


@dataclass(slots=True)
class Cluster:
    """A namespace of an API server.  What a test makes there carries the label ``mine``."""

    session: aiohttp.ClientSession
    base_url: str
    token: str
    namespace: str
    run: str = field(default_factory=lambda: uuid4().hex[:12])

    @property
    def mine(self) -> str:
        return f"{RUN_LABEL}={self.run}"

    def name(self, short: str) -> str:
        return f"{short}-{self.run}"

    def path(self, plural: str, name: str = "", namespace: str | None = None) -> str:
        place = f"namespaces/{self.namespace if namespace is None else namespace}/"
        if namespace == "":
            place = ""
        tail = f"/{name}" if name else ""
        return f"/{GROUPS.get(plural, 'api/v1')}/{place}{plural}{tail}"

    def body(self, short: str, **fields: object) -> dict[str, Any]:
        own = fields.pop("labels", {})
        assert isinstance(own, Mapping)
        labels = {RUN_LABEL: self.run, **own}
        return {"metadata": {"name": self.name(short), "labels": labels}, **fields}

    async def ask(self, method: str, path: str, **how: Any) -> Answer:  # noqa: ANN401 - what aiohttp takes
        headers = {"Authorization": f"Bearer {self.token}", **how.pop("headers", {})}
        url = self.base_url + path
        async with (
            asyncio.timeout(PATIENCE),
            self.session.request(method, url, headers=headers, **how) as response,
        ):
            is_json = response.content_type == "application/json"
            body = await response.json() if is_json else await response.text()
            return Answer(response.status, dict(response.headers), body)

    async def create(self, plural: str, body: Mapping[str, Any]) -> Answer:
        return await self.ask("POST", self.path(plural), json=body)

    async def get(self, plural: str, short: str) -> Answer:
        return await self.ask("GET", self.path(plural, self.name(short)))

    async def list(self, plural: str, **query: str) -> Answer:
        params = {"labelSelector": self.mine, **query}
        return await self.ask("GET", self.path(plural), params=params)

    async def replace(self, plural: str, body: Mapping[str, Any]) -> Answer:
        return await self.ask("PUT", self.path(plural, body["metadata"]["name"]), json=body)

    async def patch(self, plural: str, short: str, patch: object) -> Answer:
        path = self.path(plural, self.name(short))
        headers = {"Content-Type": MERGE_PATCH}
        return await self.ask("PATCH", path, data=json.dumps(patch), headers=headers)

    async def delete(self, plural: str, short: str, **preconditions: str) -> Answer:
        path = self.path(plural, self.name(short))
        options = {"preconditions": preconditions} if preconditions else {}
        return await self.ask("DELETE", path, json=options)

    @asynccontextmanager
    async def watch(self, plural: str, **query: str) -> AsyncIterator[Stream]:
        params = {"watch": "true", "labelSelector": self.mine, **query}
        headers = {"Authorization": f"Bearer {self.token}"}
        url = self.base_url + self.path(plural)
        async with self.session.get(url, params=params, headers=headers) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)

    async def clean(self, *plurals: str) -> None:
        for plural in plurals:
            for name in (await self.list(plural)).names:
                await self.ask("DELETE", self.path(plural, name))


def put(server: ApiServer, name: str, **data: str) -> str:
    """Create or change a config map in the emulated server's store; give its version."""
    body = {"metadata": {"name": name}, "data": data}
    write = server.store.has("configmaps", name, "default")
    made = (
        server.store.patch("configmaps", name, body, "default")
        if write
        else server.store.create("configmaps", body, "default")
    )
    return str(made["metadata"]["resourceVersion"])
