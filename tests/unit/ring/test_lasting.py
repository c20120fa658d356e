"""One part of the manager that fails ends no other."""

import asyncio
import logging
from collections import Counter

import pytest

from ring.serve import lasting


class Part:
    def __init__(self) -> None:
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.runs < 3:
            raise ExceptionGroup("watches", [ValueError("garbage")])
        raise asyncio.CancelledError


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


async def test_a_part_that_fails_begins_again_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    part, failures = Part(), Counter[str]()
    with caplog.at_level(logging.ERROR, "ring"), pytest.raises(asyncio.CancelledError):
        await lasting(part.run, failures, at_once)

    assert (part.runs, failures) == (3, {"Part": 2})
    assert "garbage" in caplog.text
