"""What the emulated API server is held to, held to the real one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kindcluster import ROOT, KindCluster
from tests.e2e.waiting import wait_until

NAME = "contract"
SECONDS = 600.0
COMPACTED_SECONDS = 720.0  # every five minutes what was there five minutes before


@pytest.fixture
def access(cluster: KindCluster, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of the environment for a client that may do everything."""
    kubectl = cluster.kubectl
    admin = f"--serviceaccount={NAME}:default"
    kubectl("create", "namespace", NAME)
    kubectl("create", "clusterrolebinding", NAME, "--clusterrole=cluster-admin", admin)
    view = kubectl.read_config()
    (tmp_path / "ca.crt").write_bytes(view.authority)
    (tmp_path / "token").write_text(kubectl.within(NAME)("create", "token", "default"))
    yield {
        "KUBE_CONTRACT_URL": view.server,
        "KUBE_CONTRACT_CA_FILE": str(tmp_path / "ca.crt"),
        "KUBE_CONTRACT_TOKEN_FILE": str(tmp_path / "token"),
        "KUBE_CONTRACT_NAMESPACE": NAME,
    }
    kubectl("delete", "namespace", NAME)
    kubectl("delete", "clusterrolebinding", NAME)


def test_the_real_api_server_keeps_the_contract(
    cluster: KindCluster, access: dict[str, str]
) -> None:
    def compacted() -> str | None:
        path = "/api/v1/configmaps?resourceVersion=1&resourceVersionMatch=Exact"
        try:
            cluster.kubectl("get", "--raw", path)
        except Exception as error:  # noqa: BLE001 - what is waited for is one kind of it
            return None if "too old" in str(error) or "compacted" in str(error) else str(error)
        return "the history goes back to the beginning"

    wait_until("a compacted history", compacted, COMPACTED_SECONDS)
    suite = [
        f"tests/contract/test_{name}.py" for name in ("laws", "lists", "watches", "writes")
    ]

    done = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", *suite],
        cwd=ROOT,
        env={**os.environ, **access},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    print(f"\n{done.stdout.splitlines()[-1]}")
    assert access["KUBE_CONTRACT_URL"] in done.stdout
    assert done.returncode == 0, done.stdout[-10000:]
