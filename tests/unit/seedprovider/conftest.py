"""What all tests of the sidecar share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes.desk import Desk, Neighbour, desk_in, neighbour_of

# A deadline is a timed assertion: on a busy machine it fails without a bug.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as made:
        yield made


@pytest.fixture
async def neighbour(desk: Desk) -> AsyncIterator[Neighbour]:
    async with neighbour_of(desk) as made:
        yield made
