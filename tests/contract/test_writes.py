"""What every API server does with create, replace, patch and delete."""

import asyncio
import io
import json
from collections import Counter

import pytest

from tests.contract.cluster import MERGE_PATCH, Cluster

MICRO_TIME = "2026-03-01T12:00:00.000001Z"


async def test_a_created_object_gets_uid_creation_time_and_version(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a", data={"k": "v"}))

    assert made.status == 201
    assert {"uid", "creationTimestamp", "resourceVersion"} <= made.body["metadata"].keys()
    assert (made.body["kind"], made.body["apiVersion"]) == ("ConfigMap", "v1")
    assert (await cluster.get("configmaps", "a")).body == made.body


async def test_a_name_that_is_taken_is_409_already_exists(cluster: Cluster) -> None:
    await cluster.create("configmaps", cluster.body("a"))
    again = await cluster.create("configmaps", cluster.body("a"))

    assert (again.status, again.reason) == (409, "AlreadyExists")
    assert (again.body["kind"], again.body["status"]) == ("Status", "Failure")
    assert again.body["details"]["name"] == cluster.name("a")


async def test_of_many_who_create_the_same_name_at_once_just_one_succeeds(
    cluster: Cluster,
) -> None:
    answers = await asyncio.gather(
        *(cluster.create("configmaps", cluster.body("a")) for _ in range(8))
    )

    assert Counter(answer.status for answer in answers) == {201: 1, 409: 7}


async def test_generate_name_makes_a_new_name_each_time(cluster: Cluster) -> None:
    body = cluster.body("a")
    prefix = body["metadata"].pop("name") + "-"
    body["metadata"]["generateName"] = prefix
    names = {
        (await cluster.create("configmaps", body)).body["metadata"]["name"] for _ in range(3)
    }

    assert len(names) == 3
    assert all(name.startswith(prefix) and name != prefix for name in names)


async def test_an_object_without_any_name_is_422(cluster: Cluster) -> None:
    answer = await cluster.create("configmaps", {"metadata": {}})

    assert (answer.status, answer.reason) == (422, "Invalid")


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dot.", "a" * 254])
async def test_a_name_that_is_no_dns_name_is_422(cluster: Cluster, name: str) -> None:
    answer = await cluster.create("configmaps", {"metadata": {"name": name}})

    assert (answer.status, answer.reason) == (422, "Invalid")


async def test_a_label_value_that_is_none_is_422(cluster: Cluster) -> None:
    body = cluster.body("a", labels={"pod/uid": "with/slash"})

    assert (await cluster.create("configmaps", body)).status == 422


async def test_an_object_of_another_namespace_than_the_path_is_400(cluster: Cluster) -> None:
    body = cluster.body("a")
    body["metadata"]["namespace"] = "elsewhere"

    assert (await cluster.create("configmaps", body)).status == 400


async def test_a_replace_with_the_present_version_gets_a_new_version(
    cluster: Cluster,
) -> None:
    made = await cluster.create("configmaps", cluster.body("a", data={"k": "1"}))
    made.body["data"] = {"k": "2"}
    replaced = await cluster.replace("configmaps", made.body)

    assert replaced.status == 200
    assert replaced.body["data"] == {"k": "2"}
    assert replaced.body["metadata"]["uid"] == made.body["metadata"]["uid"]
    assert replaced.version != made.version


async def test_a_replace_with_a_stale_version_is_409_conflict_and_changes_nothing(
    cluster: Cluster,
) -> None:
    made = await cluster.create("configmaps", cluster.body("a", data={"k": "1"}))
    current = await cluster.patch("configmaps", "a", {"data": {"k": "2"}})
    made.body["data"] = {"k": "3"}
    refused = await cluster.replace("configmaps", made.body)

    assert (refused.status, refused.reason) == (409, "Conflict")
    assert (await cluster.get("configmaps", "a")).body == current.body


async def test_of_many_who_replace_the_same_version_at_once_just_one_succeeds(
    cluster: Cluster,
) -> None:
    made = await cluster.create("leases", cluster.body("turn", spec={}))

    async def take(holder: str) -> int:
        body = {**made.body, "spec": {"holderIdentity": holder}}
        return (await cluster.replace("leases", body)).status

    statuses = await asyncio.gather(*(take(f"pod-{n}") for n in range(8)))

    assert Counter(statuses) == {200: 1, 409: 7}


async def test_a_replace_without_a_version_overwrites_a_config_map(cluster: Cluster) -> None:
    await cluster.create("configmaps", cluster.body("a", data={"k": "1"}))
    answer = await cluster.replace("configmaps", cluster.body("a", data={"k": "2"}))

    assert (answer.status, answer.body["data"]) == (200, {"k": "2"})


async def test_a_replace_without_a_version_is_422_for_a_lease(cluster: Cluster) -> None:
    await cluster.create("leases", cluster.body("turn", spec={"holderIdentity": "a"}))
    answer = await cluster.replace("leases", cluster.body("turn", spec={"holderIdentity": "b"}))

    assert (answer.status, answer.reason) == (422, "Invalid")


async def test_a_replace_of_an_absent_config_map_is_404(cluster: Cluster) -> None:
    answer = await cluster.replace("configmaps", cluster.body("a"))

    assert (answer.status, answer.reason) == (404, "NotFound")


async def test_a_replace_of_an_absent_lease_creates_it(cluster: Cluster) -> None:
    assert (await cluster.replace("leases", cluster.body("turn", spec={}))).status == 201


async def test_a_replace_that_names_another_uid_is_409(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a"))
    made.body["metadata"]["uid"] = "00000000-0000-0000-0000-000000000000"
    answer = await cluster.replace("configmaps", made.body)

    assert (answer.status, answer.reason) == (409, "Conflict")


async def test_a_replace_whose_name_is_not_the_path_s_is_400(cluster: Cluster) -> None:
    await cluster.create("configmaps", cluster.body("a"))
    path = cluster.path("configmaps", cluster.name("a"))

    assert (await cluster.ask("PUT", path, json=cluster.body("b"))).status == 400


async def test_a_write_that_changes_nothing_keeps_the_version(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a", data={"k": "v"}))

    assert (await cluster.replace("configmaps", made.body)).version == made.version
    patched = await cluster.patch("configmaps", "a", {"data": {"k": "v"}})
    assert patched.version == made.version


async def test_a_merge_patch_sets_removes_and_leaves_the_rest(cluster: Cluster) -> None:
    await cluster.create("configmaps", cluster.body("a", data={"x": "1", "y": "2", "z": "3"}))
    answer = await cluster.patch("configmaps", "a", {"data": {"x": None, "y": "5"}})

    assert (answer.status, answer.body["data"]) == (200, {"y": "5", "z": "3"})


async def test_a_merge_patch_with_a_stale_version_is_409(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a"))
    await cluster.patch("configmaps", "a", {"data": {"k": "1"}})
    patch = {"metadata": {"resourceVersion": made.version}, "data": {"k": "2"}}
    answer = await cluster.patch("configmaps", "a", patch)

    assert (answer.status, answer.reason) == (409, "Conflict")


async def test_a_patch_of_a_type_unknown_is_415(cluster: Cluster) -> None:
    await cluster.create("configmaps", cluster.body("a"))
    path = cluster.path("configmaps", cluster.name("a"))
    answer = await cluster.ask(
        "PATCH", path, data="{}", headers={"Content-Type": "application/json"}
    )

    assert (answer.status, answer.reason) == (415, "UnsupportedMediaType")


async def test_a_patch_of_an_absent_object_is_404(cluster: Cluster) -> None:
    assert (await cluster.patch("configmaps", "a", {"data": {}})).status == 404


async def test_a_deleted_object_is_gone(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a"))
    answer = await cluster.delete("configmaps", "a")

    assert (answer.status, answer.body["status"]) == (200, "Success")
    assert answer.body["details"]["uid"] == made.body["metadata"]["uid"]
    assert (await cluster.get("configmaps", "a")).status == 404
    assert (await cluster.delete("configmaps", "a")).status == 404


async def test_a_name_used_again_is_another_object(cluster: Cluster) -> None:
    first = await cluster.create("configmaps", cluster.body("a"))
    await cluster.delete("configmaps", "a")
    second = await cluster.create("configmaps", cluster.body("a"))

    assert first.body["metadata"]["uid"] != second.body["metadata"]["uid"]


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
async def test_a_delete_holds_to_its_preconditions(cluster: Cluster, field: str) -> None:
    made = await cluster.create("configmaps", cluster.body("a"))
    refused = await cluster.delete("configmaps", "a", **{field: "1"})

    assert (refused.status, refused.reason) == (409, "Conflict")
    right = {field: made.body["metadata"][field]}
    assert (await cluster.delete("configmaps", "a", **right)).status == 200


async def test_the_times_of_a_lease_come_back_as_sent(cluster: Cluster) -> None:
    spec = {
        "holderIdentity": "cassandra-0/uid",
        "acquireTime": MICRO_TIME,
        "renewTime": MICRO_TIME,
        "leaseDurationSeconds": 15,
        "leaseTransitions": 0,
    }
    made = await cluster.create("leases", cluster.body("turn", spec=spec))

    assert (made.status, made.body["spec"]) == (201, spec)


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("renewTime", "2026-03-01T12:00:00Z", 400),
        ("renewTime", "2026-03-01T12:00:00.001Z", 400),
        ("leaseDurationSeconds", "15", 400),
        ("leaseDurationSeconds", 0, 422),
        ("leaseTransitions", -1, 422),
    ],
)
async def test_a_lease_field_of_the_wrong_form_is_refused(
    cluster: Cluster, field: str, value: object, status: int
) -> None:
    answer = await cluster.create("leases", cluster.body("turn", spec={field: value}))

    assert answer.status == status


async def test_config_map_data_that_is_no_text_is_400(cluster: Cluster) -> None:
    body = cluster.body("a", data={"k": 1})

    assert (await cluster.create("configmaps", body)).status == 400


async def test_an_event_about_an_object_of_another_namespace_is_422(cluster: Cluster) -> None:
    body = cluster.body("e", involvedObject={"kind": "Pod", "namespace": "elsewhere"})

    assert (await cluster.create("events", body)).status == 422


async def test_an_object_of_another_kind_than_the_path_is_400(cluster: Cluster) -> None:
    body = cluster.body("a", kind="Secret", apiVersion="v1")

    assert (await cluster.create("configmaps", body)).status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_body_that_is_no_json_is_400(cluster: Cluster, method: str) -> None:
    await cluster.create("configmaps", cluster.body("a"))
    name = "" if method == "POST" else cluster.name("a")
    content = MERGE_PATCH if method == "PATCH" else "application/json"
    path = cluster.path("configmaps", name)
    answer = await cluster.ask(method, path, data='{"a"', headers={"Content-Type": content})

    assert (answer.status, answer.reason) == (400, "BadRequest")


async def test_a_body_over_three_mebibytes_is_413(cluster: Cluster) -> None:
    body = json.dumps(cluster.body("a", data={"k": "x" * 3 * 2**20}))
    headers = {"Content-Type": "application/json"}
    path = cluster.path("configmaps")
    answer = await cluster.ask("POST", path, data=io.BytesIO(body.encode()), headers=headers)

    assert (answer.status, answer.reason) == (413, "RequestEntityTooLarge")


async def test_a_method_that_a_path_does_not_have_is_405(cluster: Cluster) -> None:
    path = cluster.path("configmaps", "a")
    answer = await cluster.ask("POST", path, json=cluster.body("a"))

    assert (answer.status, answer.reason) == (405, "MethodNotAllowed")


async def test_an_unknown_resource_is_404(cluster: Cluster) -> None:
    assert (await cluster.ask("GET", "/api/v1/namespaces/default/nonsense")).status == 404


async def test_an_unknown_token_is_401(cluster: Cluster) -> None:
    headers = {"Authorization": "Bearer nobody"}
    answer = await cluster.ask("GET", cluster.path("configmaps"), headers=headers)

    assert (answer.status, answer.reason) == (401, "Unauthorized")


@pytest.mark.parametrize("path", ["/version", "/version/"])
async def test_the_version_is_told(cluster: Cluster, path: str) -> None:
    answer = await cluster.ask("GET", path)

    assert answer.body["major"] == "1"
    assert {"gitVersion", "goVersion", "platform"} <= answer.body.keys()


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_health_is_told(cluster: Cluster, path: str) -> None:
    assert (await cluster.ask("GET", path)).body == "ok"
