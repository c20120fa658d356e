from ipaddress import IPv4Address
from typing import Any

from localring.apiserver.store import Store
from localring.cluster import Cluster
from localring.objects import NAMESPACE, PodIdentity

ZERO = PodIdentity(0, "rack1")
OLD, NEW = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")


def staged() -> tuple[Store, Cluster]:
    store = Store()
    return store, Cluster(store, endpoints_per_slice=100)


def started(cluster: Cluster, address: IPv4Address) -> None:
    cluster.create_pod(ZERO)
    cluster.report_pod(ZERO, address, ready=True)


def named(store: Store) -> list[str]:
    pieces = store.list("endpointslices", NAMESPACE)
    return [each["addresses"][0] for piece in pieces for each in piece["endpoints"]]


def annotations(store: Store) -> dict[str, str]:
    service = store.get("services", "cassandra", NAMESPACE)
    return dict(service["metadata"]["annotations"])


def claim(store: Store) -> dict[str, Any]:
    return store.get("persistentvolumeclaims", ZERO.claim, NAMESPACE)


def test_slices_that_are_held_name_where_pods_were_until_they_are_let_go() -> None:
    store, cluster = staged()
    started(cluster, OLD)
    with cluster.slices_held():
        cluster.delete_pod(ZERO)
        started(cluster, NEW)
        assert named(store) == [str(OLD)]

    assert named(store) == [str(NEW)]


def test_a_claim_that_waits_for_its_first_pod_is_bound_later_and_stays_the_same() -> None:
    store, cluster = staged()
    made = cluster.make_claim(ZERO, bound=False)
    assert claim(store)["status"]["phase"] == "Pending"
    bound = cluster.make_claim(ZERO, bound=True)

    assert made == bound
    assert claim(store)["status"]["phase"] == "Bound"
    assert claim(store)["spec"]["volumeName"] == f"pv-{ZERO.claim}"


def test_a_bound_claim_is_not_unbound_by_a_pod_that_waits() -> None:
    store, cluster = staged()
    cluster.make_claim(ZERO, bound=True)
    cluster.make_claim(ZERO, bound=False)

    assert claim(store)["status"]["phase"] == "Bound"


def test_an_annotation_of_the_service_comes_and_goes() -> None:
    store, cluster = staged()
    cluster.annotate("a/b", "why")
    assert annotations(store) == {"a/b": "why"}
    cluster.annotate("a/b", None)

    assert "a/b" not in annotations(store)
