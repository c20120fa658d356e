"""A recorded run of a real ring is a way through the model; a tampered one is not."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seedprovider import journal, protocol
from seedprovider.decision import Decision, Policy, Rule, Seeds
from seedprovider.journal import Decided, DutyKind, Own, Purpose, Result, Stepped
from seedprovider.model import (
    Address,
    Asker,
    HostId,
    Peer,
    PeerState,
    Process,
    Record,
    View,
)
from tests.model import state as m
from tests.model import traces
from tests.model.record import PLAIN, STORIES, unpacked
from tests.model.replay import ImpossibleError, Replay, replayed
from tests.model.traces import Happened

Trace = list[Happened]


@pytest.fixture(scope="module")
def trace() -> Trace:
    with unpacked(PLAIN) as folder:
        return traces.read(folder)


def refused(trace: Trace, text: str) -> str:
    """Hold that the replay stops, and for this reason; return the whole story."""
    with pytest.raises(ImpossibleError, match=re.escape(text)) as caught:
        Replay().feed(sorted(trace, key=lambda each: each.at))
    return str(caught.value)


def find(trace: Trace, fits: Callable[[Happened], bool], nth: int = 0) -> int:
    """Return the place of the nth line that fits."""
    return [place for place, each in enumerate(trace) if fits(each)][nth]


def decided(pod: str, fits: Callable[[Decided], bool]) -> Callable[[Happened], bool]:
    return lambda each: each.pod == pod and isinstance(each.line, Decided) and fits(each.line)


def takes(what: str) -> Callable[[Decided], bool]:
    """Whether a decision is this kind of step."""
    return lambda line: (
        line.outcome.step is not None and getattr(line.outcome.step, what) is not None
    )


def joins(line: Decided) -> bool:
    return line.outcome.seeds is not None and line.outcome.seeds.rule is Rule.JOIN


def changed(trace: Trace, place: int, **fields: Any) -> Trace:  # noqa: ANN401
    """Write other things into one line."""
    each = trace[place]
    line = msgspec.structs.replace(each.line, **fields)
    return [*trace[:place], each._replace(line=line), *trace[place + 1 :]]


def without(trace: Trace, *places: int) -> Trace:
    return [each for place, each in enumerate(trace) if place not in places]


def first_joiner(trace: Trace) -> str:
    return trace[
        find(trace, lambda each: isinstance(each.line, Decided) and joins(each.line))
    ].pod


def first_founder(trace: Trace) -> str:
    fits = takes("record")
    return trace[find(trace, lambda e: isinstance(e.line, Decided) and fits(e.line))].pod


# -- what is real is possible ------------------------------------------------------------------


def test_of_the_plain_stories_nothing_is_left_out(trace: Trace) -> None:
    replay = Replay()
    replay.feed(trace)

    assert replay.left_out == []
    assert replay.replayed == len(trace)


def test_the_run_had_the_plain_stories_in_it(trace: Trace) -> None:
    told = [each.line.get("name") for each in trace if not each.pod and "name" in each.line]
    rules = {
        each.line.outcome.seeds.rule
        for each in trace
        if isinstance(each.line, Decided) and each.line.outcome.seeds
    }

    assert set(STORIES) <= set(told)
    assert {Rule.FOUNDER, Rule.JOIN, Rule.REPLACE, Rule.MEMBER_CONFIRMED} <= rules


def test_the_replay_ends_in_the_world_that_the_run_ended_in(trace: Trace) -> None:
    replay = Replay()
    replay.feed(trace)
    (world,) = replay.worlds

    assert [pod.run for pod in world.pods] == [m.NORMAL] * 4
    assert [pod.disk.kind for pod in world.pods] == [m.MEMBER] * 4
    assert {entry.state for entry in world.ledger} == {m.IN_MEMBER}
    assert world.turn == (-1, False)
    assert len(world.maps) == 1


def test_a_run_is_replayed_in_pieces_as_in_one(trace: Trace) -> None:
    whole, pieces = Replay(), Replay()
    whole.feed(trace)
    for start in range(0, len(trace), 7):
        pieces.feed(trace[start : start + 7])

    assert pieces.worlds == whole.worlds


def test_without_the_stage_s_diary_the_journals_alone_are_possible_too(trace: Trace) -> None:
    replay = replayed([each for each in trace if each.pod])
    (world,) = replay.worlds

    assert [pod.run for pod in world.pods] == [m.NORMAL] * 4
    (wiped,) = replay.left_out  # nobody but the diary says so
    assert "what it starts from is not the model's" in wiped


def test_journals_that_were_collected_too_early_leave_gaps_and_are_possible(
    trace: Trace,
) -> None:
    """A pod that is deleted takes with it what its journal got since the last look."""
    moved = [each.pod for each in trace if isinstance(each.line, journal.Began)]
    twice = next(pod for pod in moved if moved.count(pod) > 1)
    first, second = [
        each.at for each in trace if each.pod == twice and isinstance(each.line, journal.Began)
    ][:2]
    until = first + (second - first) / 3
    early = [
        each
        for each in trace
        if each.pod and not (each.pod == twice and until < each.at < second)
    ]

    assert any("whose journal has ended" in each for each in replayed(early).left_out)


def test_writes_whose_answers_come_late_are_known_by_what_others_read(trace: Trace) -> None:
    late = [
        each._replace(at=each.at + 0.5)
        if isinstance(each.line, Stepped) and each.line.version
        else each
        for each in trace
        if each.pod
    ]
    replay = replayed(sorted(late, key=lambda each: each.at))

    assert len(replay.left_out) == 1  # as without the delay


# -- what was tampered with is not -------------------------------------------------------------


def test_two_founders_are_refused(trace: Trace) -> None:
    founder = first_founder(trace)
    second = next(each.pod for each in trace if each.pod not in {"", founder})
    waits = find(trace, decided(second, lambda line: line.view.record is None))
    line = trace[waits].line
    eager = Policy(founding_grace=0.0)
    decision = protocol.decide(line.asker, line.view, eager)
    both = changed(trace, waits, policy=eager, outcome=journal.outcome_of(decision))
    step = journal.outcome_of(decision).step
    assert step is not None
    assert step.record is not None
    wrote = find(trace, lambda each: isinstance(each.line, Stepped) and each.pod == founder)
    stored = find(trace, lambda e: not e.pod and e.line.get("name") == "cassandra-ring")
    at, version = trace[wrote].at, "999999"
    body = as_stored(trace[stored].line["body"], step.record)
    second_store = {**trace[stored].line, "body": body, "version": version}
    both.append(Happened(at + 0.001, "", second_store))
    done = Stepped(step=step, began=at, result=Result.WRITTEN, version=version)
    both.append(Happened(at + 0.002, second, done))

    story = refused(both, "had not decided on it")
    assert f"{second} wrote WriteRecord" in story


def as_stored(body: dict[str, Any], record: Record) -> dict[str, Any]:
    data = {**body["data"], "ringId": record.ring_id, "founder": record.founder}
    return {**body, "data": {**data, "founderPvcUid": record.founder_pvc_uid}}


def test_a_second_answer_to_found_is_refused(trace: Trace) -> None:
    founder = first_founder(trace)
    place = find(trace, decided(founder, lambda line: line.outcome.seeds is not None))
    other = next(each.pod for each in trace if each.pod not in {"", founder})
    line = trace[place].line
    twice = [*trace, Happened(trace[place].at + 0.001, other, line)]

    refused(twice, "the model calls this impossible")


def test_an_answer_that_the_decision_does_not_follow_to_is_refused(trace: Trace) -> None:
    joiner = first_joiner(trace)
    place = find(trace, decided(joiner, joins))
    line = trace[place].line
    itself = replace(line.outcome.seeds, seeds=(line.asker.address,))
    outcome = journal.outcome_of(itself)

    refused(changed(trace, place, outcome=outcome), "from what it noted follows")


def test_a_product_that_tells_a_joiner_itself_is_refused(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = protocol.decide

    def wrong(asker: Asker, view: View, policy: Policy) -> Decision:
        decision = real(asker, view, policy)
        if isinstance(decision, Seeds) and decision.rule is Rule.JOIN:
            return replace(decision, seeds=(*decision.seeds, asker.address))
        return decision

    monkeypatch.setattr(protocol, "decide", wrong)
    place = find(trace, decided(first_joiner(trace), joins))
    line = trace[place].line
    outcome = journal.outcome_of(wrong(line.asker, line.view, line.policy))

    refused(changed(trace, place, outcome=outcome), "2: ")


def test_a_model_that_sees_something_else_than_the_product_is_refused(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's own sight must lead to what the product decided from the real one."""
    from tests.model import values  # noqa: PLC0415 -- what is changed

    monkeypatch.setattr(values, "PROCESSES", (Process.STOPPED,) * 6)

    refused(trace, "the model, seeing the same, has it as")


def test_seeds_without_a_turn_are_refused(trace: Trace) -> None:
    joiner = first_joiner(trace)
    place = find(trace, lambda e: not e.pod and e.line.get("resource") == "leases")
    assert joiner in trace[place].line["body"]["spec"]["holderIdentity"]

    done = find(trace, lambda e: isinstance(e.line, Stepped) and e.line.step.turn is not None)

    refused(without(trace, place, done), "read turn as")


def test_seeds_to_one_that_never_decided_to_take_the_turn_are_refused(trace: Trace) -> None:
    place = find(trace, decided(first_joiner(trace), takes("turn")))

    refused(without(trace, place), "and had not decided on it")


def test_an_answer_without_the_promise_of_it_is_refused(trace: Trace) -> None:
    place = find(trace, decided(first_joiner(trace), takes("promise")))

    refused(without(trace, place), "it is on its way to")


def words() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Give words that nobody could have said, as changes of what was heard."""

    def beat(**fields: Any) -> Callable[[Any], Any]:  # noqa: ANN401
        return lambda report: replace(report, heartbeat=replace(report.heartbeat, **fields))

    yield "another host", beat(host_id="00000000-0000-0000-0000-0000000000ff")
    yield "another mode", beat(mode="LEAVING")
    yield "nobody in its ring", beat(peers=None)
    yield "another pod", lambda report: replace(report, pod_uid="another")
    yield "stopped", lambda report: replace(report, process=Process.STOPPED)


@pytest.mark.parametrize("number", range(5))
def test_a_word_that_nobody_could_have_said_is_refused(trace: Trace, number: int) -> None:
    _, change = list(words())[number]
    place = find(trace, decided(first_joiner(trace), joins))
    line = trace[place].line
    who, report = next(
        (pod, each)
        for pod, each in line.view.reports.items()
        if each.heartbeat and each.heartbeat.mode == "NORMAL"
    )
    view = replace(line.view, reports={**line.view.reports, who: change(report)})
    again = journal.outcome_of(protocol.decide(line.asker, view, line.policy))

    refused(changed(trace, place, view=view, outcome=again), f"from {who}, which had said")


def test_a_word_of_long_ago_is_refused(trace: Trace) -> None:
    place = find(trace, decided(first_joiner(trace), joins))
    line = trace[place].line
    who = first_founder(trace)
    blank = find(trace, lambda each: isinstance(each.line, Own) and each.pod == who)
    heard = line.view.reports[who]
    old = replace(trace[blank].line.report, received=heard.received, address=heard.address)
    view = replace(line.view, reports={**line.view.reports, who: old})
    again = journal.outcome_of(protocol.decide(line.asker, view, line.policy))

    refused(changed(trace, place, view=view, outcome=again), f"from {who}, which had said")


def test_steps_out_of_order_are_refused(trace: Trace) -> None:
    joiner = first_joiner(trace)
    one = find(trace, decided(joiner, takes("entry")))
    two = find(trace, decided(joiner, takes("turn")))
    swapped = list(trace)
    swapped[one] = trace[one]._replace(line=trace[two].line)
    swapped[two] = trace[two]._replace(line=trace[one].line)

    refused(swapped, "which it was not then")


def test_a_node_that_joins_without_an_answer_is_refused(trace: Trace) -> None:
    place = find(trace, decided(first_joiner(trace), joins))

    refused(without(trace, place), "its disk is joining, and in the model empty")


def test_a_node_that_is_normal_without_seeds_is_refused(trace: Trace) -> None:
    founder = first_founder(trace)
    place = find(trace, decided(founder, lambda line: line.outcome.seeds is not None))

    refused(without(trace, place), "its disk is joining, and in the model empty")


def test_an_entry_that_is_no_duty_is_refused(trace: Trace) -> None:
    place = find(
        trace,
        lambda each: isinstance(each.line, journal.Duty) and each.line.kind is DutyKind.LEDGER,
    )

    refused(without(trace, place), "and had not decided on it")


def test_another_host_under_the_same_mark_is_refused(trace: Trace) -> None:
    normal = find(
        trace,
        lambda each: (
            isinstance(each.line, Own)
            and each.line.report.heartbeat is not None
            and each.line.report.heartbeat.mode == "NORMAL"
        ),
        nth=3,
    )
    report = trace[normal].line.report
    other = replace(report.heartbeat, host_id="00000000-0000-0000-0000-0000000000ff")
    changed_trace = changed(trace, normal, report=replace(report, heartbeat=other))

    refused(changed_trace, "and in the model")


def test_a_turn_that_is_freed_by_nobody_is_refused(trace: Trace) -> None:
    stored = find(
        trace,
        lambda e: (
            not e.pod
            and e.line.get("resource") == "leases"
            and not e.line["body"]["spec"].get("holderIdentity")
        ),
    )
    taken = find(trace, lambda e: not e.pod and e.line.get("resource") == "leases")
    early = trace[stored]._replace(at=trace[taken].at + 0.001)

    refused([*without(trace, stored), early], "unlike in the model")


def steps(trace: Trace) -> list[int]:
    """Return the lines without which something that follows was not decided on."""

    def counts(line: Any) -> bool:  # noqa: ANN401
        if isinstance(line, Decided):
            blank = line.asker.disk.is_blank and line.outcome.seeds is not None
            return line.purpose is Purpose.START and (blank or line.outcome.step is not None)
        return isinstance(line, journal.Duty)

    return [place for place, each in enumerate(trace) if each.pod and counts(each.line)]


def test_no_decision_and_no_duty_can_be_missing(trace: Trace) -> None:
    for place in steps(trace):
        with pytest.raises(ImpossibleError):
            Replay().feed(without(trace, place))

    assert len(steps(trace)) >= 20


def test_no_write_can_be_missing(trace: Trace) -> None:
    """But for one that says that the holder of the turn is still on its way."""
    kept = {"configmaps", "leases"}
    writes = [p for p, e in enumerate(trace) if not e.pod and e.line.get("resource") in kept]
    renewed = {
        each.line.version
        for each in trace
        if isinstance(each.line, journal.Turned) and not each.line.freed
    }
    for place in writes:
        if trace[place].line["version"] not in renewed:
            with pytest.raises(ImpossibleError):
                Replay().feed(without(trace, place))

    assert len(writes) > len(renewed) + 10


def test_no_decision_can_come_after_its_own_write(trace: Trace) -> None:
    written = [
        place
        for place in steps(trace)
        if isinstance(trace[place].line, journal.Duty)
        or (trace[place].line.outcome.step and not trace[place].line.outcome.step.promise)
    ]
    for place in written:
        line = trace[place]
        done = next(
            each.at
            for each in trace[place + 1 :]
            if each.pod == line.pod and isinstance(each.line, Stepped) and each.line.version
        )
        moved = [*without(trace, place), line._replace(at=done + 0.0001)]
        with pytest.raises(ImpossibleError):
            Replay().feed(sorted(moved, key=lambda each: each.at))

    assert len(written) >= 15


def test_a_member_that_nobody_knows_is_refused(trace: Trace) -> None:
    """Two rings that have met: somebody has a host that no pod of the ring is."""
    founder = first_founder(trace)
    own = [line for _, pod, line in trace if pod == founder and isinstance(line, Own)][-1]
    host = HostId("00000000-0000-0000-0000-0000000000ff")
    stranger = Peer(host, Address("10.9.9.9"), up=True, state=PeerState.NORMAL)
    beat = replace(own.report.heartbeat, peers=(*own.report.heartbeat.peers, stranger))
    end = trace[-1].at
    met = msgspec.structs.replace(own, report=replace(own.report, heartbeat=beat))
    later = {"event": "story", "name": "half a minute passes"}

    replay = Replay()
    replay.feed([*trace, Happened(end + 1, founder, met)])
    with pytest.raises(ImpossibleError, match="which no pod of its ring is"):
        replay.feed([Happened(end + 30, "", later)])


# -- journals ----------------------------------------------------------------------------------


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    began = journal.encode(
        journal.Began(at=1.0, pod="cassandra-0", uid="u", address="10.0.0.1")
    )
    path = tmp_path / "cassandra-0.1.jsonl"
    path.write_bytes(began + began[:20])
    reader = traces.Reader(tmp_path)

    assert len(reader.until()) == 1
    with path.open("ab") as file:
        file.write(began[20:])
    assert len(reader.until()) == 1
    assert reader.until() == []


def test_lines_of_the_last_moments_wait_for_those_of_others(tmp_path: Path) -> None:
    for pod, at in (("cassandra-0", 5.0), ("cassandra-1", 4.0)):
        line = journal.Began(at=at, pod=pod, uid="u", address="10.0.0.1")
        (tmp_path / f"{pod}.1.jsonl").write_bytes(journal.encode(line))
    reader = traces.Reader(tmp_path)

    assert [each.pod for each in reader.until(4.5)] == ["cassandra-1"]
    assert [each.pod for each in reader.until()] == ["cassandra-0"]


def test_a_journal_that_does_not_say_whose_it_is_is_refused(tmp_path: Path) -> None:
    line = journal.encode(journal.Lost(at=1.0, lines=3))
    (tmp_path / "cassandra-0.1.jsonl").write_bytes(line)

    with pytest.raises(traces.TraceError, match="does not begin"):
        traces.read(tmp_path)
