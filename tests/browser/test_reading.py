"""The page makes sense to who hears it or has no mouse: names, landmarks, order, focus."""

from itertools import pairwise
from typing import Any

from selenium.webdriver import Keys

from tests.browser.conftest import Look
from tests.browser.page import Page
from tests.browser.rings import ring, troubled

CONTROLS = {"button", "checkbox", "combobox", "searchbox", "link", "image"}
LANDMARKS = {"banner", "main", "contentinfo", "navigation"}


def tree(page: Page) -> list[dict[str, Any]]:
    """Return what assistive technology is given."""
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [node for node in nodes if not node["ignored"]]


def role(node: dict[str, Any]) -> str:
    return str(node["role"]["value"])


def name(node: dict[str, Any]) -> str:
    return str(node.get("name", {}).get("value", "")).strip()


def test_everything_that_acts_has_a_name_and_the_page_has_its_landmarks(look: Look) -> None:
    world = troubled(30, ("dc1", "dc2"))
    page = look(world)
    nodes = tree(page)

    acting = [node for node in nodes if role(node) in CONTROLS]
    assert len(acting) > 60
    assert [role(node) for node in acting if not name(node)] == []
    assert {role(node) for node in nodes} >= LANDMARKS
    assert page.attributes("html", "lang") == ["en"]
    assert page.js("return document.querySelectorAll('h1').length") == 1
    levels = page.js(
        "return [...document.querySelectorAll('h1, h2, h3')].map((e) => +e.tagName[1])"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = "section:not([aria-label], [aria-labelledby]):not(.dc)"
    assert page.texts(unnamed) == []


def test_ids_are_unique_and_labels_lead_somewhere(look: Look) -> None:
    page = look(troubled(30))

    ids = page.attributes("[id]", "id")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-labelledby", "aria-describedby", "for"):
        for value in page.attributes(f"[{attribute}]", attribute):
            assert set(str(value).split()) <= set(ids), value
    links = [str(each) for each in page.attributes("a[href^='#']", "href")]
    assert {link[1:] for link in links} <= set(ids)


def test_tab_goes_through_the_page_in_reading_order_with_few_stops_in_the_map(
    look: Look,
) -> None:
    page = look(troubled(45, ("dc1", "dc2", "dc3")))
    wanted = ("skip", "nav", "theme", "shown", "drain", "map", "findings", "health", "filter")
    where = (
        "const here = document.activeElement; return here.closest('nav') ? 'nav' :"
        "here.closest('#map') ? 'map' : here.matches('.skip') ? 'skip' :"
        "here.closest('#health') ? 'health' : here.closest('#findings') ? 'findings' : here.id"
    )
    seen: list[str] = []
    outlined = (
        "const style = getComputedStyle(document.activeElement);"
        "return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2"
    )
    for _ in range(150):
        page.press(Keys.TAB)
        seen.append(page.js(f"{where}"))
        assert page.js(outlined), f"focus cannot be seen in {seen[-1]}"
        if seen[-1] == "filter":
            break

    assert [part for part in dict.fromkeys(seen) if part in wanted] == list(wanted)
    assert (
        seen.count("map") == 3 + 9 + 9
    )  # stop this DC, stop this rack, and one way into each rack
    # The order is the document's: nothing is put before or after its place.
    assert set(page.attributes("[tabindex]", "tabindex")) == {"0", "-1"}


def test_the_first_stop_skips_to_the_findings(look: Look) -> None:
    page = look(troubled(30))

    page.press(Keys.TAB, Keys.ENTER)
    page.until("the findings", "document.activeElement === findings")


def test_columns_and_rows_are_headed_and_tables_say_what_they_are(look: Look) -> None:
    page = look(troubled(10))

    for table in ("#health-table", "#members-table", ".pairs"):
        assert (
            page.js(
                "return document.querySelector(arguments[0]).caption.innerText.length", table
            )
            > 20
        )
        heads = page.attributes(f"{table} > thead th", "scope")
        assert set(heads) == {"col"}
        rows = page.attributes(f"{table} > tbody > tr", "class")
        assert len(page.attributes(f"{table} > tbody > tr > th[scope='row']", "scope")) == len(
            rows
        )


def test_every_pair_of_a_large_ring_can_be_read_by_keyboard(look: Look) -> None:
    world = ring(30)
    for number in range(14):
        world.unseen(number, by=(29,))
    page = look(world)
    assert "cassandra-13 is seen down by cassandra-29" in page.js(
        "return document.querySelector('#sees-list').textContent"
    )

    page.js("document.querySelector('#sees-drawing canvas').focus()")
    page.press(Keys.HOME, *[Keys.ARROW_DOWN] * 29, Keys.ARROW_RIGHT)
    assert page.text("#sees-said").startswith("cassandra-29 sees cassandra-1 down")
    assert page.attributes("#sees-said", "aria-live") == ["polite"]
    page.press(Keys.END, Keys.ARROW_UP)
    assert page.text("#sees-said").startswith("cassandra-28 sees cassandra-29 up")


def test_every_token_can_be_read_by_keyboard(look: Look) -> None:
    world = ring(4, dcs=("dc1", "dc2"))
    page = look(world)
    owner = {token: seat for seat in world.seats for token in seat.row.tokens}
    outer = sorted(token for token, seat in owner.items() if seat.dc == "dc1")

    page.js("drawing.focus()")
    told = []
    for _ in outer:
        page.press(Keys.ARROW_RIGHT)
        told.append(page.text("#readout").splitlines())
    tokens = [int(lines[-1].removeprefix("up to ")) for lines in told]
    assert sorted(tokens) == outer
    assert [lines[0] for lines in told] == [owner[token].name for token in tokens]
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.until("a choice", "document.querySelectorAll('.seat[aria-pressed=true]').length === 1")
    assert "/ dc2" in page.text("#readout") or "dc2 /" in page.text("#readout")


def test_one_member_that_sees_others_down_is_no_island(look: Look) -> None:
    world = ring(5)
    world.unseen(0, 1, 2, 3, by=(4,))
    page = look(world)

    assert "Views differ" in page.text("#tile-unity")
    assert "cassandra-4 sees members down" in page.text("#tile-unity")
    world.cut((0, 1), (2, 3, 4))
    page.show()
    page.until("a cut", "document.querySelector('#tile-unity').innerText.includes('islands')")
