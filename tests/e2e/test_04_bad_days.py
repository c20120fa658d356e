"""The shared ring through outages and losses: no API server, no machine, no disk."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.app import App
from tests.e2e.kindcluster import CONTROL_PLANE, WORKERS, KindCluster
from tests.e2e.kubectl import KubectlError
from tests.e2e.ring import START_SECONDS, Member, Ring, kill_container
from tests.e2e.test_02_one_ring import hosts
from tests.e2e.waiting import Missing, wait_until

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
QUIET_SECONDS = 2.5  # without a heartbeat, of which there is one a second
ASIDE = "/etc/kubernetes/kube-apiserver.yaml"


@contextmanager
def no_api_server(cluster: KindCluster) -> Iterator[None]:
    """Take the API server's static pod away, and bring it back."""
    cluster.on(CONTROL_PLANE, "mv", MANIFEST, ASIDE)
    try:
        wait_until(
            "the API server is gone", lambda: "it answers" if answers(cluster) else None, 90
        )
        yield
    finally:
        cluster.on(CONTROL_PLANE, "mv", ASIDE, MANIFEST)
        wait_until(
            "the API server is back", lambda: None if answers(cluster) else "silent", 120
        )


def answers(cluster: KindCluster) -> bool:
    try:
        cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=2s", patience=10)
    except KubectlError:
        return False
    return True


def asked_on_machine(cluster: KindCluster, member: Member, node: str, path: str) -> Any:  # noqa: ANN401
    """Ask a sidecar from the Kubernetes node, without the API server."""
    url = f"http://{member.address}:8079{path}"
    return json.loads(cluster.on(node, "curl", "-s", "-m", "3", url))


Beat = Callable[[str], Any]


def until_stopped(beat: Beat, pods: Iterable[str]) -> Missing:
    """Look until each pod was seen with a node that is silent, or starting."""
    waiting = set(pods)

    def missing() -> str | None:
        for pod in list(waiting):
            now = beat(pod)
            if now["mode"] != "NORMAL" or now["ageSeconds"] > QUIET_SECONDS:
                waiting.remove(pod)
        return f"{waiting} never stopped" if waiting else None

    return missing


def until_whole(beat: Beat, before: Mapping[str, Member]) -> Missing:
    """Look until each node is NORMAL, with the host ID it had, and sees all others up."""

    def missing() -> str | None:
        for pod, member in before.items():
            now = beat(pod)
            up = {peer["hostId"] for peer in now["peers"] or () if peer["up"]}
            if now["ageSeconds"] > QUIET_SECONDS or now["mode"] != "NORMAL":
                return f"{pod} is {now['mode']}, {now['ageSeconds']} s ago"
            if {now["hostId"], *up} != {each.host_id for each in before.values()}:
                return f"{pod} is {now['hostId']} and sees {up}, not {member.host_id}"
        return None

    return missing


def until_told(ring: Ring, before: Mapping[str, Member]) -> Missing:
    """Look until the kubelets have told of the restarts, which they do in their own time."""

    def missing() -> str | None:
        told = {
            pod: each.restarts > before[pod].restarts for pod, each in ring.members().items()
        }
        return None if told == dict.fromkeys(before, True) else f"{told}"

    return missing


def test_killed_nodes_start_again_without_the_api_server(
    cluster: KindCluster, ring: Ring, app: App
) -> None:
    before, pods = ring.members(), ring.pods()

    def ask(pod: str, path: str) -> Any:  # noqa: ANN401 - JSON
        return asked_on_machine(cluster, before[pod], pods[pod]["spec"]["nodeName"], path)

    def beat(pod: str) -> Any:  # noqa: ANN401 - JSON
        return ask(pod, "/v1/node")["heartbeat"]

    with no_api_server(cluster):
        for pod in before:
            kill_container(cluster, pods[pod], "cassandra")
        wait_until("every node was seen to stop", until_stopped(beat, before), 60)
        took = wait_until(
            "a ring without the API server", until_whole(beat, before), START_SECONDS
        )
        told = {pod: ask(pod, "/v1/seeds") for pod in before}
    wait_until("the kubelets have told of it", until_told(ring, before), 120)
    after = ring.wait_whole(len(before))

    print(f"\nwhole again {took:.0f} s after all had stopped, without the API server")
    assert hosts(after) == hosts(before)
    assert all(after[pod].restarts == before[pod].restarts + 1 for pod in before)
    assert {each["outcome"] for each in told.values()} == {"seeds"}
    known = {member.address for member in before.values()}
    assert all(set(each["seeds"]) <= known for each in told.values())
    assert app.lost() == {}


def test_a_drained_machine_keeps_its_pod_waiting_and_gives_it_back(
    cluster: KindCluster, ring: Ring
) -> None:
    before, record = ring.members(), ring.record()
    where = {pod: item["spec"]["nodeName"] for pod, item in ring.pods().items()}
    machine = min(WORKERS, key=lambda worker: sum(node == worker for node in where.values()))
    pod = next(pod for pod, node in where.items() if node == machine)
    only = f"--pod-selector=statefulset.kubernetes.io/pod-name={pod}"
    kubectl = cluster.kubectl

    kubectl("cordon", machine)
    try:
        kubectl("drain", machine, "--ignore-daemonsets", "--delete-emptydir-data", only)
        wait_until("a reason to be Pending", lambda: no_reason(ring, pod), 60)
        wait_until("the others are members", lambda: absent(ring, before, pod), 60)
        rest = ring.members()
        with pytest.raises(KubectlError, match="disruption budget"):
            evict(ring, next(iter(rest)))
    finally:
        kubectl("uncordon", machine)
    after = ring.wait_whole(len(before))

    assert hosts(after) == hosts(before)
    assert ring.record() == record


def absent(ring: Ring, before: Mapping[str, Member], but: str) -> str | None:
    """Say which of the pods, but for one, are no members just now."""
    missing = set(before) - {but} - set(ring.members())
    return f"{sorted(missing)} are not" if missing else None


def evict(ring: Ring, pod: str) -> None:
    """Ask for what a drain asks for."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{ring.namespace}/pods/{pod}/eviction"
    ring.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(eviction))


def no_reason(ring: Ring, pod: str) -> str | None:
    """Say what is missing until the scheduler tells that the pod's volume cannot move."""
    status = ring.pod(pod).get("status", {})
    told = [each.get("message", "") for each in status.get("conditions", ())]
    is_told = any("volume" in text.lower() and "unschedulable" in text for text in told)
    return None if status.get("phase") == "Pending" and is_told else f"{status}"


def test_a_lost_disk_comes_back_as_its_old_host_before_anything_else_joins(
    ring: Ring, app: App
) -> None:
    """The disk of the founder, and a new pod that wants to join at the same moment."""
    before = ring.members()
    lost, count = "cassandra-0", len(before) + 1
    new = f"cassandra-{len(before)}"
    claim = f"cassandra-data-{lost}"
    volume = ring.kubectl.read("pvc", claim)["metadata"]["uid"]

    ring.kubectl("delete", "pvc", claim, "--wait=false")
    ring.kubectl("delete", "pod", lost, "--wait=false")
    ring.kubectl("scale", "statefulset/cassandra", f"--replicas={count}")
    after = ring.wait_whole(count)

    assert ring.kubectl.read("pvc", claim)["metadata"]["uid"] != volume
    replacing = ring.events("RingReplacing")
    assert {pod for _, pod in replacing} == {lost}
    joined = {pod: when for when, pod in ring.events("RingJoining")}
    began, _ = replacing[0]
    done = [when for when, pod in ring.events("RingMember") if pod == lost and when >= began]
    assert done
    assert min(done) <= joined[new]
    others = set(before) - {lost}
    assert {pod: after[pod].host_id for pod in others} == {p: before[p].host_id for p in others}
    # The old host is gone: nobody has it in the ring any more.
    gone = before[lost].host_id
    assert all(gone not in member.sees for member in after.values())
    assert app.lost() == {}
