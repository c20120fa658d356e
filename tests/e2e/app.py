"""An application of a ring: a pod with cassandra-driver that finds it by the Service's name."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.e2e.kindcluster import CLIENT
from tests.e2e.kubectl import Kubectl

PROGRAM: Final = ("python", "/opt/client/client.py")
STOP_SECONDS: Final = 60.0
POD: Final = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "client"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "client",
                "image": CLIENT,
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}


class App:
    """The pod; `fill` comes before everything else."""

    def __init__(self, kubectl: Kubectl, dc: str = "dc1") -> None:
        """Start it in the namespace of `kubectl`; it asks nodes of this data centre."""
        self._kubectl = kubectl
        self._program = (*PROGRAM, "--dc", dc)
        kubectl("apply", "-f", "-", given=json.dumps(POD))
        kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")

    def _run(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        out = self._kubectl("exec", "client", "--", *self._program, *words)
        return json.loads(out.splitlines()[-1])

    def fill(self, rf: int = 3) -> None:
        """Write a table at QUORUM."""
        self._run("fill", "--rf", str(rf))

    def lost(self, level: str = "QUORUM") -> Any:  # noqa: ANN401 - JSON
        """Read every row; return what is missing or fails, nothing if all is there."""
        found = self._run("--level", level, "check")
        return {key: value for key, value in found.items() if value}

    def host_ids(self) -> set[str]:
        """Return the host IDs of the ring, as CQL has them."""
        return set(self._run("hosts"))

    @contextmanager
    def load(self, *options: str) -> Iterator[dict[str, Any]]:
        """Keep on asking at QUORUM; the dictionary holds the outcome after the block."""
        outcome: dict[str, Any] = {}
        command = self._kubectl.command(
            "exec", "-i", "client", "--", *self._program, "load", *options
        )
        with subprocess.Popen(  # noqa: S603 - words of the tests themselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "started\n"
                yield outcome
                out, _ = process.communicate(timeout=STOP_SECONDS)
                outcome.update(json.loads(out))
            finally:
                process.kill()
