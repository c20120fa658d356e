"""The cache folder: what is costly is made once, whole or not at all, by one run at a time."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from localring.errors import StageError, WaitTimeoutError

LOCK_PATIENCE = 900.0  # seconds another run may take to fetch 70 MB over a slow line
LOCK_PAUSE = 0.3  # seconds between two tries; flock(2) has no bounded wait

Tell = Callable[[str], None]


def cache_folder() -> Path:
    """Return ``$XDG_CACHE_HOME/cassandra-k8s-ring`` (``~/.cache/…`` by default)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    parent = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return parent / "cassandra-k8s-ring"


async def made_once(target: Path, make: Callable[[Path], Awaitable[None]], tell: Tell) -> Path:
    """Return the folder ``target``; if missing, ``make`` fills a draft that takes its place.

    A run that is cut off leaves a draft that nobody takes for the target; the next one to hold
    the lock removes it.
    """
    if _is_there(target):
        return target
    async with _lock(target, tell):
        if not _is_there(target):  # or another run made it while we waited
            with _draft(target) as draft:
                await make(draft)
    return target


def _is_there(target: Path) -> bool:
    return target.is_dir()


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Give an empty folder that becomes ``target`` if the context ends well."""
    for orphan in target.parent.glob(f"{target.name}.draft-*"):
        shutil.rmtree(orphan, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.draft-", dir=target.parent))
    try:
        yield draft
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@asynccontextmanager
async def _lock(target: Path, tell: Tell) -> AsyncIterator[None]:
    """Hold the lock file beside ``target``; the kernel drops it with the process."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = (target.parent / f"{target.name}.lock").open("w")
    except OSError as error:
        raise StageError(f"cannot write to the cache folder: {error}") from error
    with lock:
        try:
            async with asyncio.timeout(LOCK_PATIENCE):
                await _acquire(lock.fileno(), lambda: tell(f"another run makes {target.name}"))
        except TimeoutError as error:
            raise WaitTimeoutError(
                f"another run has held {lock.name} for {LOCK_PATIENCE:.0f} s"
            ) from error
        yield


async def _acquire(descriptor: int, on_busy: Callable[[], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                on_busy()
            told = True
            await asyncio.sleep(LOCK_PAUSE)
        else:
            return
