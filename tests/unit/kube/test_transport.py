"""What no decent server sends, TLS, and that a token never shows."""

import ssl
import subprocess
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from seedprovider.kube import transport as under_test
from seedprovider.kube.client import KubeClient
from seedprovider.kube.collection import HttpCollection, Selection
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.errors import Invalid, KubeError, Malformed, NotFound, Unavailable
from seedprovider.kube.events import Event, Opened, Removed, discard
from seedprovider.kube.resources import CONFIG_MAPS
from seedprovider.kube.transport import Request, Transport
from tests.fakes.rawserver import RawServer, Reply, http

TOKEN = "s3cret-token"  # noqa: S105 -- of nobody
REMOVED = b'{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"8"}}}\n'
STREAM = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def opened(url: str, folder: Path, ca: Path | None = None) -> AsyncIterator[Transport]:
    (folder / "token").write_text(TOKEN)
    credentials = Credentials(url, folder / "token", ca)
    async with Transport(credentials, user_agent="unit/1", request_seconds=0.5) as transport:
        yield transport


@asynccontextmanager
async def answering(
    folder: Path, *replies: Reply
) -> AsyncIterator[tuple[RawServer, Transport]]:
    async with RawServer(replies) as server, opened(server.url, folder) as transport:
        yield server, transport


async def watch(transport: Transport) -> tuple[list[Event[None]], KubeError | None]:
    """Return the events of one watch, and what ended it unless it ended cleanly."""
    collection = HttpCollection(transport, Selection(CONFIG_MAPS, "ns"), discard)
    events: list[Event[None]] = []
    try:
        async with aclosing(collection.watch("7")) as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 -- kept when it raises
    except KubeError as error:
        return events, error
    return events, None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b""),
        Reply(b"", abort=True),
        Reply(b"", stay=True),
        Reply(b"what?\r\n\r\n"),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n"),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"),
        Reply(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"),
        Reply(CHUNKED + b"zz\r\n"),
    ],
    ids=["end", "reset", "silence", "no-http", "length", "short", "header", "chunk"],
)
async def test_whatever_breaks_is_unavailable_and_never_shows_the_token(
    tmp_path: Path, reply: Reply
) -> None:
    async with answering(tmp_path, reply) as (server, transport):
        for method in ("GET", "PUT"):
            with pytest.raises(Unavailable) as caught:
                await transport.send(Request(method, "/x", body=b"{}"))
            assert caught.value.outcome_unknown is (method == "PUT")
            assert TOKEN not in "".join(shown(caught.value))

    assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def shown(error: BaseException) -> Sequence[str]:
    """Return all that a log or a debugger could print of an error and its causes."""
    chain: list[BaseException] = []
    rest: BaseException | None = error
    while rest is not None:
        chain.append(rest)
        rest = rest.__cause__ or rest.__context__
    printed = [repr(vars(each)) + repr(each.args) for each in chain]
    return [*printed, *traceback.format_exception(error)]


async def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    away = Reply(http(b"", "302 Found", "Location: /elsewhere"), stay=True)
    async with answering(tmp_path, away) as (server, transport):
        with pytest.raises(Invalid):
            await transport.send(Request("GET", "/x"))

    assert len(server.asked) == 1


async def test_requests_are_counted_also_where_they_fail(tmp_path: Path) -> None:
    replies = Reply(http(b"{}", "200 OK"), stay=True), Reply(http(b"", "503 Away"), stay=True)
    async with answering(tmp_path, *replies) as (_, transport):
        await transport.send(Request("GET", "/x"))
        with pytest.raises(Unavailable):
            await transport.send(Request("GET", "/x"))

        assert transport.requests == len(replies)


async def test_an_error_page_of_a_proxy_is_cut_to_a_short_reason(tmp_path: Path) -> None:
    page = Reply(http(b"<html>" * 100_000, "502 Bad Gateway"))
    async with answering(tmp_path, page) as (_, transport):
        with pytest.raises(Unavailable) as caught:
            await transport.send(Request("GET", "/x"))

    assert caught.value.reason == "GET /x: HTTP 502 Bad Gateway"


async def test_a_body_over_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "MAX_BODY_BYTES", 10)
    async with answering(tmp_path, Reply(http(b"x" * 100))) as (_, transport):
        with pytest.raises(Malformed, match="over 10 bytes"):
            await transport.send(Request("GET", "/x"))
    async with answering(tmp_path, Reply(http(b"x" * 10))) as (_, transport):
        assert await transport.send(Request("GET", "/x")) == b"x" * 10


@pytest.mark.parametrize("answer", [b"", b"{}", b"ok"])
async def test_a_write_answered_with_nonsense_may_have_happened(
    tmp_path: Path, answer: bytes
) -> None:
    async with answering(tmp_path, Reply(http(answer, "201 Created"))) as (_, transport):
        with pytest.raises(Unavailable) as caught:
            await KubeClient(transport).create(CONFIG_MAPS, "ns", {}, discard)

    assert caught.value.outcome_unknown


async def test_a_watch_cut_within_a_line_gives_the_lines_before_it(tmp_path: Path) -> None:
    async with answering(tmp_path, Reply(STREAM + REMOVED + b'{"type":"DEL')) as (_, transport):
        events, error = await watch(transport)

    assert [type(each) for each in events] == [Opened, Removed]
    assert error is None


async def test_a_chunked_watch_that_breaks_off_is_unavailable(tmp_path: Path) -> None:
    size = f"{len(REMOVED):x}\r\n".encode()
    async with answering(tmp_path, Reply(CHUNKED + size + REMOVED + b"\r\n")) as (_, transport):
        events, error = await watch(transport)

    assert [type(each) for each in events] == [Opened, Removed]
    assert type(error) is Unavailable


async def test_garbage_between_good_lines_ends_the_watch(tmp_path: Path) -> None:
    async with answering(tmp_path, Reply(STREAM + b"oops\n" + REMOVED)) as (_, transport):
        events, error = await watch(transport)

    assert events == [Opened("7")]
    assert type(error) is Malformed


async def test_a_list_that_never_ends_is_given_up(tmp_path: Path) -> None:
    page = b'{"kind":"XList","metadata":{"resourceVersion":"1","continue":"on"},"items":[]}'
    async with answering(tmp_path, Reply(http(page), stay=True)) as (_, transport):
        with pytest.raises(Malformed, match="pages"):
            await HttpCollection(transport, Selection(CONFIG_MAPS, "ns"), discard).list()


async def test_pages_of_several_versions_are_watched_from_the_first(tmp_path: Path) -> None:
    page = '{"kind":"XList","metadata":{"resourceVersion":"%s","continue":"%s"},"items":[]}'
    first, last = (
        Reply(http((page % it).encode()), stay=True) for it in (("5", "on"), ("9", ""))
    )
    async with answering(tmp_path, first, last) as (server, transport):
        listed = await HttpCollection(transport, Selection(CONFIG_MAPS, "ns"), discard).list()

    assert listed.version == "5"
    assert "continue=on" in server.asked[1].target


async def test_a_missing_token_is_a_kube_error_before_anything_is_sent(tmp_path: Path) -> None:
    async with answering(tmp_path, Reply(b"")) as (server, transport):
        (tmp_path / "token").unlink()
        with pytest.raises(KubeError, match="token file"):
            await transport.send(Request("GET", "/x"))

    assert server.asked == []


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for the raw server's address, with its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}"]
    command += [
        "-addext",
        "subjectAltName=IP:127.77.2.1",
        "-out",
        str(cert),
        "-keyout",
        str(key),
    ]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return cert, key


async def test_a_server_is_trusted_by_the_ca_file_also_after_that_was_replaced(
    tmp_path: Path,
) -> None:
    cert, key = certificate(tmp_path, "server")
    other, _ = certificate(tmp_path, "other")
    ca = tmp_path / "ca.crt"
    ca.write_bytes(other.read_bytes())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    async with (
        RawServer([Reply(http(b"{}", "404 Not Found"), stay=True)], tls=tls) as server,
        opened(server.url, tmp_path, ca) as transport,
    ):
        with pytest.raises(Unavailable, match="certificate verify failed") as caught:
            await transport.send(Request("PUT", "/x", body=b"{}"))
        assert not caught.value.outcome_unknown
        assert server.asked == []

        ca.write_bytes(cert.read_bytes())
        with pytest.raises(NotFound):
            await transport.send(Request("GET", "/x"))
