"""One of two managers leads: it alone keeps the contact points, and another takes over."""

from typing import Any

from localring.apiserver.status import ApiError
from localring.ring import LocalRing
from localring.waiting import wait_until
from ring.history import What
from ring.judged import Judged
from ring.past import MOST, decoded
from tests.integration.manager.conftest import is_whole, watched

PATIENCE = 60.0  # seconds


def config_map(ring: LocalRing) -> dict[str, Any] | None:
    try:
        return ring.api.store.get("configmaps", "cassandra-contact-points", "default")
    except ApiError:
        return None


def holder(ring: LocalRing) -> str:
    try:
        lease = ring.api.store.get("leases", "cassandra-ring-manager", "default")
    except ApiError:
        return ""
    return str(lease["spec"]["holderIdentity"])


async def test_contact_points_follow_the_ring_and_outlive_a_leader(ring: LocalRing) -> None:
    def expected(*ordinals: int) -> dict[str, str]:
        addresses = [str(ring.pod(n).address) for n in ordinals]
        return {
            "CASSANDRA_CONTACT_POINTS": ",".join(sorted(addresses, key=lambda a: (len(a), a))),
            "CASSANDRA_PORT": "9042",
            "CASSANDRA_LOCAL_DC": "dc1",
        }

    async def kept(*ordinals: int) -> None:
        async def missing() -> str | None:
            found = config_map(ring)
            data = found and found["data"]
            return None if data == expected(*ordinals) else f"contact points {data}"

        await wait_until(f"contact points of {ordinals}", missing, patience=PATIENCE)

    async with watched(ring, identity="one") as first:
        await first.until("a picture of the whole ring", is_whole)
        await kept(0, 1, 2)
        async with watched(ring, identity="two") as second:
            await second.until("a picture of the whole ring", is_whole)
            assert (holder(ring), second.it.election.leads) == ("one", False)
            await second.get("/v1/ring")  # who follows serves all the same
            first.it.task.cancel()

            async def missing() -> str | None:
                return None if second.it.election.leads else f"{holder(ring)!r} holds the Lease"

            await wait_until("another leader", missing, patience=PATIENCE)
            await ring.stop(2)
            await kept(0, 1)
            ring.start(2)
            await ring.wait_until_whole()
            await kept(0, 1, 2)


def went(judged: Judged) -> list[tuple[str, str]]:
    """Return who went and came back, by the history that is shown."""
    found = (What.WENT_DOWN, What.CAME_BACK)
    return [(each.what, each.pod) for each in judged.history.log if each.what in found]


async def test_the_history_outlives_all_managers(ring: LocalRing) -> None:
    async with watched(ring, identity="one") as first:
        await first.until("a picture of the whole ring", is_whole)
        before = went(first.judged)
        await ring.stop(2)
        await first.until(
            "a member that went", lambda judged: len(went(judged)) == len(before) + 1
        )
        ring.start(2)
        await ring.wait_until_whole()
        await first.until(
            "a member that came", lambda judged: len(went(judged)) == len(before) + 2
        )
        seen = went(first.judged)

        async def missing() -> str | None:
            try:
                data = ring.api.store.get("configmaps", "cassandra-ring-history", "default")
            except ApiError:
                return "no history is kept"
            last = decoded(data["data"]["changes"])[-len(first.judged.history.log) :]
            return None if last == first.judged.history.log[-MOST:] else f"kept is {last}"

        await wait_until("a history that is kept", missing, patience=PATIENCE)
    async with watched(ring, identity="two") as second:
        await second.until("the same history", lambda judged: went(judged) == seen)

    assert seen[len(before) :] == [
        (What.WENT_DOWN, "cassandra-2"),
        (What.CAME_BACK, "cassandra-2"),
    ]
