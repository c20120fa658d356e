"""Watches that end, break off, or send what is no event."""

import aiohttp
import pytest

from localring.apiserver import ApiServer, Fault, Kind
from tests.contract.cluster import Cluster, Ended, Stream, put

pytestmark = pytest.mark.usefixtures("free_of_leftovers")


async def test_a_cut_watch_is_reset_and_not_ended(server: ApiServer, stream: Stream) -> None:
    assert server.cut_watches() == 1

    with pytest.raises(aiohttp.ClientPayloadError, match="ConnectionResetError"):
        await stream.next()


async def test_only_the_watches_of_the_client_meant_are_cut(
    server: ApiServer, stream: Stream
) -> None:
    assert server.cut_watches(client="second") == 0
    assert server.cut_watches(resource="pods") == 0
    put(server, "still")

    assert await stream.told() == ("ADDED", "still")


async def test_watches_can_be_ended_cleanly(server: ApiServer, stream: Stream) -> None:
    assert server.end_watches() == 1

    with pytest.raises(Ended):
        await stream.next()


async def test_every_watch_ends_at_once_as_long_as_the_rule_is_in_force(
    server: ApiServer, stage: Cluster, stream: Stream
) -> None:
    server.faults.add(Fault(kind=Kind.END_WATCH))
    async with stage.watch("configmaps", resourceVersion=server.store.version) as fresh:
        for ended in (stream, fresh):
            with pytest.raises(Ended):
                await ended.next()


async def test_a_garbage_line_comes_once_to_each_watch(
    server: ApiServer, stream: Stream
) -> None:
    server.faults.add(Fault(kind=Kind.GARBAGE_LINE))

    with pytest.raises(ValueError):  # noqa: PT011 - no JSON
        await stream.next()
    put(server, "after")
    assert await stream.told() == ("ADDED", "after")


async def test_a_line_can_be_too_long_for_anybody(server: ApiServer, stream: Stream) -> None:
    server.faults.add(Fault(kind=Kind.OVERSIZED_LINE, size_bytes=2**22))

    with pytest.raises(aiohttp.http_exceptions.LineTooLong):
        await stream.next()
