"""Files as a whole: read up to a bound, and replaced so that a crash leaves no half."""

import os
from pathlib import Path


class TooLargeError(OSError):
    """A file is longer than it can be."""


def read_file(path: Path, most: int) -> bytes | None:
    """Return a file's content of at most so many bytes, None where there is none; OSError."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        return None
    if len(content) > most:
        raise TooLargeError(f"larger than {most} bytes")
    return content


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put `content` in place of `path`, with `mode` if given; raise OSError.

    The draft has one name: there is one writer, and what a kill leaves behind is written over.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Have the names in a directory on the disk; raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
