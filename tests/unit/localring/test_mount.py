from pathlib import Path

from localring.mount import Mount
from seedprovider.disk import read_disk
from seedprovider.model import DiskState


def test_a_mount_that_is_lost_cannot_be_read_and_is_not_taken_for_an_empty_disk(
    tmp_path: Path,
) -> None:
    (tmp_path / "disk" / "data").mkdir(parents=True)
    mount = Mount(tmp_path / "pod" / "data", tmp_path / "disk" / "data")
    mount.mend()
    before = read_disk(mount.path).state
    mount.lose()
    lost = read_disk(mount.path).state
    mount.mend()

    assert (before, lost) == (DiskState.EMPTY, DiskState.UNKNOWN)
    assert read_disk(mount.path).state == DiskState.EMPTY
