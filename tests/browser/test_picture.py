"""The page shows every member as it is, the moment that it changes, and nothing but text."""

from itertools import pairwise

from ring.words import PeerState
from tests.browser.conftest import Look
from tests.browser.page import place
from tests.browser.rings import ring, troubled

STATES = {"U": "up", "D": "down", "?": "unknown"}


def test_every_member_is_there_with_its_state(look: Look) -> None:
    world = troubled(30, ("dc1", "dc2", "dc3"))
    page = look(world)
    members = world.snapshot().members

    rows = page.texts("#members-table tbody tr")
    assert len(rows) == len(members) == 30
    for member, row, seen in zip(
        members, rows, page.attributes("#members-table tbody tr", "data-state"), strict=True
    ):
        assert member.pod in row
        assert STATES[str(member.liveness)] in row
        assert seen == member.state
    seats = dict(
        zip(
            page.attributes(".seat", "data-name"),
            page.attributes(".seat", "aria-label"),
            strict=True,
        )
    )
    for member in members:
        label = seats[str(member.host_id)] or ""
        assert label.startswith(f"{member.pod}, {STATES[str(member.liveness)]}")
        assert f"rack {member.rack}" in label
    assert "30 members with 480 tokens; 27 up, 2 down, 1 unknown" in (
        page.attributes("#ring-base", "aria-label")[0] or ""
    )


def test_a_node_that_goes_down_changes_colour_and_table_within_one_event(look: Look) -> None:
    world = ring(3)
    page = look(world)
    tokens = sorted((t, s.number) for s in world.seats for t in s.row.tokens)
    widest = max(
        (after - before, (place(before) + place(after)) / 2)
        for (before, _), (after, owner) in pairwise(tokens)
        if owner == 1
    )[1]
    bad = page.ink("var(--bad)")
    seat = ".seat[aria-label^='cassandra-1,']"
    colour = "getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    before = page.js(f"return {colour}", seat)
    assert bad not in page.ray(widest)

    world.down(1)
    page.show()
    page.until("cassandra-1 down", "document.querySelector('tr[data-state=DN]')")

    assert page.texts("#members-table tr[data-state='DN'] th") == ["cassandra-1"]
    assert bad in page.ray(widest)
    assert page.js(f"return {colour}", seat) != before
    assert "✕" in page.text(seat)
    assert "2 of 3 up" in page.text("#tile-members")
    assert page.texts(".finding .kind") == ["member-down"]
    assert "cassandra-1 went down" in page.text("#history-list li")
    assert "cassandra-1 went down" in page.js("return spoken.textContent")
    assert page.driver.title.startswith("✕")


def test_members_that_join_leave_or_are_unknown_are_told_in_words(look: Look) -> None:
    world = ring(6)
    world.seats[1].mode = "LEAVING"
    world.states[1] = PeerState.LEAVING
    world.seats[2].heard = world.seats[2].speaks = False
    for seat in world.seats:
        world.sees[seat.number, 2] = None
    page = look(world)

    rows = page.texts("#members-table tbody tr")
    assert "up, leaving" in rows[1]
    assert "unknown" in rows[2]
    assert "silent" in rows[2]
    assert "1 unknown · 1 leaving" in page.text("#tile-members")


def test_who_sees_whom_is_a_table_and_in_words_what_is_not_up(look: Look) -> None:
    world = ring(4)
    world.unseen(3, by=(0,))
    world.strange.add((1, 3))
    page = look(world)

    letters = page.attributes(".pairs td[data-see]", "data-see")
    assert "".join(map(str, letters)) == ".UUDU.U-UU.UUUU."
    assert page.texts("#sees-list li") == [
        "cassandra-3 is seen down by cassandra-0",
        "cassandra-3 is not known to cassandra-1",
    ]


def test_health_has_every_level_of_every_keyspace_and_opens_to_who_is_behind_it(
    look: Look,
) -> None:
    world = ring(3)
    world.down(1)
    page = look(world)
    page.until("all levels", "document.querySelectorAll('#health-table thead th').length > 10")

    rows = page.texts("#health-table tbody th")
    assert [row.splitlines()[0].strip(" ▸") for row in rows] == [
        *("shop", "system_auth", "system_distributed", "system_traces"),
    ]
    said = page.js(
        "return [...document.querySelectorAll('#health-table tbody tr')][0].textContent"
    )
    assert "margin 0 (read)" in said
    assert "cannot be had for 100 % of the ring (read)" in said  # ALL
    page.click("#health-table tbody tr:nth-child(1) button")
    page.until("its checks", "document.querySelector('td.inside tbody tr')")
    assert "cassandra-1 (" in page.text("td.inside")


def test_what_others_named_is_shown_as_text_and_never_becomes_html(look: Look) -> None:
    evil = "<img src=x onerror=\"document.title='taken'\">"
    world = ring(3)
    world.keyspaces[evil] = {"class": "<script>document.title='taken'</script>"}
    seat = world.seats[0]
    world.machines[evil] = world.machines.pop("worker-0")
    object.__setattr__(seat.pod, "machine", evil)
    world.down(1)
    page = look(world)

    assert evil in page.text("#findings")
    assert evil in page.text("#health-table")
    assert evil in page.text("#members-table tbody tr")
    assert page.js("return document.images.length") == 0
    assert page.js("return document.scripts.length") == 1
    assert "taken" not in page.driver.title


def test_a_filter_and_the_column_heads_find_a_member_among_many(look: Look) -> None:
    page = look(ring(30, dcs=("dc1", "dc2")))

    page.driver.find_element("id", "filter").send_keys("dc2 cassandra-1")
    page.until("fewer rows", "document.querySelectorAll('#members-table tbody tr').length < 9")
    shown = page.texts("#members-table tbody th")
    assert shown == [f"cassandra-{n}" for n in (1, 11, 13, 15, 17, 19)]
    assert page.text("#members-count") == "6 of 30 members"
    page.click("#members-table thead th:nth-child(1) button")
    page.click("#members-table thead th:nth-child(1) button")
    assert page.texts("#members-table tbody th") == shown[::-1]
    assert page.attributes("#members-table thead th", "aria-sort")[0] == "descending"


def test_commands_of_findings_are_there_to_copy(look: Look) -> None:
    world = ring(3)
    world.down(1)
    page = look(world)
    command = "kubectl -n shop describe pod cassandra-1"

    assert command in page.texts(".command code")
    assert f"Copy: {command}" in page.attributes(".command button", "aria-label")
    page.click(".command button")
    page.until("a word", "document.querySelector('.command button').textContent !== 'Copy'")
    assert page.text(".command button") in {"Copied", "Selected"}


def test_no_request_leaves_the_origin_and_nothing_inline_runs(look: Look) -> None:
    page = look(ring(3))
    page.expected += ["Content Security Policy", "Trusted", "TrustedHTML", "TrustedScript"]

    ran = page.js(
        "const script = document.createElement('script');"
        "try { script.textContent = 'window.ran = true'; } catch {}"
        "document.body.append(script); return window.ran ?? false"
    )
    assert ran is False
    refused = page.js("try { document.body.innerHTML = '<b>x</b>'; } catch { return true }")
    assert refused is True
    page.leave()
    asked = [url for url in page.asked() if not url.startswith(("data:", "about:"))]
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(page.served.url)] == []


def test_everything_works_behind_a_path_prefix_as_that_of_the_api_servers_proxy(
    look: Look,
) -> None:
    world = ring(3)
    page = look(world, "/api/v1/namespaces/shop/services/manager:8080/proxy")

    page.until("the stream", "freshness.dataset.state === 'live'")
    world.down(2)
    page.show()
    page.until("an event", "document.querySelector('tr[data-state=DN]')")
    page.click(".seat")
    page.until("an answer", "document.querySelector('#answer-title').dataset.safe === 'no'")
    page.leave()
    assert [url for url in page.asked() if not url.startswith(page.served.url)] == []
