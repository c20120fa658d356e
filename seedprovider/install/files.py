"""The files that an installation reads and replaces: settings, our jar, the rack."""

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Final

from seedprovider.durable import TooLargeError, read_file, replace_file, sync_directory
from seedprovider.install.errors import InputError, InstallError
from seedprovider.install.parameters import CLASS
from seedprovider.racks import FILE, rack_text, recorded_rack

MAX_BYTES: Final = 8 * 2**20
"""Of one file: Cassandra's longest settings take 100 KiB, our jar less."""
PLAIN_MODE: Final = 0o644
"""Of files that were not there before."""


def read_setting(folder: Path, name: str) -> bytes:
    """Return a file of Cassandra's settings; raise `InputError` where it is not there."""
    content = _read(folder / name)
    if content is None:
        raise InputError(
            f"{folder} has no {name}: it has to be a copy of Cassandra's /etc/cassandra"
        )
    return content


def read_jar(path: Path) -> bytes:
    """Return the seed provider's jar; raise `InputError` where `path` is none."""
    content = _read(path)
    if content is None:
        raise InputError(f"SEEDPROVIDER_JAR={path}: there is no such file")
    try:
        with zipfile.ZipFile(BytesIO(content)) as jar:
            jar.getinfo(f"{CLASS.replace('.', '/')}.class")
    except (zipfile.BadZipFile, KeyError):
        raise InputError(f"SEEDPROVIDER_JAR={path}: is not the seed provider's jar") from None
    return content


def put(folder: Path, name: str, content: bytes) -> bool:
    """Replace a file, with the mode that it has; return whether it was another before.

    Raises `InstallError`.
    """
    path = folder / name
    if _read(path) == content:
        return False
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else PLAIN_MODE
        replace_file(path, content, mode=mode)
    except OSError as error:
        raise InstallError(f"cannot write {path}: {error.strerror or error}") from None
    return True


def read_rack(data_dir: Path) -> str | None:
    """Return the rack that a disk keeps, None where it keeps none.

    Raises `InstallError` where it cannot be read, and `InputError` where it makes no sense: a
    file that is there is never taken for absent.
    """
    content = _read(data_dir / FILE)
    try:
        return None if content is None else recorded_rack(content)
    except ValueError as error:
        raise InputError(
            f"{data_dir / FILE}: {error}; write into it the rack that this node has in "
            "`nodetool status`, or delete it if the disk is to be emptied anyway"
        ) from None


def write_rack(data_dir: Path, rack: str) -> None:
    """Record a disk's rack for good; raise `InstallError`."""
    try:
        if not data_dir.exists():
            data_dir.mkdir()
            sync_directory(data_dir.parent)
        replace_file(data_dir / FILE, rack_text(rack).encode(), mode=PLAIN_MODE)
    except OSError as error:
        raise InstallError(
            f"cannot write {data_dir / FILE}: {error.strerror or error}; the data volume has "
            "to be mounted writable"
        ) from None


def _read(path: Path) -> bytes | None:
    """Return a file's content, None where there is none."""
    try:
        return read_file(path, MAX_BYTES)
    except TooLargeError as error:
        raise InputError(f"{path} is {error}") from None
    except OSError as error:
        raise InstallError(f"cannot read {path}: {error.strerror or error}") from None
