from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.conftest import PER_SLICE, Birth, joining, most_at_once
from tests.integration.decided import provokes

FOUNDING = "will not auto bootstrap because it is configured to be a seed"


@provokes(Rule.FOUND, Rule.FOUNDER, Rule.JOIN)
async def test_three_empty_nodes_started_at_once_form_one_ring(ring: LocalRing) -> None:
    reports = [report for report in (await ring.reports()).values() if report]

    assert len(reports) == 3
    assert len({report.ring_id for report in reports}) == 1
    assert len({report.host_id for report in reports}) == 3
    for report in reports:
        others = {other.host_id for other in reports} - {report.host_id}
        assert {host for host, peer in report.peers.items() if peer.up} == others


async def test_a_ring_whose_pods_are_spread_over_several_slices_is_one(ring: LocalRing) -> None:
    slices = ring.api.store.list("endpointslices", "default")
    named = [len(piece["endpoints"]) for piece in slices]

    assert max(named) <= PER_SLICE < sum(named) == len(ring.pods)


async def test_the_mark_on_each_disk_says_member_of_that_ring(ring: LocalRing) -> None:
    record = ring.api.store.get("configmaps", "cassandra-ring", "default")
    for pod in ring.pods.values():
        mark = (pod.node.settings.data_directory / "cassandra-ring.mark").read_text()

        assert "state=member" in mark
        assert f"ring-id={record['data']['ringId']}" in mark


async def test_exactly_one_node_founded_and_all_others_streamed(birth: Birth) -> None:
    assert [FOUNDING in log for log in birth.logs.values()].count(True) == 1


async def test_nodes_joined_one_after_the_other_by_their_own_logs(birth: Birth) -> None:
    joined = sorted(joining(log) for log in birth.logs.values() if FOUNDING not in log)

    assert len(joined) == 2
    assert joined[0][1] < joined[1][0]


async def test_no_two_nodes_were_ever_seen_joining_at_the_same_time(birth: Birth) -> None:
    assert most_at_once(birth.looks) == 1
