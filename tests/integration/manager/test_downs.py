"""Nodes that die, freeze, move; an API server that is away: what the manager shows."""

from localring.status import read_status
from ring.history import What
from ring.judged import Judged
from ring.model import Liveness
from tests.integration.manager.conftest import Watched, is_whole

CONVICTION = 90.0  # seconds until failure detectors have given up a silent node


def liveness(judged: Judged, pod: str) -> Liveness:
    return next(each.liveness for each in judged.snapshot.members if each.pod == pod)


async def states_by_nodetool(manager: Watched) -> dict[str, str]:
    lines = read_status(await manager.ring.pod(0).node.nodetool("status"))
    return {host: each.state for host, each in lines.items()}


async def test_a_lost_pod_is_a_member_that_is_down_and_comes_back(manager: Watched) -> None:
    await manager.ring.lose(2)
    await manager.until(
        "a member that is down",
        lambda judged: liveness(judged, "cassandra-2") is Liveness.DOWN,
        CONVICTION,
    )
    member = next(m for m in manager.judged.snapshot.members if m.pod == "cassandra-2")

    assert member.exists is False
    assert {"member-down", "member-without-pod"} & manager.kinds
    assert {str(m.host_id): m.state for m in manager.judged.snapshot.members} == (
        await states_by_nodetool(manager)
    )
    body = await manager.get("/v1/keyspaces/system_traces")
    assert (
        body["healthy"] is True
    )  # ONE decides for Cassandra's own, and two replicas are there
    assert min(check["margin"]["worst"] for check in body["checks"]) < 0

    manager.ring.start(2)
    await manager.until("the whole ring again", is_whole)
    told = [each.what for each in manager.judged.history.log if each.pod == "cassandra-2"]
    assert told[:1] == [What.WENT_DOWN]
    assert {What.CAME_BACK, What.ADDRESS_CHANGED, What.RESTARTED} <= set(told)


async def test_a_frozen_node_is_down_by_those_who_see_it_and_is_said_to_be_silent(
    manager: Watched,
) -> None:
    manager.ring.pod(1).node.freeze()
    try:
        await manager.until(
            "a silent node that is down",
            lambda judged: (
                liveness(judged, "cassandra-1") is Liveness.DOWN
                and "node-silent" in {each.kind for each in judged.found}
            ),
            CONVICTION,
        )
        assert manager.states == {
            "cassandra-0": "UN",
            "cassandra-1": "DN",
            "cassandra-2": "UN",
        }
        assert "sidecar-silent" not in manager.kinds
    finally:
        manager.ring.pod(1).node.thaw()
    await manager.until("the whole ring again", is_whole)


async def test_without_the_api_server_the_ring_is_shown_on_and_what_is_old_is_said(
    manager: Watched,
) -> None:
    await manager.ring.api.refuse()
    try:
        await manager.until(
            "failures of the API server",
            lambda judged: all(
                each.failure for each in judged.snapshot.observed.kubernetes.values()
            ),
        )
        manager.ring.pod(1).node.freeze()
        try:
            await manager.until(
                "a member that is down",
                lambda judged: liveness(judged, "cassandra-1") is Liveness.DOWN,
                CONVICTION,
            )
        finally:
            manager.ring.pod(1).node.thaw()
        sources = (await manager.get("/v1/ring"))["sources"]["kubernetes"]
        assert all(each["failure"] for each in sources.values())
        assert all(each["ageSeconds"] > 0 for each in sources.values())
    finally:
        await manager.ring.api.accept()
    await manager.until("the whole ring again", is_whole)
    await manager.until(
        "no failures any more",
        lambda judged: not any(e.failure for e in judged.snapshot.observed.kubernetes.values()),
    )
