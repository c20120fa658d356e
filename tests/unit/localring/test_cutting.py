from ipaddress import IPv4Address
from pathlib import Path

from localring.cutting import write_cut

ONE, OTHER = IPv4Address("127.64.0.1"), IPv4Address("127.64.0.2")


def test_a_cut_names_whom_and_what_it_is_of_and_nothing_stays_of_one_that_is_healed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cut"
    write_cut(file, [ONE, OTHER], "")
    assert file.read_text() == "127.64.0.1\n127.64.0.2\n"

    write_cut(file, [OTHER], "SCHEMA_")
    assert file.read_text() == "127.64.0.2 SCHEMA_\n"

    write_cut(file, [], "")
    write_cut(file, [], "")
    assert list(tmp_path.iterdir()) == []
