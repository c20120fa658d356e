"""One of two managers leads: it alone keeps the contact points, and another takes over."""

from contextlib import suppress
from typing import Any

from localring.apiserver.status import ApiError
from localring.ring import LocalRing
from localring.waiting import wait_until
from ring.history import What
from ring.judged import Judged
from ring.past import decoded
from tests.integration.manager.conftest import is_whole, watched

PATIENCE = 60.0  # seconds
HISTORY = "cassandra-ring-history"


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
    seen = [(What.WENT_DOWN, "cassandra-2"), (What.CAME_BACK, "cassandra-2")]
    with suppress(ApiError):  # of tests before
        ring.api.store.delete("configmaps", HISTORY, "default")
    async with watched(ring, identity="one") as first:
        await first.until("a picture of the whole ring", is_whole)
        await ring.stop(2)
        await first.until("a member that went", lambda judged: went(judged) == seen[:1])
        ring.start(2)
        await ring.wait_until_whole()
        await first.until("a member that came", lambda judged: went(judged) == seen)

        async def missing() -> str | None:
            try:
                data = ring.api.store.get("configmaps", HISTORY, "default")
            except ApiError:
                return "no history is kept"
            kept = decoded(data["data"]["changes"]).changes
            return None if kept == first.judged.history.log else f"kept is {kept}"

        await wait_until("a history that is kept", missing, patience=PATIENCE)
    async with watched(ring, identity="two") as second:
        await second.until("the same history", lambda judged: went(judged) == seen)
