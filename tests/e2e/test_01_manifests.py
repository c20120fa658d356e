"""The manifests, as a real API server takes them."""

import json
import tempfile
from collections.abc import Iterator
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


def test_the_plain_sidecar_is_accepted_as_well(strict: Kubectl) -> None:
    content = {
        "resources": ["../../manifests/base"],
        "components": ["../../manifests/components/plain-sidecar"],
    }
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        (Path(folder) / "kustomization.yaml").write_text(json.dumps(content))
        told = strict("apply", "-k", folder, "--dry-run=server", "--warnings-as-errors")

    assert "statefulset.apps/cassandra created" in told
