"""The run directory: everything a ring writes, and nothing of it left behind.

It is removed at the end of the run that owns it.  A run that was killed cannot do that, so the
next one does: the owner holds a lock that the kernel drops with the process.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "cassandra-k8s-ring-"
OWNER = "owner.lock"  # held by the run; a directory that is kept on purpose has none


@contextmanager
def run_directory(*, keep: bool = False, base: Path | None = None) -> Iterator[Path]:
    """Give an empty directory under ``base`` (the system's for temporary files by default).

    Args:
        keep: leave it behind, for somebody to look into.
        base: where to make it.

    """
    base = Path(tempfile.gettempdir()) if base is None else base
    sweep(base)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    lock = directory / OWNER
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield directory
        finally:
            if keep:
                lock.unlink()
            else:
                shutil.rmtree(directory, ignore_errors=True)


def sweep(base: Path) -> list[Path]:
    """Remove the directories under ``base`` whose owners are dead; give what was removed."""
    return [lock.parent for lock in base.glob(f"{PREFIX}*/{OWNER}") if _removed(lock)]


def _removed(lock: Path) -> bool:
    with suppress(OSError), lock.open("r+") as held:  # of another user, or just gone
        if os.fstat(held.fileno()).st_uid != os.getuid():
            return False
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.parent)
        return True
    return False
