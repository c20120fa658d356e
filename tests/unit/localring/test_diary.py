from pathlib import Path
from typing import Any

import msgspec

from localring.apiserver import ApiServer, Fault, Kind
from localring.diary import FILE, Diary

HOST = "127.50.9.1"
CONFIG_MAP = {"metadata": {"name": "cassandra-ring"}, "data": {"ringId": "r"}}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in (folder / FILE).read_bytes().splitlines()]


async def test_writes_are_kept_with_their_versions_and_deletions_with_nothing(
    tmp_path: Path,
) -> None:
    async with ApiServer(HOST) as api:
        with Diary(tmp_path / "journals") as diary:
            diary.follow(api)
            api.store.create("configmaps", CONFIG_MAP, "ns")
            api.store.create("events", {"metadata": {"name": "told"}}, "default")
            api.store.delete("configmaps", "cassandra-ring", "ns")
        api.store.create("configmaps", CONFIG_MAP, "ns")  # after its end
    made, gone = lines(tmp_path / "journals")

    assert made["body"]["data"] == {"ringId": "r"}
    assert made["version"] == made["body"]["metadata"]["resourceVersion"]
    assert (gone["name"], gone["body"]) == ("cassandra-ring", None)
    assert int(gone["version"]) > int(made["version"])
    assert gone["at"] >= made["at"]


async def test_faults_and_absences_of_the_api_server_are_kept(tmp_path: Path) -> None:
    async with ApiServer(HOST) as api:
        with Diary(tmp_path / "journals") as diary:
            diary.follow(api)
            with api.faults.active(Fault(kind=Kind.HANG)):
                pass
            await api.refuse()
            await api.accept()
    told = [(each["event"], each.get("accepting")) for each in lines(tmp_path / "journals")]

    assert told == [("faults", None), ("faults", None), ("api", False), ("api", True)]
    assert [len(each["rules"]) for each in lines(tmp_path / "journals")[:2]] == [1, 0]
