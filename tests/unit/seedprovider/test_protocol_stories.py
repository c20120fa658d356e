"""Schedules that once harmed a ring, or would have: told step by step, with real decisions."""

import pytest

from seedprovider.decision import Rule, Seeds, Withheld
from tests.fakes.smallworld import Cluster

NOBODY: set[int] = set()


def ask(cluster: Cluster, n: int) -> object:
    return cluster.ask(n, silent=NOBODY, earlier=NOBODY, patient=True)


def look(cluster: Cluster, n: int) -> object:
    return cluster.look(n, silent=NOBODY, earlier=NOBODY, patient=True)


@pytest.fixture
def founded() -> Cluster:
    """Return a ring of one, pod 0, and two pods on blank disks."""
    cluster = Cluster(3)
    ask(cluster, 0)
    cluster.finish(0)
    cluster.write_ledger(0)
    return cluster


def test_a_holder_that_starts_again_and_one_that_takes_its_turn_over_are_not_both_let_in(
    founded: Cluster,
) -> None:
    ask(founded, 1)
    founded.crash(1)
    look(founded, 2)
    founded.act(2)
    look(founded, 2)  # pod 1 is seen stopped: pod 2 is about to take the turn over

    assert isinstance(ask(founded, 1), Seeds)  # meanwhile pod 1 starts again
    founded.act(2)
    decision = look(founded, 2)

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.JOIN_WAIT


def test_a_pod_that_loses_its_disk_while_it_waits_with_the_turn_does_not_come_in_twice(
    founded: Cluster,
) -> None:
    ask(founded, 1)
    founded.wipe(1, new_claim=False)

    assert isinstance(ask(founded, 1), Seeds)
    assert isinstance(ask(founded, 2), Withheld)


def test_a_founder_about_to_start_and_one_of_another_record_do_not_both_found() -> None:
    cluster = Cluster(3)
    look(cluster, 0)
    cluster.act(0)  # the record of pod 0
    look(cluster, 0)
    cluster.act(0)  # its promise
    assert isinstance(look(cluster, 0), Seeds)
    cluster.record = None  # deleted in the moment before pod 0 hears its answer

    decision = ask(cluster, 1)

    assert isinstance(decision, Withheld)
    assert decision.rule is Rule.FOUND_BLOCKED


def test_all_pods_come_in_one_after_the_other_whoever_dies_on_the_way(
    founded: Cluster,
) -> None:
    for n in (1, 2):
        ask(founded, n)
        founded.gossip(n)
        founded.reschedule(n)
        founded.notice()
        ask(founded, n)
        founded.finish(n)
        founded.write_ledger(n)

    assert {node.process for node in founded.nodes} == {"normal"}
    assert len({node.ring for node in founded.nodes}) == 1
