"""Record, ledger, turn and live reads against an API server with real lists and conflicts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from localring.apiserver import ApiServer, Fault
from localring.apiserver import Kind as FaultKind
from seedprovider import objects
from seedprovider.decision import TakeTurn, WriteEntry, WriteRecord
from seedprovider.kube.credentials import Credentials
from seedprovider.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    KubeError,
    NotFound,
    Unavailable,
)
from seedprovider.kube.events import Key, Object
from seedprovider.kube.transport import Transport
from seedprovider.model import Endpoint, Entry, EntryState, Origin, Record, Turn
from seedprovider.registry import (
    Kept,
    OnItsWayError,
    Registry,
    UnreadableError,
    kept_of,
)
from tests.fakes.situations import OTHER_RING, RING, host

AT = "2026-01-02T03:04:05.678901Z"
SELECTOR = {"app": "cassandra"}
RECORD = Record(
    ring_id=RING, founder="cassandra-0", founder_pvc_uid="p0", how=Origin.FOUNDED, at=AT
)


def entry(n: int, **more: Any) -> Entry:  # noqa: ANN401 -- any field
    plain = Entry(
        pod=f"cassandra-{n}",
        ring_id=RING,
        pod_uid=f"uid-{n}",
        pvc_uid=f"pvc-{n}",
        host_id=host(n),
        state=EntryState.MEMBER,
    )
    return replace(plain, **more)


@dataclass
class Registrar:
    api: ApiServer
    transport: Transport

    def registry(self, claim: str = "data", family: int = 4) -> Registry:
        return Registry(
            self.transport, namespace="ns", service="cassandra", claim=claim, family=family
        )

    def create(self, plural: str, name: str, namespace: str = "ns", **body: Any) -> str:  # noqa: ANN401 -- JSON
        """Create an object behind the client's back; return its UID."""
        meta = {"name": name, **body.pop("metadata", {})}
        made = self.api.store.create(plural, {"metadata": meta, **body}, namespace)
        return made["metadata"]["uid"]

    def service(self, **annotations: str) -> None:
        meta = {"annotations": {f"{objects.PREFIX}/{k}": v for k, v in annotations.items()}}
        self.create("services", "cassandra", metadata=meta, spec={"selector": SELECTOR})

    def pod(self, n: int, name: str = "cassandra", **status: Any) -> str:  # noqa: ANN401 -- JSON
        status = {"phase": "Running", "podIP": f"10.0.0.{n + 1}", **status}
        return self.create("pods", f"{name}-{n}", metadata={"labels": SELECTOR}, status=status)

    def claim(self, name: str, phase: str = "Bound", **labels: str) -> str:
        return self.create(
            "persistentvolumeclaims", name, metadata={"labels": labels}, status={"phase": phase}
        )


@pytest.fixture
async def cluster() -> AsyncIterator[Registrar]:
    async with (
        ApiServer("127.50.4.1") as api,
        Transport(Credentials(api.url), user_agent="unit/1") as transport,
    ):
        yield Registrar(api, transport)


# -- what a list of ConfigMaps means -----------------------------------------------------------


def config_map(name: str, data: dict[str, str] | None) -> Object[objects.ConfigMap]:
    return Object(Key("ns", name), "uid", "7", objects.ConfigMap(data))


def made_of(thing: Record | Entry) -> Object[objects.ConfigMap]:
    make = objects.record_body if isinstance(thing, Record) else objects.entry_body
    body = make(thing, "ns", "cassandra")
    return config_map(body["metadata"]["name"], body["data"])


def test_nothing_kept_is_no_record_and_an_empty_ledger() -> None:
    assert kept_of("cassandra", []) == Kept(None, {})


def test_record_and_ledger_are_told_apart_by_name() -> None:
    kept = kept_of("cassandra", [made_of(entry(1)), made_of(RECORD), made_of(entry(0))])

    assert kept.record == replace(RECORD, version="7")
    assert kept.ledger == {f"cassandra-{n}": entry(n, version="7") for n in range(2)}


def test_other_config_maps_with_our_labels_mean_nothing() -> None:
    others = [config_map("cassandra-notes", {"ringId": "?"}), config_map("other-ring", None)]

    assert kept_of("cassandra", others) == Kept(None, {})


@pytest.mark.parametrize("data", [None, {}, {"ringId": "x"}])
@pytest.mark.parametrize("name", ["cassandra-ring", "cassandra-0-member"])
def test_a_broken_object_is_named_with_what_to_do_and_never_taken_for_absent(
    name: str, data: dict[str, str] | None
) -> None:
    with pytest.raises(UnreadableError, match=rf"^ConfigMap {name} cannot be read .*restore"):
        kept_of("cassandra", [config_map(name, data)])


def test_an_entry_under_another_pods_name_does_not_hide_that_pods_own() -> None:
    copied = config_map("cassandra-1-member", made_of(entry(0)).body.data)

    with pytest.raises(UnreadableError, match="cassandra-1-member"):
        kept_of("cassandra", [made_of(entry(0)), copied])


# -- writing -----------------------------------------------------------------------------------


async def test_what_is_written_is_read_back_with_its_version(cluster: Registrar) -> None:
    cluster.service()
    registry = cluster.registry()
    await registry.take(WriteRecord(RECORD), AT)
    await registry.take(WriteEntry(entry(0)), AT)
    await registry.take(TakeTurn(("cassandra-0", "uid-0"), Turn()), AT)
    read = await registry.read_live()

    assert read.kept.record is not None
    assert read.kept.record.version is not None
    assert replace(read.kept.record, version=None) == RECORD
    assert replace(read.kept.ledger["cassandra-0"], version=None) == entry(0)
    assert (read.live.turn.holder, read.live.turn.transitions) == (("cassandra-0", "uid-0"), 1)


def winner(results: list[object]) -> int:
    """Return whose write came through; the others' raised."""
    (index,) = (n for n, result in enumerate(results) if isinstance(result, str))
    return index


async def test_of_many_founders_one_writes_the_record(cluster: Registrar) -> None:
    records = [replace(RECORD, ring_id=f"{n:032x}") for n in range(5)]
    results = await asyncio.gather(
        *(cluster.registry().take(WriteRecord(each), AT) for each in records),
        return_exceptions=True,
    )

    assert [type(result) for result in results].count(AlreadyExists) == 4
    (stored,) = cluster.api.store.list("configmaps", "ns")
    assert stored["data"]["ringId"] == records[winner(results)].ring_id


async def test_of_many_that_take_the_turn_one_has_it(cluster: Registrar) -> None:
    cluster.service()
    registry = cluster.registry()
    await registry.take(WriteEntry(entry(9)), AT)
    await registry.take(TakeTurn(("cassandra-9", "uid-9"), Turn()), AT)
    await registry.release_turn(("cassandra-9", "uid-9"), AT)
    free = (await registry.read_live()).live.turn
    results = await asyncio.gather(
        *(registry.take(TakeTurn((f"cassandra-{n}", "u"), free), AT) for n in range(5)),
        return_exceptions=True,
    )

    assert [type(result) for result in results].count(Conflict) == 4
    holder = (await registry.read_live()).live.turn.holder
    assert holder == (f"cassandra-{winner(results)}", "u")


async def test_two_that_both_find_no_turn_yet_do_not_both_make_it(cluster: Registrar) -> None:
    registry = cluster.registry()
    await registry.take(TakeTurn(("cassandra-0", "u"), Turn()), AT)

    with pytest.raises(AlreadyExists):
        await registry.take(TakeTurn(("cassandra-1", "u"), Turn()), AT)


@pytest.mark.parametrize("kind", ["record", "entry"])
async def test_what_changed_since_it_was_read_is_not_written_over(
    cluster: Registrar, kind: str
) -> None:
    cluster.service()
    registry = cluster.registry()
    await registry.take(WriteRecord(RECORD), AT)
    await registry.take(WriteEntry(entry(0)), AT)
    kept = (await registry.read_live()).kept
    assert kept.record is not None
    stale = kept.ledger["cassandra-0"]
    step = WriteRecord(kept.record) if kind == "record" else WriteEntry(stale)
    change = (
        WriteRecord(replace(kept.record, founder="cassandra-1"))
        if kind == "record"
        else WriteEntry(replace(stale, rack="r2"))
    )
    await registry.take(change, AT)

    with pytest.raises(Conflict):
        await registry.take(step, AT)


async def test_an_object_that_was_deleted_is_not_written_anew(cluster: Registrar) -> None:
    with pytest.raises(NotFound):
        await cluster.registry().take(WriteRecord(replace(RECORD, version="1")), AT)

    assert cluster.api.store.list("configmaps", "ns") == []


async def test_a_write_whose_answer_was_lost_is_an_unknown_outcome(cluster: Registrar) -> None:
    cluster.api.faults.add(Fault(kind=FaultKind.DROP_RESPONSE, verb="create", times=1))

    with pytest.raises(Unavailable) as caught:
        await cluster.registry().take(WriteRecord(RECORD), AT)
    assert caught.value.outcome_unknown
    assert len(cluster.api.store.list("configmaps", "ns")) == 1


async def test_a_turn_is_freed_by_its_holder_only(cluster: Registrar) -> None:
    cluster.service()
    registry = cluster.registry()
    await registry.take(WriteEntry(entry(0, pod_uid="new")), AT)
    await registry.take(TakeTurn(("cassandra-0", "new"), Turn()), AT)
    for stranger in (("cassandra-0", "old"), ("cassandra-1", "new")):
        await registry.release_turn(stranger, AT)
        assert (await registry.read_live()).live.turn.holder == ("cassandra-0", "new")
    await registry.release_turn(("cassandra-0", "new"), AT)

    assert (await registry.read_live()).live.turn.holder is None


@pytest.mark.parametrize("more", [{"state": EntryState.JOINING}, {"pod_uid": "old"}, None])
async def test_a_turn_is_not_freed_before_the_ledger_has_its_holder_as_a_member(
    cluster: Registrar, more: dict[str, Any] | None
) -> None:
    cluster.service()
    registry, holder = cluster.registry(), ("cassandra-0", "uid-0")
    await registry.take(TakeTurn(holder, Turn()), AT)
    if more is not None:
        await registry.take(WriteEntry(entry(0, **more)), AT)

    with pytest.raises(OnItsWayError):
        await registry.release_turn(holder, AT)
    assert (await registry.read_live()).live.turn.holder == holder


async def test_a_turn_that_never_was_is_free_already(cluster: Registrar) -> None:
    await cluster.registry().release_turn(("cassandra-0", "u"), AT)

    assert cluster.api.store.list("leases", "ns") == []


async def test_renewing_changes_nothing_but_the_time_and_only_for_the_holder(
    cluster: Registrar,
) -> None:
    registry, later = cluster.registry(), AT.replace("2026", "2027")
    await registry.take(TakeTurn(("cassandra-0", "u"), Turn()), AT)
    before = cluster.api.store.get("leases", "cassandra-join", "ns")["spec"]
    await registry.renew_turn(("cassandra-1", "u"), later)
    assert cluster.api.store.get("leases", "cassandra-join", "ns")["spec"] == before
    await registry.renew_turn(("cassandra-0", "u"), later)

    after = cluster.api.store.get("leases", "cassandra-join", "ns")["spec"]
    assert after == {**before, "renewTime": later}


# -- live reads --------------------------------------------------------------------------------


async def test_pods_that_the_service_selects_are_read_whatever_they_do(
    cluster: Registrar,
) -> None:
    cluster.service()
    running, waiting = cluster.pod(0), cluster.pod(1, phase="Pending", podIP="")
    cluster.create("pods", "other-0", metadata={"labels": {"app": "other"}})
    cluster.create("pods", "cassandra-5", "elsewhere", metadata={"labels": SELECTOR})
    read = await cluster.registry().read_live()

    assert read.live.pods == {"cassandra-0": running, "cassandra-1": waiting}
    assert read.endpoints == (Endpoint("cassandra-0", running, "10.0.0.1"),)


async def test_a_pod_that_ended_does_not_run(cluster: Registrar) -> None:
    cluster.service()
    cluster.pod(0, phase="Failed")
    cluster.pod(1, phase="Succeeded")
    read = await cluster.registry().read_live()

    assert (read.live.pods, read.endpoints) == ({}, ())


async def test_a_pod_being_deleted_is_still_there(cluster: Registrar) -> None:
    cluster.service()
    cluster.pod(0)
    cluster.api.store.mark_deleting("pods", "cassandra-0", "ns")
    read = await cluster.registry().read_live()

    assert read.live.pods.keys() == {"cassandra-0"}
    assert [endpoint.terminating for endpoint in read.endpoints] == [True]


async def test_volumes_of_pods_scaled_away_are_read_too(cluster: Registrar) -> None:
    cluster.service()
    cluster.pod(0)
    uids = [cluster.claim(f"data-cassandra-{n}") for n in range(3)]
    read = await cluster.registry().read_live()

    assert read.live.volumes == {f"cassandra-{n}": uid for n, uid in enumerate(uids)}


async def test_with_no_pod_left_volumes_are_known_by_the_labels_of_the_set(
    cluster: Registrar,
) -> None:
    cluster.service()
    uid = cluster.claim("data-cassandra-0", **SELECTOR)
    read = await cluster.registry().read_live()

    assert read.live.volumes == {"cassandra-0": uid}


async def test_a_claim_that_is_not_bound_holds_no_data_and_a_lost_one_may(
    cluster: Registrar,
) -> None:
    cluster.service()
    cluster.pod(0)
    cluster.claim("data-cassandra-0", "Pending")
    lost = cluster.claim("data-cassandra-1", "Lost")
    read = await cluster.registry().read_live()

    assert read.live.volumes == {"cassandra-0": None, "cassandra-1": lost}


@pytest.mark.parametrize(
    "name",
    ["data-cassandra", "data-other-0", "logs-cassandra-0", "data-cassandra-a-0", "cassandra-0"],
)
async def test_claims_of_others_are_not_ours(cluster: Registrar, name: str) -> None:
    cluster.service()
    cluster.pod(0)
    cluster.claim(name)
    read = await cluster.registry().read_live()

    assert read.live.volumes == {}


async def test_pods_of_two_stateful_sets_behind_one_service_are_both_ours(
    cluster: Registrar,
) -> None:
    cluster.service()
    cluster.pod(0, "rack-a")
    cluster.pod(0, "rack-b")
    cluster.claim("data-rack-a-1")
    cluster.claim("data-rack-b-1")
    read = await cluster.registry().read_live()

    assert read.live.volumes.keys() == {"rack-a-1", "rack-b-1"}


async def test_a_pod_without_a_claim_has_a_disk_that_lives_as_long_as_it(
    cluster: Registrar,
) -> None:
    cluster.service()
    uid = cluster.pod(0)
    registry = cluster.registry(claim="")
    read = await registry.read_live()

    assert read.live.volumes == {"cassandra-0": f"pod-{uid}"}
    assert await registry.own_volume("cassandra-0", uid) == f"pod-{uid}"


async def test_our_own_volume_is_the_claim_of_our_pod(cluster: Registrar) -> None:
    uid = cluster.claim("data-cassandra-0")

    assert await cluster.registry().own_volume("cassandra-0", "u") == uid
    with pytest.raises(NotFound):
        await cluster.registry().own_volume("cassandra-1", "u")


async def test_an_approval_is_read_from_the_service(cluster: Registrar) -> None:
    cluster.service(**{"approve-founding": "cassandra-2"})

    assert (await cluster.registry().read_live()).live.approved_founder == "cassandra-2"


async def test_an_empty_approval_is_none(cluster: Registrar) -> None:
    cluster.service(**{"approve-founding": ""})

    assert (await cluster.registry().read_live()).live.approved_founder is None


async def test_a_pause_is_read_from_the_service(cluster: Registrar) -> None:
    cluster.service(pause="storage is being moved")

    assert (await cluster.registry().read_live()).live.paused == "storage is being moved"


@pytest.mark.parametrize("spec", [{}, {"selector": {}}, {"selector": None}])
async def test_a_service_without_a_selector_does_not_make_every_pod_ours(
    cluster: Registrar, spec: dict[str, Any]
) -> None:
    cluster.create("services", "cassandra", spec=spec)
    cluster.pod(0)

    with pytest.raises(UnreadableError, match="Service cassandra has no selector"):
        await cluster.registry().read_live()


async def test_every_part_of_a_live_read_asks_for_what_is_and_not_for_what_was(
    cluster: Registrar,
) -> None:
    cluster.service()
    await cluster.registry().read_live()

    assert {each.resource for each in cluster.api.requests} == {
        "services",
        "pods",
        "persistentvolumeclaims",
        "configmaps",
        "leases",
    }
    assert not any("resourceVersion" in each.query for each in cluster.api.requests)


async def test_a_broken_record_stops_the_read(cluster: Registrar) -> None:
    cluster.service()
    registry = cluster.registry()
    await registry.take(WriteRecord(RECORD), AT)
    broken = cluster.api.store.get("configmaps", "cassandra-ring", "ns")
    cluster.api.store.replace(
        "configmaps", "cassandra-ring", {**broken, "data": {"ringId": "?"}}, "ns"
    )

    with pytest.raises(UnreadableError, match="cassandra-ring"):
        await registry.read_live()


async def test_record_and_ledger_of_another_service_are_not_ours(cluster: Registrar) -> None:
    cluster.service()
    other = Registry(cluster.transport, namespace="ns", service="other", claim="", family=4)
    await other.take(WriteRecord(replace(RECORD, ring_id=OTHER_RING)), AT)
    await other.take(WriteEntry(entry(0)), AT)

    assert (await cluster.registry().read_live()).kept == Kept(None, {})


@pytest.mark.parametrize(
    "resource", ["services", "pods", "persistentvolumeclaims", "configmaps", "leases"]
)
@pytest.mark.parametrize(
    ("fault", "error"), [(FaultKind.FORBID, Forbidden), (FaultKind.FAIL, Unavailable)]
)
async def test_a_live_read_with_a_part_missing_is_no_read(
    cluster: Registrar, resource: str, fault: FaultKind, error: type[KubeError]
) -> None:
    cluster.service()
    cluster.api.faults.add(Fault(kind=fault, resource=resource))

    with pytest.raises(error):
        await cluster.registry().read_live()


@pytest.mark.parametrize("resource", ["pods", "persistentvolumeclaims", "configmaps"])
async def test_a_list_that_is_garbage_is_not_an_empty_list(
    cluster: Registrar, resource: str
) -> None:
    cluster.service()
    cluster.api.faults.add(Fault(kind=FaultKind.GARBAGE_LIST, resource=resource))

    with pytest.raises(KubeError):
        await cluster.registry().read_live()


async def test_a_service_that_is_missing_is_no_empty_ring(cluster: Registrar) -> None:
    with pytest.raises(NotFound):
        await cluster.registry().read_live()
