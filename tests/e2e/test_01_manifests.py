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
def combined(resource: str, *components: str) -> Iterator[str]:
    """Give the folder of a kustomization of these manifests."""
    content = {
        "resources": [f"../../manifests/{resource}"],
        "components": [f"../../manifests/components/{each}" for each in components],
    }
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        (Path(folder) / "kustomization.yaml").write_text(json.dumps(content))
        yield folder


def test_the_components_are_accepted_with_every_overlay(strict: Kubectl) -> None:
    for overlay in OVERLAYS:
        components = [] if overlay.name == "kind" else ["small"]
        with combined(f"overlays/{overlay.name}", *components, "plain-sidecar") as folder:
            told = strict("apply", "-k", folder, "--dry-run=server", "--warnings-as-errors")

        assert "statefulset.apps/cassandra" in told


def test_small_nodes_keep_the_storage_class_of_their_disks(strict: Kubectl) -> None:
    with combined("overlays/local-ssd", "small") as folder:
        made = json.loads(strict("apply", "-k", folder, "--dry-run=client", "-o", "json"))

    (claim,) = next(
        item["spec"]["volumeClaimTemplates"]
        for item in made["items"]
        if item["kind"] == "StatefulSet"
    )
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"


def test_the_manager_is_accepted_as_well(strict: Kubectl) -> None:
    with combined("base", "manager") as folder:
        told = strict("apply", "-k", folder, "--dry-run=server", "--warnings-as-errors")

    assert "deployment.apps/cassandra-ring-manager created" in told


def test_monitoring_is_built_for_clusters_that_have_its_kinds(
    strict: Kubectl,
) -> None:
    with combined("base", "manager", "monitoring") as folder:
        built = strict("kustomize", folder)

    kinds = set(re.findall(r"^kind: (\w+)$", built, re.MULTILINE))
    assert {"PodMonitor", "PrometheusRule"} <= kinds
