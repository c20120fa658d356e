"""Three nodes or three hundred, on a phone or on a wall: nothing overflows, little is drawn."""

import pytest

from tests.browser.conftest import Look
from tests.browser.page import Page
from tests.browser.rings import ring, troubled

DCS = ("dc1", "dc2", "dc3")
WIDTHS = (400, 800, 1440, 2200)

# Whatever is wider than the window, but for what is made to be scrolled within itself.
WIDE = """
const wide = document.documentElement.clientWidth;
const inside = ['.scroll', 'nav', '#sources-body'].map((each) => `:not(${each} *)`).join('');
return [document.documentElement.scrollWidth - wide,
  ...[...document.querySelectorAll(`body *:not(.unseen)${inside}`)]
    .filter((each) => each.getBoundingClientRect().right > wide + 1 && each.checkVisibility())
    .map((each) => `${each.tagName}#${each.id}.${each.className}`)];
"""
# Buttons and cells whose words do not fit in them.
CUT = """
return [...document.querySelectorAll('button, td, th, dt, dd, h1, h2, h3, .badge, .margin')]
  .filter((each) => each.checkVisibility() && !each.closest('.unseen'))
  .filter((each) => each.scrollWidth > each.clientWidth + 2 && each.clientWidth)
  .filter((each) => getComputedStyle(each).display !== 'inline')
  .filter((e) => getComputedStyle(e).overflow === 'hidden' || e.matches('.seat, .big'))
  .map((each) => `${each.className}: ${each.innerText}`);
"""
COUNT = """
window.strokes = 0;
for (const name of ['stroke', 'fill', 'fillRect', 'fillText']) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...given) {
    window.strokes += 1;
    return draw.apply(this, given);
  };
}
"""
WATCH = """
window.touched = new Set();
const note = ({target}) => {
  const row = target.closest?.('tr');
  if (row) touched.add(row.dataset.host);
};
const body = document.querySelector('#members-table tbody');
const all = {subtree: true, childList: true, attributes: true};
new MutationObserver((found) => found.forEach(note)).observe(body, all);
"""
MOVE = """
const box = drawing.getBoundingClientRect(), far = box.width * 0.44;
for (let step = 0; step < 40; step += 1) {
  const turn = step / 40 * 2 * Math.PI;
  drawing.dispatchEvent(new PointerEvent('pointermove', {
    clientX: box.left + box.width / 2 + far * Math.cos(turn),
    clientY: box.top + box.height / 2 + far * Math.sin(turn)}));
}
return new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(strokes))));
"""


def fits(page: Page) -> None:
    for width in WIDTHS:
        page.size(width, 900)
        page.until("a new layout", "innerWidth === arguments[0]", width)
        assert page.js(WIDE) == [0]
        assert page.js(CUT) == []


@pytest.mark.parametrize("nodes", [3, 300])
def test_nothing_overflows(look: Look, nodes: int) -> None:
    page = look(troubled(nodes, DCS))
    page.click(".seat")
    page.until("an answer", "document.querySelector('#answer .loss')")
    fits(page)


def test_long_names_do_not_break_the_page(look: Look) -> None:
    world = ring(3)
    world.keyspaces["a" * 48] = world.keyspaces["shop"]
    for seat in world.seats:
        long = f"node-{seat.number}.{'very-' * 20}long.example"
        world.machines[long] = world.machines.pop(f"worker-{seat.number}")
        object.__setattr__(seat.pod, "machine", long)
    world.down(1)
    fits(look(world))


def test_three_hundred_nodes_are_drawn_in_few_strokes_and_pointing_in_fewer(
    look: Look,
) -> None:
    page = look(ring(300, dcs=DCS))
    small = "return Math.min(...[...document.querySelectorAll('.seat')].map((each) => {"
    small += "const {width, height} = each.getBoundingClientRect();"
    small += "return Math.min(width, height)}))"
    assert page.js(small) >= 24, "what is to be clicked is large enough (WCAG 2.2, 2.5.8)"
    assert "300 members with 4800 tokens" in str(page.attributes("#ring-base", "aria-label"))
    page.js(COUNT)

    page.show()
    page.until("a drawing", "strokes > 0")
    page.js("return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    drawn = page.js("return strokes")
    assert drawn < 200, "all arcs of one colour are one stroke"
    assert page.js(MOVE) - drawn < 40, "only what is pointed at is drawn again"


def test_a_new_picture_touches_only_the_rows_that_changed(look: Look) -> None:
    world = ring(300, dcs=DCS)
    page = look(world)
    page.js(WATCH)

    object.__setattr__(world.seats[7].pod, "restarts", 3)
    page.show()
    page.until("the change", "touched.size > 0")
    assert page.js("return [...touched]") == [str(world.seats[7].host)]
