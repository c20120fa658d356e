"""The program as it is started in a pod: a process, its exit codes, its signals, its life."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from localring.apiserver import ApiServer, Fault
from localring.apiserver import Kind as FaultKind
from seedprovider.cache import FILE
from seedprovider.question import MAX_CONFIGURED
from tests.fakes.situations import OTHER_RING

HOST = "127.50.6.1"
PATIENCE = 30.0
"""Far more than anything here takes: who waits this long would wait for ever."""


@dataclass
class Program:
    """A running sidecar; `said` is what it wrote to standard error so far."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def says(self, text: str) -> str:
        """Read on until a line holds `text`; return the line."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stderr.readline()).decode():
                self.said.append(line)
                if text in line:
                    return line
        raise AssertionError("".join(self.said))

    async def ends(self) -> int:
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            self.said += (await self.process.stderr.read()).decode().splitlines(keepends=True)
            return await self.process.wait()


@contextlib.asynccontextmanager
async def started(env: dict[str, str], *arguments: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "seedprovider",
        *arguments,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def free_port(host: str = HOST) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Pod:
    """What a pod gives its sidecar."""

    api: ApiServer
    env: dict[str, str]

    @property
    def loopback(self) -> str:
        return f"http://{self.env['SEEDPROVIDER_LOOPBACK_LISTEN']}"

    @property
    def network(self) -> str:
        return f"http://{HOST}:{self.env['SEEDPROVIDER_POD_PORT']}"

    def remembers(self, content: str) -> None:
        state = Path(self.env["SEEDPROVIDER_STATE_DIR"])
        state.mkdir()
        (state / FILE).write_text(content)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Program]:
        async with started(self.env) as program:
            await program.says("serving cassandra-0 in cassandra")
            yield program


@pytest.fixture
async def pod(tmp_path: Path) -> AsyncIterator[Pod]:
    (tmp_path / "data").mkdir()
    (tmp_path / "token").write_text("good")
    async with ApiServer(HOST, tokens=["good"]) as api:
        selector = {"app": "cassandra"}
        api.store.create(
            "services",
            {"metadata": {"name": "cassandra"}, "spec": {"selector": selector}},
            "ns",
        )
        meta = {"name": "cassandra-0", "labels": selector}
        status = {"phase": "Running", "podIP": HOST}
        made = api.store.create("pods", {"metadata": meta, "status": status}, "ns")
        api.store.create(
            "persistentvolumeclaims",
            {"metadata": {"name": "data-cassandra-0"}, "status": {"phase": "Bound"}},
            "ns",
        )
        env = {
            "POD_NAME": "cassandra-0",
            "POD_UID": made["metadata"]["uid"],
            "POD_NAMESPACE": "ns",
            "POD_IP": HOST,
            "SEEDPROVIDER_KUBE_URL": api.url,
            "SEEDPROVIDER_KUBE_TOKEN_FILE": str(tmp_path / "token"),
            "SEEDPROVIDER_CLAIM": "data",
            "SEEDPROVIDER_DATA_DIR": str(tmp_path / "data"),
            "SEEDPROVIDER_STATE_DIR": str(tmp_path / "state"),
            "SEEDPROVIDER_LOOPBACK_LISTEN": f"{HOST}:{free_port()}",
            "SEEDPROVIDER_POD_PORT": str(free_port()),
            "SEEDPROVIDER_STORAGE_PORT": str(free_port()),
        }
        yield Pod(api, env)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE)) as session:
        yield session


# -- before it serves --------------------------------------------------------------------------


async def test_help_lists_every_setting_and_needs_none() -> None:
    async with started({}, "--help") as program:
        assert program.process.stdout is not None
        text = (await program.process.stdout.read()).decode()
        assert await program.ends() == 0

    assert "SEEDPROVIDER_FOUNDING_GRACE" in text
    assert "POD_NAME" in text
    assert program.said == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"POD_NAME": ""}, "POD_NAME='': must be the name of a StatefulSet's pod, such as"),
        ({"SEEDPROVIDER_POD_PORT": "http"}, "SEEDPROVIDER_POD_PORT='http': must be a port"),
        ({"SEEDPROVIDER_PORTS": "1"}, "SEEDPROVIDER_PORTS is not a setting; see "),
        (
            {"SEEDPROVIDER_KUBE_URL": "http://192.0.2.1:8080"},
            "SEEDPROVIDER_KUBE_URL: a token goes over https only, not to 'http://192.0.2.1:8080'",
        ),
        (
            {"SEEDPROVIDER_KUBE_URL": "https://192.0.2.1/cluster"},
            "SEEDPROVIDER_KUBE_URL: an API server URL is scheme, host and port: 'https://192.0",
        ),
    ],
)
async def test_a_wrong_setting_ends_it_with_2_and_one_line_that_names_it(
    pod: Pod, changes: dict[str, str], line: str
) -> None:
    async with started({**pod.env, **changes}) as program:
        assert await program.ends() == 2

    assert len(program.said) == 1
    assert program.said[0].startswith(f"seedprovider: {line}")


# -- asked in a shell --------------------------------------------------------------------------


async def test_explain_shows_what_the_sidecar_told_its_node(
    pod: Pod, http: aiohttp.ClientSession
) -> None:
    async with pod.serving():
        asked = {"disk": "empty", "address": HOST}
        async with http.get(f"{pod.loopback}/v1/seeds", params=asked):
            pass
        async with started(pod.env, "explain") as program:
            assert program.process.stdout is not None
            told = json.loads(await program.process.stdout.read())
            assert await program.ends() == 0

    assert (told["asker"]["pod"], told["rule"]) == ("cassandra-0", "founder")


async def test_explain_ends_with_1_where_no_sidecar_answers(pod: Pod) -> None:
    async with started(pod.env, "explain", "cassandra-1") as program:
        assert await program.ends() == 1

    assert len(program.said) == 1
    assert "does not answer" in program.said[0]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.parametrize("listener", ["pod network", "loopback"])
async def test_a_port_that_is_taken_ends_it_with_1_and_a_line_that_names_it(
    pod: Pod, listener: str, taken: int
) -> None:
    wrong = (
        {"SEEDPROVIDER_POD_PORT": str(taken)}
        if listener == "pod network"
        else {"SEEDPROVIDER_LOOPBACK_LISTEN": f"{HOST}:{taken}"}
    )
    async with started({**pod.env, **wrong}) as program:
        assert await program.ends() == 1

    assert "cannot listen" in program.said[-1]
    assert f"'{HOST}', {taken}" in program.said[-1]
    assert not any("Traceback" in line for line in program.said)


async def test_an_address_that_is_not_ours_ends_it_with_1(pod: Pod) -> None:
    async with started({**pod.env, "POD_IP": "192.0.2.1"}) as program:
        assert await program.ends() == 1

    assert "cannot listen" in program.said[-1]
    assert not any("Traceback" in line for line in program.said)


# -- its end -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_0_and_without_a_complaint(
    pod: Pod, http: aiohttp.ClientSession, number: signal.Signals
) -> None:
    async with pod.serving() as program:
        # A connection that is kept alive is none that anybody waits for.
        assert (await http.get(f"{pod.network}/livez")).status == 200
        program.process.send_signal(number)
        assert await program.ends() == 0

    assert "stopping" in program.said[-1]
    assert not any(word in line for line in program.said for word in ("Traceback", "ERROR"))


async def test_it_ends_though_the_api_server_keeps_it_waiting(
    pod: Pod, http: aiohttp.ClientSession
) -> None:
    async with pod.serving() as program:
        with pod.api.faults.active(Fault(kind=FaultKind.HANG)):
            before = len(pod.api.requests)
            asking = asyncio.create_task(http.get(f"{pod.loopback}/v1/seeds?disk=empty"))
            while len(pod.api.requests) == before:
                await pod.api.requests.until(len(pod.api.requests) + 1)
            program.process.terminate()
            assert await program.ends() == 0
        with contextlib.suppress(aiohttp.ClientError):
            await asking

    assert not any("Traceback" in line for line in program.said)


# -- its life ----------------------------------------------------------------------------------


async def test_the_first_pod_founds_the_ring_and_is_led_from_then_on(
    pod: Pod, http: aiohttp.ClientSession
) -> None:
    async with pod.serving() as program:
        answer = await http.get(f"{pod.loopback}/v1/seeds?disk=empty&address={HOST}")
        text = await answer.text()
        assert (answer.status, text) == (200, f"{HOST}\n")
        claim = pod.api.store.get("persistentvolumeclaims", "data-cassandra-0", "ns")
        assert answer.headers["X-Pvc-Uid"] == claim["metadata"]["uid"]
        record = pod.api.store.get("configmaps", "cassandra-ring", "ns")["data"]
        ring = answer.headers["X-Ring-Id"]
        assert (record["ringId"], record["how"]) == (ring, "founded")

        beat = {"mode": "STARTING", "disk": {"state": "empty"}}
        told = await http.put(f"{pod.loopback}/v1/node", json=beat)
        assert told.status == 204
        body = await (await http.get(f"{pod.network}/v1/node")).json()
        assert (body["heartbeat"]["mode"], body["cassandra"]) == ("STARTING", "starting")
        assert (await http.get(f"{pod.network}/readyz")).status == 503
        why = await (await http.get(f"{pod.network}/v1/seeds")).json()
        assert (why["outcome"], why["ringId"]) == ("seeds", ring)

        foreign = f"disk=member&ring={OTHER_RING}&host={OTHER_RING}"
        refused = await http.get(f"{pod.loopback}/v1/seeds?{foreign}")
        assert refused.status == 409
        metrics = await (await http.get(f"{pod.network}/metrics")).text()
        assert "seedprovider_heartbeats_total 1.0" in metrics
        assert 'seedprovider_answers_total{outcome="refused"' in metrics
        program.process.terminate()
        assert await program.ends() == 0


async def test_without_the_api_server_it_says_so_and_starts_to_answer_once_it_is_back(
    pod: Pod, http: aiohttp.ClientSession
) -> None:
    await pod.api.refuse()
    async with pod.serving():
        assert (await http.get(f"{pod.network}/livez")).status == 200
        assert (await http.get(f"{pod.network}/startupz")).status == 503
        answer = await http.get(f"{pod.loopback}/v1/seeds?disk=empty")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert (await answer.text()).count("\n") == 1
        await pod.api.accept()
        answer = await http.get(f"{pod.loopback}/v1/seeds?disk=empty")
        assert answer.status == 200


@pytest.mark.parametrize("content", ["{", "", json.dumps({"format": 9, "remembered": {}})])
async def test_a_cache_that_cannot_be_read_is_ignored_with_a_warning(
    pod: Pod, content: str
) -> None:
    pod.remembers(content)
    async with pod.serving() as program:
        warned = [line for line in program.said if "WARNING" in line]

    assert any("the last good answer is ignored: " in line and FILE in line for line in warned)


async def test_as_many_configured_seeds_as_allowed_fit_into_a_question(
    pod: Pod, http: aiohttp.ClientSession
) -> None:
    names = [f"{n:02d}".ljust(253, "x") for n in range(MAX_CONFIGURED - 1)]
    query = ",".join([*names, "not_a_name!"])  # so that nobody looks the others up
    async with pod.serving():
        answer = await http.get(f"{pod.loopback}/v1/seeds?disk=unmarked&configured={query}")
        text = await answer.text()

    assert text == "configured: 'not_a_name!' is no name or IP address\n"
