"""The `ring` command as its users run it: real processes, their output and exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
import tty
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from ring.model import (
    RING_SIZE,
    Factor,
    Keyspace,
    Liveness,
    Local,
    Node,
    RingState,
    Simple,
    Topology,
)
from ring.ringfile import dump
from tests.unit.ring.schema import faults
from tests.unit.ring.strategies import node

STEP = RING_SIZE // 6
SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
PATIENCE = 60.0  # seconds; it takes half of one


def nodes() -> list[Node]:
    return [
        node(n, n * STEP - 3 * STEP, rack="abc"[n % 3], kubernetes_node=f"w{n % 2}")
        for n in range(6)
    ]


def written(folder: Path, *changed: Node) -> Path:
    by_host = {each.host_id: each for each in [*nodes(), *changed]}
    keyspaces = (
        Keyspace("shop", Topology((("dc1", Factor(3)),))),
        Keyspace("mine", Local()),
    )
    file = folder / "ring.json"
    file.write_bytes(dump(RingState(tuple(by_host.values()), keyspaces)))
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path)


def ring(
    *words: object, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "ring", *map(str, words)],
        input=stdin.decode(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "COLUMNS": "80", **(env or {})},
    )
    assert "Traceback" not in done.stderr
    return done


HOSTS = [str(each.host_id) for each in nodes()]


def test_ranges_as_json_name_the_token_that_ends_them(file: Path) -> None:
    answer = json.loads(ring("ranges", "--file", file, "-o", "json").stdout)

    assert answer["keyspaces"]["shop"][1] == {
        "token": str(-2 * STEP),
        "replicas": [HOSTS[1], HOSTS[2], HOSTS[3]],
        "transient": [],
    }
    assert answer["keyspaces"]["mine"] == []


def test_ownership_as_json_is_of_the_whole_ring(file: Path) -> None:
    answer = json.loads(ring("ownership", "--file", file, "-o", "json").stdout)

    assert answer["primary"] == dict.fromkeys(HOSTS, 0.166667)
    assert answer["keyspaces"] == {"shop": dict.fromkeys(HOSTS, 0.500001), "mine": {}}


def test_a_healthy_ring_is_0_one_that_lost_its_quorum_is_1(tmp_path: Path) -> None:
    assert ring("health", "--file", written(tmp_path)).returncode == 0

    down = [each.as_liveness(Liveness.DOWN) for each in nodes()[:2]]
    done = ring("health", "--file", written(tmp_path, *down), "-o", "json")

    assert done.returncode == 1
    assert json.loads(done.stdout)["healthy"] is False


def test_an_unknown_node_is_not_taken_for_up(tmp_path: Path) -> None:
    unknown = [each.as_liveness(Liveness.UNKNOWN) for each in nodes()[:2]]
    done = ring("health", "--file", written(tmp_path, *unknown), "-o", "json")
    answer = json.loads(done.stdout)

    assert (done.returncode, answer["unknown"]) == (1, HOSTS[:2])


def test_the_level_that_decides_can_be_named(tmp_path: Path) -> None:
    file = written(tmp_path, nodes()[0].as_liveness(Liveness.DOWN))

    assert ring("health", "--file", file, "--level", "quorum").returncode == 0
    assert ring("health", "--file", file, "--level", "ALL").returncode == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--stop", "10.0.0.1"), 0),
        (("--stop", HOSTS[1], "--stop", HOSTS[2]), 1),
        (("--drain", "w1"), 1),
        (("--stop-rack", "dc1/a"), 0),
        (("--lose-dc", "dc1"), 1),
        (("--remove", "10.0.0.1"), 0),
        (("--remove", "10.0.0.1", "--remove", "10.0.0.2", "--remove", "10.0.0.3"), 1),
        (("--remove", "10.0.0.1", "--remove", "10.0.0.2", "--decommission", "10.0.0.3"), 0),
        (("--alter", "shop=NetworkTopologyStrategy,dc1:0"), 1),
        (("--add", "dc1/a"), 0),
        (("--alter", "shop=NetworkTopologyStrategy,dc1:1"), 0),
        (("--each",), 0),
        (("--each", "--level", "all"), 1),
        (("--most",), 0),
    ],
    ids=str,
)
def test_what_if_answers_by_its_exit_code(
    file: Path, words: tuple[str, ...] | str, code: int
) -> None:
    assert ring("whatif", "--file", file, *words).returncode == code


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--each", "--most"),
        ("--stop", "10.0.0.99"),
        ("--stop-rack", "dc1"),
        ("--stop", "10.0.0.1", "--remove", "10.0.0.1"),
        ("--add", "dc1/a="),
        ("--alter", "none=SimpleStrategy,replication_factor:1"),
        ("--keyspace", "none", "--each"),
        ("--level", "SOME", "--each"),
        ("--wrong",),
    ],
    ids=str,
)
def test_questions_that_make_no_sense_are_2_with_a_reason(
    file: Path, words: tuple[str, ...]
) -> None:
    done = ring("whatif", "--file", file, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_a_wrong_file_is_2_with_the_place_of_the_mistake(tmp_path: Path) -> None:
    file = tmp_path / "ring.json"
    file.write_text('{"nodes": [{"host_id": "me", "dc": "d", "rack": "r", "tokens": []}]}')
    done = ring("ranges", "--file", file)

    assert (done.returncode, done.stdout) == (2, "")
    assert "nodes[0].host_id: 'me' is not a UUID" in done.stderr


def test_no_file_is_2(tmp_path: Path) -> None:
    assert ring("ranges", "--file", tmp_path / "none").returncode == 2
    assert ring("ranges", "--file", tmp_path).returncode == 2


def test_a_ring_file_can_come_through_a_pipe(file: Path) -> None:
    assert ring("health", "--file", "-", stdin=file.read_bytes()).returncode == 0


@pytest.mark.parametrize("command", ["ownership", "ranges", "health"])
def test_yaml_says_the_same_as_json(file: Path, command: str) -> None:
    as_yaml = yaml.safe_load(ring(command, "--file", file, "-o", "yaml").stdout)

    assert as_yaml == json.loads(ring(command, "--file", file, "-o", "json").stdout)


def test_tables_in_a_pipe_have_no_colours_and_cut_nothing_off(file: Path) -> None:
    for command in ("ownership", "ranges", "health"):
        done = ring(command, "--file", file)

        assert "\x1b" not in done.stdout
        assert "…" not in done.stdout.replace(" … ", "")
    assert all(host in ring("ownership", "--file", file).stdout for host in HOSTS)


def on_a_terminal(file: Path, **more: str) -> str:
    """Return what `ring health` writes to a terminal, its exit code being 0."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    names = {"NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    with subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, "-m", "ring", "ownership", "--file", str(file)],
        stdout=theirs,
        env={**kept, "TERM": "xterm-256color", **more},
    ) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:
            while block := terminal.read(4096):  # ends with an error when the child has left
                written += block
        assert process.wait(PATIENCE) == 0
    return written.decode()


def test_tables_on_a_terminal_have_colours_unless_no_color_is_set(file: Path) -> None:
    assert "\x1b[" in on_a_terminal(file)
    assert "\x1b[" in on_a_terminal(file, NO_COLOR="")  # as no-color.org has it
    assert "\x1b" not in on_a_terminal(file, NO_COLOR="1")


def test_nothing_in_the_environment_brings_colours_into_a_pipe(file: Path) -> None:
    forced = {"FORCE_COLOR": "1", "GITHUB_ACTIONS": "1", "PY_COLORS": "1"}

    for words in (("ownership", "--file", file), ("--help",), ("health", "--wrong")):
        done = ring(*words, env=forced)

        assert done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_remarks_go_to_standard_error_and_into_the_answer_on_health(tmp_path: Path) -> None:
    state = RingState(tuple(nodes()), (Keyspace("system_auth", Simple(Factor(1))),))
    file = tmp_path / "ring.json"
    file.write_bytes(dump(state))

    done = ring("health", "--file", file, "-o", "json")

    assert "keyspaces.system_auth: one replica on the ring" in done.stderr
    assert [each["place"] for each in json.loads(done.stdout)["remarks"]] == [
        "keyspaces.system_auth"
    ]


def test_what_a_change_makes_odd_is_remarked_on(file: Path) -> None:
    done = ring("whatif", "--file", file, "--alter", "shop=NetworkTopologyStrategy,dc1:3,dc2:1")

    assert "after the change: keyspaces.shop.dc2: unknown data centre" in done.stderr


def test_tables_say_what_is_lost_already_and_what_is_unknown(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        *(each.as_liveness(Liveness.DOWN) for each in nodes()[:2]),
        nodes()[3].as_liveness(Liveness.UNKNOWN),
    )

    for words in (("--each",), ("--most",), ("--stop", "10.0.0.5")):
        done = ring("whatif", "--file", file, *words)

        assert "Lost already, before any change" in done.stdout
        assert "unknown: 10.0.0.3" in done.stdout


def test_skew_and_tokens_answer_too(file: Path) -> None:
    skew = ring("skew", "--file", file, "--rounds", 20, "--seed", 1, "-o", "json")
    tokens = ring("tokens", "--file", file, "dc1/a", "--count", 4, "-o", "json")

    assert json.loads(skew.stdout)["explained"] is True
    assert len(json.loads(tokens.stdout)["tokens"]) == 4
    assert ring("tokens", "--file", file, "dc9/a").returncode == 2


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (("ownership",), "ownership"),
        (("ranges",), "ranges"),
        (("health",), "health"),
        (("whatif", "--stop", "10.0.0.1", "--stop", "10.0.0.2"), "whatif"),
        (("whatif", "--add", "dc1/a"), "whatif"),
        (("whatif", "--remove", "10.0.0.1", "--remove", "10.0.0.2"), "whatif"),
        (("whatif", "--each"), "whatif-each"),
        (("whatif", "--each", "--level", "all"), "whatif-each"),
        (("whatif", "--most", "--level", "all"), "whatif-most"),
        (("skew", "--rounds", "20"), "skew"),
        (("tokens", "dc1/b"), "tokens"),
    ],
    ids=str,
)
def test_every_answer_is_as_documented(
    tmp_path: Path, words: tuple[str, ...], schema: str
) -> None:
    file = written(tmp_path, nodes()[3].as_liveness(Liveness.UNKNOWN))
    answer = json.loads(ring(*words, "--file", file, "-o", "json").stdout)
    documented = json.loads((SCHEMAS / f"{schema}.json").read_text())

    assert list(faults(documented, answer)) == []


def test_a_ring_file_is_as_documented(file: Path) -> None:
    documented = json.loads((SCHEMAS / "ring-file.json").read_text())

    assert list(faults(documented, json.loads(file.read_bytes()))) == []


def test_a_reader_that_has_enough_is_not_told_that_the_ring_is_unsafe(tmp_path: Path) -> None:
    many = [node(n, *range(n * 500, n * 500 + 500)) for n in range(60)]
    keyspace = Keyspace("shop", Topology((("dc1", Factor(3)),)))
    file = tmp_path / "many.json"
    file.write_bytes(dump(RingState(tuple(many), (keyspace,))))
    command = [sys.executable, "-m", "ring", "ranges", "--file", str(file), "-o", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 -- our own
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(PATIENCE) == -signal.SIGPIPE


@pytest.mark.parametrize("command", ["ownership", "ranges", "health", "skew"])
def test_names_with_brackets_are_names_and_no_markup(tmp_path: Path, command: str) -> None:
    body = json.loads(written(tmp_path).read_text())
    body["nodes"][0]["rack"] = "[/rack]"
    body["keyspaces"] = {"[/shop]": body["keyspaces"]["shop"]}
    hostile = tmp_path / "hostile.json"
    hostile.write_text(json.dumps(body))

    done = ring(command, "--file", hostile)

    assert done.returncode == 0
    assert "[/shop]" in done.stdout


def test_a_full_disk_is_no_verdict_on_a_ring(file: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-m", "ring", "health", "--file", file],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    assert done.returncode == 2
    assert "No space left" in done.stderr
