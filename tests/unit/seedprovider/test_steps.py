"""Steps that are not written: what a waiting node is told, and what it costs."""

import pytest

from localring.apiserver import Fault, Kind
from seedprovider import objects
from seedprovider.decision import Answer, Rule, Withheld
from seedprovider.model import Entry, EntryState, Origin, Record
from tests.fakes.desk import BLANK, NEIGHBOUR, Desk, Neighbour
from tests.fakes.situations import RING, host

RECORD = Record(
    ring_id=RING, founder="cassandra-1", founder_pvc_uid=None, how=Origin.FOUNDED, at="t"
)


async def withheld(desk: Desk) -> Withheld:
    answer: Answer = (await desk.engine.answer(BLANK)).answer
    assert isinstance(answer, Withheld)
    return answer


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(kind=Kind.FORBID, verb="create", resource="configmaps"), "lacks a right"),
        (Fault(kind=Kind.FAIL, verb="create", resource="configmaps", status=422), "422"),
    ],
)
async def test_a_write_that_is_refused_is_told_as_what_it_is_and_tried_once(
    desk: Desk, fault: Fault, told: str
) -> None:
    with desk.api.faults.active(fault):
        answer = await withheld(desk)

    assert answer.rule is Rule.API_AWAY
    assert told in answer.reason
    assert desk.api.requests.count(verb="create", resource="configmaps") == 1


async def test_a_record_without_our_labels_is_named_and_nothing_is_founded(desk: Desk) -> None:
    body = objects.record_body(RECORD, "ns", "cassandra")
    del body["metadata"]["labels"]
    desk.api.store.create("configmaps", body, "ns")
    answer = await withheld(desk)

    assert answer.rule is Rule.API_AWAY
    assert "ConfigMap cassandra-ring exists without the labels" in answer.reason
    assert objects.selector("cassandra") in answer.reason


async def test_who_is_never_fast_enough_waits_by_a_rule_with_a_way_out_and_promises_nothing(
    desk: Desk, neighbour: Neighbour
) -> None:
    disk = {"state": "member", "ringId": RING, "hostId": host(1)}
    neighbour.says = {
        "cassandra": "answering",
        "disk": disk,
        "ringId": RING,
        "heartbeat": {
            "ageSeconds": 0.1,
            "mode": "NORMAL",
            "hostId": host(1),
            "address": NEIGHBOUR,
            "disk": disk,
            "peersHash": "x",
            "peers": [],
        },
    }
    member = Entry(
        pod="cassandra-1",
        ring_id=RING,
        pod_uid=neighbour.uid,
        pvc_uid=f"pod-{neighbour.uid}",
        host_id=host(1),
        state=EntryState.MEMBER,
    )
    for body in (
        objects.record_body(RECORD, "ns", "cassandra"),
        objects.entry_body(member, "ns", "cassandra"),
    ):
        desk.api.store.create("configmaps", body, "ns")
    taken = Fault(kind=Kind.FAIL, verb="create", resource="leases", status=409)
    with desk.api.faults.active(taken):
        first = await withheld(desk)
        while first.rule is Rule.API_AWAY:  # it takes longer than the node waits
            first = await withheld(desk)

    assert (first.rule, first.reason) == (Rule.JOIN_WAIT, "other pods are faster: asking again")
    assert desk.world.own.promised is None
