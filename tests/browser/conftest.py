"""One Chromium for all tests of this folder, and the page of any ring in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.page import Page
from tests.browser.served import served
from tests.unit.ring.serving import Stage
from tests.unit.ring.worlds import World

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-device-scale-factor=1",
    "--window-size=1440,1000",
)

UNHURRIED = 3600.0  # seconds: on a busy machine a picture may get old while a test looks at it
Look = Callable[..., Page]


def browser(profile: Path) -> webdriver.Chrome:
    """Start Chromium; Debian's chromium and chromium-driver packages have what it needs."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if missing := [name for name, path in programs.items() if path is None]:
        raise FileNotFoundError(f"install {' and '.join(missing)} (apt: chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = programs["chromium"] or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, Service(programs["chromedriver"]))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver = browser(tmp_path_factory.mktemp("profile"))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def look(chromium: webdriver.Chrome) -> Iterator[Look]:
    """Serve a world and open its page; at the end nothing may have gone wrong in it."""
    pages: list[Page] = []
    with ExitStack() as stack:

        def opened(world: World, prefix: str = "", *, shown: bool = True) -> Page:
            stage = Stage(world)
            stage.latest.stale_seconds = UNHURRIED
            page = Page(chromium, stack.enter_context(served(stage, prefix)))
            pages.append(page)
            if shown:
                page.show()
            page.open()
            if shown:
                page.until("the first picture", "!main.hasAttribute('data-waiting')")
                page.until("its health", "document.querySelector('#health-table tbody tr')")
            return page

        yield opened
        for page in pages:
            page.leave()
    for page in pages:
        assert page.troubles() == []
