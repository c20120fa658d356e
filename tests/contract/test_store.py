"""The store beside its HTTP: deletion as kubelets see it, and writes from the inside."""

import pytest

from localring.apiserver import ApiError, ApiServer
from tests.contract.cluster import Cluster, put

pytestmark = pytest.mark.usefixtures("free_of_leftovers")


async def test_a_pod_on_a_node_is_marked_first_and_ends_when_its_kubelet_says_so(
    server: ApiServer, stage: Cluster
) -> None:
    pod = {"metadata": {"name": stage.name("p")}, "spec": {"nodeName": "worker"}}
    server.store.create("pods", pod, "default")
    marked = (await stage.delete("pods", "p")).body["metadata"]

    assert marked["deletionGracePeriodSeconds"] == 30
    assert (await stage.get("pods", "p")).body["metadata"] == marked
    server.store.delete("pods", stage.name("p"), "default")
    assert (await stage.get("pods", "p")).status == 404


async def test_a_pod_without_a_node_or_without_grace_is_gone_at_once(
    server: ApiServer, stage: Cluster
) -> None:
    for short, spec in {"p": {}, "q": {"nodeName": "worker"}}.items():
        body = {"metadata": {"name": stage.name(short)}, "spec": spec}
        server.store.create("pods", body, "default")
    await stage.delete("pods", "p")
    path = stage.path("pods", stage.name("q"))
    await stage.ask("DELETE", path, json={"gracePeriodSeconds": 0})

    assert server.store.list("pods") == []


async def test_the_store_refuses_in_process_as_over_http(server: ApiServer) -> None:
    put(server, "a")

    with pytest.raises(ApiError) as refused:
        server.store.create("configmaps", {"metadata": {"name": "a"}}, "default")
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")
