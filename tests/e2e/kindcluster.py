"""A real cluster for the session: control plane and two workers, and the images on them."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.kubectl import Kubectl

ROOT: Final = Path(__file__).parents[2]
BUILD: Final = ROOT / "build"
CONFIG_FILE: Final = BUILD / "e2e.kubeconfig"
NAME: Final = "cassandra-k8s-ring-e2e"
WORKERS: Final = (f"{NAME}-worker", f"{NAME}-worker2")
CONTROL_PLANE: Final = f"{NAME}-control-plane"
CASSANDRA: Final = "cassandra:5.0"
SIDECAR: Final = "cassandra-k8s-ring/sidecar:0.1.0"
MANAGER: Final = "cassandra-k8s-ring/manager:0.1.0"
CLIENT: Final = "cassandra-k8s-ring/client:e2e"
OURS: Final = {
    SIDECAR: ("images/Dockerfile", "--target", "sidecar"),
    MANAGER: ("images/Dockerfile", "--target", "manager"),
    CLIENT: ("tests/e2e/client/Dockerfile",),
}
ZONES: Final = ("zone-a", "zone-b")
BUILD_SECONDS: Final = 600.0
CONFIG: Final = """
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
- role: worker
  labels: {topology.kubernetes.io/zone: zone-a}
- role: worker
  labels: {topology.kubernetes.io/zone: zone-b}
"""


@dataclass(frozen=True, slots=True)
class KindCluster:
    """A running cluster.

    Attributes:
        config: its kubeconfig, which no other program is told of.

    """

    config: Path

    @property
    def kubectl(self) -> Kubectl:
        """Return kubectl for it."""
        return Kubectl(self.config)

    @contextmanager
    def frozen(self, node: str) -> Iterator[None]:
        """Freeze a Kubernetes node with all that runs on it, as a machine that hangs."""
        run("docker", "pause", node)
        try:
            yield
        finally:
            run("docker", "unpause", node)

    def memory(self, namespace: str, container: str) -> dict[str, int]:
        """Return the bytes of a container in use by pod, by its cgroup, from the kubelets.

        Pods that were not measured yet are missing.
        """
        found: dict[str, int] = {}
        for worker in WORKERS:
            path = f"/api/v1/nodes/{worker}/proxy/stats/summary"
            for pod in json.loads(self.kubectl("get", "--raw", path))["pods"]:
                sizes = {each["name"]: each.get("memory", {}) for each in pod["containers"]}
                size = sizes.get(container, {}).get("workingSetBytes")
                if pod["podRef"]["namespace"] == namespace and size:
                    found[pod["podRef"]["name"]] = size
        return found

    def on(self, node: str, *words: str, patience: float = 60.0) -> str:
        """Run a command on a Kubernetes node; works without the API server."""
        return run("docker", "exec", node, *words, patience=patience)


def run(*words: str, given: str | None = None, patience: float = BUILD_SECONDS) -> str:
    """Run a command to its end; a failure shows what it wrote."""
    done = subprocess.run(  # noqa: S603 - words of the tests themselves
        words, input=given, capture_output=True, text=True, timeout=patience, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def build_images() -> None:
    """Build what is ours; the rest has to be there or is pulled."""
    for image, (file, *target) in OURS.items():  # in turn: they share layers
        run("docker", "build", "-q", "-f", f"{ROOT}/{file}", *target, "-t", image, str(ROOT))
    if not run("docker", "images", "-q", CASSANDRA).strip():
        run("docker", "pull", CASSANDRA)


def create() -> KindCluster:
    """Make the cluster, or take the one that was kept."""
    BUILD.mkdir(exist_ok=True)
    cluster = KindCluster(CONFIG_FILE)
    config = ("--name", NAME, "--kubeconfig", str(cluster.config))
    if NAME in run("kind", "get", "clusters").split():
        if kept():
            run("kind", "export", "kubeconfig", *config)
            return cluster
        delete()
    image = os.environ.get("KIND_NODE_IMAGE", "")
    wanted = ("--image", image) if image else ()
    run(
        "kind",
        "create",
        "cluster",
        *config,
        *wanted,
        "--config",
        "-",
        "--wait",
        "180s",
        given=CONFIG,
    )
    cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
    return cluster


def load_images() -> None:
    """Bring the images to the workers."""
    images = (*OURS, CASSANDRA)
    run("kind", "load", "docker-image", *images, "--name", NAME, "--nodes", ",".join(WORKERS))


def delete() -> None:
    """Remove the cluster, if there is one, with all that is in it."""
    run("kind", "delete", "cluster", "--name", NAME, "--kubeconfig", str(CONFIG_FILE))
    CONFIG_FILE.unlink(missing_ok=True)


def kept() -> bool:
    """Whether the cluster outlives the session: KEEP_CLUSTER=1."""
    return os.environ.get("KEEP_CLUSTER", "") not in {"", "0"}
