"""kubectl for one cluster and namespace, as a person would use it."""

import base64
import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

SECONDS = 120.0


class KubectlError(Exception):
    """A command that did not end well; the text is what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """An API server.

    Attributes:
        server: its URL.
        authority: certificate in PEM.

    """

    server: str
    authority: bytes


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One cluster, one namespace.

    Attributes:
        config: the kubeconfig file.
        namespace: where namespaced commands go.

    """

    config: Path
    namespace: str = "default"

    def within(self, namespace: str) -> "Kubectl":
        """Return the same cluster with another namespace."""
        return replace(self, namespace=namespace)

    def command(self, *words: str) -> list[str]:
        """Return the words of a command, for processes that go on beside the test."""
        return ["kubectl", "--kubeconfig", str(self.config), "-n", self.namespace, *words]

    def __call__(self, *words: str, given: str | None = None, patience: float = SECONDS) -> str:
        """Run a command to its end and return what it wrote to standard output.

        Raises `KubectlError` where it ends with another code than 0, or not within `patience`
        seconds.
        """
        try:
            done = subprocess.run(  # noqa: S603 - words of the tests themselves
                self.command(*words),
                input=given,
                capture_output=True,
                text=True,
                timeout=patience,
                check=False,
                env={**os.environ, "KUBECTL_KYAML": "false"},
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlError(f"kubectl {words}: not within {patience} s") from error
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def read(self, *words: str) -> Any:  # noqa: ANN401 - whatever the API server has
        """Return `kubectl get` as parsed JSON."""
        return json.loads(self("get", *words, "-o", "json"))

    def read_config(self) -> Server:
        """Return where the API server is and who vouches for it."""
        words = ("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
        found = json.loads(self(*words))["clusters"][0]["cluster"]
        authority = base64.b64decode(found["certificate-authority-data"])
        return Server(found["server"], authority)

    def names(self, kind: str, selector: str = "") -> list[str]:
        """Return the names of all objects of a kind."""
        labels = ("-l", selector) if selector else ()
        return [item["metadata"]["name"] for item in self.read(kind, *labels)["items"]]
