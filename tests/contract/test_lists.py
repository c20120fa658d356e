"""What every API server does with lists: selectors, pages and versions."""

import pytest

from tests.contract.cluster import Cluster

FAR_AHEAD = "4611686018427387904"


async def make(cluster: Cluster, **labels: dict[str, str]) -> None:
    for short, own in labels.items():
        await cluster.create("configmaps", cluster.body(short, labels=own))


async def test_a_list_has_a_version_and_items_without_kind_ordered_by_name(
    cluster: Cluster,
) -> None:
    await make(cluster, b={}, c={}, a={})
    listed = await cluster.list("configmaps")

    assert (listed.status, listed.body["kind"]) == (200, "ConfigMapList")
    assert listed.names == [cluster.name(short) for short in "abc"]
    assert not any({"kind", "apiVersion"} & item.keys() for item in listed.body["items"])
    assert listed.version


async def test_an_empty_list_has_a_version_and_no_items(cluster: Cluster) -> None:
    listed = await cluster.list("configmaps")

    assert (listed.body["items"], bool(listed.version)) == ([], True)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=x", "a"),
        ("app==x", "a"),
        ("app!=x", "bc"),
        ("app in (x,y)", "ab"),
        ("app in (x, y),tier", "b"),
        ("app notin (x)", "bc"),
        ("app notin (x,y)", "c"),
        ("app", "ab"),
        ("!app", "c"),
        ("app,!tier", "a"),
        ("tier=", "b"),
    ],
)
async def test_label_selectors_choose(cluster: Cluster, selector: str, expected: str) -> None:
    await make(cluster, a={"app": "x"}, b={"app": "y", "tier": ""}, c={})
    listed = await cluster.list("configmaps", labelSelector=f"{cluster.mine},{selector}")

    assert listed.names == [cluster.name(short) for short in expected]


@pytest.mark.parametrize("selector", ["a in", "a in x", "=b", "a=b=c", "a in (x", "a b"])
async def test_a_malformed_label_selector_is_400(cluster: Cluster, selector: str) -> None:
    answer = await cluster.list("configmaps", labelSelector=selector)

    assert (answer.status, answer.reason) == (400, "BadRequest")


async def test_a_field_selector_chooses_by_name(cluster: Cluster) -> None:
    await make(cluster, a={}, b={}, c={})
    name = cluster.name("b")

    only = await cluster.list("configmaps", fieldSelector=f"metadata.name={name}")
    others = await cluster.list("configmaps", fieldSelector=f"metadata.name!={name}")
    assert only.names == [name]
    assert others.names == [cluster.name("a"), cluster.name("c")]


async def test_a_field_selector_for_any_other_field_is_400(cluster: Cluster) -> None:
    answer = await cluster.list("configmaps", fieldSelector="data.k=v")

    assert answer.status == 400


async def test_a_list_of_all_namespaces_says_where_each_object_is(cluster: Cluster) -> None:
    await make(cluster, a={})
    path = cluster.path("configmaps", namespace="")
    listed = await cluster.ask("GET", path, params={"labelSelector": cluster.mine})

    assert [item["metadata"]["namespace"] for item in listed.body["items"]] == [
        cluster.namespace
    ]


async def test_pages_show_the_moment_of_the_first_whatever_happens_between(
    cluster: Cluster,
) -> None:
    await make(cluster, a={}, c={}, e={})
    first = await cluster.list("configmaps", limit="1")
    await cluster.delete("configmaps", "c")
    await make(cluster, d={})
    token = first.body["metadata"]["continue"]
    rest = await cluster.list("configmaps", limit="5", **{"continue": token})

    assert [*first.names, *rest.names] == [cluster.name(short) for short in "ace"]
    assert (first.version, "continue" in rest.body["metadata"]) == (rest.version, False)


async def test_a_continue_token_that_is_none_is_400(cluster: Cluster) -> None:
    answer = await cluster.list("configmaps", limit="1", **{"continue": "!"})

    assert (answer.status, answer.reason) == (400, "BadRequest")


async def test_an_exact_version_shows_the_state_of_that_time(cluster: Cluster) -> None:
    await make(cluster, a={}, b={})
    before = await cluster.list("configmaps")
    await cluster.delete("configmaps", "a")
    await cluster.patch("configmaps", "b", {"data": {"k": "v"}})
    await make(cluster, c={})
    then = await cluster.list(
        "configmaps", resourceVersion=before.version, resourceVersionMatch="Exact"
    )

    assert then.body["items"] == before.body["items"]
    assert then.version == before.version


async def test_not_older_than_shows_at_least_that_version(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a"))
    query = {"resourceVersion": made.version, "resourceVersionMatch": "NotOlderThan"}

    assert (await cluster.list("configmaps", **query)).names == [cluster.name("a")]


@pytest.mark.parametrize(
    "query",
    [
        {"resourceVersionMatch": "Exact"},
        {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
        {"resourceVersionMatch": "Nearly", "resourceVersion": "5"},
        {"resourceVersionMatch": "NotOlderThan", "resourceVersion": "5", "watch": "true"},
    ],
)
async def test_a_version_match_that_makes_no_sense_is_422(
    cluster: Cluster, query: dict[str, str]
) -> None:
    answer = await cluster.list("configmaps", **query)

    assert (answer.status, answer.reason) == (422, "Invalid")


async def test_a_version_that_is_not_reached_yet_is_504_and_says_why(
    cluster: Cluster,
) -> None:
    answer = await cluster.list("configmaps", resourceVersion=FAR_AHEAD)
    causes = [cause["reason"] for cause in answer.body["details"]["causes"]]

    assert (answer.status, answer.reason) == (504, "Timeout")
    assert causes == ["ResourceVersionTooLarge"]


async def test_an_exact_version_that_is_long_gone_is_410(cluster: Cluster) -> None:
    query = {"resourceVersion": "1", "resourceVersionMatch": "Exact"}
    answer = await cluster.list("configmaps", **query)

    assert (answer.status, answer.reason) == (410, "Expired")
