import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedprovider import journal
from seedprovider.decision import (
    Act,
    Decision,
    Policy,
    Promise,
    Refused,
    Rule,
    Seeds,
    TakeTurn,
    Withheld,
    WriteEntry,
    WriteRecord,
)
from seedprovider.journal import Decided, JournalError, Purpose
from seedprovider.model import Asker, Turn, View
from seedprovider.protocol import decide
from tests.fakes.situations import (
    RING,
    Stage,
    address,
    asker,
    disk,
    entry,
    peer,
    pod,
    record,
    uid,
)

REASON = "told"
DECISIONS: tuple[Decision, ...] = (
    Seeds(
        seeds=(address(0), address(1)),
        ring_id=RING,
        rule=Rule.REPLACE,
        reason=REASON,
        replace=address(7),
    ),
    Withheld(rule=Rule.JOIN_WAIT, reason=REASON),
    Refused(rule=Rule.DISK_FOREIGN, reason=REASON),
    Act(step=WriteRecord(record()), rule=Rule.FOUND, reason=REASON),
    Act(step=WriteEntry(entry(1)), rule=Rule.JOIN, reason=REASON),
    Act(step=TakeTurn((pod(1), uid(1)), Turn(version="7")), rule=Rule.JOIN, reason=REASON),
    Act(step=Promise(RING), rule=Rule.FOUNDER, reason=REASON),
)


@pytest.mark.parametrize("decision", DECISIONS, ids=range(len(DECISIONS)))
def test_every_kind_of_decision_comes_back_as_it_was(decision: Decision) -> None:
    assert journal.decision_of(journal.outcome_of(decision)) == decision


TURNS = (Turn(), Turn(version="7"), Turn(holder=(pod(3), uid(3)), version="8"))


def kept(who: Asker, view: View) -> Decided:
    line = journal.decode(
        journal.encode(
            Decided(
                purpose=Purpose.START,
                looked=1.0,
                asker=who,
                view=view,
                policy=Policy(),
                outcome=journal.outcome_of(decide(who, view, Policy())),
            )
        )
    )
    assert isinstance(line, Decided)
    return line


@given(
    members=st.sets(st.integers(0, 6), min_size=1, max_size=5),
    n=st.integers(0, 7),
    turn=st.sampled_from(TURNS),
    chance=st.fixed_dictionaries({each: st.booleans() for each in ("blank", "live", "known")}),
    up=st.sampled_from([True, False, None]),
)
def test_a_decision_read_from_the_journal_is_taken_again_as_it_was(
    members: set[int],
    n: int,
    turn: Turn,
    chance: dict[str, bool],
    up: bool | None,  # noqa: FBT001 -- drawn
) -> None:
    found = record() if chance["known"] else None
    stage = Stage(record=found, turn=turn, live=chance["live"]).ring_of(*members)
    stage.member(6, peer(0, up=up), peer(1))
    view = stage.view()
    who = asker(n) if chance["blank"] else asker(n, disk(n))
    line = kept(who, view)

    assert (line.asker, line.view) == (who, view)
    again = decide(line.asker, line.view, line.policy)
    assert again == journal.decision_of(line.outcome)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"event":"guessed"}',
        b'{"event":"decided"}',
        b'{"event":"began"}\xff',
    ],
)
def test_a_line_that_is_none_of_a_journal_is_refused_with_what_it_is(line: bytes) -> None:
    with pytest.raises(JournalError):
        journal.decode(line)


def test_a_step_without_content_is_no_step() -> None:
    with pytest.raises(JournalError):
        journal.step_of(journal.Taken())
    with pytest.raises(JournalError):
        journal.decision_of(journal.Outcome())
