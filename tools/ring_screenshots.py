"""Takes docs/ring-page-*.png: the web page over a real ring of three nodes on loopback.

Run by ``make screenshots``; it needs what localring needs, Chromium and its driver.
"""

import asyncio
import base64
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium.webdriver import Chrome
from selenium.webdriver.support.wait import WebDriverWait

from localring.cql import connect
from localring.options import Options
from localring.prepare import prepare
from localring.ring import LocalRing
from tests.browser.conftest import browser
from tests.integration.manager.conftest import Watched, is_whole, watched

DOCS = Path(__file__).resolve().parent.parent / "docs"
NODES = 3
PATIENCE = 60.0  # seconds until something shows
WIDE, PHONE = (1280, 900), (400, 860)
LIMIT = 300_000  # bytes of a picture that everybody downloads with the README
REPLICATED = "WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '%d'}"
SETTLED = "document.querySelectorAll('#health-table tbody tr').length > 3"
STATEMENTS = (
    f"CREATE KEYSPACE shop {REPLICATED % 3}",
    f"CREATE KEYSPACE metrics {REPLICATED % 2}",
)


@dataclass(frozen=True, slots=True)
class Camera:
    """A browser that looks at one page; its calls block, so they run beside the event loop."""

    driver: Chrome

    async def look(
        self, name: str, size: tuple[int, int], theme: str, until: str, *clicks: str
    ) -> None:
        """Take a picture of the page as it is after some clicks."""
        await asyncio.to_thread(self._look, name, size, theme, until, clicks)

    async def open(self, url: str) -> None:
        """Load the page."""
        await asyncio.to_thread(self.driver.get, url)

    def _look(
        self, name: str, size: tuple[int, int], theme: str, until: str, clicks: tuple[str, ...]
    ) -> None:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        for selector in clicks:
            self.driver.execute_script("document.querySelector(arguments[0]).click()", selector)
        self._wait(f"({SETTLED}) && ({until})")
        self._wait("document.getElementById('freshness').dataset.state === 'live'")
        self.driver.execute_async_script(
            "const done = arguments[0]; document.activeElement.blur(); scrollTo(0, 0);"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        data = base64.b64decode(taken["data"])
        if len(data) > LIMIT:
            raise ValueError(f"{name} has {len(data)} bytes, more than {LIMIT}")
        (DOCS / f"ring-page-{name}.png").write_bytes(data)
        print(f"docs/ring-page-{name}.png: {len(data) // 1024} KiB")

    def _wait(self, condition: str) -> None:
        WebDriverWait(self.driver, PATIENCE, 0.1).until(
            lambda driver: driver.execute_script(f"return Boolean({condition})"), condition
        )


@asynccontextmanager
async def camera() -> AsyncGenerator[Camera]:
    """Start a browser and end it."""
    with tempfile.TemporaryDirectory() as profile:
        driver = await asyncio.to_thread(browser, Path(profile))
        try:
            yield Camera(driver)
        finally:
            await asyncio.to_thread(driver.quit)


@asynccontextmanager
async def whole_ring() -> AsyncGenerator[tuple[LocalRing, Watched]]:
    """Start a ring with two keyspaces of a user, and a manager that sees all of it."""
    kit = await prepare(print)
    async with LocalRing(kit, Options(), print) as ring:
        ring.cluster.scale(NODES)
        ring.start(*range(NODES))
        await ring.wait_until_whole()
        async with connect(ring.pod(0).address) as session:
            for statement in STATEMENTS:
                await session.execute(statement)
        async with watched(ring) as manager:
            await manager.until("a picture of the whole ring", is_whole)
            await manager.until(
                "the keyspaces, and nobody on the way in",
                lambda now: "shop" in now.document["keyspaces"] and not now.document["turn"],
            )
            yield ring, manager


def seat(number: int) -> str:
    """Return the button of a pod in the map."""
    return f".seat[aria-label^='cassandra-{number},']"


async def main() -> None:
    """Show a whole ring of which two pods are thought to stop, and one that lost a node."""
    async with camera() as eye, whole_ring() as (ring, manager):
        await eye.open(manager.it.url + "/")
        answered = "document.getElementById('answer-title').dataset.safe === 'no'"
        await eye.look("light", WIDE, "light", answered, seat(0), seat(1))
        await eye.look("dark", WIDE, "dark", answered)
        await ring.lose(2)
        down = "document.querySelector('tr[data-state=DN]')"
        await manager.until(
            "a node down", lambda now: any(m.state == "DN" for m in now.snapshot.members)
        )
        await eye.look("down", WIDE, "light", down, "#clear")
        await eye.look("phone", PHONE, "dark", down)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
