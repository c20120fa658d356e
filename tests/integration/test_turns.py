"""Who comes in before whom: one after the other, and one node for each rack first."""

from datetime import datetime

from localring.objects import NAMESPACE
from localring.ring import LocalRing
from seedprovider.decision import Rule
from seedprovider.racks import FILE, rack_text
from tests.integration.conftest import Stage, joining, most_at_once, watched_until_whole
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import PAUSE, founded, until_reason, until_told

LEASE = "cassandra-join"


@provokes(Rule.JOIN_WAIT)
async def test_the_first_node_of_a_rack_goes_before_the_second_of_another(stage: Stage) -> None:
    async with stage(4) as ring:
        ring.start(0)
        await ring.wait_until_whole()
        await write(ring, "racks", replicas=1)
        ring.cluster.annotate(PAUSE, "until both are there")
        for ordinal in (1, 3):
            keep_rack(ring, ordinal)
        ring.start(1, 3)
        for ordinal in (1, 3):
            await until_told(ring, ordinal, Rule.PAUSED)
        ring.cluster.annotate(PAUSE, None)
        told = await until_reason(ring, 3, "goes first")
        looks = await watched_until_whole(ring)
        first, second = came_in(ring, 1), came_in(ring, 3)

        assert told.reason == "cassandra-1 goes first: it will be the first node of rack rack2"
        assert most_at_once(looks) == 1
        assert first[1] < second[0]
        assert await read(ring, 3, replicas=1) == {"racks"}


@provokes(Rule.JOIN_WAIT)
async def test_the_join_turn_deleted_by_hand_lets_nobody_in_beside_who_is_on_the_way(
    stage: Stage,
) -> None:
    async with stage(3) as ring:
        ring.start(0)
        await ring.wait_until_whole()
        await write(ring, "turn deleted", replicas=1)
        ring.start(1)
        await until_told(ring, 1, Rule.JOIN)
        holder = ring.pod(1)
        holder.node.freeze()  # on its way, and gossip does not know it yet
        holder.sidecar.process.freeze()
        try:
            # With both gone its own sidecar alone could tell, which does not answer.
            ring.api.store.delete("leases", LEASE, NAMESPACE)
            ring.api.store.delete("configmaps", "cassandra-1-member", NAMESPACE)
            ring.start(2)
            told = await until_reason(ring, 2, "nobody has the turn")
        finally:
            holder.sidecar.process.thaw()
            holder.node.thaw()
        looks = await watched_until_whole(ring)
        first, second = came_in(ring, 1), came_in(ring, 2)

        assert told.reason.startswith("cassandra-1 may be joining")
        assert most_at_once(looks) == 1
        assert first[1] < second[0]
        assert await read(ring, 2, replicas=1) == {"turn deleted"}


def keep_rack(ring: LocalRing, ordinal: int) -> None:
    """Let a blank disk keep its rack, as `seedprovider install` does before a first start."""
    identity = ring.identity(ordinal)
    file = ring.disks.of(identity.name) / "data" / FILE
    file.write_text(rack_text(identity.zone))


def came_in(ring: LocalRing, ordinal: int) -> tuple[datetime, datetime]:
    assert not founded(ring, ordinal)
    return joining(ring.pod(ordinal).node.settings.log.read_text())
