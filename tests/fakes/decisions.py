"""What decisions are asserted to be, and what comes of carrying them out."""

from dataclasses import replace

from seedprovider.decision import (
    Act,
    Decision,
    Rule,
    TakeTurn,
    Withheld,
    WriteEntry,
    WriteRecord,
)
from seedprovider.model import Turn
from tests.fakes.situations import Stage


def withheld(decision: Decision, rule: Rule) -> str:
    assert isinstance(decision, Withheld), decision
    assert decision.rule is rule
    return decision.reason


def new_record(decision: Decision) -> WriteRecord:
    assert isinstance(decision, Act), decision
    assert isinstance(decision.step, WriteRecord)
    return decision.step


def carried_out(stage: Stage, n: int) -> tuple[list[object], Decision]:
    """Carry out the steps as the API server would, until there is an answer."""
    steps: list[object] = []
    taken: str | None = None
    for _ in range(5):
        decision = stage.ask(n, turn_version=taken)
        if not isinstance(decision, Act):
            return steps, decision
        steps.append(type(decision.step))
        match decision.step:
            case WriteEntry(written):
                stage.ledger[written.pod] = replace(written, version="w")
            case TakeTurn(holder, _):
                taken = f"{stage.turn.version}+"
                stage.turn = Turn(holder=holder, version=taken)
    raise AssertionError(steps)
