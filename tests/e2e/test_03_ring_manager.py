"""The ring manager of the shared ring, asked from outside by `kubectl ring`, as operators do.

Seconds are printed, and are no promise: a machine may be slow.
"""

import json
from collections import Counter
from typing import Any

from localring.status import read_status
from tests.e2e.app import App
from tests.e2e.kindcluster import KindCluster
from tests.e2e.operator import Clock, Operator
from tests.e2e.ring import SERVICE, Ring
from tests.e2e.test_02_one_ring import hosts
from tests.e2e.waiting import wait_until

MANAGERS = "app=cassandra-ring-manager"
LEASE = "cassandra-ring-manager"
KEYSPACE = "shop"  # of the application, with three replicas
MIB = 2**20
MOST_BYTES = 120 * MIB
SHOWN_SECONDS = 120.0
BACK_SECONDS = 300.0


def not_all_up(operator: Operator, pods: set[str]) -> str | None:
    states = operator.states()
    return None if states == dict.fromkeys(pods, "UN") else f"{states}"


def alarming(operator: Operator) -> str | None:
    """Say which findings there are that an operator has to do something about."""
    found = operator.findings().values()
    told = [each["what"] for each in found if each["severity"] != "info"]
    return "; ".join(told) or None


def holder(ring: Ring) -> str:
    return str(ring.kubectl.read("lease", LEASE)["spec"]["holderIdentity"])


def metrics(ring: Ring, pod: str) -> dict[str, float]:
    """Return what a replica of the manager tells, by name and labels."""
    path = f"/api/v1/namespaces/{ring.namespace}/pods/{pod}:8080/proxy/metrics"
    lines = ring.kubectl("get", "--raw", path).splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def named_leader(sample: str) -> bool:
    return sample.partition("{")[0] == "ring_leader"


def test_one_replica_leads_and_both_read_all_that_they_have_a_right_to(
    ring: Ring, operator: Operator
) -> None:
    pods = ring.kubectl.names("pods", MANAGERS)
    told = [metrics(ring, pod) for pod in pods]

    assert len(pods) == 2
    assert holder(ring) in pods
    leads = [value for each in told for name, value in each.items() if named_leader(name)]
    assert leads == [float(pod == holder(ring)) for pod in pods]
    for each in told:
        failures = {k: v for k, v in each.items() if k.startswith("ring_api_failures_total")}
        stale = [k for k, v in each.items() if k.startswith("ring_source_fresh") and not v]
        assert failures
        assert set(failures.values()) == {0.0}, failures
        assert stale == []
    assert operator.answer("status")["certain"]


def test_doing_what_a_finding_says_ends_it(app: App, operator: Operator) -> None:
    """Logins on one node, as Cassandra makes the keyspace: the first finding of every ring."""
    assert app.lost() == {}  # the ring has a keyspace of its own
    if "logins-on-one-node" in operator.findings():  # else of a cluster that was kept
        operator.do(operator.findings()["logins-on-one-node"]["commands"][0])
    wait_until("no finding to act on", lambda: alarming(operator), SHOWN_SECONDS)

    assert operator.ring("status").code == 0
    assert operator.ring("health").code == 0


def test_status_agrees_with_nodetool(ring: Ring, app: App, operator: Operator) -> None:
    """On states, addresses, host IDs, racks, tokens and effective ownership."""
    assert app.host_ids() == set(hosts(ring.members()).values())
    nodetool = ("exec", "cassandra-0", "-c", "cassandra", "--", "nodetool")
    for keyspace in (KEYSPACE, "system_auth", "system_traces"):
        theirs = read_status(ring.kubectl(*nodetool, "status", keyspace))
        ours = operator.answer("status", "-k", keyspace)["members"]

        assert {
            each["hostId"]: (
                each["state"],
                each["address"],
                f"{each['owns']:.1%}",
                each["rack"],
            )
            for each in ours
        } == {host: (it.state, it.address, it.owns, it.rack) for host, it in theirs.items()}
        assert len(ours) == len(ring.pods())
    rows = [line.split() for line in ring.kubectl(*nodetool, "ring", KEYSPACE).splitlines()]
    tokens = {(row[0], row[-1]) for row in rows if "Normal" in row}
    nodes = json.loads(operator.ring("snapshot", "--ring-only", "-").out)["nodes"]

    assert {(each["address"], token) for each in nodes for token in each["tokens"]} == tokens


def test_a_deleted_pod_is_down_until_the_same_member_has_another_address(
    ring: Ring, operator: Operator
) -> None:
    before = ring.members()
    gone, other = "cassandra-1", "cassandra-2"
    seconds: list[str] = []

    def down() -> str | None:
        state = operator.states()[gone]
        return None if state[0] == "D" else state

    def back() -> str | None:
        return not_all_up(operator, set(before)) or alarming(operator)

    with operator.watching() as told:
        clock = Clock()
        ring.kubectl("delete", "pod", gone, "--wait=false")
        wait_until(f"{gone} is shown as down", down, SHOWN_SECONDS)
        seconds.append(f"down after {clock}")
        findings, gate = operator.findings(), operator.answer("gate", other)
        wait_until(f"{gone} is shown as up", back, BACK_SECONDS)
        seconds.append(f"up and nothing to act on after {clock}")
    after = ring.wait_whole(len(before))
    shown = {each["pod"]: each for each in operator.answer("members")["members"]}
    history = [each for each in operator.answer("history")["history"] if each["pod"] == gone]

    print(f"\n{gone} deleted, and what the command says: {', '.join(seconds)}")
    print(told.of(gone))
    assert gone in findings["member-down"]["what"]
    assert not gate["allowed"]
    assert any(f"{KEYSPACE}: " in each["what"] for each in gate["reasons"]), gate
    assert shown[gone]["hostId"] == before[gone].host_id
    addresses = [each["address"] for each in shown[gone]["addresses"]]
    assert addresses[:2] == [after[gone].address, before[gone].address]
    moved = {
        (each["was"], each["now"]) for each in history if each["what"] == "address-changed"
    }
    assert (before[gone].address, after[gone].address) in moved, history
    assert "went down" in told.of(gone)
    assert "came back" in told.of(gone)


def test_a_frozen_machine_costs_quorums_and_nothing_more_may_stop(
    cluster: KindCluster, ring: Ring, operator: Operator
) -> None:
    """With its members, its kubelet and one replica of the manager."""
    before = ring.members()
    where = {pod: item["spec"]["nodeName"] for pod, item in ring.pods().items()}
    machine, _ = Counter(where.values()).most_common(1)[0]
    frozen = {pod for pod, node in where.items() if node == machine}
    rest = sorted(set(before) - frozen)
    seconds: list[str] = []

    def seen_up() -> str | None:
        up = [pod for pod, state in operator.states().items() if state[0] == "U"]
        return None if set(up) == set(rest) else f"{sorted(up)} are up"

    clock = Clock()
    with cluster.frozen(machine):
        wait_until("nobody there is shown as up", seen_up, SHOWN_SECONDS)
        seconds.append(f"none of its members up after {clock}")
        states, findings = operator.states(), operator.findings()
        health = operator.answer("health", "-k", KEYSPACE)
        gate = operator.answer("gate", rest[0])
    clock = Clock()
    wait_until(
        "all is well", lambda: not_all_up(operator, set(before)) or alarming(operator), 300
    )
    seconds.append(f"all well {clock} after it went on")
    after = ring.wait_whole(len(before))

    print(f"\n{machine} frozen with {sorted(frozen)}, shown as {states}: {', '.join(seconds)}")
    assert all(pod in named(findings) for pod in frozen), findings
    assert not health["healthy"]
    assert lost(health) == {"QUORUM", "LOCAL_QUORUM"}
    assert not gate["allowed"]
    assert operator.ring("health").code == 0
    assert hosts(after) == hosts(before)


def named(findings: dict[str, Any]) -> str:
    """Return what is said of members that are away."""
    kinds = {"member-down", "sidecar-silent"}
    return " ".join(each["what"] for kind, each in findings.items() if kind in kinds)


def lost(health: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Return the levels that fail somewhere on the ring."""
    checks = health["keyspaces"][KEYSPACE]["checks"]
    deciding = [each for each in checks if each["decides"]]
    return {each["level"] for each in deciding if each["satisfiable"]["worst"] < 1}


def test_without_its_leader_the_manager_answers_on_and_another_leads(
    ring: Ring, operator: Operator
) -> None:
    members, leader = ring.members(), holder(ring)
    clock, answers = Clock(), Counter[int]()

    def led() -> str | None:
        answers[operator.ring("status").code] += 1
        now = holder(ring)
        return None if now not in {"", leader} else f"{now} leads"

    def unready() -> str | None:
        answers[operator.ring("status").code] += 1
        status = ring.kubectl.read("deployment", "cassandra-ring-manager")["status"]
        return None if status.get("readyReplicas") == 2 else f"{status}"

    ring.kubectl("delete", "pod", leader, "--wait=false")
    wait_until("another replica leads", led, SHOWN_SECONDS)
    print(f"\nanother replica leads after {clock}")
    wait_until("two replicas again", unready, SHOWN_SECONDS)

    def points() -> str | None:
        told = ring.config(f"{SERVICE}-contact-points")["CASSANDRA_CONTACT_POINTS"].split(",")
        return None if set(told) == {each.address for each in members.values()} else f"{told}"

    wait_until("contact points of all members", points, SHOWN_SECONDS)
    wait_until("no finding to act on", lambda: alarming(operator), SHOWN_SECONDS)
    print(f"asked {answers.total()} times meanwhile")
    assert set(answers) <= {0, 1}, answers  # each time it was answered


def test_the_manager_is_small_and_has_nothing_to_complain_of(
    cluster: KindCluster, ring: Ring
) -> None:
    pods = set(ring.kubectl.names("pods", MANAGERS))
    found: dict[str, int] = {}

    def unmeasured() -> str | None:
        found.update(cluster.memory(ring.namespace, "manager"))
        return f"only {set(found)} measured" if pods - set(found) else None

    wait_until("every replica measured", unmeasured, SHOWN_SECONDS)
    lines = [line for pod in pods for line in ring.kubectl("logs", pod).splitlines()]
    told = [line for line in lines if " INFO " not in line]

    print(f"\nmemory in MiB: { ({pod: found[pod] // MIB for pod in sorted(pods)}) }")
    assert max(found[pod] for pod in pods) <= MOST_BYTES
    assert lines
    assert told == []
