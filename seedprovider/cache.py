"""The last good view on disk: what a restarted sidecar knows while the API server is away."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from seedprovider.durable import read_file, replace_file
from seedprovider.model import Address, Endpoint, Entry, PodName, PodUid, PvcUid, Record

FILE: Final = "last-good.json"
FORMAT: Final = 1
MAX_BYTES: Final = 8 * 2**20


class CacheError(Exception):
    """The cache cannot be read or written; the text says why.  Never fatal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is kept.

    Attributes:
        seeds: the last answer given to the node beside us.
        saved_at: wall-clock seconds since the epoch.

    """

    service: str
    pod: PodName
    pod_uid: PodUid
    pvc_uid: PvcUid | None
    record: Record | None
    endpoints: tuple[Endpoint, ...]
    ledger: dict[PodName, Entry]
    seeds: tuple[Address, ...]
    saved_at: float


class _File(msgspec.Struct, forbid_unknown_fields=True):
    format: int
    remembered: Remembered


_decoder = msgspec.json.Decoder(_File)


def save(state_dir: Path, remembered: Remembered) -> None:
    """Replace the cache as a whole.

    Raises `CacheError`.
    """
    content = msgspec.json.encode(_File(FORMAT, remembered))
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        replace_file(state_dir / FILE, content)
    except OSError as error:
        raise CacheError(f"{state_dir / FILE}: {error.strerror or error}") from error


def load(state_dir: Path, service: str, pod: str, uid: str) -> Remembered | None:
    """Return what was kept for this pod, None if nothing was.

    What an earlier pod of the same name kept, where the directory outlives pods, is good for
    addresses only: its volume and the ledger may have changed between the two.

    Raises `CacheError` for a file that is damaged, of another format, or of another pod; the
    caller goes on without it.
    """
    path = state_dir / FILE
    try:
        content = read_file(path, MAX_BYTES)
    except OSError as error:
        raise CacheError(f"{path}: {error.strerror or error}") from error
    if content is None:
        return None
    try:
        file_ = _decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CacheError(f"{path}: {error}") from None
    if file_.format != FORMAT:
        raise CacheError(f"{path}: format {file_.format}, not {FORMAT}")
    kept = file_.remembered
    if (kept.service, kept.pod) != (service, pod):
        raise CacheError(f"{path}: of {kept.pod} in {kept.service}, not of {pod} in {service}")
    return kept if kept.pod_uid == uid else replace(kept, pvc_uid=None, ledger={})
