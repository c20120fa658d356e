import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedprovider import journal
from seedprovider.decision import Policy, Rule, Withheld
from seedprovider.journal import Began, Decided, Full, Lost, Own, Purpose
from seedprovider.model import Endpoint
from seedprovider.recorder import QUEUE, Recorder
from tests.fakes.situations import Stage, address, asker, pod, uid

ME = Endpoint(pod(0), uid(0), address(0))


@contextmanager
def recording(path: Path, limit_bytes: int = 2**20) -> Iterator[Recorder]:
    times = iter(range(10**6))
    recorder = Recorder(
        path, limit_bytes=limit_bytes, clock=lambda: float(next(times)), wall=lambda: 9.0
    )
    yield recorder
    recorder.close()


def lines_of(path: Path) -> list[journal.Any]:
    return [journal.decode(line) for line in path.read_bytes().splitlines()]


def decide(recorder: Recorder, purpose: Purpose, reason: str) -> None:
    taken = (asker(0), Stage().ring_of(0, 1).view(), Policy())
    recorder.decided(purpose, 0.5, taken, Withheld(rule=Rule.JOIN_WAIT, reason=reason))


def test_lines_are_written_in_order_with_both_times(tmp_path: Path) -> None:
    with recording(tmp_path / "j") as recorder:
        recorder.began(ME)
        decide(recorder, Purpose.START, "first")
    began, decided = lines_of(tmp_path / "j")

    assert began == Began(at=0.0, wall=9.0, pod=pod(0), uid=uid(0), address=address(0))
    assert isinstance(decided, Decided)
    assert (decided.at, decided.looked) == (1.0, 0.5)


def test_a_second_sidecar_of_the_pod_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with recording(tmp_path / "j") as recorder:
            recorder.began(ME)

    assert len(lines_of(tmp_path / "j")) == 2


def test_what_is_told_of_the_node_is_noted_when_it_changes(tmp_path: Path) -> None:
    reports = Stage().ring_of(0, 1).reports
    with recording(tmp_path / "j") as recorder:
        for n in (0, 0, 1, 0):
            recorder.own(reports[pod(n)])
    told = [line.report.pod for line in lines_of(tmp_path / "j") if isinstance(line, Own)]

    assert told == [pod(0), pod(1), pod(0)]


def test_decisions_for_a_running_node_are_noted_when_they_change(tmp_path: Path) -> None:
    with recording(tmp_path / "j") as recorder:
        for reason in ("a", "a", "b"):
            decide(recorder, Purpose.RUNNING, reason)
            decide(recorder, Purpose.START, "each time")

    assert len(lines_of(tmp_path / "j")) == 5


def test_a_journal_at_its_bound_says_so_and_ends(tmp_path: Path) -> None:
    with recording(tmp_path / "j", limit_bytes=2000) as recorder:
        for _ in range(100):
            recorder.began(ME)
    *kept, last = lines_of(tmp_path / "j")

    assert (tmp_path / "j").stat().st_size <= 2000
    assert isinstance(last, Full)
    assert len(kept) > 5


def test_lines_that_come_faster_than_the_disk_takes_them_are_counted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow")
    recorder = Recorder(tmp_path / "slow")  # opening waits until somebody reads
    for _ in range(QUEUE + 7):
        recorder.began(ME)
    kept: list[journal.Any] = []

    def read() -> None:
        kept.extend(lines_of(tmp_path / "slow"))

    reader = threading.Thread(target=read)
    reader.start()
    while not recorder._lines.empty():
        pass
    recorder.began(ME)
    recorder.close()
    reader.join(10)

    assert sum(line.lines for line in kept if isinstance(line, Lost)) == 7
    assert len(kept) == QUEUE + 2


def test_a_place_that_cannot_be_written_costs_one_warning_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), recording(tmp_path / "no" / "j") as recorder:
        for _ in range(2 * QUEUE):
            recorder.began(ME)

    assert len(caplog.records) == 1
    assert "no journal" in caplog.text


def test_a_full_disk_ends_the_journal_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING), recording(Path("/dev/full")) as recorder:
        for _ in range(10):
            decide(recorder, Purpose.START, "no room")

    assert len(caplog.records) == 1
    assert "No space left" in caplog.text
