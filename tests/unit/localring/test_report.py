import dataclasses
from typing import Any

from localring.checks import most_joining
from localring.report import Report, decode, missing_from_ring, missing_from_seeds
from localring.status import read_status

PRINTED = """\
Datacenter: dc1
===============
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address       Load        Tokens  Owns (effective)  Host ID                               R
UN  127.62.177.2  30.89 KiB   16      61.1%             3ac1b3bf-9243-4790-ba0d-ce66f15cfb26  r2
DN  127.62.177.3  ?           16      ?                 6f704ac9-052a-4c35-ad97-b8dcbe58251a  r3
"""


def report(number: int, *, mode: str = "NORMAL", **peer: object) -> Report:
    """Make what one of two sidecars says; ``peer`` changes how it sees the other."""
    other = 1 - number
    seen = {"hostId": f"h{other}", "address": f"10.0.0.{other}", "up": True, "state": "normal"}
    body: dict[str, Any] = {
        "pod": f"cassandra-{number}",
        "ringId": "ring",
        "disk": {"state": "member"},
        "cassandra": "answering",
        "heartbeat": {
            "ageSeconds": 0.1,
            "mode": mode,
            "native": True,
            "hostId": f"h{number}",
            "address": f"10.0.0.{number}",
            "seeds": None,
            "peers": [{**seen, **peer}],
        },
    }
    return decode(body)


def lacking(one: Report | None, other: Report | None) -> str | None:
    return missing_from_ring({"cassandra-0": one, "cassandra-1": other})


def test_a_ring_in_which_everybody_sees_everybody_lacks_nothing() -> None:
    assert lacking(report(0), report(1)) is None


def test_a_silent_sidecar_is_named() -> None:
    assert lacking(report(0), None) == "cassandra-1: sidecar silent"


def test_a_node_that_is_not_normal_is_named_with_its_mode() -> None:
    assert lacking(report(0), report(1, mode="JOINING")) == "cassandra-1: JOINING"


def test_a_peer_without_an_opinion_of_the_failure_detector_does_not_count_as_up() -> None:
    assert lacking(report(0, up=None), report(1)) == "cassandra-0 does not see up cassandra-1"


def test_a_peer_under_its_old_address_is_not_enough() -> None:
    stale = report(0, address="10.0.9.9")

    assert lacking(stale, report(1)) == "cassandra-0 has the old address of cassandra-1"


def test_a_peer_that_is_still_seen_joining_is_not_enough() -> None:
    late = report(0, state="joining")

    assert lacking(late, report(1)) == "cassandra-0 still has as joining cassandra-1"


def seeded(number: int, *seeds: int) -> Report:
    addresses = frozenset(f"10.0.0.{seed}" for seed in seeds)
    return dataclasses.replace(report(number), seeds=addresses)


def without_seeds(*reports: Report | None) -> str | None:
    return missing_from_seeds({f"cassandra-{n}": each for n, each in enumerate(reports)})


def test_three_nodes_have_their_seeds_when_each_has_both_others() -> None:
    assert without_seeds(seeded(0, 1, 2), seeded(1, 0, 2), seeded(2, 0, 1)) is None


def test_a_node_that_has_one_seed_where_two_others_are_lacks_one() -> None:
    lacking = without_seeds(seeded(0, 1, 2), seeded(1, 0, 2), seeded(2, 0))

    assert lacking == "cassandra-2 has 1 of the 2 others among its seeds"


def test_two_seeds_are_enough_where_more_others_are() -> None:
    assert without_seeds(*(seeded(n, *({0, 1, 2} - {n})) for n in range(5))) is None


def test_a_seed_where_nobody_is_any_more_is_named() -> None:
    lacking = without_seeds(seeded(0, 1, 9), seeded(1, 0))

    assert lacking == "cassandra-0 has 10.0.0.9 among its seeds, where nobody is"


def test_a_silent_sidecar_has_no_seeds_to_show() -> None:
    assert without_seeds(seeded(0), None) == "cassandra-1: sidecar silent"


def test_two_nodes_joining_at_the_same_look_are_noticed() -> None:
    one, both = report(0, mode="JOINING"), report(1, mode="JOINING")

    assert most_joining([{"a": one, "b": None}, {"a": report(0), "b": both}]) in ({"a"}, {"b"})
    assert most_joining([{"a": one, "b": both}]) == {"a", "b"}
    assert most_joining([]) == set()


def test_nodetool_status_is_read_with_unknown_load_and_share() -> None:
    lines = read_status(PRINTED)

    assert lines["3ac1b3bf-9243-4790-ba0d-ce66f15cfb26"].owns == "61.1%"
    assert lines["6f704ac9-052a-4c35-ad97-b8dcbe58251a"].state == "DN"
    assert lines["6f704ac9-052a-4c35-ad97-b8dcbe58251a"].owns == "?"
