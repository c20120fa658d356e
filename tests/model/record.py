"""Records the run that `test_replay.py` works on: `python -m tests.model.record`.

A real ring of three is born; a process is killed and starts again while another pod moves; a
pod is added; a disk is wiped and its host replaced.
To be made anew when the journal's format changes, under any load: nothing in it is timed.
"""

import asyncio
import io
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from localring.options import Options
from localring.prepare import prepare
from localring.ring import LocalRing

RECORDED = Path(__file__).parent / "recorded"
PLAIN = RECORDED / "plain.tar.gz"
PATIENCE = 60.0  # seconds
STORIES = ("birth", "restart", "move", "scale", "replace")


async def plain(ring: LocalRing) -> None:
    """Live through the plain stories."""
    ring.cluster.scale(3)
    await story(ring, "birth", lambda: ring.start(0, 1, 2))
    ring.diary.note("story", name="restart")
    await ring.pod(1).cassandra.kill()
    await whole(ring)
    ring.diary.note("story", name="move")
    await ring.stop(2)
    await story(ring, "back", lambda: ring.start(2))
    ring.diary.note("story", name="scale")
    await ring.scale(4)
    await whole(ring)
    ring.diary.note("story", name="replace")
    await ring.stop(1)
    await ring.wipe(1)
    await story(ring, "back", lambda: ring.start(1))


async def story(ring: LocalRing, name: str, begin: Callable[[], None]) -> None:
    """Begin something, and wait for its end."""
    ring.diary.note("story", name=name)
    begin()
    await whole(ring)


async def whole(ring: LocalRing) -> None:
    """Wait until the ring is whole, and written down as that."""

    async def missing() -> str | None:
        return await ring.missing() or unwritten(ring)

    await ring.wait_until("a whole ring", missing, 180)


def unwritten(ring: LocalRing) -> str | None:
    """Say whose entry does not say that the pod that runs is a member, or who has the turn."""
    store = ring.api.store
    entries = {
        body["data"]["podUid"]: body["data"]["state"]
        for body in store.list("configmaps", "default")
        if body["metadata"]["name"].endswith("-member")
    }
    late = [pod.name for pod in ring.pods.values() if entries.get(pod.uid) != "member"]
    turns = [each["spec"].get("holderIdentity") for each in store.list("leases", "default")]
    return f"not written down: {late}, turn {turns}" if late or any(turns) else None


def pack(folder: Path, target: Path) -> None:
    """Keep the journals of a run, the same bytes for the same journals."""
    target.parent.mkdir(exist_ok=True)
    with tarfile.open(target, "w:gz", compresslevel=9) as archive:
        for path in sorted(folder.glob("*.jsonl")):
            content = path.read_bytes()
            info = tarfile.TarInfo(path.name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@contextmanager
def unpacked(source: Path) -> Iterator[Path]:
    """Give a folder with the journals of a recorded run."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
        yield Path(folder)


async def main() -> None:
    """Record."""
    kit = await prepare(print)
    async with LocalRing(kit, Options(endpoints_per_slice=2), print) as ring:
        await plain(ring)
        pack(ring.diary.folder, Path(sys.argv[1]) if len(sys.argv) > 1 else PLAIN)


if __name__ == "__main__":
    asyncio.run(main())
