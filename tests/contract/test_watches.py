"""What every API server does with watches: nothing missed, nothing twice, in order."""

import asyncio

import pytest

from tests.contract.cluster import Cluster, Ended, Stream


async def end_of(stream: Stream) -> list[str]:
    """Read to the end; give the kinds of what came."""
    kinds: list[str] = []
    while True:
        try:
            kinds.append((await stream.next())["type"])
        except Ended:
            return kinds


@pytest.mark.parametrize("query", [{}, {"resourceVersion": ""}, {"resourceVersion": "0"}])
async def test_without_a_version_a_watch_begins_with_the_present_state(
    cluster: Cluster, query: dict[str, str]
) -> None:
    await cluster.create("configmaps", cluster.body("a"))
    await cluster.create("configmaps", cluster.body("b"))
    async with cluster.watch("configmaps", **query) as stream:
        opening = {await stream.told(), await stream.told()}
        await cluster.create("configmaps", cluster.body("c"))

        assert opening == {("ADDED", cluster.name("a")), ("ADDED", cluster.name("b"))}
        assert await stream.told() == ("ADDED", cluster.name("c"))


async def test_from_the_version_of_a_list_a_watch_tells_what_came_after(
    cluster: Cluster,
) -> None:
    await cluster.create("configmaps", cluster.body("a"))
    listed = await cluster.list("configmaps")
    await cluster.create("configmaps", cluster.body("b"))
    async with cluster.watch("configmaps", resourceVersion=listed.version) as stream:
        await cluster.create("configmaps", cluster.body("c"))

        assert await stream.told() == ("ADDED", cluster.name("b"))
        assert await stream.told() == ("ADDED", cluster.name("c"))


async def test_each_write_is_told_once_with_the_object_as_the_writer_got_it(
    cluster: Cluster,
) -> None:
    listed = await cluster.list("configmaps")
    made = await cluster.create("configmaps", cluster.body("a"))
    changed = await cluster.patch("configmaps", "a", {"data": {"k": "v"}})
    async with cluster.watch("configmaps", resourceVersion=listed.version) as stream:
        assert await stream.next() == {"type": "ADDED", "object": made.body}
        assert await stream.next() == {"type": "MODIFIED", "object": changed.body}


async def test_a_deletion_is_told_with_the_last_state_and_a_version_of_its_own(
    cluster: Cluster,
) -> None:
    made = await cluster.create("configmaps", cluster.body("a", data={"k": "v"}))
    await cluster.delete("configmaps", "a")
    async with cluster.watch("configmaps", resourceVersion=made.version) as stream:
        event = await stream.next()
    version = event["object"]["metadata"]["resourceVersion"]

    assert version != made.version
    made.body["metadata"]["resourceVersion"] = version
    assert (event["type"], event["object"]) == ("DELETED", made.body)
    await cluster.create("configmaps", cluster.body("b"))
    async with cluster.watch("configmaps", resourceVersion=version) as stream:
        assert await stream.told() == ("ADDED", cluster.name("b"))


async def test_an_object_that_enters_the_selector_is_added_and_one_that_leaves_is_deleted(
    cluster: Cluster,
) -> None:
    listed = await cluster.list("configmaps")
    selector = f"{cluster.mine},ready=yes"
    await cluster.create("configmaps", cluster.body("a", labels={"ready": "no"}))
    for ready in ("yes", "no"):
        await cluster.patch("configmaps", "a", {"metadata": {"labels": {"ready": ready}}})
    left = await cluster.get("configmaps", "a")
    await cluster.delete("configmaps", "a")
    await cluster.create("configmaps", cluster.body("b", labels={"ready": "yes"}))
    query = {"labelSelector": selector, "resourceVersion": listed.version}
    async with cluster.watch("configmaps", **query) as stream:
        assert await stream.told() == ("ADDED", cluster.name("a"))
        event = await stream.next()
        assert await stream.told() == ("ADDED", cluster.name("b"))

    assert event["type"] == "DELETED"
    assert event["object"]["metadata"]["labels"]["ready"] == "yes"  # the last that matched
    assert event["object"]["metadata"]["resourceVersion"] == left.version


async def test_a_field_selector_watches_one_object(cluster: Cluster) -> None:
    query = {"fieldSelector": f"metadata.name={cluster.name('b')}"}
    async with cluster.watch("configmaps", **query) as stream:
        for short in "ab":
            await cluster.create("configmaps", cluster.body(short))

        assert await stream.told() == ("ADDED", cluster.name("b"))


async def test_a_write_that_changes_nothing_is_not_told(cluster: Cluster) -> None:
    made = await cluster.create("configmaps", cluster.body("a", data={"k": "v"}))
    async with cluster.watch("configmaps", resourceVersion=made.version) as stream:
        await cluster.replace("configmaps", made.body)
        await cluster.patch("configmaps", "a", {"data": {"k": "v"}})
        await cluster.patch("configmaps", "a", {"data": {"k": "w"}})

        assert (await stream.next())["object"]["data"] == {"k": "w"}


async def test_a_watch_resumed_from_the_last_event_misses_nothing(cluster: Cluster) -> None:
    version = (await cluster.list("configmaps")).version
    seen: list[str] = []
    for short in "abcdef":
        await cluster.create("configmaps", cluster.body(short))
        await cluster.patch("configmaps", short, {"data": {"k": "v"}})
    while len(seen) < 12:
        async with cluster.watch("configmaps", resourceVersion=version) as stream:
            for _ in range(2):
                event = await stream.next()
                seen.append(event["type"])
                version = event["object"]["metadata"]["resourceVersion"]

    assert seen == ["ADDED", "MODIFIED"] * 6


async def test_all_watchers_are_told_the_same_in_the_same_order(cluster: Cluster) -> None:
    version = (await cluster.list("configmaps")).version

    async def follow() -> list[str]:
        async with cluster.watch("configmaps", resourceVersion=version) as stream:
            events = [await stream.next() for _ in range(9)]
        return [event["object"]["metadata"]["resourceVersion"] for event in events]

    followers = [asyncio.create_task(follow()) for _ in range(4)]
    await asyncio.gather(
        *(cluster.create("configmaps", cluster.body(short)) for short in "abcdefghi")
    )
    heard = await asyncio.gather(*followers)

    assert all(versions == heard[0] for versions in heard)
    assert len(set(heard[0])) == 9


async def test_a_watch_ends_cleanly_after_its_timeout(cluster: Cluster) -> None:
    async with cluster.watch("configmaps", timeoutSeconds="1") as stream:
        assert await end_of(stream) == []


async def test_who_asked_for_bookmarks_gets_one_before_the_watch_ends_and_can_resume_from_it(
    cluster: Cluster,
) -> None:
    version = (await cluster.list("configmaps")).version
    query = {"allowWatchBookmarks": "true", "timeoutSeconds": "4"}
    async with cluster.watch("configmaps", resourceVersion=version, **query) as stream:
        # Without anything new since the watch began, a real server may send no bookmark.
        await cluster.create("configmaps", cluster.body("a"))
        assert await stream.told() == ("ADDED", cluster.name("a"))
        event = await stream.next()
    bookmark = event["object"]

    assert (event["type"], bookmark["kind"]) == ("BOOKMARK", "ConfigMap")
    assert "name" not in bookmark["metadata"]
    await cluster.create("configmaps", cluster.body("b"))
    version = bookmark["metadata"]["resourceVersion"]
    async with cluster.watch("configmaps", resourceVersion=version) as stream:
        assert await stream.told() == ("ADDED", cluster.name("b"))


async def test_a_version_that_is_long_gone_is_told_as_410(cluster: Cluster) -> None:
    query = {"watch": "true", "resourceVersion": "1"}
    answer = await cluster.ask("GET", cluster.path("configmaps"), params=query)
    told = answer.body if answer.status == 410 else answer.body["object"]

    assert (told["kind"], told["code"], told["reason"]) == ("Status", 410, "Expired")
