"""The pace of what is looked after: at once when something changed, else each second."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Final

from seedprovider.world import World

ROUND_SECONDS: Final = 1.0
"""How often things are looked at without an event."""


async def rounds(world: World) -> AsyncIterator[None]:
    """Yield at each change and, jittered, each `ROUND_SECONDS`; never ends."""
    changed = world.listen()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_SECONDS * (0.75 + random.random() / 2)):  # noqa: S311 -- spreads load
                await changed.wait()
        changed.clear()
        yield
