"""One ring of three through ordinary days: birth, moved pods, a rollout, growth."""

import itertools
import time

from tests.e2e.app import App
from tests.e2e.conftest import SIZE
from tests.e2e.kindcluster import KindCluster
from tests.e2e.ring import APP, Member, Ring, container, kill_container
from tests.e2e.waiting import Watch, wait_until

MIB = 2**20
MOST_BYTES = 60 * MIB
SEEDS_SECONDS = 60.0
PROBE_SECONDS = 5.0  # the readiness probe's period
TOLD_SECONDS = 5.0  # until the kubelet has told of it, and we have looked again


def hosts(members: dict[str, Member]) -> dict[str, str]:
    return {pod: member.host_id for pod, member in members.items()}


def addresses(members: dict[str, Member]) -> set[str]:
    return {member.address for member in members.values()}


def starts(members: dict[str, Member], *but: str) -> dict[str, tuple[str, int]]:
    """Which Cassandra process runs in each pod: another one has another start."""
    return {
        pod: (member.started, member.restarts)
        for pod, member in members.items()
        if pod not in but
    }


def test_three_empty_pods_at_once_form_one_ring(first_start: tuple[Ring, float]) -> None:
    ring, seconds = first_start
    print(f"\nfrom apply to {SIZE} NORMAL and ready: {seconds:.0f} s")

    record, members = ring.record(), ring.members()

    assert record["how"] == "founded"
    assert record["founder"] in members
    assert len(set(hosts(members).values())) == SIZE


def test_joins_go_one_after_the_other(first_start: tuple[Ring, float]) -> None:
    ring, _ = first_start

    joined, became = ring.events("RingJoining"), ring.events("RingMember")

    assert len(joined) == SIZE - 1
    ends = {pod: when for when, pod in became}
    for (_, pod), (next_begins, _) in itertools.pairwise(joined):
        assert ends[pod] <= next_begins


def test_two_zones_make_one_rack_and_a_warning(ring: Ring) -> None:
    """The cluster's workers are in two zones."""
    assert {member.rack for member in ring.members().values()} == {"rack1"}
    log = ring.kubectl("logs", "cassandra-0", "-c", "install")
    assert "two zones" in log


def test_a_deleted_pod_comes_back_as_the_same_member_and_all_seeds_follow(ring: Ring) -> None:
    before = ring.members()

    began = time.monotonic()
    with ring.log_of_end("cassandra-1") as log:
        ring.kubectl("delete", "pod", "cassandra-1", "--wait=true")
    wait_until("cassandra-1 ready", lambda: ready(ring, "cassandra-1"), 120)
    was_ready = time.monotonic()
    wait_until("gossip's seeds", ring.stale_seeds, SEEDS_SECONDS)
    now = time.monotonic()
    after = ring.wait_whole(len(before))

    print(
        f"\ndeletion to ready {was_ready - began:.1f} s, "
        f"ready to gossip's new seeds on all nodes {now - was_ready:.1f} s"
    )
    assert "Announcing shutdown" in log.getvalue()
    assert "Reason: DRAIN" in log.getvalue()  # of each memtable that was flushed
    assert after["cassandra-1"].address != before["cassandra-1"].address
    assert hosts(after) == hosts(before)
    assert starts(after, "cassandra-1") == starts(before, "cassandra-1")


def test_a_sidecar_is_small(cluster: KindCluster, ring: Ring) -> None:
    """By the container's cgroup, as the kubelet reads it."""
    found: dict[str, int] = {}

    def unmeasured() -> str | None:
        found.update(cluster.memory(ring.namespace, "seedprovider"))
        missing = set(ring.pods()) - set(found)
        return f"{missing} not measured" if missing else None

    wait_until("every sidecar measured", unmeasured, 120)
    print(f"\nmemory in MiB: { ({pod: size // MIB for pod, size in found.items()}) }")
    assert max(found.values()) <= MOST_BYTES


def ready(ring: Ring, pod: str) -> str | None:
    member = ring.member(pod)
    return None if member and member.ready else f"{pod} is {member}"


def test_a_killed_sidecar_takes_nothing_with_it(cluster: KindCluster, ring: Ring) -> None:
    before = ring.members()
    pod, item = "cassandra-2", ring.pods()["cassandra-2"]
    killed = container(item, "seedprovider")["containerID"]
    unready = Watch(lambda: not container(ring.pod(pod), "cassandra")["ready"])

    kill_container(cluster, item, "seedprovider")

    def restarted() -> str | None:
        unready.look()
        now = container(ring.pod(pod), "seedprovider")
        return None if now["containerID"] != killed and now["ready"] else "not restarted yet"

    back = wait_until("the sidecar is back", restarted, 60)
    unready.look_for(2 * PROBE_SECONDS)  # so many failures make a pod unready
    after = ring.wait_whole(len(before), 60)

    print(f"\nsidecar back after {back:.1f} s, pod unready for {unready.seconds:.1f} s")
    assert starts(after) == starts(before)
    assert unready.seconds <= PROBE_SECONDS + TOLD_SECONDS


def test_all_pods_deleted_at_once_are_one_ring_again(ring: Ring, app: App) -> None:
    before, record = ring.members(), ring.record()

    ring.kubectl("delete", "pod", "-l", APP, "--wait=true")
    after = ring.wait_whole(len(before))

    assert not addresses(after) & addresses(before)
    assert hosts(after) == hosts(before)
    assert ring.record() == record
    assert app.lost() == {}


def test_a_rollout_under_load_fails_no_request(ring: Ring, app: App) -> None:
    before = ring.members()

    began = time.monotonic()
    with app.load("--write") as outcome:
        ring.kubectl("rollout", "restart", "statefulset/cassandra")
        ring.kubectl(
            "rollout", "status", "statefulset/cassandra", "--timeout=900s", patience=910
        )
    took = time.monotonic() - began
    after = ring.wait_whole(len(before))

    print(f"\n{len(after)} pods in {took:.0f} s, {took / len(after):.0f} s each; {outcome}")
    assert outcome["failures"] == []
    assert outcome["requests"]["writes"] > len(after) * 100
    assert {m.pod_uid for m in after.values()}.isdisjoint(m.pod_uid for m in before.values())
    assert hosts(after) == hosts(before)


def test_two_new_pods_at_once_join_one_after_the_other(ring: Ring, app: App) -> None:
    before = ring.members()
    count = len(before) + 2

    with app.load() as outcome:
        ring.kubectl("scale", "statefulset/cassandra", f"--replicas={count}")
        after = ring.wait_whole(count)

    new = set(after) - set(before)
    joined = [(when, pod) for when, pod in ring.events("RingJoining") if pod in new]
    ends = {pod: when for when, pod in ring.events("RingMember")}
    assert len(joined) == len(new)
    assert outcome["requests"]["reads"] > count
    assert ends[joined[0][1]] <= joined[1][0]
    assert outcome["failures"] == []
    assert app.lost() == {}
