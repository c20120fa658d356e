"""Waiting for something to become true: bounded, and with a word on what is still missing."""

import asyncio
from collections.abc import Awaitable, Callable

from localring.cache import Tell
from localring.errors import WaitTimeoutError

PAUSE = 0.25  # seconds between two looks

Missing = Callable[[], Awaitable[str | None]]


async def wait_until(
    what: str, missing: Missing, *, patience: float, tell: Tell | None = None
) -> float:
    """Look again and again until nothing is missing; give the seconds it took.

    Args:
        what: what is waited for, for the error.
        missing: gives what is still missing in a few words, or None when it is true.
        patience: seconds.
        tell: called whenever something else is missing than before.

    Raises:
        WaitTimeoutError: with what was missing at the end.

    """
    clock = asyncio.get_running_loop().time
    began, told = clock(), ""
    while (lacking := await missing()) is not None:
        if clock() - began > patience:
            raise WaitTimeoutError(f"{what}: not within {patience:g} s; {lacking}")
        if tell is not None and lacking != told:
            tell(lacking)
        told = lacking
        await asyncio.sleep(PAUSE)
    return clock() - began
