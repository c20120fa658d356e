"""The disks of the pods: one folder for each, which outlives every pod that uses it."""

import asyncio
import shutil
from pathlib import Path


class Disks:
    """All disks of a ring, under ``root``, by the names of their pods."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, pod: str) -> Path:
        """Return a pod's disk, an empty one the first time."""
        disk = self._root / pod
        (disk / "data").mkdir(parents=True, exist_ok=True)
        return disk

    async def wipe(self, pod: str) -> None:
        """Remove everything on a disk."""
        await asyncio.to_thread(shutil.rmtree, self.of(pod))
        self.of(pod)

    async def fill(self, pod: str, source: Path) -> None:
        """Make a disk a copy of ``source``, a disk too."""
        target = self.of(pod)
        await asyncio.to_thread(shutil.rmtree, target)
        await asyncio.to_thread(shutil.copytree, source, target, symlinks=True)
