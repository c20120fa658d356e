"""Ways to a manager that are closed, and what operators are told to do about each."""

import asyncio
import base64
import socket
from pathlib import Path

import pytest
import yaml

from localring.apiserver import Fault, Kind
from tests.unit.ring.live import MANAGER, TOKEN, live, ring


async def test_who_is_not_known_or_not_allowed_is_told_so(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        there.configure(token=TOKEN[:-1])
        unknown = await there.ring("status")
        there.configure(token=TOKEN)
        there.api.faults.add(Fault(kind=Kind.FORBID, resource="services/proxy"))
        forbidden = await there.ring("status")

    assert (unknown.code, forbidden.code) == (2, 2)
    assert "does not know you" in unknown.err
    assert "cannot get resource" in forbidden.err
    assert "get on services/proxy, resource name http:cassandra-ring-manager:8080" in (
        forbidden.err
    )


async def test_where_there_is_no_manager_it_is_said_how_to_install_one(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        elsewhere = await there.ring("status", "--context", "elsewhere")
        other = await there.ring("status", "--service", "db")
        named = await there.ring("status", "--context", "elsewhere", "-n", "shop", "-o", "json")
        wrong = await there.ring("status", "--context", "nowhere")

    assert "Service cassandra-ring-manager does not exist in namespace default" in elsewhere.err
    assert "components/manager" in elsewhere.err
    assert "db-ring-manager does not exist in namespace shop" in other.err
    assert (named.code, named.err) == (0, "")
    assert "no context nowhere\n  there are: elsewhere, shop" in wrong.err
    assert {each.code for each in (elsewhere, other, wrong)} == {2}


async def test_a_manager_that_is_not_ready_or_not_reached_is_told_apart(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        piece = there.api.store.get("endpointslices", f"{MANAGER}-1", "shop")
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            piece["ports"][0]["port"] = closed.getsockname()[1]
            there.api.store.replace("endpointslices", piece["metadata"]["name"], piece, "shop")
            refused = await there.ring("status")
        there.api.store.delete("endpointslices", f"{MANAGER}-1", "shop")
        empty = await there.ring("status")
        await there.api.refuse()
        away = await there.ring("status")

    assert "is not ready: error trying to reach service" in refused.err
    assert "is not ready: no endpoints available" in empty.err
    assert away.err == f"ring: {there.api.url}: Connection refused\n"
    assert {each.code for each in (refused, empty, away)} == {2}


async def test_a_server_with_another_name_or_authority_is_not_trusted(tmp_path: Path) -> None:
    async with live(tmp_path, subject="DNS:api.example") as there:
        cluster = there.config["clusters"][0]["cluster"]
        other = await there.ring("status")
        cluster["tls-server-name"] = "api.example"
        there.configure(token=TOKEN)
        named = await there.ring("status")
        data = base64.b64encode((tmp_path / "server.crt").read_bytes()).decode()
        cluster |= {"certificate-authority": "gone", "certificate-authority-data": data}
        there.configure(token=TOKEN)
        inside = await there.ring("status")
        del cluster["certificate-authority"], cluster["certificate-authority-data"]
        there.configure(token=TOKEN)
        unknown = await there.ring("status")
        cluster["insecure-skip-tls-verify"] = True
        there.configure(token=TOKEN)
        unasked = await there.ring("status")

    assert (other.code, "is not trusted" in other.err) == (2, True)
    assert (unknown.code, "is not trusted" in unknown.err) == (2, True)
    assert [named.code, inside.code, unasked.code] == [0, 0, 0], (named, inside, unasked)


async def test_a_proxy_is_gone_through_and_other_kinds_are_refused(tmp_path: Path) -> None:
    tunnels: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        tunnels.append(head.split(b" HTTP")[0])
        host, _, port = head.split()[1].decode().rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with (
        live(tmp_path) as there,
        await asyncio.start_server(tunnel, "127.0.0.1") as proxy,
    ):
        port = proxy.sockets[0].getsockname()[1]
        there.config["clusters"][0]["cluster"]["proxy-url"] = f"http://127.0.0.1:{port}"
        there.configure(token=TOKEN)
        through = await there.ring("status")
        there.config["clusters"][0]["cluster"]["proxy-url"] = "socks5://127.0.0.1:1080"
        there.configure(token=TOKEN)
        socks = await there.ring("status")
        del there.config["clusters"][0]["cluster"]["proxy-url"]
        there.configure(token=TOKEN)
        by_environment = await there.ring("status", HTTPS_PROXY=f"http://127.0.0.1:{port}")
        passed_by = await there.ring(
            "status", HTTPS_PROXY=f"http://127.0.0.1:{port}", NO_PROXY="127.0.0.1"
        )

    assert [through.code, by_environment.code, passed_by.code] == [0, 0, 0], through.err
    assert tunnels == [f"CONNECT 127.0.0.1:{there.api.port}".encode()] * 2
    assert (socks.code, "HTTP proxies are" in socks.err) == (2, True)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}x", "sends no JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"[" * 9000, "sends no JSON"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 9000\r\n\r\n" + b"[" * 9000, "answers HTTP 500"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{}", "cut off"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            "damaged",
        ),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "answers HTTP 500"),
        (b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n", "cannot answer now"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH-2.0"),
        (b"", ""),
    ],
)
async def test_whatever_answers_instead_of_a_manager_is_no_crash(
    answer: bytes, message: str
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        done = await ring("status", "--manager", f"http://127.0.0.1:{port}")

    assert (done.code, done.out) == (2, "")
    assert message in done.err


async def test_several_files_are_merged_as_kubectl_does(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        users = tmp_path / "users"
        users.write_text(yaml.safe_dump({"users": there.config["users"]}))
        there.kubeconfig.write_text(yaml.safe_dump({**there.config, "users": []}))
        missing = tmp_path / "missing"
        both = f"{missing}:{there.kubeconfig}:{users}"
        done = await ring("status", env={"KUBECONFIG": both})

    assert (done.code, done.err) == (0, "")
