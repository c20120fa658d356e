"""The API server, or a sidecar, is away or does not answer."""

from localring.apiserver import Fault, Kind
from localring.cql import answers_cql
from localring.ring import LocalRing
from seedprovider.decision import Rule
from tests.integration.data import read, write
from tests.integration.decided import provokes
from tests.integration.helpers import PATIENCE, hosts, known, mark, until_mode, until_told

NO_NEW_ENTRIES = Fault(kind=Kind.FORBID, resource="configmaps", verb="create")
NO_OTHER_ENTRIES = Fault(kind=Kind.FORBID, resource="configmaps", verb="update")


async def test_a_node_starts_from_the_last_good_list_while_the_api_server_is_away(
    ring: LocalRing,
) -> None:
    await start_without_api_server(ring, 1)


@provokes(Rule.MEMBER_FROM_CACHE)
async def test_all_come_back_at_other_addresses_while_the_api_server_is_away(
    ring: LocalRing,
) -> None:
    await write(ring, "no API server")
    before = await known(ring)
    await ring.stop(0, 1, 2)
    await ring.api.refuse()
    ring.start(0, 1, 2)
    for ordinal in (0, 1, 2):
        await until_told(ring, ordinal, Rule.MEMBER_FROM_CACHE)
        await until_mode(ring, ordinal, "NORMAL")
    assert not ring.api.accepting
    await ring.api.accept()
    await ring.wait_until_whole()
    after = await known(ring)

    assert {n: r.host_id for n, r in after.items()} == {n: r.host_id for n, r in before.items()}
    assert not {r.address for r in after.values()} & {r.address for r in before.values()}
    assert await read(ring, 1) == {"no API server"}


@provokes(Rule.API_AWAY)
async def test_a_node_on_a_new_volume_waits_for_the_api_server_and_then_starts_without_it(
    ring: LocalRing,
) -> None:
    before = await ring.report(2)
    await ring.stop(2)
    await ring.replace_volume(2)
    await ring.api.refuse()
    ring.start(2)
    await until_told(ring, 2, Rule.API_AWAY)
    await ring.api.accept()
    await ring.wait_until_whole()
    after = await ring.report(2)

    assert before
    assert after
    assert after.host_id != before.host_id
    assert after.ring_id == before.ring_id
    assert mark(ring, 2)["host-id"] == after.host_id
    assert mark(ring, 2)["pvc-uid"] == volume(ring, 2)
    await start_without_api_server(ring, 2)


@provokes(Rule.VOLUME_UNKNOWN, Rule.API_AWAY)
async def test_an_empty_disk_without_a_claim_or_whose_entry_cannot_be_written_comes_in_nowhere(
    ring: LocalRing,
) -> None:
    await write(ring, "nobody new")
    before = await hosts(ring)
    faults = ring.api.faults  # one entry may be left of a pod that was here before
    with faults.active(NO_NEW_ENTRIES), faults.active(NO_OTHER_ENTRIES):
        ring.start(3)
        ring.cluster.delete_claim(ring.identity(3))
        claimless = await until_told(ring, 3, Rule.VOLUME_UNKNOWN)
        ring.cluster.make_claim(ring.identity(3), bound=True)
        unwritten = await until_told(ring, 3, Rule.API_AWAY)
        assert "SEEDPROVIDER_CLAIM" in claimless.reason
        assert "configmaps" in unwritten.reason
        assert (await known(ring))["cassandra-3"].mode in {None, "STARTING"}
    await ring.lose(3)
    await ring.replace_volume(3)

    assert await hosts(ring) == before
    assert await read(ring, 1) == {"nobody new"}


def volume(ring: LocalRing, ordinal: int) -> str:
    claim = ring.api.store.get(
        "persistentvolumeclaims", ring.identity(ordinal).claim, "default"
    )
    return str(claim["metadata"]["uid"])


async def start_without_api_server(ring: LocalRing, ordinal: int) -> None:
    """Take the API server away, kill both containers of a pod, and wait for its node."""
    pod = ring.pod(ordinal)
    before = await ring.report(ordinal)
    ended = pod.cassandra.restarts
    await ring.api.refuse()
    await pod.sidecar.kill()
    await pod.cassandra.kill()

    async def missing() -> str | None:
        if not pod.cassandra.running or pod.cassandra.restarts == ended:
            return "not started again"
        report = await ring.report(ordinal)
        if report and report.native:
            return None
        return f"{report and report.mode}: {await pod.client.explain(pod.name)}"

    await ring.wait_until("a start without the API server", missing, PATIENCE)
    after = await ring.report(ordinal)

    assert not ring.api.accepting
    assert before
    assert after
    assert after.host_id == before.host_id


async def test_a_killed_sidecar_leaves_cassandra_alone_and_hears_of_it_again(
    ring: LocalRing,
) -> None:
    pod = ring.pod(0)
    pid, restarts, sidecar = pod.cassandra.process.pid, pod.cassandra.restarts, pod.sidecar
    ended = sidecar.restarts
    await sidecar.kill()
    assert await answers_cql(pod.address)

    async def missing() -> str | None:
        report = await ring.report(0) if sidecar.restarts > ended else None
        return None if report and report.mode == "NORMAL" else "no heartbeat yet"

    await ring.wait_until("heartbeats to the new sidecar", missing, PATIENCE)

    assert (pod.cassandra.process.pid, pod.cassandra.restarts) == (pid, restarts)
    assert await answers_cql(pod.address)


async def test_a_hung_sidecar_leaves_cassandra_alone_and_makes_the_pod_unready(
    ring: LocalRing,
) -> None:
    await ring.wait_until_ready(1)
    pod = ring.pod(1)
    pid = pod.cassandra.process.pid
    pod.sidecar.process.freeze()
    try:

        async def still_ready() -> str | None:
            return "still ready" if pod.ready else None

        await ring.wait_until("a pod that is not ready", still_ready, PATIENCE)
        assert await answers_cql(pod.address)
    finally:
        pod.sidecar.process.thaw()
    await ring.wait_until_whole()
    await ring.wait_until_ready(1)

    assert pod.cassandra.process.pid == pid
