"""Scenarios that need a ring, or a refusal to found one, of their own."""

from pathlib import Path

import pytest

from tests.e2e.app import App
from tests.e2e.conftest import MakeRing
from tests.e2e.ring import Ring
from tests.e2e.waiting import wait_until

ONE_NODE = (
    "StatefulSet",
    """
    - {op: replace, path: /spec/replicas, value: 1}
    - {op: add, path: /spec/template/metadata/labels/cassandra-k8s-ring.io~1rack, value: r1}
    """,
)
NO_RIGHTS = (
    "RoleBinding",
    """
    $patch: delete
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: cassandra}
    """,
)
SEEDS_OF_BEFORE = (
    "StatefulSet",
    """
    - op: add
      path: /spec/template/spec/initContainers/1/env/-
      value: {name: CASSANDRA_SEEDS, value: "cassandra-0.cassandra,cassandra-1.cassandra"}
    - op: add
      path: /spec/template/spec/initContainers/1/env/-
      value: {name: CASSANDRA_RACK, value: old-rack}
    """,
)
BEFORE = Path(__file__).parent / "before.yaml"
ANY_ZONE = (
    "StatefulSet",
    "- {op: remove, path: /spec/template/spec/affinity/nodeAffinity}",
)


def test_without_the_rights_nothing_is_founded_and_the_right_is_named(
    make_ring: MakeRing,
) -> None:
    ring = make_ring("no-rights")
    ring.apply("kind", ONE_NODE, NO_RIGHTS)

    def named() -> str | None:
        told = ring.sidecar("cassandra-0", "/v1/seeds")
        reason = str(told.get("reason"))
        is_named = "lacks a right" in reason and 'cannot get resource "services"' in reason
        return None if told["outcome"] == "withheld" and is_named else f"{told}"

    wait_until("the missing right is named", named, 60)
    log = ring.kubectl("logs", "cassandra-0", "-c", "seedprovider")

    assert "endpointslices" in log
    assert "configmaps" in log
    assert "cassandra-ring" not in ring.kubectl.names("configmaps")
    assert not ring.members()


@pytest.fixture(scope="module")
def three_racks(make_ring: MakeRing) -> Ring:
    ring = make_ring("three-racks")
    ring.apply("three-racks", ANY_ZONE)
    ring.wait_whole(3)
    return ring


def test_seeds_cover_every_rack(three_racks: Ring) -> None:
    members = three_racks.members()
    racks = {member.address: member.rack for member in members.values()}

    assert set(racks.values()) == {"rack-a", "rack-b", "rack-c"}
    for member in members.values():
        assert {racks[seed] for seed in member.seeds} | {member.rack} == set(racks.values())


def test_deleting_the_manifests_leaves_record_ledger_and_volumes(three_racks: Ring) -> None:
    """The last of this ring's tests: it ends it."""
    record, ledger = three_racks.record(), three_racks.ledger()
    volumes = three_racks.kubectl.names("pvc")

    three_racks.delete("three-racks")

    assert (three_racks.record(), three_racks.ledger()) == (record, ledger)
    assert three_racks.kubectl.names("pvc") == volumes
    assert len(volumes) == len(ledger)


def test_a_ring_from_before_is_adopted_by_one_rolling_restart(make_ring: MakeRing) -> None:
    ring = make_ring("adopted", restricted=False)
    ring.kubectl("apply", "-f", str(BEFORE))
    ring.kubectl("rollout", "status", "statefulset/cassandra", "--timeout=300s", patience=310)
    app = App(ring.kubectl)
    app.fill()
    hosts = app.host_ids()

    ring.apply("ordered-ready", SEEDS_OF_BEFORE)
    ring.kubectl("rollout", "status", "statefulset/cassandra", "--timeout=600s", patience=610)
    members = ring.wait_whole(3)
    wait_until("marked disks", lambda: unmarked(ring), 60)

    assert {member.host_id for member in members.values()} == hosts
    assert {member.rack for member in members.values()} == {"old-rack"}
    assert ring.record()["how"] == "adopted"
    assert {e["hostId"] for e in ring.ledger().values()} == hosts
    assert app.lost() == {}


def unmarked(ring: Ring) -> str | None:
    disks = {pod: ring.sidecar(pod, "/v1/node")["disk"]["state"] for pod in ring.pods()}
    return None if set(disks.values()) == {"member"} else f"{disks}"
