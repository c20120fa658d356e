"""What the sidecar reads of a data directory: six states, and never a guess."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider.disk import MARK, MAX_MARK_BYTES, parse_mark, read_disk, read_rack
from seedprovider.model import Disk, DiskState
from seedprovider.racks import FILE, rack_text

RING, HOST = str(UUID(int=0xA)), str(UUID(int=0x100))
LINES = ("version=1", "state=member", f"ring-id={RING}", f"host-id={HOST}", "pvc-uid=9d7a")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data directory in which Cassandra has written its local table."""
    folder = tmp_path / "data"
    table = folder / "system" / "local-7ad54392bcdd35a684174e047860b377"
    table.mkdir(parents=True)
    (table / "nb-1-big-Data.db").touch()
    return folder


def mark(folder: Path, *lines: str) -> None:
    (folder / MARK).write_text("".join(f"{line}\n" for line in lines))


def without_data(folder: Path) -> Path:
    next(folder.glob("system/local-*/*-Data.db")).unlink()
    return folder


# -- the states --------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["joining", "member", "left"])
def test_data_with_a_mark_is_what_the_mark_says(data: Path, state: str) -> None:
    mark(data, "version=1", f"state={state}", *LINES[2:])

    assert read_disk(data) == Disk(DiskState(state), RING, HOST, "9d7a")


def test_data_without_a_mark_is_unmarked(data: Path) -> None:
    assert read_disk(data) == Disk(DiskState.UNMARKED)


def test_data_with_a_mark_that_makes_no_sense_is_unmarked(data: Path) -> None:
    (data / MARK).write_bytes(b"\xff\x00garbage")

    assert read_disk(data) == Disk(DiskState.UNMARKED)


def test_without_data_the_disk_is_empty_whatever_the_mark_says(data: Path) -> None:
    mark(without_data(data), *LINES)

    assert read_disk(data).state is DiskState.EMPTY


def test_the_mark_of_a_blank_disk_names_the_ring_that_its_node_may_be_joining(
    data: Path,
) -> None:
    mark(without_data(data), "version=1", "state=joining", f"ring-id={RING}")

    assert read_disk(data) == Disk(DiskState.EMPTY, RING)


@pytest.mark.parametrize("state", ["member", "left"])
def test_a_blank_disk_whose_mark_says_anything_else_names_no_ring(
    data: Path, state: str
) -> None:
    mark(without_data(data), "version=1", f"state={state}", *LINES[2:])

    assert read_disk(data) == Disk(DiskState.EMPTY)


def test_a_directory_with_nothing_in_it_is_empty(tmp_path: Path) -> None:
    assert read_disk(tmp_path) == Disk(DiskState.EMPTY)


def test_a_directory_that_cassandra_has_not_made_yet_is_empty(tmp_path: Path) -> None:
    assert read_disk(tmp_path / "data") == Disk(DiskState.EMPTY)


def test_where_not_even_the_parent_is_there_the_volume_may_not_be_mounted(
    tmp_path: Path,
) -> None:
    assert read_disk(tmp_path / "cassandra" / "data") == Disk(DiskState.UNKNOWN)


@pytest.mark.parametrize(
    "name", ["nb-1-big-Index.db", "nb-1-big-TOC.txt", "nb-1-big-Data.db.tmp", "Data.db"]
)
def test_only_a_finished_data_file_counts(data: Path, name: str) -> None:
    folder = without_data(data)
    (folder / "system" / "local-7ad54392bcdd35a684174e047860b377" / name).touch()

    assert read_disk(folder).state is DiskState.EMPTY


@pytest.mark.parametrize("name", ["me-1-big-Data.db", "oa-12-big-Data.db", "da-3-bti-Data.db"])
def test_the_data_files_of_every_version_count(data: Path, name: str) -> None:
    folder = without_data(data)
    (folder / "system" / "local-7ad54392bcdd35a684174e047860b377" / name).touch()

    assert read_disk(folder).state is DiskState.UNMARKED


@pytest.mark.parametrize(
    "place",
    ["system/local-1/snapshots/s1", "system/peers-1", "system_auth/local-1", "system/local_1"],
)
def test_files_of_other_tables_and_of_snapshots_do_not_count(
    tmp_path: Path, place: str
) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "nb-1-big-Data.db").touch()

    assert read_disk(tmp_path) == Disk(DiskState.EMPTY)


def test_a_table_that_was_made_twice_counts_by_any_of_its_directories(data: Path) -> None:
    (data / "system" / "local-0").mkdir()

    assert read_disk(data).state is DiskState.UNMARKED


# -- what cannot be read is not empty ----------------------------------------------------------


def test_a_file_in_the_place_of_the_directory_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    assert read_disk(tmp_path / "data") == Disk(DiskState.UNKNOWN)


def test_a_file_in_the_place_of_the_system_keyspace_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "system").touch()

    assert read_disk(tmp_path) == Disk(DiskState.UNKNOWN)


def test_a_link_that_leads_nowhere_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(tmp_path / "gone")

    assert read_disk(tmp_path / "data") == Disk(DiskState.UNKNOWN)


def test_a_system_keyspace_on_a_volume_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "system").symlink_to(tmp_path / "gone")

    assert read_disk(tmp_path) == Disk(DiskState.UNKNOWN)


def test_a_link_in_a_circle_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "system").symlink_to(tmp_path / "system")

    assert read_disk(tmp_path) == Disk(DiskState.UNKNOWN)


def test_a_mark_that_is_no_file_is_unknown(data: Path) -> None:
    (data / MARK).mkdir()

    assert read_disk(data) == Disk(DiskState.UNKNOWN)


@contextlib.contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """Have nobody read the directory, and be somebody whom that holds: root it does not."""
    before = folder.stat().st_mode
    folder.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(before)


@pytest.mark.parametrize("place", ["", "data", "data/system", "data/system/local-1"])
def test_a_directory_that_may_not_be_read_is_unknown_and_not_empty(place: str) -> None:
    with TemporaryDirectory() as top:  # pytest's own is closed to others
        root = Path(top)
        (root / "data/system/local-1").mkdir(parents=True)
        root.chmod(0o755)
        with forbidden(root / place):
            found = read_disk(root / "data")

    assert found == Disk(DiskState.UNKNOWN)


# -- the mark ----------------------------------------------------------------------------------


def content(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def test_keys_come_in_any_order_and_unknown_ones_are_passed_over() -> None:
    turned = content("seeds=10.0.0.1,10.0.0.2", "news=x=y", *reversed(LINES))

    assert parse_mark(turned) == parse_mark(content(*LINES))


def test_a_mark_that_is_not_as_it_was_written_is_no_mark() -> None:
    whole = content(*LINES)

    for broken in (whole[:-1], whole + b"half a li", content(*LINES, LINES[0]), b"no pair\n"):
        assert parse_mark(broken) == Disk(DiskState.UNMARKED)


def test_host_and_volume_may_be_absent() -> None:
    assert parse_mark(content("version=1", "state=joining", f"ring-id={RING}")) == Disk(
        DiskState.JOINING, RING
    )


@pytest.mark.parametrize(
    "lines",
    [
        (),
        LINES[1:],
        ("version=2", *LINES[1:]),
        (LINES[0], *LINES[2:]),
        (LINES[0], "state=empty", *LINES[2:]),
        (LINES[0], "state=Member", *LINES[2:]),
        (*LINES[:2], *LINES[3:]),
        (*LINES[:2], "ring-id=", *LINES[3:]),
        (*LINES[:2], "ring-id=1", *LINES[3:]),
        (*LINES[:3], "host-id=1", LINES[4]),
    ],
)
def test_a_mark_that_lacks_or_garbles_what_it_needs_is_none(lines: tuple[str, ...]) -> None:
    assert parse_mark(content(*lines)) == Disk(DiskState.UNMARKED)


def test_a_mark_that_is_far_too_large_is_none() -> None:
    assert parse_mark(content(*LINES) + b"#" * MAX_MARK_BYTES) == Disk(DiskState.UNMARKED)


@pytest.mark.parametrize("length", range(len(content(*LINES[:3]))))
def test_half_a_mark_never_names_another_ring(length: int) -> None:
    half = parse_mark(content(*LINES[:3])[:length])

    assert half in {Disk(DiskState.UNMARKED), Disk(DiskState.MEMBER, RING)}


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_mark_or_none(garbage: bytes) -> None:
    assert isinstance(parse_mark(garbage), Disk)


# -- the rack ----------------------------------------------------------------------------------


def test_the_rack_is_what_its_file_says(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(rack_text("zone-a"))

    assert read_rack(tmp_path) == "zone-a"


@pytest.mark.parametrize("content", [b"", b"rack=\n", b"rack=a\nrack=b\n", b"\xff", b"a" * 500])
def test_a_rack_file_that_holds_anything_else_names_no_rack(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)

    assert read_rack(tmp_path) is None


def test_a_disk_without_a_rack_file_names_no_rack(tmp_path: Path) -> None:
    assert read_rack(tmp_path / "data") is None
