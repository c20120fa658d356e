"""One oracle for all tests of this folder, and a seed that a failure can be repeated with."""

import os
import random
from collections.abc import Iterator

import pytest

from tests.oracle.oracle import Oracle, oracle

SEED = "RING_ORACLE_SEED"


@pytest.fixture(scope="session")
def cassandra() -> Iterator[Oracle]:
    with oracle() as running:
        yield running


@pytest.fixture(scope="session")
def seed() -> int:
    given = os.environ.get(SEED)
    return int(given) if given else random.SystemRandom().randrange(2**32)


def pytest_report_header() -> str:
    return f"oracle: repeat a run with {SEED}=<seed of the failure>"
