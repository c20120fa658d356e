"""Scenarios that need a ring, or a refusal to found one, of their own."""

from pathlib import Path

import pytest

from tests.e2e.app import App
from tests.e2e.conftest import MakeRing
from tests.e2e.ring import START_SECONDS, Ring, remove_namespace
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.usefixtures("alone")

ONE_NODE = (
    "StatefulSet",
    """
    - {op: replace, path: /spec/replicas, value: 1}
    - {op: add, path: /spec/template/metadata/labels/cassandra-k8s-ring.io~1rack, value: r1}
    """,
)
PODS_UNSEEN = ("Role", "- {op: remove, path: /rules/2}")
NO_ROLE = (
    "RoleBinding",
    """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: cassandra}
    $patch: delete
    """,
)
WATCHED = ("endpointslices", "configmaps")
AS_BEFORE = (
    "StatefulSet",
    """
    - op: add
      path: /spec/template/spec/initContainers/1/env/-
      value: {name: CASSANDRA_SEEDS, value: "cassandra-0.cassandra,cassandra-1.cassandra"}
    - op: add
      path: /spec/template/spec/initContainers/1/env/-
      value: {name: CASSANDRA_RACK, value: rack1}
    """,
)
DC_OF_BEFORE = (
    "StatefulSet",
    """
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: any}
    spec:
      template:
        spec:
          containers:
          - {name: cassandra, env: [{name: CASSANDRA_DC, value: datacenter1}]}
    """,
)
BEFORE = Path(__file__).parent / "before.yaml"
ZONE = (
    "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution"
    "/nodeSelectorTerms/0/matchExpressions/0/values/0"
)
FOUR_NODES = (
    # The cluster of the tests has two workers, each in a zone of its own.
    ("StatefulSet/cassandra-c", f"- {{op: replace, path: {ZONE}, value: zone-b}}"),
    (
        "StatefulSet",
        """
        - op: add
          path: /spec/template/spec/initContainers/2/env/-
          value: {name: SEEDPROVIDER_SEEDS_PER_DC, value: "2"}
        """,
    ),
    ("StatefulSet/cassandra-a", "- {op: replace, path: /spec/replicas, value: 2}"),
)


def test_without_a_right_nothing_is_founded_and_the_right_is_named(make_ring: MakeRing) -> None:
    """The right to see whether other pods hold data; that to write the record is there."""
    ring = make_ring("no-rights")
    ring.apply("kind", ONE_NODE, PODS_UNSEEN)

    def unnamed() -> str | None:
        told = ring.sidecar("cassandra-0", "/v1/seeds")
        reason = str(told.get("reason"))
        is_named = "lacks a right" in reason and 'cannot list resource "pods"' in reason
        return None if told["outcome"] == "withheld" and is_named else f"{told}"

    wait_until("the missing right is named", unnamed, START_SECONDS)
    wait_until(
        "an Event", lambda: None if ring.events("SeedsWithheld") else "none is there", 60
    )
    log = ring.kubectl("logs", "cassandra-0", "-c", "seedprovider")

    assert 'cannot list resource "pods"' in log
    assert "cassandra-ring" not in ring.kubectl.names("configmaps")
    assert not ring.members()
    remove_namespace(ring.kubectl, ring.namespace)


def test_without_any_right_every_missing_one_is_in_the_log(make_ring: MakeRing) -> None:
    ring = make_ring("no-role")
    ring.apply("kind", ONE_NODE, NO_ROLE)

    def unnamed() -> str | None:
        log = ring.kubectl("logs", "cassandra-0", "-c", "seedprovider")
        missing = [what for what in WATCHED if f'cannot list resource "{what}"' not in log]
        return f"{missing} not in {log[-500:]}" if missing else None

    wait_until("the missing rights are named", unnamed, START_SECONDS)

    assert "cassandra-ring" not in ring.kubectl.names("configmaps")
    assert not ring.members()
    remove_namespace(ring.kubectl, ring.namespace)


@pytest.fixture(scope="module")
def three_racks(make_ring: MakeRing) -> Ring:
    ring = make_ring("three-racks")
    ring.apply("three-racks", *FOUR_NODES)
    ring.wait_whole(4)
    return ring


def test_seeds_cover_every_rack(three_racks: Ring) -> None:
    """Two seeds by number and four nodes: only by its rack does the third rack get one."""
    members = three_racks.members()
    joins = [pod for _, pod in three_racks.events("RingJoining")]
    assert joins[-1] == "cassandra-a-1", joins  # before it each rack has got its first node
    racks = {member.address: member.rack for member in members.values()}
    assert set(racks.values()) == {"rack-a", "rack-b", "rack-c"}

    def uncovered() -> str | None:
        for member in three_racks.members().values():
            covered = {racks[seed] for seed in member.seeds} | {member.rack}
            if covered != set(racks.values()):
                return f"{member.pod} has seeds in {covered}"
        return None

    wait_until("seeds in every rack", uncovered, 60)


def test_deleting_the_manifests_leaves_what_brings_the_same_ring_back(
    three_racks: Ring,
) -> None:
    before, record = three_racks.members(), three_racks.record()

    three_racks.delete("three-racks", *FOUR_NODES)
    wait_until("no pods", lambda: ", ".join(three_racks.pods()) or None, 120)
    left = three_racks.kubectl.read("pvc,configmap,lease", "-l", "app!=client")["items"]
    three_racks.apply("three-racks", *FOUR_NODES)
    after = three_racks.wait_whole(len(before))

    marked = [item for item in left if "deletionTimestamp" in item["metadata"]]
    owned = [item for item in left if "ownerReferences" in item["metadata"]]
    assert not marked
    assert not owned
    assert three_racks.record() == record
    hosts = {pod: member.host_id for pod, member in after.items()}
    assert hosts == {pod: member.host_id for pod, member in before.items()}
    remove_namespace(three_racks.kubectl, three_racks.namespace)


def test_a_ring_from_before_is_adopted_by_one_rolling_restart(make_ring: MakeRing) -> None:
    ring = make_ring("adopted", restricted=False)
    ring.kubectl("apply", "-f", str(BEFORE))
    ring.kubectl("rollout", "status", "statefulset/cassandra", "--timeout=900s", patience=910)
    app = App(ring.kubectl, dc="datacenter1")
    app.fill()
    hosts = app.host_ids()

    ring.apply("ordered-ready", AS_BEFORE, DC_OF_BEFORE)
    ring.kubectl("rollout", "status", "statefulset/cassandra", "--timeout=900s", patience=910)
    members = ring.wait_whole(3)
    wait_until("marked disks", lambda: unmarked(ring), 60)

    assert {member.host_id for member in members.values()} == hosts
    assert {member.rack for member in members.values()} == {"rack1"}
    assert ring.record()["how"] == "adopted"
    assert {e["hostId"] for e in ring.ledger().values()} == hosts
    assert app.lost() == {}
    remove_namespace(ring.kubectl, ring.namespace)


def unmarked(ring: Ring) -> str | None:
    disks = {pod: ring.sidecar(pod, "/v1/node")["disk"]["state"] for pod in ring.pods()}
    return None if set(disks.values()) == {"member"} else f"{disks}"
