"""What was done to a ring and what its API server wrote, beside the journals of its sidecars.

One JSON object a line in ``journals/ring.jsonl``: `at` on the machine's monotonic clock, as in
the sidecars' journals, `event`, and the facts. Together they are what `tests/model/replay.py`
holds against the model.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import msgspec

from localring.apiserver import ApiServer
from localring.apiserver.history import Event

FOLDER: Final = "journals"
FILE: Final = "ring.jsonl"
KEPT: Final = frozenset({"configmaps", "leases", "pods", "persistentvolumeclaims", "services"})
"""The resources that decisions rest on."""


class Diary:
    """Appends to the ring's own journal; entered for as long as the ring lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        """Open the file."""
        self._file = (self.folder / FILE).open("ab", buffering=0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; nothing is noted from then on."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def note(self, event: str, **facts: Any) -> None:  # noqa: ANN401 -- whatever JSON has
        """Write down that something happened just now."""
        if self._file is not None:
            line = {"at": time.monotonic(), "event": event, **facts}
            self._file.write(msgspec.json.encode(line) + b"\n")

    def follow(self, api: ApiServer) -> None:
        """Write down every write of a resource that counts, and every fault, from now on."""
        api.store.listen(self._stored)
        api.faults.listen(lambda: self.note("faults", rules=api.faults.rules()))
        api.listen(lambda accepting: self.note("api", accepting=accepting))

    def of_pod(self, pod: str, container: str, what: str) -> None:
        """Write down what became of a container's process."""
        self.note(what, pod=pod, container=container)

    def _stored(self, event: Event) -> None:
        plural = event.resource.plural
        if plural in KEPT:
            namespace, name = event.key
            self.note(
                "stored",
                resource=plural,
                namespace=namespace,
                name=name,
                version=str(event.version),
                body=event.new,
            )
