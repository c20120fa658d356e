"""One oracle for all tests of this folder, and a seed that a failure can be repeated with."""

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.oracle.oracle import Oracle, oracle

SEED = "RING_ORACLE_SEED"
KEY = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def cassandra() -> Iterator[Oracle]:
    # Levels that cannot be had are exceptions, and what those cost is their stack traces.
    with oracle("-XX:-StackTraceInThrowable") as running:
        yield running


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    given = os.environ.get(SEED)
    request.config.stash[KEY] = int(given) if given else secrets.randbelow(2**32)
    return request.config.stash[KEY]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if KEY in config.stash:
        terminalreporter.write_line(f"oracle: drawn with {SEED}={config.stash[KEY]}")
