"""What the pause annotation holds up, and what it does not."""

from collections.abc import Callable

import pytest

from seedprovider.decision import (
    Rule,
    Seeds,
    Withheld,
)
from seedprovider.model import (
    DiskState,
)
from tests.fakes.decisions import withheld
from tests.fakes.situations import (
    EMPTY,
    Stage,
    disk,
    entry,
    peer,
    pod,
    record,
)


def founding() -> Stage:
    return Stage().says(1, EMPTY)


def orphaned() -> Stage:
    return Stage(record=record(9)).says(1, EMPTY)


def lost_record() -> Stage:
    return Stage().says(1, disk(1)).says(2, disk(2))


def joining() -> Stage:
    return Stage().ring_of(1, 2)


def replacing() -> Stage:
    stage = Stage(record=record())
    stage.member(1, peer(2), peer(0, up=False)).member(2, peer(1), peer(0, up=False))
    stage.ledger[pod(0)] = entry(0)
    return stage


@pytest.mark.parametrize("situation", [founding, orphaned, lost_record, joining, replacing])
def test_while_paused_nobody_new_is_let_in_and_no_step_is_taken(
    situation: Callable[[], Stage],
) -> None:
    stage = situation()
    assert not isinstance(stage.ask(0), Withheld)
    stage.paused = "storage is being moved"

    assert "storage is being moved" in withheld(stage.ask(0), Rule.PAUSED)


def test_members_are_served_while_paused() -> None:
    stage = Stage(paused="storage is being moved").ring_of(0, 1)

    assert isinstance(stage.ask(1, disk(1)), Seeds)


def test_one_that_died_before_its_mark_was_written_is_a_member_while_paused_too() -> None:
    stage = Stage(paused="storage is being moved").ring_of(0, 1)
    stage.member(0, peer(1), peer(2))

    assert isinstance(stage.ask(2, disk(2, DiskState.JOINING)), Seeds)
