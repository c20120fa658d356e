"""What the API server says reaches the manager, whatever happens on the way."""

from pathlib import Path
from typing import Any

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


BROKEN = [
    ("pods", "pods", "cassandra-1", {"status": {"phase": 7}}),
    ("claims", "persistentvolumeclaims", "cassandra-data-cassandra-1", {"status": []}),
    ("machines", "nodes", "node-1", {"spec": {"unschedulable": "yes"}}),
    ("statefulSets", "statefulsets", "cassandra", {"spec": {"replicas": "three"}}),
    ("record", "configmaps", "cassandra-ring", {"data": {"ringId": "one"}}),
    ("ledger", "configmaps", "cassandra-1-member", {"data": {"state": "perhaps"}}),
    ("ledger", "configmaps", "cassandra-1-member", {"data": {"pod": None}}),
    ("turn", "leases", "cassandra-join", {"spec": {"holderIdentity": 7}}),
]


@pytest.mark.parametrize(("source", "plural", "name", "patch"), BROKEN, ids=str)
async def test_an_object_that_makes_no_sense_is_named_and_all_others_are_known(
    tmp_path: Path, source: str, plural: str, name: str, patch: dict[str, Any]
) -> None:
    async with staged(tmp_path) as stage:
        stage.objects.scale(2)
        stage.add_pods(0, 1)
        stage.record()
        stage.entry("cassandra-0")
        stage.entry("cassandra-1")
        store = stage.server.store
        for node in ("node-0", "node-1"):
            store.create(
                "nodes", {"metadata": {"name": node}, "spec": {"unschedulable": False}}
            )
        lease = {"metadata": {"name": "cassandra-join"}, "spec": {"holderIdentity": "x/y"}}
        store.create("leases", lease, "default")
        namespace = "" if plural == "nodes" else "default"
        whole = store.get(plural, name, namespace)
        store.patch(plural, name, patch, namespace)
        async with watching(stage):
            await stage.until(lambda o: bool(o.kubernetes[source].broken))  # by list
            store.patch(plural, name, {key: whole[key] for key in patch}, namespace)
            before = await stage.until(lambda o: all_read(o) and not is_broken(o))
            store.patch(plural, name, patch, namespace)
            seen = await stage.until(is_broken)  # by watch

    (problem,) = seen.kubernetes[source].broken.values()
    assert f"{name} cannot be read: " in problem
    assert seen.kubernetes[source].is_fresh(20) == (source not in {"record", "turn"})
    pod = {"pods": seen.pods, "claims": seen.claims, "ledger": seen.ledger}.get(source)
    if pod is not None:
        assert (set(pod.value or {}), set(pod.broken)) == ({"cassandra-0"}, {"cassandra-1"})
    assert {n for n, each in seen.kubernetes.items() if each.broken} == {source}
    for other in {*seen.kubernetes} - {source}:
        assert seen.kubernetes[other].value == before.kubernetes[other].value


def is_broken(observed: Observation) -> bool:
    return any(each.broken for each in observed.kubernetes.values())


async def test_a_broken_object_that_is_deleted_is_broken_no_more(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.add_pods(0, 1)
        stage.server.store.patch("pods", "cassandra-1", {"status": {"phase": 7}}, "default")
        async with watching(stage):
            await stage.until(lambda o: bool(o.pods.broken))
            stage.remove_pod(1)
            seen = await stage.until(lambda o: not o.pods.broken)

    assert pods(seen) == {"cassandra-0"}


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
