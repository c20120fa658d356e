"""The `ring` command on a real ring, through the API server, beside nodetool."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio

from ring.model import Liveness
from tests.integration.manager.conftest import Watched, is_whole
from tests.unit.ring.live import Done, ring

SERVICE = "cassandra-ring-manager"
CONVICTION = 90.0  # seconds until failure detectors have given up a silent node
DATA = ("-k", "system_traces")  # the keyspace with two copies that every ring has


class Operator:
    """Somebody with a kubeconfig and the `ring` command."""

    def __init__(self, manager: Watched) -> None:
        self.kubeconfig: Path = manager.ring.directory / "kubeconfig"

    async def ring(self, *words: object) -> Done:
        return await ring(*words, env={"KUBECONFIG": str(self.kubeconfig)})

    async def answer(self, *words: object) -> dict[str, Any]:
        done = await self.ring(*words, "-o", "json")
        assert done.err == ""
        found: dict[str, Any] = json.loads(done.out)
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def operator(manager: Watched) -> AsyncGenerator[Operator]:
    """Publish the manager as its manifests do, so that the service proxy leads to it."""
    store, port = manager.ring.api.store, urlsplit(manager.it.url).port
    service = {
        "metadata": {"name": SERVICE},
        "spec": {"ports": [{"name": "http", "port": 8080}]},
    }
    piece = {
        "metadata": {
            "name": f"{SERVICE}-1",
            "labels": {"kubernetes.io/service-name": SERVICE},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port}],
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}],
    }
    store.create("services", service, "default")
    store.create("endpointslices", piece, "default")
    yield Operator(manager)
    store.delete("endpointslices", f"{SERVICE}-1", "default")
    store.delete("services", SERVICE, "default")


async def nodetool_status(manager: Watched, *words: str) -> dict[str, dict[str, str]]:
    """Return what ``nodetool status`` prints of each host."""
    printed = await manager.ring.pod(0).node.nodetool("status", *words)
    rows = [line.split() for line in printed.splitlines() if line[:2] in {"UN", "DN", "UJ"}]
    return {
        row[-2]: {"state": row[0], "address": row[1], "tokens": row[-4], "owns": row[-3]}
        for row in rows
    }


async def test_status_is_that_of_nodetool(manager: Watched, operator: Operator) -> None:
    for words in ((), ("system_auth",), ("system_traces",)):
        option = ("-k", words[0]) if words else ()
        theirs = await nodetool_status(manager, *words)
        answer = await operator.answer("status", *option)
        table = (await operator.ring("status", *option)).out.splitlines()
        rows = [line.split() for line in table if line[:2] == "UN"]
        ours = {
            each["hostId"]: {
                "state": each["state"],
                "address": each["address"],
                "tokens": str(each["tokens"]),
                "owns": next(row[5] for row in rows if each["hostId"] in row),
            }
            for each in answer["members"]
        }

        assert len(ours) == 3
        assert ours == theirs, words
        assert [each["pod"] for each in answer["members"]] == [
            f"cassandra-{n}" for n in range(3)
        ]


async def test_members_tokens_and_seeds_are_those_of_the_ring(
    manager: Watched, operator: Operator, tmp_path: Path
) -> None:
    members = (await operator.answer("members"))["members"]
    seeds = (await operator.answer("seeds"))["pods"]
    wrote = await operator.ring("snapshot", tmp_path / "kept.json")
    live = await operator.ring("ownership", "-o", "json")
    kept = await operator.ring("ownership", "--file", tmp_path / "kept.json", "-o", "json")

    for each in members:
        node = manager.ring.pod(each["ordinal"]).node
        printed = (await node.nodetool("info", "-T")).splitlines()
        tokens = [line.split(":")[1].strip() for line in printed if line.startswith("Token ")]
        assert sorted(each["tokens"]) == sorted(tokens)
    assert {each["explanation"]["outcome"] for each in seeds.values()} == {"seeds"}
    assert wrote.code == 0
    assert (live.code, kept.out) == (0, live.out)


async def test_a_lost_pod_shuts_the_gate_until_it_is_back(
    manager: Watched, operator: Operator
) -> None:
    before = await operator.ring("gate", "cassandra-1", *DATA)
    assert before.code == 0, before.out

    await manager.ring.lose(2)
    await manager.until(
        "a picture without the pod",
        lambda judged: "cassandra-2" not in (judged.snapshot.pods or {"cassandra-2": None}),
    )
    at_once = await operator.ring("gate", "cassandra-1", *DATA)
    await manager.until(
        "a member that is down",
        lambda judged: any(m.liveness is Liveness.DOWN for m in judged.snapshot.members),
        CONVICTION,
    )
    status = await operator.ring("status")
    shut = await operator.answer("gate", "cassandra-1", *DATA)
    itself = await operator.ring("gate", "cassandra-2", *DATA)
    waiting = asyncio.ensure_future(
        operator.ring("gate", "cassandra-1", *DATA, "--wait", "--timeout", "240")
    )
    manager.ring.start(2)
    waited = await waiting
    await manager.until("the whole ring again", is_whole)

    assert at_once.code == 1, at_once.out  # failure detectors need longer
    assert (status.code, "DN" in status.out) == (1, True)
    assert [each["code"] for each in shut["reasons"]] == ["level-lost"]
    assert (itself.code, "it serves nothing now" in itself.out) == (0, True)
    assert waited.code == 0, waited
    assert "system_traces: ONE read would fail" in waited.err
