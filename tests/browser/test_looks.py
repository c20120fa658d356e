"""Colours can be read in light and in dark, and told apart in every kind of colour vision."""

from itertools import combinations
from typing import Any

import pytest

from tests.browser.conftest import Look
from tests.browser.page import Page
from tests.browser.rings import ring, troubled

READABLE = 4.5  # WCAG 2.2, 1.4.3, for text of this size
VISIBLE = 3.0  # 1.4.11, for what is drawn
APART = 14.0  # distance in CIELAB at which areas that touch are plainly different

# Text with its colour and all grounds that it can be on, as pixels; gradients by their stops.
TEXTS = """
const canvas = document.createElement('canvas');
const pen = canvas.getContext('2d', {willReadFrequently: true});
const known = new Map();
const pixel = (colour) => {
  if (!known.has(colour)) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    known.set(colour, [...pen.getImageData(0, 0, 1, 1).data]);
  }
  return known.get(colour);
};
const stops = (image) => image.match(/(?:rgba?|oklch|color)\\([^()]*\\)/g) ?? [];
function grounds(element) {
  for (let each = element; each; each = each.parentElement) {
    const style = getComputedStyle(each);
    const image = style.backgroundImage.includes('gradient') ? style.backgroundImage : '';
    const solid = stops(image).map(pixel).filter((one) => one[3] === 255);
    if (solid.length) return solid;
    const plain = pixel(style.backgroundColor);
    if (plain[3] === 255) return [plain];
  }
  return [pixel('white')];
}
const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement;
  if (!walk.currentNode.textContent.trim() || !element.checkVisibility()) continue;
  if (element.closest('.unseen, .skip, option, noscript, script, :disabled')) continue;
  const ink = pixel(getComputedStyle(element).color);
  const words = walk.currentNode.textContent.trim();
  for (const ground of grounds(element)) found.push([words, ink, ground]);
}
return found;
"""
OWNERS = """
const canvas = document.createElement('canvas');
const pen = canvas.getContext('2d', {willReadFrequently: true});
return [...document.querySelectorAll('.seat')].map((seat) => {
  pen.fillStyle = getComputedStyle(seat).backgroundColor;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data];
});
"""
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
VISIONS = {
    "all three cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
RGB_TO_XYZ = (
    (0.4124, 0.3576, 0.1805),
    (0.2126, 0.7152, 0.0722),
    (0.0193, 0.1192, 0.9505),
)
WHITE = (0.9505, 1.0, 1.089)
Three = tuple[float, float, float]


def linear(pixel: list[int]) -> list[float]:
    parts = [value / 255 for value in pixel[:3]]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]


def times(matrix: tuple[Three, Three, Three], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def contrast(one: list[int], other: list[int]) -> float:
    high, low = sorted(times(RGB_TO_XYZ, linear(each))[1] for each in (one, other))[::-1]
    return (high + 0.05) / (low + 0.05)


def lab(pixel: list[int], vision: str) -> list[float]:
    seen = [min(1.0, max(0.0, v)) for v in times(VISIONS[vision], linear(pixel))]
    x, y, z = (
        v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116
        for v in (a / b for a, b in zip(times(RGB_TO_XYZ, seen), WHITE, strict=True))
    )
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def distance(one: list[int], other: list[int], vision: str) -> float:
    pairs = zip(lab(one, vision), lab(other, vision), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def in_theme(page: Page, theme: str) -> None:
    page.media(prefers_color_scheme=theme)
    page.until(
        "its colours", "matchMedia(`(prefers-color-scheme: ${arguments[0]})`).matches", theme
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_contrast(look: Look, theme: str) -> None:
    page = look(troubled(30, ("dc1", "dc2", "dc3")))
    in_theme(page, theme)
    page.click(".seat")
    page.click(".seat + .seat")
    page.until("an answer", "document.querySelector('#answer .loss')")
    page.js("document.querySelectorAll('details').forEach((each) => each.open = true)")

    texts: list[list[Any]] = page.js(TEXTS)
    assert len(texts) > 500
    poor = [(words, round(contrast(a, b), 2)) for words, a, b in texts]
    assert [each for each in poor if each[1] < READABLE] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("nodes", "racks", "dcs"),
    [(3, "a", ("dc1",)), (6, "abc", ("dc1",)), (9, "abc", ("dc1", "dc2", "dc3"))],
)
def test_owners_are_told_apart_in_every_colour_vision(
    look: Look, theme: str, nodes: int, racks: str, dcs: tuple[str, ...]
) -> None:
    page = look(ring(nodes, racks, dcs))
    in_theme(page, theme)
    colours: list[list[int]] = page.js(OWNERS)
    card = [int(part) for part in page.ink("var(--card)").split(",")]

    assert [
        round(contrast(each, card), 2) for each in colours if contrast(each, card) < VISIBLE
    ] == []
    places = [(seat.dc, seat.rack) for seat in page.world.seats]
    order = page.attributes(".seat", "aria-label")
    by_name = {
        str(label).split(",")[0]: colour for label, colour in zip(order, colours, strict=True)
    }
    named = {place: by_name[f"cassandra-{n}"] for n, place in enumerate(places)}
    for vision in VISIONS:
        for one, other in combinations(named, 2):
            if one[0] == other[0]:  # of one data centre: side by side on one track
                assert distance(named[one], named[other], vision) > APART, (vision, one, other)


def test_state_is_never_told_by_colour_alone(look: Look) -> None:
    page = look(troubled(30, ("dc1", "dc2", "dc3")))

    for live, sign in (("D", "✕"), ("?", "?")):
        assert all(sign in text for text in page.texts(f".seat[data-live='{live}']"))
        assert page.texts(f".seat[data-live='{live}']") != []
    assert all("✕" in text for text in page.texts(".margin[data-mood='bad']"))
    assert {each.split()[1] for each in page.texts(".finding .badge")} <= {
        *("critical", "warning", "info"),
    }


def test_colours_follow_the_system_until_they_are_chosen_and_then_stay(look: Look) -> None:
    page = look(ring(3))
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.js(ground)
    corner = page.ray(0.1)

    in_theme(page, "dark")
    assert page.js(ground) != light
    assert page.ray(0.1) != corner  # the drawing follows too
    page.click("#theme")
    assert page.js(ground) == light
    assert page.attributes("#theme", "aria-label") == ["Colours: light"]
    page.driver.refresh()
    page.until("the page", "!main.hasAttribute('data-waiting')")
    assert page.js(ground) == light
    page.click("#theme")
    assert page.attributes("#theme", "aria-label") == ["Colours: dark"]
    page.click("#theme")
    assert page.attributes("#theme", "aria-label") == ["Colours: as the system has them"]


def test_nothing_moves_for_who_does_not_want_it(look: Look) -> None:
    page = look(ring(3))
    page.media(prefers_reduced_motion="reduce")

    moving = page.js("return document.getAnimations().length")
    assert moving == 0
