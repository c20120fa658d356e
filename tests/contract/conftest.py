"""The API server that the statements are made about: the emulated one, or a real one.

For a real one set KUBE_CONTRACT_URL, KUBE_CONTRACT_TOKEN_FILE, KUBE_CONTRACT_CA_FILE and
KUBE_CONTRACT_NAMESPACE (an existing namespace; what the tests make there is removed again).
Its token has to allow lists of all namespaces, and it has to have compacted its history once.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from localring.apiserver import ApiServer
from tests.contract.cluster import PATIENCE, Cluster, Stream, put

TOKEN = "token-of-the-contract"  # noqa: S105 - the emulator's own
LONG_LINE = 2**22  # bytes


@asynccontextmanager
async def emulated() -> AsyncIterator[Cluster]:
    async with (
        ApiServer("127.71.0.1", tokens=[TOKEN]) as server,
        aiohttp.ClientSession(read_bufsize=LONG_LINE) as session,
    ):
        yield Cluster(session, server.url, TOKEN, "default")


@asynccontextmanager
async def real(url: str, token: str) -> AsyncIterator[Cluster]:
    context = ssl.create_default_context(cafile=os.environ.get("KUBE_CONTRACT_CA_FILE"))
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=LONG_LINE) as session:
        namespace = os.environ.get("KUBE_CONTRACT_NAMESPACE", "default")
        cluster = Cluster(session, url.rstrip("/"), token, namespace)
        try:
            yield cluster
        finally:
            await cluster.clean("configmaps", "leases", "events", "services")


def pytest_report_header() -> str:
    """Say which API server it is about."""
    return f"contract of {os.environ.get('KUBE_CONTRACT_URL') or 'the emulated API server'}"


@pytest.fixture(scope="session")
def token() -> str:
    file = os.environ.get("KUBE_CONTRACT_TOKEN_FILE")
    return Path(file).read_text().strip() if file else TOKEN


@pytest.fixture
async def cluster(token: str) -> AsyncIterator[Cluster]:
    url = os.environ.get("KUBE_CONTRACT_URL")
    async with real(url, token) if url else emulated() as cluster:
        yield cluster


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    """An emulated server that asks for no token, for tests that throw its switches."""
    async with ApiServer("127.71.0.2") as server:
        yield server


@pytest.fixture
async def stage(server: ApiServer) -> AsyncIterator[Cluster]:
    async with aiohttp.ClientSession(headers={"User-Agent": "first/1"}) as session:
        yield Cluster(session, server.url, "any", "default")


@pytest.fixture
async def free_of_leftovers(server: ApiServer) -> AsyncIterator[None]:
    """Have the server notice that its clients are gone, without waiting for a write."""
    yield
    async with asyncio.timeout(PATIENCE):
        await server.until_open_watches(0)


@pytest.fixture
async def stream(stage: Cluster, server: ApiServer) -> AsyncIterator[Stream]:
    """A watch of the config maps that has begun, and was told all there was."""
    async with stage.watch("configmaps", labelSelector="") as stream:
        put(server, "begun")
        assert await stream.told() == ("ADDED", "begun")
        yield stream
