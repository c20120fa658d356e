"""What the sidecar itself reads of the data directory, which it mounts read-only."""

from pathlib import Path

from seedprovider.model import Address, Disk, DiskState, HostId, PvcUid, RingId
from seedprovider.node import BadInputError, parse_uuid
from seedprovider.racks import FILE, recorded_rack
from seedprovider.view import canonical

MARK = "cassandra-ring.mark"
MAX_MARK_BYTES = 64 * 1024
MAX_RACK_BYTES = 128
"""More than the longest rack file; what is cut is none."""

_MARKED = {
    "joining": DiskState.JOINING,
    "member": DiskState.MEMBER,
    "left": DiskState.LEFT,
}


def read_disk(data_dir: Path) -> Disk:
    """Return the state of a data directory, `DiskState.UNKNOWN` where it cannot be read.

    A data directory that does not exist yet is empty: Cassandra makes it at its first start.
    Its parent has to exist, though, or the volume may not be mounted at all.
    """
    try:
        if _listed(data_dir) is None:
            data_dir.parent.stat()
            return Disk(DiskState.EMPTY)
        has_data = _holds_system_local(data_dir)
        mark = _read_mark(data_dir / MARK)
        # A blank disk's mark says only which ring its node is on its way into.
        underway = mark.ring_id if mark.state is DiskState.JOINING else None
        return mark if has_data else Disk(DiskState.EMPTY, underway)
    except OSError:
        return Disk(DiskState.UNKNOWN)


def _read_mark(path: Path) -> Disk:
    try:
        with path.open("rb") as file:
            return parse_mark(file.read(MAX_MARK_BYTES + 1))
    except FileNotFoundError:
        return Disk(DiskState.UNMARKED)


def _listed(folder: Path) -> list[Path] | None:
    """List a directory, None where there is none; raise OSError for all that is neither.

    `Path.is_dir` and `Path.exists` call a link that leads nowhere absent, and from Python 3.14
    on everything that cannot be read: that would be a member's disk taken for an empty one.
    """
    try:
        folder.lstat()
    except FileNotFoundError:
        return None
    return list(folder.iterdir())


def _holds_system_local(data_dir: Path) -> bool:
    """Whether ``system/local-*`` has an SSTable: without one the disk has no host ID."""
    return any(
        entry.name.endswith("-Data.db")
        for table in _listed(data_dir / "system") or ()
        if table.name.startswith("local-")
        for entry in table.iterdir()
    )


def parse_mark(content: bytes) -> Disk:
    """Return what a mark says of a disk with data; one that makes no sense is no mark."""
    unmarked = Disk(DiskState.UNMARKED)
    if len(content) > MAX_MARK_BYTES:
        return unmarked
    try:
        *lines, rest = content.decode("utf-8").split("\n")
        pairs = dict(line.split("=", 1) for line in lines if "=" in line)
        if rest or len(pairs) != len(lines):
            # It is written whole or not at all: half a line or a line twice is not ours.
            return unmarked
        ring, host = (
            parse_uuid(pairs.get("ring-id"), "ring-id"),
            parse_uuid(pairs.get("host-id"), "host-id"),
        )
    except (UnicodeDecodeError, BadInputError):
        return unmarked
    state = _MARKED.get(pairs.get("state", ""))
    if state is None or ring is None or pairs.get("version") != "1":
        return unmarked
    return Disk(
        state,
        RingId(ring),
        HostId(host) if host else None,
        PvcUid(pairs["pvc-uid"]) if pairs.get("pvc-uid") else None,
    )


def read_mark_seeds(data_dir: Path) -> tuple[Address, ...]:
    """Return the last good answer that the mark keeps; nothing where it cannot be read."""
    try:
        with (data_dir / MARK).open("rb") as file:
            lines = file.read(MAX_MARK_BYTES).decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return ()
    listed = next((line for line in lines if line.startswith("seeds=")), "seeds=")
    found = (canonical(seed) for seed in listed.removeprefix("seeds=").split(","))
    return tuple(address for address in found if address is not None)


def read_rack(data_dir: Path) -> str | None:
    """Return the rack that the disk keeps; None where none was chosen or it cannot be read."""
    try:
        with (data_dir / FILE).open("rb") as file:
            return recorded_rack(file.read(MAX_RACK_BYTES))
    except (OSError, ValueError):
        return None
