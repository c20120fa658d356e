"""Nodes whose tokens are none of Murmur3's are refused by name; no answer is without an end."""

from collections.abc import Iterator
from datetime import datetime
from itertools import repeat
from typing import Any, cast

import pytest
from cassandra.query import SimpleStatement

from ring.observe.access import Access, CqlError
from ring.observe.cassandra import REPAIRS, Contact
from tests.unit.ring.strategies import host

Row = dict[str, Any]


class Said:
    """A session in which every table has the one row that a node says of itself."""

    def __init__(self, **changes: object) -> None:
        self.row: Row = {
            "host_id": str(host(1)),
            "broadcast_address": "10.0.0.1",
            "data_center": "dc1",
            "rack": "a",
            "tokens": {"-9223372036854775808", "9223372036854775807"},
            "schema_version": None,
            "release_version": "5.0.9",
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            **changes,
        }

    def execute(self, query: object) -> list[Row]:
        return [self.row] if "system.local" in str(query) else []


def asked(**changes: object) -> Contact:
    contact = Contact("10.0.0.1", Access())
    contact._session = cast("Any", Said(**changes))
    return contact


def test_all_tokens_of_murmur3_are_taken() -> None:
    said = asked().read(whole=True)

    assert said.local.tokens == (-(2**63), 2**63 - 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"partitioner": "org.apache.cassandra.dht.RandomPartitioner"}, "RandomPartitioner"),
        ({"partitioner": None}, "None"),
        ({"tokens": {str(2**63)}}, "tokens"),
        ({"tokens": {"-9223372036854775809"}}, "tokens"),
        ({"tokens": {"0a"}}, "ValueError"),
    ],
)
def test_a_node_of_another_partitioner_or_with_other_tokens_is_refused(
    changes: Row, words: str
) -> None:
    with pytest.raises(CqlError, match=words):
        asked(**changes).read(whole=True)


class Endless:
    """A session whose answers have no end, whatever the limit in the question."""

    def __init__(self, **changes: object) -> None:
        self.row: Row = {
            "keyspace_name": "shop",
            "table_name": "rows",
            "columnfamily_names": {"rows"},
            "started_at": datetime(1970, 1, 1),  # noqa: DTZ001 -- as the driver has it
            "finished_at": datetime(1970, 1, 1),  # noqa: DTZ001
            "successful_ranges": {"(-5,7]"},
            "options": {"incremental": "false"},
            **changes,
        }

    def execute(self, query: object) -> Iterator[Row]:
        assert isinstance(query, SimpleStatement)
        return repeat(self.row)


def historian(**changes: object) -> Contact:
    contact = Contact("10.0.0.1", Access())
    contact._session = cast("Any", Endless(**changes))
    return contact


def test_a_history_of_repairs_without_an_end_is_cut() -> None:
    history = historian().repairs(0.0)

    assert history.tables == {"shop": {"rows"}}
    assert len(history.repairs) == REPAIRS


def test_a_history_of_repairs_that_is_none_is_a_failure_of_its_node() -> None:
    with pytest.raises(CqlError, match="TypeError"):
        historian(successful_ranges=[["garbage"]]).repairs(0.0)
