"""The verbs: what they do, which error a refusal is, and whether a write happened."""

import pytest

from localring.apiserver import Fault, Kind
from seedprovider.kube.client import KubeClient
from seedprovider.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    KubeError,
    NotFound,
    Unauthorized,
    Unavailable,
)
from seedprovider.kube.events import Key, discard
from seedprovider.kube.resources import CONFIG_MAPS, LEASES, NODES, Resource
from tests.fakes.kubestage import ConfigMap, Stage, decode_config_map

VERBS = ["get", "create", "replace", "merge_patch", "delete"]


def body(text: str, **meta: str) -> dict[str, object]:
    return {"metadata": {"name": "a", **meta}, "data": {"text": text}}


async def call(stage: Stage, verb: str) -> None:
    client = KubeClient(stage.transport)
    match verb:
        case "get":
            await client.get(CONFIG_MAPS, "ns", "a", discard)
        case "create":
            await client.create(CONFIG_MAPS, "ns", body("created"), discard)
        case "replace":
            await client.replace(CONFIG_MAPS, "ns", "a", body("replaced"), discard)
        case "merge_patch":
            patch = {"data": {"text": "patched"}}
            await client.merge_patch(CONFIG_MAPS, "ns", "a", patch, discard)
        case _:
            await client.delete(CONFIG_MAPS, "ns", "a")


async def failure(stage: Stage, verb: str) -> KubeError:
    with pytest.raises(KubeError) as caught:
        await call(stage, verb)
    return caught.value


async def unavailable(stage: Stage, verb: str) -> Unavailable:
    error = await failure(stage, verb)
    assert isinstance(error, Unavailable)
    return error


def text(stage: Stage) -> str | None:
    """Return what the server holds, None for nothing."""
    held = stage.api.store.list("configmaps", "ns")
    return str(held[0]["data"]["text"]) if held else None


async def test_an_object_lives_through_all_verbs(stage: Stage) -> None:
    client = KubeClient(stage.transport)
    made = await client.create(CONFIG_MAPS, "ns", body("1"), decode_config_map)
    assert made.key == Key("ns", "a")
    assert await client.get(CONFIG_MAPS, "ns", "a", decode_config_map) == made

    replacement = body("2", resourceVersion=made.version)
    second = await client.replace(CONFIG_MAPS, "ns", "a", replacement, decode_config_map)
    assert (second.uid, second.body) == (made.uid, ConfigMap({"text": "2"}))

    patch = {"data": {"text": None, "more": "3"}}
    third = await client.merge_patch(CONFIG_MAPS, "ns", "a", patch, decode_config_map)
    assert third.body == ConfigMap({"more": "3"})

    await client.delete(CONFIG_MAPS, "ns", "a", uid=made.uid, version=third.version)
    assert text(stage) is None


async def test_of_two_creators_one_is_told_that_the_name_is_taken(stage: Stage) -> None:
    await call(stage, "create")
    error = await failure(stage, "create")

    assert type(error) is AlreadyExists
    assert '"a" already exists' in error.reason


async def test_a_write_over_a_version_that_is_gone_is_a_conflict(stage: Stage) -> None:
    client = KubeClient(stage.transport)
    old = await client.create(CONFIG_MAPS, "ns", body("1"), discard)
    await client.replace(CONFIG_MAPS, "ns", "a", body("2"), discard)
    stale = body("3", resourceVersion=old.version)

    with pytest.raises(Conflict):
        await client.replace(CONFIG_MAPS, "ns", "a", stale, discard)
    with pytest.raises(Conflict):
        await client.merge_patch(CONFIG_MAPS, "ns", "a", stale, discard)
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "ns", "a", version=old.version)
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "ns", "a", uid="of-another-one")
    assert text(stage) == "2"


@pytest.mark.parametrize("verb", ["get", "replace", "merge_patch", "delete"])
async def test_an_absent_object_is_not_found(stage: Stage, verb: str) -> None:
    assert type(await failure(stage, verb)) is NotFound


async def test_a_body_that_the_server_refuses_is_invalid_with_its_words(stage: Stage) -> None:
    client = KubeClient(stage.transport)
    misnamed = {"metadata": {"name": "Not A Name"}}

    with pytest.raises(Invalid, match="Not A Name") as caught:
        await client.create(LEASES, "ns", misnamed, discard)
    assert not caught.value.retry_may_help


@pytest.mark.parametrize("verb", VERBS)
async def test_a_missing_right_is_forbidden(stage: Stage, verb: str) -> None:
    stage.api.faults.add(Fault(kind=Kind.FORBID))

    assert type(await failure(stage, verb)) is Forbidden


@pytest.mark.parametrize("verb", VERBS)
async def test_a_refused_token_is_unauthorized_and_never_shown(stage: Stage, verb: str) -> None:
    stage.token_file.write_text("s3cret")
    error = await failure(stage, verb)

    assert type(error) is Unauthorized
    assert "s3cret" not in repr(error)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_throttled_request_was_not_carried_out(stage: Stage, verb: str) -> None:
    stage.api.faults.add(Fault(kind=Kind.THROTTLE, seconds=3))
    error = await unavailable(stage, verb)

    assert not error.outcome_unknown
    assert error.retry_after_seconds == 3.0


@pytest.mark.parametrize("verb", VERBS)
async def test_a_write_that_was_never_sent_is_known_not_to_have_happened(
    stage: Stage, verb: str
) -> None:
    await stage.api.refuse()

    assert not (await unavailable(stage, verb)).outcome_unknown


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", [Kind.DROP_RESPONSE, Kind.FAIL])
async def test_a_write_without_its_answer_may_have_happened_and_is_not_sent_again(
    stage: Stage, verb: str, kind: Kind
) -> None:
    stage.put("a" if verb != "create" else "other")
    # A connection kept alive: on those aiohttp would send PUT and DELETE a second time.
    await stage.collection().list()
    stage.api.requests.clear()
    stage.api.faults.add(Fault(kind=kind))
    error = await unavailable(stage, verb)

    assert error.outcome_unknown is (verb != "get")
    assert verb == "get" or len(stage.api.requests) == 1


async def test_a_write_whose_answer_was_dropped_did_happen(stage: Stage) -> None:
    stage.api.faults.add(Fault(kind=Kind.DROP_RESPONSE))
    await unavailable(stage, "create")

    assert text(stage) == "created"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../services/x"])
@pytest.mark.parametrize("resource", [CONFIG_MAPS, LEASES], ids=lambda r: r.plural)
def test_no_name_leads_out_of_its_collection(resource: Resource, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        resource.path("ns", name)
    with pytest.raises(ValueError, match="not the name"):
        resource.path(name)


def test_kinds_of_the_whole_cluster_have_no_namespace_in_their_path() -> None:
    assert NODES.path("") == "/api/v1/nodes"
    assert NODES.path("", "node-0") == "/api/v1/nodes/node-0"


def test_an_odd_name_is_escaped() -> None:
    assert CONFIG_MAPS.path("ns", "a?b#c%d") == "/api/v1/namespaces/ns/configmaps/a%3Fb%23c%25d"
