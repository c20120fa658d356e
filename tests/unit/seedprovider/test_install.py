"""The command in a pod: a copy of Cassandra's settings, a disk, an API server."""

import asyncio
import contextlib
import os
import signal
import stat
import sys
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from localring.apiserver import ApiServer, Fault, Kind
from seedprovider.install import rackdc
from seedprovider.install.cluster import Waiting
from seedprovider.install.command import install
from seedprovider.install.parameters import CLASS
from seedprovider.kube.credentials import Credentials
from seedprovider.model import Entry, EntryState
from seedprovider.objects import entry_body
from seedprovider.racks import FILE, rack_text
from seedprovider.settings import read_install
from tests.fakes.cassandrayaml import SHAPE_5_0, SHAPES
from tests.fakes.situations import entry, host, pod

HOST = "127.50.7.1"
PATIENCE = 30.0
SNITCH = "GossipingPropertyFileSnitch"
PROPERTIES = "# where it stands\ndc=dc1\nrack=rack1\n# prefer_local=true\n"
ZONE = "topology.kubernetes.io/zone"


@dataclass
class Pod:
    """A pod whose init container runs: its folders, its environment, the API server."""

    api: ApiServer
    folder: Path
    env: dict[str, str]
    slept: float = 0.0

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def data(self) -> Path:
        return self.folder / "volume" / "data"

    @property
    def rack_file(self) -> Path:
        return self.data / FILE

    def read(self, name: str) -> str:
        return (self.conf / name).read_text()

    def write(self, name: str, text: str) -> None:
        (self.conf / name).write_text(text)

    def settings(self) -> dict[str, Any]:
        held: dict[str, Any] = yaml.safe_load(self.read("cassandra.yaml"))
        return held

    @property
    def rack(self) -> str | None:
        return rackdc.rack_of(self.read("cassandra-rackdc.properties"))

    @property
    def recorded(self) -> str | None:
        return self.rack_file.read_text() if self.rack_file.exists() else None

    def copies(self, text: str = SHAPE_5_0) -> None:
        """Do what the init container before ours does: bring the image's own settings."""
        self.conf.mkdir(exist_ok=True)
        self.write("cassandra.yaml", text)
        self.write("cassandra-env.sh", '#!/bin/sh\nJVM_OPTS="$JVM_OPTS -ea"\n')
        self.write("cassandra-rackdc.properties", PROPERTIES)

    def holds_data(self, mark: str = "") -> None:
        table = self.data / "system" / "local-7ad5"
        table.mkdir(parents=True)
        (table / "nb-1-big-Data.db").touch()
        if mark:
            (self.data / "cassandra-ring.mark").write_text(mark)

    def has_nodes(self, *zones: str | None) -> None:
        for number, zone in enumerate(zones):
            labels = {ZONE: zone} if zone else {}
            meta = {"name": f"node-{number}", "labels": labels}
            self.api.store.create("nodes", {"metadata": meta})

    def has_entry(self, n: int, rack: str, state: EntryState = EntryState.MEMBER) -> Entry:
        held = replace(entry(n, state=state), rack=rack, version=None)
        self.api.store.create("configmaps", entry_body(held, "ns", "cassandra"), "ns")
        return held

    def asked(self) -> list[str]:
        """Return what the API server was asked for."""
        return [f"{each.verb} {each.resource}" for each in self.api.requests]

    async def installs(self, **changes: str) -> int:
        """Run the command; a pause passes at once, on a clock that is its own."""

        async def sleep(seconds: float) -> None:
            self.slept += seconds
            await asyncio.sleep(0)

        settings = read_install({**self.env, **changes})
        credentials = Credentials(settings.kube_url, settings.kube_token_file)
        waiting = Waiting(settings.patience, sleep, lambda: self.slept, lambda: 0.5)
        return await install(settings, credentials, self.conf, waiting)

    def files(self) -> Mapping[str, tuple[bytes, int]]:
        """Return content and mode of all files in reach."""
        return {
            str(path.relative_to(self.folder)): (path.read_bytes(), path.stat().st_mode)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Pod]:
    (tmp_path / "volume").mkdir()
    (tmp_path / "token").write_text("good")
    with zipfile.ZipFile(tmp_path / "seeds.jar", "w") as jar:
        jar.writestr(f"{CLASS.replace('.', '/')}.class", b"class")
    async with ApiServer(HOST, tokens=["good"]) as api:
        env = {
            "POD_NAME": "cassandra-0",
            "POD_NAMESPACE": "ns",
            "NODE_NAME": "node-0",
            "SEEDPROVIDER_KUBE_URL": api.url,
            "SEEDPROVIDER_KUBE_TOKEN_FILE": str(tmp_path / "token"),
            "SEEDPROVIDER_DATA_DIR": str(tmp_path / "volume" / "data"),
            "SEEDPROVIDER_JAR": str(tmp_path / "seeds.jar"),
            "CASSANDRA_ENDPOINT_SNITCH": SNITCH,
        }
        made = Pod(api, tmp_path, env)
        made.copies()
        yield made


# -- what is in the copy afterwards ------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_copy_of_the_images_settings_is_fitted_to_the_sidecar(
    here: Pod, shape: str
) -> None:
    here.copies(shape)
    here.has_nodes("a", "b", "c")
    assert await here.installs() == 0

    assert here.settings() == {
        **yaml.safe_load(shape),
        "seed_provider": [
            {"class_name": CLASS, "parameters": [{"sidecar_url": "http://127.0.0.1:8078"}]}
        ],
    }
    assert "$CASSANDRA_CONF/cassandra-k8s-seeds.jar" in here.read("cassandra-env.sh")
    jar = (here.conf / "cassandra-k8s-seeds.jar").read_bytes()
    assert jar == (here.folder / "seeds.jar").read_bytes()
    assert here.read("cassandra-rackdc.properties") == PROPERTIES.replace(
        "rack=rack1", "rack: a"
    )
    assert here.recorded == "rack=a\n"


async def test_a_second_run_changes_nothing_on_a_fresh_copy_or_on_the_same(here: Pod) -> None:
    here.has_nodes("a", "b", "c")
    assert await here.installs(CASSANDRA_SEEDS="10.0.0.1") == 0
    first = here.files()

    assert await here.installs(CASSANDRA_SEEDS="10.0.0.1") == 0
    assert here.files() == first
    assert await here.installs() == 0, "seeds that are in the file stay in it"
    assert here.files() == first
    here.copies()
    assert await here.installs(CASSANDRA_SEEDS="10.0.0.1") == 0
    assert here.files() == first


async def test_the_stock_entrypoint_then_finds_no_seeds_to_write_over(here: Pod) -> None:
    assert await here.installs(CASSANDRA_SEEDS="10.0.0.1", SEEDPROVIDER_RACK="a") == 0

    path = here.conf / "cassandra.yaml"
    script = r's/(- seeds:).*/\1 "10.9.9.9"/'
    done = await asyncio.create_subprocess_exec(
        "sed", "-r", script, str(path), stdout=asyncio.subprocess.PIPE
    )
    text, _ = await done.communicate()
    assert (done.returncode, text) == (0, path.read_bytes())


async def test_files_keep_their_mode(here: Pod) -> None:
    names = ("cassandra.yaml", "cassandra-env.sh", "cassandra-rackdc.properties")
    for name, mode in zip(names, (0o664, 0o755, 0o600), strict=True):
        (here.conf / name).chmod(mode)
    assert await here.installs(SEEDPROVIDER_RACK="a") == 0

    modes = [stat.S_IMODE((here.conf / name).stat().st_mode) for name in names]
    assert modes == [0o664, 0o755, 0o600]


async def test_the_jar_of_another_version_is_replaced(here: Pod) -> None:
    assert await here.installs(SEEDPROVIDER_RACK="a") == 0
    with zipfile.ZipFile(here.folder / "seeds.jar", "a") as jar:
        jar.writestr("version", b"2")
    assert await here.installs(SEEDPROVIDER_RACK="a") == 0

    jar_there = (here.conf / "cassandra-k8s-seeds.jar").read_bytes()
    assert jar_there == (here.folder / "seeds.jar").read_bytes()
    assert here.read("cassandra-env.sh").count("cassandra-k8s-seeds.jar") == 1


async def test_what_was_done_is_told(here: Pod, caplog: pytest.LogCaptureFixture) -> None:
    here.has_nodes("a", "b", "c")
    caplog.set_level("INFO")
    assert await here.installs(CASSANDRA_SEEDS="10.0.0.1,10.0.0.2") == 0

    assert "rack: a (zone of node node-0; recorded on the disk)" in caplog.text
    assert (
        "seed_provider: http://127.0.0.1:8078, adoption seeds 10.0.0.1, 10.0.0.2" in caplog.text
    )
    assert "class path: cassandra-k8s-seeds.jar" in caplog.text


# -- the rack ----------------------------------------------------------------------------------


async def test_a_disk_that_moves_to_another_zone_keeps_its_rack(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    here.has_nodes("a", "b", "c")
    assert await here.installs() == 0
    here.copies()
    here.holds_data()

    assert await here.installs(NODE_NAME="node-1") == 0
    assert (here.rack, here.recorded) == ("a", "rack=a\n")
    assert "node node-1 is in zone b" in caplog.text


async def test_a_member_comes_back_without_the_api_server(here: Pod) -> None:
    here.has_nodes("a", "b", "c")
    assert await here.installs() == 0
    here.copies()
    here.holds_data()
    await here.api.refuse()

    assert await here.installs() == 0
    assert (here.rack, here.slept) == ("a", 0.0)


async def test_a_fixed_rack_asks_the_api_server_nothing(here: Pod) -> None:
    assert await here.installs(SEEDPROVIDER_RACK="r-7") == 0
    assert (here.rack, here.recorded, here.asked()) == ("r-7", "rack=r-7\n", [])

    before = here.files()
    assert await here.installs(SEEDPROVIDER_RACK="r-8") == 1
    assert here.files() == before


async def test_an_adopted_disk_keeps_the_configured_rack_even_without_the_api_server(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    here.holds_data()
    await here.api.refuse()

    assert await here.installs() == 0
    assert (here.rack, here.recorded, here.slept) == ("rack1", None, 0.0)
    assert "goes on without the ledger of racks" in caplog.text


async def test_a_member_from_before_rack_files_is_found_in_the_ledger(here: Pod) -> None:
    held = here.has_entry(0, "b")
    here.holds_data(f"version=1\nstate=member\nring-id={held.ring_id}\nhost-id={host(0)}\n")

    assert await here.installs() == 0
    assert (here.rack, here.recorded) == ("b", None)
    assert here.asked() == ["list configmaps"]


async def test_a_lost_disk_is_replaced_in_its_hosts_rack(here: Pod) -> None:
    here.has_nodes("a", "b", "c")
    here.has_entry(0, "c", EntryState.JOINING)

    assert await here.installs() == 0
    assert (here.rack, here.recorded) == ("c", "rack=c\n")
    assert here.asked() == ["list configmaps"], "zones are not asked for"


async def test_zones_are_counted_over_the_nodes_that_the_selector_means(here: Pod) -> None:
    here.has_nodes("a", "b")
    labels = {ZONE: "c", "pool": "web"}
    here.api.store.create("nodes", {"metadata": {"name": "other", "labels": labels}})

    assert await here.installs(SEEDPROVIDER_NODE_SELECTOR="pool!=web") == 0
    assert here.rack == "rack1"


async def test_a_tainted_control_plane_is_no_zone_to_put_replicas_in(here: Pod) -> None:
    here.has_nodes("a", "b")
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    meta = {"name": "control", "labels": {ZONE: "c"}}
    here.api.store.create("nodes", {"metadata": meta, "spec": {"taints": [taint]}})

    assert await here.installs() == 0
    assert here.rack == "rack1"
    assert here.recorded == "rack=rack1\n"


async def test_another_snitch_has_its_own_racks(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    assert await here.installs(CASSANDRA_ENDPOINT_SNITCH="") == 0

    assert (here.recorded, here.asked()) == (None, [])
    assert here.read("cassandra-rackdc.properties") == PROPERTIES
    assert "SimpleSnitch does not read cassandra-rackdc.properties" in caplog.text
    changes = {"CASSANDRA_ENDPOINT_SNITCH": "", "SEEDPROVIDER_RACK": "a"}
    assert await here.installs(**changes) == 2


async def test_the_snitch_of_the_file_counts_where_the_environment_names_none(
    here: Pod,
) -> None:
    full = f"org.apache.cassandra.locator.{SNITCH}"
    here.copies(SHAPE_5_0.replace("SimpleSnitch", full))
    here.has_nodes("a", "b", "c")

    assert await here.installs(CASSANDRA_ENDPOINT_SNITCH="") == 0
    assert here.rack == "a"


# -- when the API server is in the way ---------------------------------------------------------


async def test_a_blank_disk_waits_for_the_api_server_and_then_gets_its_zone(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    here.has_nodes("a", "b", "c")
    with here.api.faults.active(Fault(kind=Kind.FAIL, status=503, times=12)):
        assert await here.installs() == 0

    assert here.rack == "a"
    waits = [line for line in caplog.messages if line.startswith("waiting for")]
    assert [line.split(": ")[0] for line in waits] == [
        f"waiting for the ledger of racks, {seconds} s so far" for seconds in (0, 10, 20)
    ]


async def test_the_wait_is_bounded_and_nothing_is_written_then(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    before = here.files()
    await here.api.refuse()

    assert await here.installs() == 1
    assert 300 <= here.slept <= 310
    assert here.files() == before
    assert "the rack depends on the ledger of racks" in caplog.text


@pytest.mark.parametrize(
    ("plural", "right"),
    [
        ("configmaps", "list configmaps in namespace ns (a Role)"),
        ("nodes", "list nodes in the whole cluster (a ClusterRole)"),
    ],
)
async def test_a_missing_right_ends_it_at_once_with_its_name_and_a_way_around(
    here: Pod, caplog: pytest.LogCaptureFixture, plural: str, right: str
) -> None:
    before = here.files()
    with here.api.faults.active(Fault(kind=Kind.FORBID, resource=plural)):
        assert await here.installs() == 1

    assert here.slept == 0
    assert f"grant it the right to {right}, or set SEEDPROVIDER_RACK" in caplog.text
    assert here.files() == before


async def test_a_ledger_entry_that_makes_no_sense_is_not_passed_over(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    held = here.has_entry(1, "b")
    body = entry_body(held, "ns", "cassandra")
    body["data"]["state"] = "?"
    here.api.store.replace("configmaps", f"{pod(1)}-member", body, "ns")

    assert await here.installs() == 1
    assert f"{pod(1)}-member" in caplog.text


# -- what is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("cassandra.yaml", "a: [", "cassandra.yaml is not YAML"),
        ("cassandra.yaml", None, "has no cassandra.yaml: it has to be a copy of"),
        ("cassandra-env.sh", None, "has no cassandra-env.sh"),
        ("cassandra-rackdc.properties", None, "has no cassandra-rackdc.properties"),
        (
            "cassandra-rackdc.properties",
            "rack=a\\\nb\n",
            "line 1: write it without a backslash",
        ),
        ("../seeds.jar", "no jar", "is not the seed provider's jar"),
        ("../seeds.jar", None, "there is no such file"),
        ("../volume/data/cassandra-ring.rack", "rack=", "not one line rack=NAME"),
    ],
)
async def test_a_wrong_file_ends_it_with_2_and_leaves_everything_as_it_was(
    here: Pod, caplog: pytest.LogCaptureFixture, name: str, text: str | None, why: str
) -> None:
    here.data.mkdir()
    path = here.conf / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    before = here.files()

    assert await here.installs() == 2
    assert why in caplog.text
    assert here.files() == before


async def test_settings_that_are_not_utf_8_are_refused(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    (here.conf / "cassandra.yaml").write_bytes(b"# \xe4\n" + SHAPE_5_0.encode())

    assert await here.installs() == 2
    assert "not UTF-8 at byte 2" in caplog.text


async def test_too_many_seeds_are_refused(here: Pod) -> None:
    seeds = ",".join(f"10.0.0.{n}" for n in range(1, 66))

    assert await here.installs(CASSANDRA_SEEDS=seeds) == 2


async def test_a_volume_that_is_not_mounted_is_no_blank_disk(
    here: Pod, caplog: pytest.LogCaptureFixture
) -> None:
    assert await here.installs(SEEDPROVIDER_DATA_DIR=str(here.folder / "no" / "data")) == 1
    assert "the data directory cannot be read" in caplog.text


@pytest.mark.parametrize("what", ["conf", "volume/data"])
async def test_a_place_that_cannot_be_written_ends_it_with_1(
    here: Pod, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    rename = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.parent == here.folder / what:
            raise OSError(30, "Read-only file system")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full)

    assert await here.installs(SEEDPROVIDER_RACK="a") == 1
    assert "Read-only file system" in caplog.text
    assert not list(here.folder.rglob("*.new"))


async def test_a_run_cut_off_after_the_rack_was_recorded_goes_on_with_that_rack(
    here: Pod,
) -> None:
    here.data.mkdir()
    here.rack_file.write_text(rack_text("c"))
    here.has_nodes("a", "b", "c")

    assert await here.installs() == 0
    assert (here.rack, here.recorded) == ("c", "rack=c\n")


# -- as a process ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def started(
    env: Mapping[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(env: Mapping[str, str], *arguments: str) -> tuple[int | None, str]:
    async with started(env, *arguments) as process, asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
        return process.returncode, output.decode()


async def test_the_program_has_the_command(here: Pod) -> None:
    command = ("-m", "seedprovider", "install", "--conf", str(here.conf))
    here.has_nodes("a", "b", "c")

    code, output = await run(here.env, *command)
    assert (code, here.rack) == (0, "a"), output
    assert "rack: a (zone of node node-0; recorded on the disk)" in output
    code, output = await run({**here.env, "SEEDPROVIDER_RACK": "a b"}, *command)
    assert code == 2
    assert output.startswith("seedprovider: SEEDPROVIDER_RACK='a b': must be a rack name: ")
    assert output.count("\n") == 1
    code, _ = await run({**here.env, "SEEDPROVIDER_RACK": "b"}, *command)
    assert code == 1


async def test_its_help_teaches_settings_and_exit_codes() -> None:
    code, output = await run({}, "-m", "seedprovider", "install", "--help")

    assert code == 0
    for word in (
        "NODE_NAME",
        "SEEDPROVIDER_TWO_RACKS",
        "CASSANDRA_SEEDS",
        "--conf",
        "exit codes",
    ):
        assert word in output


async def test_it_can_be_stopped_while_it_waits(here: Pod) -> None:
    with here.api.faults.active(Fault(kind=Kind.HANG)):
        async with (
            started(here.env, "-m", "seedprovider", "install", "--conf", str(here.conf)) as it,
            asyncio.timeout(PATIENCE),
        ):
            await here.api.requests.until(1)
            it.send_signal(signal.SIGTERM)
            output, _ = await it.communicate()

    assert it.returncode == 1
    assert "stopped before it was done" in output.decode()
    assert "Traceback" not in output.decode()


async def test_the_sidecar_does_not_load_what_only_install_needs() -> None:
    check = (
        "import sys, seedprovider.__main__; "
        "print([m for m in sys.modules if m == 'yaml' or 'seedprovider.install' in m])"
    )

    assert await run({}, "-c", check) == (0, "[]\n")
