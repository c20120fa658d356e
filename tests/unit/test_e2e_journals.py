"""The part of fetching journals from a cluster that needs no cluster."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from seedprovider import journal
from tests.e2e.journals import FILE, SWITCHED_ON, Journals, keep
from tests.e2e.kubectl import Kubectl, KubectlError
from tests.model import traces
from tests.model.record import PLAIN, unpacked

BEGAN = journal.encode(
    journal.Began(at=1.0, pod="cassandra-0", uid="u0", address="10.0.0.1")
).decode()
LOST = journal.encode(journal.Lost(at=2.0, lines=1)).decode()


def test_a_journal_is_kept_up_to_its_last_whole_line(tmp_path: Path) -> None:
    keep(tmp_path, "cassandra-0", "u0", BEGAN + LOST[:9])

    assert (tmp_path / "cassandra-0.u0.jsonl").read_text() == BEGAN


def test_what_is_fetched_later_takes_the_place_of_what_was(tmp_path: Path) -> None:
    for text in (BEGAN, BEGAN + LOST, BEGAN):
        keep(tmp_path, "cassandra-0", "u0", text)

    assert (tmp_path / "cassandra-0.u0.jsonl").read_text() == BEGAN + LOST


@pytest.mark.parametrize("text", ["", "cat: no such file\n", LOST, BEGAN[:20]])
def test_what_is_no_journal_is_not_kept(tmp_path: Path, text: str) -> None:
    keep(tmp_path, "cassandra-0", "u0", text)

    assert not list(tmp_path.iterdir())


@dataclass(frozen=True, slots=True)
class Answers(Kubectl):
    """kubectl that has the journals of a recorded run, of the first pods or the last ones."""

    which: int = 0

    def __call__(self, *words: str, given: str | None = None, patience: float = 0.0) -> str:
        del given, patience
        verb, pod, option, container, dashes, *command = words
        assert (verb, option, container, dashes) == ("exec", "-c", "seedprovider", "--")
        assert command == ["cat", FILE]
        found = sorted(self.config.glob(f"{pod}.*.jsonl"))
        if not found:
            raise KubectlError(f"pods {pod} not found")
        return found[self.which].read_text()


def test_a_ring_s_journals_are_fetched_and_replayed(tmp_path: Path) -> None:
    with unpacked(PLAIN) as recorded:
        names = {path.name.partition(".")[0] for path in recorded.glob("cassandra*")}
        for which, more in ((0, "cassandra-9"), (-1, "cassandra-8")):
            journals = Journals(Answers(recorded, "shared-ring", which), tmp_path / "kept")
            pods = {pod: sorted(recorded.glob(f"{pod}.*"))[which].stem for pod in names}
            uids = {pod: uid.replace(".", "-") for pod, uid in pods.items()}
            listed = {**uids, more: "gone"}
            journals.fetch({pod: {"metadata": {"uid": uid}} for pod, uid in listed.items()})

    assert len(traces.read(tmp_path / "kept")) == journals.replay().replayed
    assert journals.failures == {"cassandra-8": "pods cassandra-8 not found"}
    assert "shared-ring: replayed" in journals.summary()
    assert len(journals.replay().left_out) <= 1  # nobody but a diary says that a disk is wiped


def test_the_patch_names_the_file_that_is_fetched() -> None:
    assert SWITCHED_ON[0] == "StatefulSet"
    assert f"value: {FILE}}}" in SWITCHED_ON[1]
