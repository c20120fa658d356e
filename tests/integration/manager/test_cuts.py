"""The network between nodes, cut and healed: what the manager calls it, and what not."""

import asyncio
from itertools import chain

from localring.cql import connect
from localring.ring import LocalRing
from ring.finding import Finding, Kind
from ring.history import What
from ring.judged import Judged
from tests.integration.conftest import Stage
from tests.integration.manager.conftest import Watched, is_whole, watched

CONVICTION = 90.0  # seconds until failure detectors have given up a silent node
TAKEN = 2.0  # seconds until every node has read of a cut; they look ten times a second
USUAL = {"logins-on-one-node"}  # as Cassandra makes a ring


def the(judged: Judged, kind: Kind) -> Finding | None:
    return next((each for each in judged.found if each.kind is kind), None)


async def execute(ring: LocalRing, ordinal: int, statement: str) -> None:
    async with connect(ring.pod(ordinal).address) as session:
        await session.execute(statement)


async def test_a_cut_network_is_said_to_be_one_and_not_two_rings(manager: Watched) -> None:
    ring = manager.ring
    pods = ["cassandra-0", "cassandra-1", "cassandra-2"]
    ring.cut([0], [1, 2])
    try:
        await manager.until(
            "one member apart from all others",
            lambda judged: (
                (told := the(judged, Kind.LONE_VIEW)) is not None
                and told.evidence["sees"] == {pods[0]: pods[1:]}
                and the(judged, Kind.MEMBER_DOWN) is not None
            ),
            CONVICTION,
        )
        assert manager.states == {pods[0]: "DN", pods[1]: "UN", pods[2]: "UN"}
        assert manager.kinds - USUAL == {"lone-view", "member-down"}, manager.told()

        ring.cut([0], [1], [2])
        await manager.until(
            "members that do not see each other",
            lambda judged: (
                (told := the(judged, Kind.NETWORK_CUT)) is not None
                and told.evidence["islands"] == [[pod] for pod in pods]
            ),
            CONVICTION,
        )
        assert manager.kinds - USUAL == {"network-cut", "member-down"}, manager.told()
        assert len(manager.judged.snapshot.matrix.rings()) == 1
        gate = await manager.get(f"/v1/gate?pod={pods[1]}")
        assert "network-cut" in {each["code"] for each in gate["reasons"]}
    finally:
        ring.heal()
    await manager.until(
        "the whole ring again, and nothing to be found",
        lambda judged: is_whole(judged) and {str(each.kind) for each in judged.found} <= USUAL,
    )


async def test_halves_that_do_not_reach_each_other_are_one_ring_and_nothing_may_stop(
    stage: Stage,
) -> None:
    async with stage(4) as ring:
        ring.start(*range(4))
        await ring.wait_until_whole()
        async with watched(ring) as manager:
            await manager.until("a picture of the whole ring", is_whole)
            ring.cut([0, 1], [2, 3])
            halves = [["cassandra-0", "cassandra-1"], ["cassandra-2", "cassandra-3"]]
            await manager.until(
                "two halves, and as many who see each member up as down",
                lambda judged: (
                    (told := the(judged, Kind.NETWORK_CUT)) is not None
                    and told.evidence["islands"] == halves
                    and {each.state for each in judged.snapshot.members} == {"?N"}
                ),
                CONVICTION,
            )
            assert not manager.kinds & {"two-rings", "member-down"}, manager.told()
            assert len(manager.judged.snapshot.matrix.rings()) == 1
            asked = [*chain(*halves), *map("&pod=".join, halves), "&pod=".join(chain(*halves))]
            for pods in asked:
                gate = await manager.get(f"/v1/gate?pod={pods}")
                assert (gate["allowed"], gate["idle"]) == (False, False)
                assert "network-cut" in {each["code"] for each in gate["reasons"]}
            order = await manager.get("/v1/drain-order")
            assert not any(step["safe"] for step in order["steps"])
            ring.heal()
            await manager.until("the whole ring again", is_whole)
        assert the(manager.judged, Kind.NETWORK_CUT) is None


async def test_a_schema_that_does_not_spread_is_found_and_its_advice_mends_it(
    manager: Watched,
) -> None:
    ring = manager.ring
    ring.cut([0, 1], [2], verbs="SCHEMA_")
    await asyncio.sleep(TAKEN)  # a change before that would spread
    try:
        await execute(ring, 0, "CREATE KEYSPACE apart WITH replication = " + ONE)
        await manager.until(
            "a member with another schema",
            lambda judged: (
                (told := the(judged, Kind.SCHEMA_DISAGREEMENT)) is not None
                and ["cassandra-2"] in told.evidence["versions"].values()
            ),
        )
        told = the(manager.judged, Kind.SCHEMA_DISAGREEMENT)
        assert told is not None
        assert set(manager.states.values()) == {"UN"}
    finally:
        ring.heal()
    *_, mending = told.commands
    assert mending.startswith("kubectl -n default exec cassandra-2 -c cassandra -- nodetool ")
    await ring.pod(2).node.nodetool(mending.rpartition(" ")[2])
    await manager.until(
        "one schema", lambda judged: the(judged, Kind.SCHEMA_DISAGREEMENT) is None
    )
    await manager.until("the whole ring again", is_whole)
    assert What.SCHEMA_CHANGED in {each.what for each in manager.judged.history.log}
    await execute(ring, 0, "DROP KEYSPACE apart")


ONE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
