"""Debian's Chromium, driven by playwright; tests skip, with the reason, where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.factories.homes import shared_services
from tests.factories.product import Product

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PICTURES = "BOTARMY_TEST_PICTURES"
"""Environment variable: folder to which the tests write the pictures of docs/pictures."""


@pytest.fixture(scope="package")
def services(common: Path) -> Iterator[Product]:
    """The home with everything that `botarmy up` starts; end-to-end tests use it at the same time."""
    with shared_services(common) as made:
        yield made


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of an installed Chromium."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Return a running playwright, for one module: its event loop runs in this thread, and no async test could after it."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """Return a browser without a window; as root Chromium does not start in its own sandbox.

    Nobody looks: without emulating a GPU, and with pages that may leave out movement, it takes half of the CPU.
    """
    arguments = ["--disable-gpu", "--disable-software-rasterizer"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    running = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield running
    running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page of a fresh browser profile."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def pictures() -> Path | None:
    """Return the folder that wants pictures, or None."""
    folder = os.environ.get(PICTURES)
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)
