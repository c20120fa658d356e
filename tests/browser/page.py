"""The page in Chromium: what a test does with it and reads from it."""

import json
from dataclasses import dataclass, field
from typing import Any

from selenium.common.exceptions import TimeoutException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.served import Served
from tests.unit.ring.worlds import World

PATIENCE = 30.0  # seconds until something shows; only a failure takes so long

RAY = """
const canvas = document.getElementById('ring-base'), pen = canvas.getContext('2d');
const side = canvas.width, middle = side / 2, turn = (arguments[0] - 0.25) * 2 * Math.PI;
const pixels = pen.getImageData(0, 0, side, side).data, found = [];
for (let far = 0; far < middle - 1; far += 0.5) {
  const x = Math.floor(middle + far * Math.cos(turn));
  const y = Math.floor(middle + far * Math.sin(turn));
  found.push([...pixels.slice(4 * (y * side + x), 4 * (y * side + x) + 4)].join());
}
return found;
"""
INK = """
const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
const probe = document.createElement('i');
document.body.append(probe);
probe.style.color = arguments[0];
pen.fillStyle = getComputedStyle(probe).color;
probe.remove();
pen.fillRect(0, 0, 1, 1);
return [...pen.getImageData(0, 0, 1, 1).data].join();
"""


@dataclass
class Page:
    """A served ring's page in a browser.

    Attributes:
        expected: what a test does on purpose that a browser complains of.

    """

    driver: Chrome
    served: Served
    expected: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        """The ring that is served; change it, then `show`."""
        return self.served.stage.world

    def open(self) -> None:
        """Load the page, as a visitor who comes for the first time."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.size(1440, 1000)
        self.media()
        self.driver.get(self.served.url)

    def leave(self) -> None:
        """Close the page's connections, so that the server can end."""
        self._logs = self.driver.get_log("browser"), self.driver.get_log("performance")
        self.driver.get("about:blank")

    def show(self) -> None:
        """Publish the world as it is now: one event."""
        self.served.show()

    def size(self, width: int, height: int) -> None:
        """Set the size of the window's content."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def media(self, **features: str) -> None:
        """Set what the system prefers, such as ``prefers_color_scheme='dark'``."""
        wanted = {"prefers-color-scheme": "light"} | {
            name.replace("_", "-"): value for name, value in features.items()
        }
        told = [{"name": name, "value": value} for name, value in wanted.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})

    def js(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 -- JSON
        """Run a script in the page and return its value."""
        return self.driver.execute_script(script, *arguments)

    def until(self, what: str, condition: str, *arguments: object) -> None:
        """Wait for a JavaScript expression to be true."""
        try:
            WebDriverWait(self.driver, PATIENCE, 0.05).until(
                lambda _: self.js(f"return Boolean({condition})", *arguments)
            )
        except TimeoutException:
            shown = [self.text(part) for part in ("#freshness", "#tiles", "#answer")]
            raise AssertionError(f"{what} never came: {condition}, but {shown}") from None

    def text(self, selector: str) -> str:
        """Return the visible text of the first element."""
        found: str = self.js("return document.querySelector(arguments[0]).innerText", selector)
        return found

    def texts(self, selector: str) -> list[str]:
        """Return the visible text of all elements."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText.trim())"
        )
        found: list[str] = self.js(script, selector)
        return found

    def attributes(self, selector: str, name: str) -> list[str | None]:
        """Return an attribute of all elements."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".map((e) => e.getAttribute(arguments[1]))"
        )
        found: list[str | None] = self.js(script, selector, name)
        return found

    def click(self, selector: str) -> None:
        """Click where the first element is, as a mouse does."""
        element = self.driver.find_element("css selector", selector)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).click().perform()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, condition: str) -> None:
        """Press Tab until the element in focus, `here`, is as wanted."""
        for _ in range(200):
            self.press(Keys.TAB)
            if self.js(f"const here = document.activeElement; return Boolean({condition})"):
                return
        raise AssertionError(f"Tab leads to nothing with {condition}")

    def ray(self, where: float) -> list[str]:
        """Return the ring's colours from its middle outwards; ``where`` is 0 to 1."""
        self.js("return new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        found: list[str] = self.js(RAY, where)
        return found

    def ink(self, colour: str) -> str:
        """Return a CSS colour as pixels have it, such as ``var(--bad)``."""
        found: str = self.js(INK, colour)
        return found

    def asked(self) -> list[str]:
        """Return every address that was asked for since the page was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self._logs[1]]
        return [
            each["params"]["request"]["url"]
            for each in messages
            if each["method"] == "Network.requestWillBeSent"
        ]

    def troubles(self) -> list[str]:
        """Return what the browser complained of and no test expects, but for its advice."""
        return [
            entry["message"]
            for entry in self._logs[0]
            if not any(
                words in entry["message"] for words in (*self.expected, "willReadFrequently")
            )
        ]


def place(token: int) -> float:
    """Return where a token lies on the ring, 0 to 1."""
    return (token + 2**63) / 2**64
