"""What the API server says reaches the manager, whatever happens on the way."""

from pathlib import Path

import pytest

from localring.apiserver.faults import Fault, Kind
from ring.objects import EntryState
from ring.observed import Observation
from tests.unit.ring.observe.stage import RING, staged, watching


def pods(observed: Observation) -> set[str]:
    return set(observed.pods.value or {})


def all_read(observed: Observation) -> bool:
    return all(each.age is not None for each in observed.kubernetes.values())


async def test_everything_of_a_service_is_read(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.objects.scale(3)
        stage.add_pods(0, 1, 2)
        stage.record()
        stage.entry("cassandra-1", addresses='[{"address": "10.0.0.2", "since": "x"}]')
        store = stage.server.store
        zone = {"topology.kubernetes.io/zone": "b"}
        store.create("nodes", {"metadata": {"name": "node-1", "labels": zone}})
        async with watching(stage):
            seen = await stage.until(lambda o: all_read(o) and len(pods(o)) == 3)

    assert seen.pods.value
    assert seen.claims.value
    pod, claim = seen.pods.value["cassandra-1"], seen.claims.value["cassandra-1"]
    held = store.get("persistentvolumeclaims", "cassandra-data-cassandra-1", "default")
    assert (pod.machine, pod.ready, pod.stateful_set) == ("node-1", True, "cassandra")
    assert claim.uid == held["metadata"]["uid"]
    assert seen.machines.value
    assert seen.machines.value["node-1"].zone == "b"
    assert seen.stateful_sets.value
    assert seen.stateful_sets.value["cassandra"].replicas == 3
    assert {each.pod for each in seen.endpoints.value or ()} == pods(seen)
    assert seen.record.value
    assert seen.record.value.ring_id == RING
    assert seen.ledger.value
    assert seen.ledger.value["cassandra-1"].state is EntryState.MEMBER
    assert seen.turn.value is not None
    assert seen.turn.value.pod == ""


async def test_what_others_have_in_the_namespace_is_not_ours(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.add_pods(0)
        for kind, name in (
            ("pods", "another-0"),
            ("persistentvolumeclaims", "cassandra-data-another-0"),
            ("configmaps", "another-ring"),
        ):
            body = {"metadata": {"name": name, "namespace": "default"}}
            stage.server.store.create(kind, body, "default")
        async with watching(stage):
            seen = await stage.until(all_read)

    assert pods(seen) == set(seen.claims.value or {}) == {"cassandra-0"}
    assert seen.record.value is None


async def test_an_entry_that_cannot_be_read_makes_the_ledger_unknown_and_says_why(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        stage.entry("cassandra-0")
        stage.entry("cassandra-1", state="perhaps")
        async with watching(stage):
            seen = await stage.until(lambda o: bool(o.ledger.failure))

    assert seen.ledger.age is None
    assert "cassandra-1-member" in seen.ledger.failure


FAULTS = [
    Fault(kind=Kind.UNAUTHORIZED, resource="pods", times=2),
    Fault(kind=Kind.FORBID, resource="pods", times=2),
    Fault(kind=Kind.THROTTLE, resource="pods", times=2),
    Fault(kind=Kind.FAIL, resource="pods", times=2, status=503),
    Fault(kind=Kind.GARBAGE_LIST, resource="pods", times=2),
    Fault(kind=Kind.TRUNCATED_LIST, resource="pods", times=2),
    Fault(kind=Kind.DROP_RESPONSE, resource="pods", times=2),
    Fault(kind=Kind.EXPIRE, resource="pods", times=2),
    Fault(kind=Kind.EXPIRED_AS_STATUS, resource="pods", times=2),
    Fault(kind=Kind.END_WATCH, resource="pods", times=3),
    Fault(kind=Kind.CUT_WATCH, resource="pods", times=3),
    Fault(kind=Kind.GARBAGE_LINE, resource="pods", times=2),
    Fault(kind=Kind.OVERSIZED_LINE, resource="pods", times=2),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.kind))
async def test_nothing_stays_wrong_after_a_fault(tmp_path: Path, fault: Fault) -> None:
    async with staged(tmp_path) as stage:
        stage.add_pods(0, 1)
        async with watching(stage):
            await stage.until(lambda o: pods(o) == {"cassandra-0", "cassandra-1"})
            with stage.server.faults.active(fault):
                stage.server.cut_watches(resource="pods")
                stage.remove_pod(0)
                stage.add_pods(2)
                seen = await stage.until(
                    lambda o: pods(o) == {"cassandra-1", "cassandra-2"} and not o.pods.failure
                )

    assert seen.pods.is_fresh(20)


async def test_a_right_that_is_missing_is_said_and_the_rest_is_known(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.add_pods(0)
        with stage.server.faults.active(Fault(kind=Kind.FORBID, resource="nodes")):
            async with watching(stage):
                seen = await stage.until(
                    lambda o: bool(o.machines.failure) and o.pods.age is not None
                )

    assert seen.machines.failure.startswith("403 ")
    assert (seen.machines.age, pods(seen)) == (None, {"cassandra-0"})


async def test_a_token_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, watching(stage):
        await stage.until(all_read)
        stage.renew_token("second")
        stage.server.cut_watches()
        stage.add_pods(0)

        assert await stage.until(lambda o: pods(o) == {"cassandra-0"})


async def test_without_an_api_server_what_was_known_stays_and_grows_old(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.add_pods(0)
        async with watching(stage):
            before = await stage.until(lambda o: all_read(o) and len(pods(o)) == 1)
            await stage.server.refuse()
            seen = await stage.until(
                lambda o: all(each.failure for each in o.kubernetes.values())
            )
            assert seen.pods.value == before.pods.value
            await stage.server.accept()
            await stage.until(lambda o: not any(each.failure for each in o.kubernetes.values()))


async def test_a_service_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.server.store.delete("services", "cassandra", "default")
        async with watching(stage):
            seen = await stage.until(lambda o: bool(o.pods.failure))

    assert seen.pods.failure.startswith("404 ")
    assert "cassandra" in seen.pods.failure


async def test_only_changes_are_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.add_pods(0)
        async with watching(stage):
            await stage.until(all_read)
            before = stage.changes
            stage.add_pods(1)
            await stage.until(lambda o: len(pods(o)) == 2)
            assert stage.changes > before


async def test_credentials_that_cannot_be_read_are_a_failure_and_not_the_end(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path) as stage:
        config = tmp_path / "kubeconfig"
        whole = config.read_bytes()
        config.write_text("{")
        async with watching(stage):
            await stage.until(lambda o: bool(o.pods.failure))
            config.write_bytes(whole)
            await stage.until(all_read)
