"""The last good view on disk: the old one or the new one, never a half, and only our own."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider import cache
from seedprovider.cache import FILE, CacheError, Remembered, load, save
from seedprovider.model import Endpoint, Entry, EntryState, Origin, Record, Stay

RING, HOST = str(UUID(int=0xA)), str(UUID(int=0x100))
KEPT = Remembered(
    service="cassandra",
    pod="cassandra-0",
    pod_uid="u0",
    pvc_uid="pvc-0",
    record=Record(
        ring_id=RING,
        founder="cassandra-0",
        founder_pvc_uid="pvc-0",
        how=Origin.ADOPTED,
        at="t0",
        version="17",
    ),
    endpoints=(
        Endpoint("cassandra-0", "u0", "10.0.0.1", zone="a"),
        Endpoint("cassandra-1", "u1", "fd00::1", serving=False, terminating=True),
    ),
    ledger={
        "cassandra-0": Entry(
            pod="cassandra-0",
            ring_id=RING,
            pod_uid="u0",
            pvc_uid="pvc-0",
            host_id=HOST,
            state=EntryState.MEMBER,
            dc="dc1",
            rack="r1",
            addresses=(Stay("10.0.0.1", "t0"),),
            version="3",
        )
    },
    seeds=("10.0.0.1", "fd00::1"),
    saved_at=1234.5,
)


def told(folder: Path, service: str = "cassandra", pod: str = "cassandra-0") -> str:
    with pytest.raises(CacheError) as caught:
        load(folder, service, pod, "u0")
    return str(caught.value)


def test_what_was_kept_is_what_is_read(tmp_path: Path) -> None:
    save(tmp_path, KEPT)

    assert load(tmp_path, "cassandra", "cassandra-0", "u0") == KEPT


def test_of_a_service_without_record_and_volume_as_well(tmp_path: Path) -> None:
    kept = replace(KEPT, record=None, pvc_uid=None, ledger={}, endpoints=())
    save(tmp_path, kept)

    assert load(tmp_path, "cassandra", "cassandra-0", "u0") == kept


def test_a_later_one_takes_the_place_of_the_earlier_and_leaves_nothing_else(
    tmp_path: Path,
) -> None:
    save(tmp_path, KEPT)
    save(tmp_path, replace(KEPT, seeds=("10.0.0.9",)))

    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    kept = load(tmp_path, "cassandra", "cassandra-0", "u0")
    assert kept is not None
    assert kept.seeds == ("10.0.0.9",)


def test_of_what_an_earlier_pod_kept_only_addresses_are_used(tmp_path: Path) -> None:
    save(tmp_path, KEPT)

    kept = load(tmp_path, "cassandra", "cassandra-0", "u1")

    assert kept == replace(KEPT, pvc_uid=None, ledger={})


def test_the_directory_is_made_where_it_is_missing(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b", KEPT)

    assert load(tmp_path / "a" / "b", "cassandra", "cassandra-0", "u0") == KEPT


def test_nothing_was_kept_yet(tmp_path: Path) -> None:
    assert load(tmp_path, "cassandra", "cassandra-0", "u0") is None
    assert load(tmp_path / "missing", "cassandra", "cassandra-0", "u0") is None


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    save(tmp_path, KEPT)
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CacheError, match=rf"{FILE}: No space left on device"):
        save(tmp_path, replace(KEPT, seeds=("10.0.0.9",)))

    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert load(tmp_path, "cassandra", "cassandra-0", "u0") == KEPT


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    with pytest.raises(CacheError, match=r"state/last-good\.json: "):
        save(tmp_path / "state", KEPT)


def test_a_file_of_another_pod_or_service_is_not_used(tmp_path: Path) -> None:
    save(tmp_path, KEPT)

    assert told(tmp_path, pod="cassandra-1").endswith(
        "of cassandra-0 in cassandra, not of cassandra-1 in cassandra"
    )
    assert told(tmp_path, service="other").endswith(
        "of cassandra-0 in cassandra, not of cassandra-0 in other"
    )


def test_a_file_of_another_format_is_not_used(tmp_path: Path) -> None:
    save(tmp_path, KEPT)
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes().replace(b'"format":1', b'"format":2'))

    assert told(tmp_path).endswith("format 2, not 1")


def test_a_file_larger_than_any_of_ours_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, KEPT)
    monkeypatch.setattr(cache, "MAX_BYTES", 100)

    assert told(tmp_path).endswith("larger than 100 bytes")


def test_a_directory_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()

    assert FILE in told(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"\xff\xfe", b"[" * 10**5, b'{"format":1,"remembered":{}}'],
)
def test_a_damaged_file_is_told_and_never_fails_otherwise(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)

    assert told(tmp_path).startswith(f"{tmp_path / FILE}: ")


def test_a_file_cut_anywhere_is_told(tmp_path: Path) -> None:
    save(tmp_path, KEPT)
    content = (tmp_path / FILE).read_bytes()

    for length in range(len(content)):
        (tmp_path / FILE).write_bytes(content[:length])
        told(tmp_path)


@given(st.data())
def test_a_file_with_one_wrong_byte_is_read_as_something_of_ours_or_told(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("state")
    save(folder, KEPT)
    content = bytearray((folder / FILE).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / FILE).write_bytes(content)
    try:
        kept = load(folder, "cassandra", "cassandra-0", "u0")
    except CacheError as error:
        assert FILE in str(error)  # noqa: PT017 -- one of two good outcomes
    else:
        assert msgspec.json.encode(kept)
