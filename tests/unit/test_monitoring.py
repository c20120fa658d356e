"""Alerts and dashboard name metrics that the manager has."""

import json
import re
from pathlib import Path

import yaml

from ring.latest import Latest
from ring.manager import Counts
from ring.metrics import Metrics, Sources
from tests.unit.ring.serving import Stage
from tests.unit.ring.worlds import World

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "manifests" / "components" / "monitoring"


def exposed() -> set[str]:
    stage = Stage(World(4))
    stage.world.down(1)
    stage.show()
    return names(stage.latest)


def names(latest: Latest) -> set[str]:
    sources = Sources(
        latest=latest,
        counts=Counts(),
        streams=lambda: 0,
        leads=lambda: True,
        failures=lambda: {"pods": 0},
    )
    text = Metrics(sources).exposition().decode()
    return set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))


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
