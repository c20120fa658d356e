"""Nodes whose tokens are none of Murmur3's are refused by name, and never half believed."""

from typing import Any, cast

import pytest

from ring.observe.access import Access, CqlError
from ring.observe.cassandra import Contact
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
