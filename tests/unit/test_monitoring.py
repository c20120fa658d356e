"""Alerts and dashboard name metrics that the manager has."""

import json
import re
from pathlib import Path

import yaml

from ring.keeper import Keeper
from ring.latest import Latest
from ring.leader import Election
from ring.manager import Counts
from ring.metrics import Metrics, Sources
from ring.observe.kube import Api
from ring.remembering import Remembering
from tests.unit.ring.serving import Stage, Time
from tests.unit.ring.worlds import World

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "manifests" / "components" / "monitoring"


def exposed() -> set[str]:
    stage = Stage(World(4))
    stage.world.down(1)
    stage.show()
    return names(stage.latest)


def exposition(latest: Latest) -> str:
    api = Api(Path("no-kubeconfig"))
    sources = Sources(
        namespace="shop",
        service="cassandra",
        latest=latest,
        counts=Counts(),
        streams=lambda: 0,
        failures=lambda: {"pods": 0},
        parts={},
        election=Election(api, "shop", "lease", "here", {}),
        keeper=Keeper(api, "shop", "map", {}, 9042, shown=latest.shown, leads=lambda: True),
        remembering=Remembering(
            *(api, "shop", "map", {}),
            shown=latest.shown,
            leads=lambda: True,
            learn=lambda _: None,
        ),
    )
    return Metrics(sources).exposition().decode()


def names(latest: Latest) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+) ", exposition(latest), re.MULTILINE))


def samples(latest: Latest) -> set[str]:
    return set(re.findall(r"^(ring_\w+)\{", exposition(latest), re.MULTILINE))


def used(text: str) -> set[str]:
    return set(re.findall(r"\b(?:ring|process)_[a-z_]+\b", text))


def test_every_alert_is_about_a_metric_that_there_is() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]["groups"]
    expressions = [rule["expr"] for group in rules for rule in group["rules"]]

    assert expressions
    assert used(" ".join(expressions)) <= exposed()


def test_every_panel_is_about_a_metric_that_there_is() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]

    assert expressions
    assert used(" ".join(expressions)) <= exposed()


def test_every_metric_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "ring-manager.md").read_text()
    listed = set(re.findall(r"^\| `(ring_[a-z_]+)`", page, re.MULTILINE))

    assert {name for name in exposed() if name.startswith("ring_")} == listed


def test_of_a_stale_picture_there_are_no_samples_but_that_it_is_and_its_sources() -> None:
    time = Time()
    stage = Stage(World(4), time)
    assert 'ring_picture_stale{namespace="shop",service="cassandra"} 1.0' in exposition(
        stage.latest
    )
    stage.show()
    fresh = samples(stage.latest)
    time.now += stage.latest.stale_seconds + 1
    late = samples(stage.latest)

    assert {"ring_member_up", "ring_findings_by_severity", "ring_keyspace_margin"} <= fresh
    assert (
        fresh - late
        == {
            *("ring_member_up", "ring_member_load_bytes", "ring_members", "ring_certain"),
            *(
                "ring_rings",
                "ring_islands",
                "ring_findings_by_severity",
                "ring_keyspace_margin",
            ),
            "ring_unsatisfiable_ratio",
        }
        & fresh
    )
    assert 'ring_picture_stale{namespace="shop",service="cassandra"} 1.0' in exposition(
        stage.latest
    )


def test_every_sample_says_of_which_ring_it_is() -> None:
    stage = Stage(World(4))
    stage.show()
    ours = [line for line in exposition(stage.latest).splitlines() if line.startswith("ring_")]

    assert ours
    assert all('namespace="shop"' in line and 'service="cassandra"' in line for line in ours)
