"""`ring status` and its like, as operators run them, against the manager's true API."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ring.judged import Judged
from tests.unit.ring.live import environment, live, ring
from tests.unit.ring.schema import faults
from tests.unit.ring.serving import Time
from tests.unit.ring.strategies import host
from tests.unit.ring.worlds import World

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return found


async def explained(_judged: Judged, pod: str | None) -> dict[str, Any]:
    """Answer as sidecars would."""
    told = {
        "outcome": "withheld",
        "seeds": [],
        "replace": None,
        "rule": "turn-taken",
        "reason": "cassandra-4 holds the join turn",
        "candidates": [
            {"pod": "cassandra-0", "address": "10.0.0.0", "chosen": False, "why": "not asked"}
        ],
    }
    one = {"hostId": None, "inUse": ["10.0.0.1"], "explanation": told, "failure": None}
    silent = {"hostId": None, "inUse": None, "explanation": None, "failure": "timed out"}
    pods = {"cassandra-0": one, "cassandra-1": silent}
    return {"pods": {name: each for name, each in pods.items() if pod in (None, name)}}


async def test_status_shows_members_as_nodetool_does_with_pods_and_findings(
    tmp_path: Path,
) -> None:
    world = World(6)
    world.down(4)
    async with live(tmp_path, world) as there:
        done = await there.ring("status")
        again = await there.directly("status")

    assert (done.code, done.err) == (1, "")
    assert done == again
    lines = done.out.splitlines()
    assert "Datacenter: dc1" in lines
    up = next(line for line in lines if "cassandra-3" in line).split()
    assert up == [
        *("UN", "10.0.0.3", "953.67", "MiB", "4", "50.0%", str(host(3)), "a"),
        *("cassandra-3", "3", "a", "worker-3", "yes"),
    ]
    down = next(line for line in lines if "cassandra-4" in line)
    assert down.startswith("DN  10.0.0.4")
    assert "WARNING member-down" in lines
    assert "    kubectl -n shop describe pod cassandra-4" in lines


async def test_status_of_a_healthy_ring_ends_with_zero_and_as_documented(
    tmp_path: Path,
) -> None:
    async with live(tmp_path) as there:
        done = await there.ring("status", "-o", "json")
        as_yaml = await there.ring("status", "-o", "yaml")

    answer = json.loads(done.out)
    assert done.code == 0
    assert list(faults(schema("status"), answer)) == []
    assert (answer["healthy"], answer["ownershipOf"]) == (True, "shop")
    assert [round(each["owns"], 4) for each in answer["members"]] == [0.5] * 6
    assert yaml.safe_load(as_yaml.out) == answer


async def test_ownership_is_shown_only_where_one_keyspace_speaks_for_all(
    tmp_path: Path,
) -> None:
    world = World(3)
    world.keyspaces["other"] = {"class": "SimpleStrategy", "replication_factor": "1"}
    async with live(tmp_path, world) as there:
        neither = await there.ring("status")
        named = await there.ring("status", "-k", "other")
        unknown = await there.ring("status", "-k", "shed")

    assert "Keyspaces replicate in different ways" in neither.out
    assert "Ownership is that of keyspace other." in named.out
    assert "33.3%" in named.out
    assert unknown.code == 2
    assert unknown.err.startswith("ring: there is no keyspace shed\n")


async def test_a_stale_picture_is_shown_as_such_and_is_never_healthy(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        there.stage.latest.stale_seconds = 0.0
        done = await there.ring("status")
        gate = await there.ring("gate", "cassandra-1")
        whatif = await there.ring("whatif", "--stop", "cassandra-1")

    assert done.code == 1
    assert done.out.startswith("STALE (")
    for refused in (gate, whatif):
        assert (refused.code, refused.out) == (2, "")
        assert "nothing is decided by it" in refused.err


async def test_members_findings_history_and_seeds(tmp_path: Path) -> None:
    async with live(tmp_path, ask_seeds=explained) as there:
        there.stage.world.down(4)
        there.stage.show()
        members = await there.ring("members")
        findings = await there.ring("findings")
        history = await there.ring("history", "--limit", "1")
        seeds = await there.ring("seeds")
        one = await there.ring("seeds", "cassandra-0", "-o", "json")
        none = await there.ring("seeds", "cassandra-0", "cassandra-7")

    row = next(line for line in members.out.splitlines() if "cassandra-4" in line).split()
    assert row[:6] == ["cassandra-4", "DN", "10.0.0.4", "dc1", "b", "0/5/0"]
    assert (members.code, findings.code, history.code) == (0, 1, 0)
    assert "cassandra-4 is down." in findings.out
    assert history.out == "2026-01-01T00:00:01Z  cassandra-4  went down\n"
    assert "cassandra-0: gossip uses 10.0.0.1" in seeds.out
    assert "withheld: none (turn-taken: cassandra-4 holds the join turn)" in seeds.out
    assert "no explanation: timed out" in seeds.out
    assert list(json.loads(one.out)["pods"]) == ["cassandra-0"]
    assert (none.code, none.err) == (2, "ring: there is no pod cassandra-7\n")


async def test_the_gate_answers_by_exit_code_and_in_numbers(tmp_path: Path) -> None:
    world = World(6)
    world.down(4)
    async with live(tmp_path, world) as there:
        yes = await there.ring("gate", "cassandra-1")
        no = await there.ring("gate", "cassandra-0", "-o", "json")
        strict = await there.ring("gate", "cassandra-1", "--strict")
        node = await there.ring("gate", "--node", "worker-4")
        one = await there.ring("gate", "cassandra-0", "-l", "one")
        wrong = await there.ring("gate", "cassandra-9")
        neither = await there.ring("gate")

    assert yes.code == 0
    assert yes.out.startswith("yes: cassandra-1 may stop now\n")
    assert no.code == 1
    assert list(faults(schema("gate"), json.loads(no.out))) == []
    assert (strict.code, "because [member-down]" in strict.out) == (1, True)
    assert (node.code, "it serves nothing now" in node.out) == (0, True)
    assert one.code == 0
    assert (wrong.code, "no pod of cassandra is 'cassandra-9'" in wrong.err) == (2, True)
    assert (neither.code, "name pods" in neither.err) == (2, True)


async def test_the_drain_order_and_its_exit_code(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        safe = await there.ring("drain-order", "-o", "json")
        there.stage.world.down(4)
        there.stage.show()
        unsafe = await there.ring("drain-order")

    steps = json.loads(safe.out)["steps"]
    assert steps[0]["pods"] == ["cassandra-0", "cassandra-3"]
    assert (safe.code, unsafe.code) == (0, 1)
    assert "shop QUORUM read" in unsafe.out


async def test_offline_commands_answer_live_where_no_file_is_named(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        health = await there.ring("health", "-o", "json")
        safe = await there.ring("whatif", "--stop", "cassandra-1")
        unsafe = await there.ring("whatif", "--stop", "cassandra-1", "--stop", "cassandra-2")
        drain = await there.ring("whatif", "--drain", "worker-9")
        ownership = await there.ring("ownership", "-k", "shop", "-o", "json")
        tokens = await there.ring("tokens", "dc1/a")

    assert json.loads(health.out)["healthy"] is True
    assert (safe.code, unsafe.code) == (0, 1)
    assert (drain.code, drain.err) == (2, "ring: --drain: no node is on worker-9\n")
    shares = json.loads(ownership.out)["keyspaces"]["shop"].values()
    assert {round(each, 4) for each in shares} == {0.5}
    assert tokens.code == 0


async def test_a_snapshot_answers_all_that_the_manager_did(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    world = World(6)
    world.down(4)
    asked = [
        *(["status"], ["members"], ["findings"], ["history"], ["seeds"], ["drain-order"]),
        *(["ownership"], ["whatif", "--stop", "cassandra-0"], ["health", "-k", "shop"]),
    ]
    async with live(tmp_path, world, ask_seeds=explained) as there:
        wrote = await there.ring("snapshot", file)
        alive = [await there.ring(*words, "-o", "json") for words in asked]
        kept = [await there.ring(*words, "--file", file, "-o", "json") for words in asked]
        ring_only = await there.ring("snapshot", "-", "--ring-only")

    assert wrote.code == 0
    assert list(faults(schema("ring-file"), json.loads(file.read_text()))) == []
    for words, now, then in zip(asked, alive, kept, strict=True):
        assert (then.code, json.loads(then.out)) == (now.code, json.loads(now.out)), words
    assert set(json.loads(ring_only.out)) == {"nodes", "keyspaces"}


async def test_a_mere_ring_file_has_no_pods_and_the_gate_reads_no_file(tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text('{"nodes": [], "keyspaces": {}}')
    async with live(tmp_path) as there:
        status = await there.ring("status", "--file", file)
        both = await there.ring("status", "--file", file, "-n", "shop")
        gate = await there.ring("gate", "cassandra-0", "--file", file)
        full = await there.ring("snapshot", tmp_path / "nowhere" / "ring.json")

    assert (status.code, "`ring snapshot` writes both" in status.err) == (2, True)
    assert (both.code, "without a manager" in both.err) == (2, True)
    assert (gate.code, "No such option" in gate.err) == (2, True)
    assert (full.code, "No such file or directory" in full.err) == (2, True)


async def test_before_the_first_picture_it_is_said_when_to_ask_again(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        there.stage.latest._judged = None
        done = await there.ring("status")

    assert done.code == 2
    assert "nothing has been observed yet" in done.err


@pytest.mark.parametrize("age", [0.0, 12.0])
async def test_ages_are_those_of_the_picture(tmp_path: Path, age: float) -> None:
    time = Time()
    async with live(tmp_path) as there:
        there.stage.latest._clock = time
        there.stage.show()
        time.now += age
        done = await there.ring("status", "-o", "json")

    assert json.loads(done.out)["stale"] is False


async def test_commands_complete_pods_and_keyspaces(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        pods = await there.ring(
            _RING_COMPLETE="complete_bash", COMP_WORDS="ring gate cassandra-", COMP_CWORD="2"
        )
        keyspaces = await there.ring(
            _RING_COMPLETE="complete_bash", COMP_WORDS="ring gate -k s", COMP_CWORD="3"
        )
        by_kubectl = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "ring.completing", "gate", "cassandra-"],
            env=environment(KUBECONFIG=str(there.kubeconfig)),
            capture_output=True,
            text=True,
            check=True,
        )
        there.configure()  # nobody is let in without a token
        none = await there.ring(
            _RING_COMPLETE="complete_bash", COMP_WORDS="ring gate cassandra-", COMP_CWORD="2"
        )

    names = [f"cassandra-{n}" for n in range(6)]
    assert pods.out.split() == names
    assert by_kubectl.stdout.split() == [*names, ":4"]
    assert keyspaces.out.split() == ["shop", "system_auth"]
    assert none.out.split() == []


@pytest.mark.parametrize("name", ["a b", "\N{LATIN SMALL LETTER E WITH ACUTE}", "../ring"])
async def test_a_keyspace_may_have_any_name(tmp_path: Path, name: str) -> None:
    async with live(tmp_path) as there:
        done = await there.directly("status", "-k", name)

    assert done.code == 2
    assert done.err.startswith(f"ring: there is no keyspace {name}\n")


async def test_a_dump_that_is_none_is_said_to_be_so(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        await there.ring("snapshot", tmp_path / "dump.json")
    dump = json.loads((tmp_path / "dump.json").read_text())
    cases = {
        "lacks": {"/v1/ring": {"version": dump["manager"]["/v1/ring"]["version"]}},
        "fails": {"/v1/ring": {"error": "nothing was observed"}},
        "words": {"/v1/ring": "hello"},
    }
    told = []
    for name, answers in cases.items():
        (tmp_path / name).write_text(json.dumps(dump | {"manager": answers}))
        told.append(await ring("status", "--file", tmp_path / name))
    (tmp_path / "deep").write_text('{"manager":' + "[" * 100_000)
    told.append(await ring("status", "--file", tmp_path / "deep"))
    told.append(await ring("health", "--file", tmp_path / "deep"))
    members = dump["manager"]["/v1/ring"]["members"]
    members[0]["more"] = json.loads("[" * 800 + "]" * 800)  # as deep as can still be read
    (tmp_path / "shown").write_text(json.dumps(dump))
    told.append(await ring("status", "-o", "yaml", "--file", tmp_path / "shown"))

    assert [each.code for each in told] == [2] * 6
    assert "of this version" in told[0].err
    assert "nothing was observed" in told[1].err
    assert "no object" in told[2].err
    for each in told[3:]:
        assert "nested beyond all use" in each.err
        assert each.err.count("\n") == 1


async def test_a_picture_from_a_file_tells_when_it_was_taken(tmp_path: Path) -> None:
    async with live(tmp_path) as there:
        now = await there.ring("status")
        await there.ring("snapshot", tmp_path / "dump.json")
    then = await ring("status", "--file", tmp_path / "dump.json")
    order = await ring("drain-order", "--file", tmp_path / "dump.json")

    assert all("\nTaken: 2026-01-01T00:00:00.000Z\n" in f"\n{each.out}" for each in (now, then))
    assert "OLD" not in now.out
    for each in (then, order):
        assert each.out.startswith("OLD (")
        assert "2026-01-01T00:00:00.000Z" in each.out.splitlines()[0]


async def test_what_a_name_does_to_a_terminal_is_written_out(tmp_path: Path) -> None:
    world = World(3)
    rack = "a\x1b[2J\x1b]0;owned\x07\x9b"
    for seat in world.seats:
        seat.rack = rack
        seat.row, seat.entry = replace(seat.row, rack=rack), replace(seat.entry, rack=rack)
    async with live(tmp_path, world) as there:
        told = [await there.ring("status"), await there.ring("status", "-o", "json")]
        told += [await there.ring("ownership")]

    assert not [each for each in "\x1b\x07\x9b" if any(each in done.out for done in told)]
    assert r"a\x1b[2J" in told[0].out
    assert {each["rack"] for each in json.loads(told[1].out)["members"]} == {rack}
