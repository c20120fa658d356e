"""What would be lost if these stopped: chosen in any way, told in words and on the ring."""

from selenium.webdriver import Keys
from selenium.webdriver.support.ui import Select

from tests.browser.conftest import Look
from tests.browser.page import Page, place
from tests.browser.rings import ring

SAFE = "document.querySelector('#answer-title').dataset.safe === arguments[0]"


def seat(number: int) -> str:
    return f".seat[aria-label^='cassandra-{number},']"


def arcs(page: Page, query: str) -> list[tuple[float, bool]]:
    """Return the middles of the pieces that are lost or not, by the API."""
    body = page.js(f"return fetch('v1/arcs?{query}').then((answer) => answer.json())")
    shop = next(each for each in body["replications"] if "shop" in each["keyspaces"])
    found = []
    for arc in shop["arcs"]:
        width = (int(arc["to"]) - int(arc["after"])) % 2**64 or 2**64
        if width > 2**64 // 100:
            middle = (place(int(arc["to"])) - width / 2**65) % 1
            found.append((middle, arc["newly"]))
    return found


def test_two_pods_that_share_ranges_are_told_with_their_levels_and_shown_on_the_ring(
    look: Look,
) -> None:
    world = ring(6)
    page = look(world)
    bad = page.ink("var(--bad)")

    page.click(seat(0))
    page.until("one is safe", SAFE, "yes")
    assert all(bad not in page.ray(where) for where, _ in arcs(page, "stop=cassandra-0"))
    page.click(seat(1))
    page.until("two are not", SAFE, "no")

    assert "with 2 members stopped" in page.text("#answer-title")
    losses = "\n".join(page.texts("#answer .loss[data-mood='bad']"))
    assert "shop QUORUM, read and write: lost for" in losses
    assert "shop LOCAL_QUORUM in dc1, read and write: lost for" in losses
    assert "2 stopped: not safe" in page.text("#readout")  # beside what is pointed at
    found = arcs(page, "stop=cassandra-0&stop=cassandra-1")
    assert {newly for _, newly in found} == {True, False}
    for where, newly in found:
        assert (bad in page.ray(where)) == newly, where


def test_keys_alone_are_enough(look: Look) -> None:
    page = look(ring(6))

    page.tab_to("here.matches('.seat')")
    assert page.js("return document.activeElement.getAttribute('aria-pressed')") == "false"
    page.press(Keys.SPACE, Keys.ARROW_RIGHT, Keys.SPACE, Keys.ARROW_RIGHT, Keys.ENTER)
    page.until("an answer", SAFE, "no")
    pressed = page.attributes(".seat[aria-pressed='true']", "aria-label")
    assert [str(label).split(",")[0] for label in pressed] == [
        *("cassandra-0", "cassandra-3", "cassandra-1"),
    ]
    page.press(Keys.END, Keys.HOME)
    assert page.js("return document.activeElement.ariaLabel").startswith("cassandra-1,")
    page.press(Keys.ESCAPE)
    page.until("nothing chosen", SAFE, "none")
    assert page.texts("#chosen li") == []
    page.tab_to("here.matches('[data-kind=rack]')")
    page.press(Keys.SPACE)
    page.until("an answer", SAFE, "yes")
    page.tab_to("here.matches('#chosen button')")
    page.press(Keys.ENTER)
    page.until("nothing chosen", SAFE, "none")


def test_a_machine_a_rack_and_a_data_centre_can_be_chosen_and_put_back(look: Look) -> None:
    page = look(ring(12, dcs=("dc1", "dc2")))
    machines = Select(page.driver.find_element("id", "drain"))

    machines.select_by_value("worker-4")
    page.until("a machine", SAFE, "yes")
    assert page.texts("#chosen li") == ["node worker-4 \N{MULTIPLICATION SIGN}"]
    assert page.texts(".seat[aria-pressed='true']") == ["cassandra-4"]
    page.click("[data-kind=rack][data-name='dc1/a']")
    page.click("[data-kind=dc][data-name='dc2']")
    page.until("a data centre", SAFE, "no")
    assert len(page.texts(".seat[aria-pressed='true']")) == 1 + 2 + 6
    assert len(page.texts("#members-table tr.picked")) == 9
    page.click("#clear")
    page.until("nothing chosen", SAFE, "none")
    assert page.texts(".seat[aria-pressed='true']") == []


def test_the_table_the_map_and_the_ring_choose_the_same(look: Look) -> None:
    world = ring(3)
    page = look(world)

    page.click("#members-table tbody tr:nth-child(2) input")
    page.until("a seat", "document.querySelectorAll('.seat[aria-pressed=true]').length === 1")
    assert page.texts(".seat[aria-pressed='true']") == ["cassandra-1"]
    page.js(
        "const box = drawing.getBoundingClientRect(), far = box.width * 0.44;"
        "drawing.dispatchEvent(new MouseEvent('click', {bubbles: true,"
        "clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 - far}))"
    )
    top = min((t, s.number) for s in world.seats for t in s.row.tokens)[1]
    chosen = {1} ^ {top}
    page.until(
        "the owner of the piece at the top",
        "document.querySelectorAll('.seat[aria-pressed=true]').length === arguments[0]",
        len(chosen),
    )
    assert page.texts("#members-table tr.picked th") == [f"cassandra-{n}" for n in chosen]


def test_what_is_pointed_at_is_brought_out_everywhere(look: Look) -> None:
    page = look(ring(6))
    page.tab_to("here.matches('.seat')")
    page.press(Keys.ARROW_RIGHT)

    assert page.texts("#members-table tr.shown th") == ["cassandra-3"]
    assert page.texts("#readout .name") == ["cassandra-3"]
    assert "first for" in page.text("#readout")


def test_an_answer_follows_the_ring(look: Look) -> None:
    world = ring(6)
    page = look(world)
    page.click(seat(0))
    page.until("safe", SAFE, "yes")

    world.down(1)
    page.show()
    page.until("not safe any more", SAFE, "no")


def test_a_refusal_is_told_in_the_managers_words(look: Look) -> None:
    page = look(ring(3))
    page.expected += ["503 (Service Unavailable)"]
    page.served.call(lambda: setattr(page.served.stage.latest, "stale_seconds", 0.0))

    page.click(seat(0))
    page.until("an answer", "document.querySelector('#answer-title').innerText.includes('No')")
    assert "nothing is decided by it" in page.text("#answer-title")


def test_what_speaks_against_stopping_besides_replicas_is_told(look: Look) -> None:
    world = ring(6)
    page = look(world)
    page.click(seat(0))
    page.until("safe", SAFE, "yes")

    world.seats[5].mode = "LEAVING"
    page.show()
    page.until("not now", SAFE, "later")
    assert "cassandra-5" in page.text("#gate")
    assert "not now" in page.text("#readout")
