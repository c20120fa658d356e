"""Faults below the requests: servers that refuse, requests that hang, answers that get lost."""

import asyncio
import socket
import ssl
from contextlib import closing

import aiohttp
import pytest

from localring.apiserver import ApiServer, Fault, Kind
from tests.contract.cluster import OTHER, PATIENCE, Cluster, Stream

pytestmark = pytest.mark.usefixtures("free_of_leftovers")


async def test_a_refusing_server_resets_connections_and_comes_back_on_its_port(
    server: ApiServer, stage: Cluster, stream: Stream
) -> None:
    url = server.url
    await server.refuse()

    with pytest.raises(aiohttp.ClientError):
        await stream.next()
    with pytest.raises(aiohttp.ClientConnectorError):
        await stage.list("configmaps")
    assert not server.accepting

    await server.accept()
    assert (server.url, (await stage.list("configmaps")).status) == (url, 200)


async def test_a_hanging_request_is_answered_once_the_rule_is_removed(
    server: ApiServer, stage: Cluster
) -> None:
    with server.faults.active(Fault(kind=Kind.HANG, client="first")):
        asked = asyncio.create_task(stage.list("configmaps"))
        other = await stage.ask("GET", stage.path("configmaps"), headers=OTHER)
        async with asyncio.timeout(PATIENCE):
            await server.requests.until(1, client="first")

        assert (other.status, asked.done()) == (200, False)
    assert (await asked).status == 200


async def test_a_client_that_gives_up_on_a_hanging_request_leaves_nothing_behind(
    server: ApiServer, stage: Cluster
) -> None:
    server.faults.add(Fault(kind=Kind.HANG))
    impatient = aiohttp.ClientTimeout(total=0.05)
    with pytest.raises(TimeoutError):
        await stage.ask("GET", stage.path("configmaps"), timeout=impatient)

    assert [entry.status for entry in server.requests] == [None]


async def test_a_write_may_be_done_though_its_answer_never_comes(
    server: ApiServer, stage: Cluster
) -> None:
    server.faults.add(Fault(kind=Kind.DROP_RESPONSE, verb="create", times=1))

    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await stage.create("configmaps", stage.body("a"))
    assert (await stage.get("configmaps", "a")).status == 200


async def test_a_delayed_write_is_done_before_it_is_answered(
    server: ApiServer, stage: Cluster
) -> None:
    server.faults.add(Fault(kind=Kind.DELAY, verb="create", seconds=60))

    with pytest.raises(TimeoutError):
        await stage.ask(
            "POST",
            stage.path("configmaps"),
            json=stage.body("a"),
            timeout=aiohttp.ClientTimeout(total=0.1),
        )
    assert (await stage.get("configmaps", "a")).status == 200


@pytest.mark.parametrize(
    "tls", [None, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)], ids=["plain", "tls"]
)
@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_is_just_being_accepted_is_reset_like_every_other(
    turns: int, tls: ssl.SSLContext | None
) -> None:
    async with ApiServer("127.71.0.3", ssl_context=tls) as server:
        with closing(connected_to(server)) as client:
            for _ in range(turns):  # of the loop, each of which brings the accepting further
                await asyncio.sleep(0)
            await server.refuse()

            assert await is_reset(client)


@pytest.mark.parametrize("turns", range(6))
async def test_a_server_that_ends_resets_who_is_just_being_accepted(turns: int) -> None:
    async with ApiServer("127.71.0.3") as server:
        client = connected_to(server)
        for _ in range(turns):
            await asyncio.sleep(0)
    with closing(client):
        assert await is_reset(client)


def connected_to(server: ApiServer) -> socket.socket:
    """Connect before the server's loop gets a chance to notice."""
    client = socket.create_connection(("127.71.0.3", server.port), PATIENCE)
    client.setblocking(False)  # noqa: FBT003 - a positional-only argument
    return client


async def is_reset(client: socket.socket) -> bool:
    loop = asyncio.get_running_loop()
    try:
        return await asyncio.wait_for(loop.sock_recv(client, 1), PATIENCE) is None
    except ConnectionResetError:
        return True
