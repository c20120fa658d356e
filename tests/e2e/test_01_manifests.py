"""The manifests, as a real API server takes them."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.kindcluster import BUILD, ROOT, KindCluster
from tests.e2e.kubectl import Kubectl
from tests.e2e.ring import make_namespace

MANIFESTS = ROOT / "manifests"
OVERLAYS = sorted(path.parent for path in MANIFESTS.glob("overlays/*/kustomization.yaml"))
FOLDERS = [MANIFESTS / "base", *OVERLAYS, MANIFESTS / "overlays/local-ssd/disks"]


@pytest.fixture(scope="module")
def strict(cluster: KindCluster) -> Iterator[Kubectl]:
    """A namespace that warns of a StatefulSet whose pods break the ``restricted`` standard."""
    kubectl = cluster.kubectl
    make_namespace(kubectl, "strict")
    kubectl("label", "namespace", "strict", "pod-security.kubernetes.io/warn=restricted")
    yield kubectl.within("strict")
    kubectl("delete", "namespace", "strict")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: str(each.relative_to(MANIFESTS)))
def test_the_api_server_accepts_without_a_warning(strict: Kubectl, folder: Path) -> None:
    told = strict("apply", "-k", str(folder), "--dry-run=server", "--warnings-as-errors")

    assert "created" in told


@contextmanager
def base_with(*components: str) -> Iterator[str]:
    """Give a folder with an overlay of the base and these components."""
    content = {
        "resources": ["../../manifests/base"],
        "components": [f"../../manifests/components/{name}" for name in components],
    }
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        (Path(folder) / "kustomization.yaml").write_text(json.dumps(content))
        yield folder


@pytest.mark.parametrize(
    ("component", "object_"),
    [
        ("plain-sidecar", "statefulset.apps/cassandra"),
        ("manager", "deployment.apps/cassandra-ring-manager"),
    ],
)
def test_a_component_is_accepted_as_well(strict: Kubectl, component: str, object_: str) -> None:
    with base_with(component) as folder:
        told = strict("apply", "-k", folder, "--dry-run=server", "--warnings-as-errors")

    assert f"{object_} created" in told


def test_monitoring_is_built_for_clusters_that_have_its_kinds(
    strict: Kubectl,
) -> None:
    with base_with("manager", "monitoring") as folder:
        built = strict("kustomize", folder)

    kinds = set(re.findall(r"^kind: (\w+)$", built, re.MULTILINE))
    assert {"PodMonitor", "PrometheusRule"} <= kinds
