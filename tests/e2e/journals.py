"""Journals of a ring's sidecars: switched on by a patch, fetched through kubectl, replayed.

A journal lies in an emptyDir and goes with its pod. It is fetched after each test, so that what
a pod that is deleted takes with it is little; the replay knows where a journal ends.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.e2e.kubectl import Kubectl, KubectlError
from tests.model import traces
from tests.model.replay import Replay, replayed

FILE: Final = "/var/lib/seedprovider/journal.jsonl"
SIDECAR: Final = "seedprovider"
FETCH_SECONDS: Final = 20.0
"""A node that is gone would hold up the answer for minutes."""
SWITCHED_ON: Final = (
    "StatefulSet",
    f"""
    - op: add
      path: /spec/template/spec/initContainers/2/env/-
      value: {{name: SEEDPROVIDER_JOURNAL, value: {FILE}}}
    """,
)
"""A patch of every StatefulSet; the sidecar is the third of its init containers."""


@dataclass
class Journals:
    """Those of one namespace, kept in a folder of its own.

    Attributes:
        failures: by pod, why its journal could not be fetched at the last look.

    """

    kubectl: Kubectl
    folder: Path
    failures: dict[str, str] = field(default_factory=dict)

    def forget(self) -> None:
        """Drop what an earlier session kept of a namespace of the same name."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetch(self, pods: Mapping[str, Any]) -> None:
        """Get what there is by now from the pods, as the API server lists them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for pod, item in sorted(pods.items()):
            try:
                command = ("exec", pod, "-c", SIDECAR, "--", "cat", FILE)
                text = self.kubectl(*command, patience=FETCH_SECONDS)
            except KubectlError as error:
                self.failures[pod] = str(error)
                continue
            self.failures.pop(pod, None)
            keep(self.folder, pod, item["metadata"]["uid"], text)

    def replay(self) -> Replay:
        """Hold all that was fetched against the model; raise `ImpossibleError`."""
        return replayed(traces.read(self.folder))

    def summary(self) -> str:
        """Replay, and say how much was replayed and what was left out."""
        text = f"{self.kubectl.namespace}: {self.replay().summary()}"
        return "\n".join(
            [text, *(f"  {pod} not fetched: {why}" for pod, why in self.failures.items())]
        )


def keep(folder: Path, pod: str, uid: str, text: str) -> None:
    """Keep a journal in place of what was fetched of it before, never a shorter one.

    Without its last line where that is not whole, and without a journal that does not begin.
    """
    whole = text[: text.rfind("\n") + 1]
    path = folder / f"{pod}.{uid}.jsonl"
    if '"event":"began"' not in whole.partition("\n")[0]:
        return
    if not path.exists() or path.stat().st_size < len(whole.encode()):
        path.write_text(whole)
