"""What is old is never shown as fresh."""

from tests.browser.conftest import Look
from tests.browser.rings import ring

REFUSED = "net::ERR_CONNECTION_REFUSED"
STALE = "document.documentElement.hasAttribute('data-stale')"
LIVE = "freshness.dataset.state === 'live'"

JUDGE = """
return import(new URL('page/freshness.js', document.baseURI)).then(({freshness}) =>
  freshness(arguments[0]));
"""
OF_NOW = {"age": 1.0, "stale": False, "got": 100_000}


def test_a_picture_goes_stale_when_the_manager_is_gone_and_lives_again_when_it_is_back(
    look: Look,
) -> None:
    page = look(ring(3))
    page.expected += [REFUSED, "net::ERR_", "v1/stream"]
    page.until("the stream", LIVE)
    assert page.js(f"return {STALE}") is False

    page.served.stop()
    page.until("a stale picture", STALE)
    banner = page.text("#stale")
    assert "may be so no more" in banner
    assert page.attributes("#stale", "role") == ["alert"]
    assert page.text("#freshness").startswith("Stale")
    assert page.driver.title.startswith("(stale)")
    assert "grayscale" in page.js("return getComputedStyle(summary).filter")
    assert "3 of 3 up" in page.text("#tile-members")  # what was known is not thrown away

    page.served.start()
    page.until("the stream again", LIVE)
    page.until("a live picture", f"!({STALE})")
    assert not page.driver.title.startswith("(stale)")


def test_a_picture_that_the_manager_calls_stale_is_shown_so_though_the_stream_is_open(
    look: Look,
) -> None:
    world = ring(3)
    page = look(world)
    page.until("the stream", LIVE)

    page.served.call(lambda: setattr(page.served.stage.latest, "stale_seconds", 0.5))
    page.show()
    page.until("a stale picture", STALE)
    assert "no newer picture" in page.text("#stale")


def test_before_the_first_picture_nothing_is_made_up(look: Look) -> None:
    page = look(ring(3), shown=False)
    page.expected += ["503 (Service Unavailable)"]

    page.until("a word", "freshness.innerText.includes('nothing has been observed yet')")
    assert page.texts("#members-table tbody tr") == []
    assert page.js("return getComputedStyle(members).display") == "none"
    page.show()
    page.until("the first picture", "document.querySelectorAll('.seat').length === 3")


def test_a_verdict_ends_with_the_picture_that_it_rests_on(look: Look) -> None:
    page = look(ring(6))
    page.expected += [REFUSED, "net::ERR_", "v1/stream"]
    page.until("the stream", LIVE)
    page.click(".seat")
    page.until("safe", "document.querySelector('#answer-title').dataset.safe === 'yes'")

    page.served.stop()
    page.until("a stale picture", STALE)
    assert page.attributes("#answer-title", "data-safe") == ["none"]
    assert "the picture is old" in page.text("#answer-title")
    assert "not known" in page.text("#readout").lower()
    page.served.start()
    page.until("safe again", "document.querySelector('#answer-title').dataset.safe === 'yes'")


CASES = [
    ("live", "open", 2, OF_NOW, 101_000),
    ("live", "open", 18, OF_NOW, 101_000),
    ("stale", "open", 20, OF_NOW, 119_000),
    ("stale", "open", 1, {**OF_NOW, "stale": True}, 101_000),
    ("stale", "open", 1, {**OF_NOW, "age": 21.0}, 101_000),
    ("catching", "refused", 4, OF_NOW, 100_000),
    ("catching", "refused", 9, {**OF_NOW, "age": 0.0}, 106_000),
    ("stale", "refused", 6, OF_NOW, 100_000),
    ("stale", "connecting", 6, OF_NOW, 100_000),
    ("stale", "refused", 6, OF_NOW, None),
    ("waiting", "connecting", 1, None, None),
    ("stale", "refused", 1, None, None),
]


def test_freshness_is_judged_by_age_stream_and_silence(look: Look) -> None:
    page = look(ring(3))
    for how, stream, since, picture, heard in CASES:
        told = {"now": 100_000 + 1000 * since, "picture": picture, "stream": stream}
        found = page.js(JUDGE, told | {"heard": heard})
        assert found["state"] == how, (stream, since, picture, heard)
        assert bool(found["reason"]) == (how in {"stale", "catching"})


def test_the_clock_goes_on_while_a_machine_sleeps_and_never_back(look: Look) -> None:
    page = look(ring(3))
    script = """
    return import(new URL('page/freshness.js', document.baseURI)).then(({steadyClock}) => {
      let monotonic = 0, wall = 1000;
      const clock = steadyClock(() => monotonic, () => wall), found = [];
      for ([monotonic, wall] of [[5, 1005], [6, 9000], [7, 500], [9000, 600]]) {
        found.push(clock());
      }
      return found;
    });
    """

    assert page.js(script) == [5, 8000, 8000, 9000]
