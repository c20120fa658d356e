"""Laws of history: who lists at any moment and follows the events ends up with the truth."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localring.apiserver import ApiError, Store
from localring.apiserver.history import FIRST_VERSION
from localring.apiserver.lists import list_document
from localring.apiserver.mergepatch import merged
from localring.apiserver.query import list_options
from localring.apiserver.resources import RESOURCES, Target, target_of
from localring.apiserver.watch import meaning

NAMESPACE = "default"
CONFIG_MAPS = Target(RESOURCES["configmaps"], NAMESPACE, "")
names = st.sampled_from("abcd")
labels = st.sampled_from(["x", "y", ""])
writes = st.lists(st.tuples(st.sampled_from(["put", "delete"]), names, labels), max_size=30)
selectors = st.sampled_from(["", "app=x", "app!=x", "!app", "app in (x,y)", "app notin (y)"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def carry_out(store: Store, what: list[tuple[str, str, str]]) -> None:
    for verb, name, label in what:
        exists = store.has("configmaps", name, NAMESPACE)
        if verb == "delete" and exists:
            store.delete("configmaps", name, NAMESPACE)
        elif verb == "put":
            own = {"app": label} if label else {}
            body = {"metadata": {"name": name, "labels": own}}
            if exists:
                store.replace("configmaps", name, body, NAMESPACE)
            else:
                store.create("configmaps", body, NAMESPACE)


def listed(store: Store, selector: str, version: int) -> dict[str, Any]:
    query = {"labelSelector": selector, "resourceVersion": str(version)}
    options = list_options(CONFIG_MAPS, {**query, "resourceVersionMatch": "Exact"})
    items = list_document(store, options, None)["items"]
    return {item["metadata"]["name"]: item for item in items}


@given(writes, selectors, st.data())
def test_a_list_at_any_version_and_the_events_after_it_give_the_present_state(
    what: list[tuple[str, str, str]], selector: str, data: st.DataObject
) -> None:
    store = Store()
    carry_out(store, what)
    now = store.history.version
    since = data.draw(st.integers(FIRST_VERSION, now))
    selection = list_options(CONFIG_MAPS, {"labelSelector": selector}).selection
    view = listed(store, selector, since)
    for event in store.history.after(since):
        told = meaning(selection, event)
        if told is None:
            continue
        kind, body = (change := json.loads(told))["type"], change["object"]
        name = body["metadata"]["name"]
        assert kind == ("ADDED" if name not in view else kind)
        assert kind != "ADDED" or name not in view
        assert body["metadata"]["resourceVersion"] == str(event.version)
        view.pop(name, None)
        if kind != "DELETED":
            del body["kind"], body["apiVersion"]
            view[name] = body

    assert view == listed(store, selector, now)


@given(writes)
def test_versions_only_grow_and_each_belongs_to_one_write(
    what: list[tuple[str, str, str]],
) -> None:
    store = Store()
    carry_out(store, what)
    versions = [event.version for event in store.history.after(FIRST_VERSION)]

    assert versions == list(range(FIRST_VERSION + 1, store.history.version + 1))


@given(writes, st.integers(1, 5))
def test_a_bounded_history_answers_rightly_or_says_that_it_cannot(
    what: list[tuple[str, str, str]], limit: int
) -> None:
    bounded, whole = Store(history_limit=limit), Store()
    for store in (bounded, whole):
        carry_out(store, what)
    for version in range(FIRST_VERSION, whole.history.version + 1):
        if version < bounded.history.floor:
            with pytest.raises(ApiError, match="too old"):
                listed(bounded, "", version)
        else:
            assert listed(bounded, "", version).keys() == listed(whole, "", version).keys()
    assert whole.history.version - bounded.history.floor == min(
        limit, whole.history.version - FIRST_VERSION
    )


@given(writes, st.integers(1, 4))
def test_pages_put_together_are_the_list(what: list[tuple[str, str, str]], limit: int) -> None:
    store = Store()
    carry_out(store, what)
    query, items = {"limit": str(limit)}, []
    while True:
        page = list_document(store, list_options(CONFIG_MAPS, query), None)
        items += page["items"]
        if "continue" not in page["metadata"]:
            break
        query["continue"] = page["metadata"]["continue"]

    assert items == list(listed(store, "", store.history.version).values())


@given(json_values, json_values)
def test_a_merge_patch_applied_twice_is_applied_once(target: object, patch: object) -> None:
    once = merged(target, patch)

    assert merged(once, patch) == once


@given(json_values)
def test_an_empty_merge_patch_leaves_an_object_as_it_is(target: object) -> None:
    assert merged(target, {}) == (target if isinstance(target, dict) else {})


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patches_follow_the_table_of_rfc_7386(
    target: object, patch: object, result: object
) -> None:
    assert merged(target, patch) == result


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1",
        "/api/v2/pods",
        "/apis//v1/pods",
        "/apis/apps/v1/pods",
        "/api/v1/leases",
        "/api/v1/pods/a",
        "/api/v1/namespaces//pods",
        "/api/v1/namespaces/a/nodes",
        "/api/v1/namespaces/a/pods/b/log",
    ],
)
def test_a_path_that_names_no_resource_has_no_target(path: str) -> None:
    assert target_of(path) is None


def test_objects_handed_out_are_the_caller_s_own() -> None:
    store = Store()
    store.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}}, NAMESPACE)
    for mine in (store.get("configmaps", "a", NAMESPACE), *store.list("configmaps")):
        mine["data"]["k"] = "changed"

    assert store.get("configmaps", "a", NAMESPACE)["data"] == {"k": "v"}
