from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.kubestage import Stage, stage_in


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path) as ready:
        yield ready
