"""What every API server does with questions to a Service's endpoints."""

from tests.contract.cluster import Cluster


def proxied(cluster: Cluster, short: str, path: str = "/v1/ring") -> str:
    service = f"http:{cluster.name(short)}:8080"
    return cluster.path("services", f"{service}/proxy{path}")


async def test_a_service_that_is_not_there_is_404_and_named(cluster: Cluster) -> None:
    answer = await cluster.ask("GET", proxied(cluster, "nowhere"))

    assert (answer.status, answer.body["kind"], answer.reason) == (404, "Status", "NotFound")
    assert cluster.name("nowhere") in answer.body["message"]


async def test_a_service_without_endpoints_is_503(cluster: Cluster) -> None:
    spec = {"ports": [{"name": "http", "port": 8080}], "selector": {"app": "nobody"}}
    made = await cluster.create("services", cluster.body("empty", spec=spec))
    answer = await cluster.ask("GET", proxied(cluster, "empty"))

    assert made.status == 201
    assert (answer.status, answer.reason) == (503, "ServiceUnavailable")
    assert "no endpoints available" in answer.body["message"]


async def test_a_question_without_a_token_goes_no_further(cluster: Cluster) -> None:
    path = proxied(cluster, "nowhere")
    answer = await cluster.ask("GET", path, headers={"Authorization": "Bearer no-such-token"})

    assert (answer.status, answer.reason) == (401, "Unauthorized")
