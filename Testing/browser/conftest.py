"""A window with a real engine, and Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import warnings

import pytest
from Testing.browser.review_page import MATRIX, ReviewPage, two_lesions
from Testing.browser.windows import WorkbenchPage, running_window
from Testing.drawn_heads import add_drawn_head

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def a_chromium():
    """Playwright's Chromium, or the system's; where there is none, tests that need one are skipped, loudly."""
    playwright = pytest.importorskip("playwright.sync_api") if not os.environ.get("CI") else __import__(
        "playwright.sync_api", fromlist=["sync_api"]
    )  # fmt: skip
    with playwright.sync_playwright() as driver:
        path = next(filter(None, map(shutil.which, NAMES)), None)
        try:
            browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as error:
            if os.environ.get("CI"):
                raise
            line = "NO BROWSER TESTS: there is no Chromium; install it (Debian: apt install chromium)"
            warnings.warn(f"{line}: {error}", stacklevel=1)
            pytest.skip(line)
        yield browser
        browser.close()


@pytest.fixture
def a_window(an_engine, a_head, tmp_path):
    """A window whose sample is the small head, in which the small model finds the lesion."""
    an_engine.wait_until_ready()
    with running_window(an_engine.url, an_engine.token, tmp_path, sample=a_head.scan) as window:
        yield window


@pytest.fixture(params=[(1280, 720), (1920, 1080)], ids=["1280x720", "1920x1080"])
def a_page(a_window, a_chromium, request):
    """The window in a browser, in two sizes."""
    with looked_at(a_chromium, a_window.url, request.param) as page:
        yield page


@pytest.fixture
def one_page(a_window, a_chromium):
    """The window in a browser of the smaller size."""
    with looked_at(a_chromium, a_window.url, (1280, 720)) as page:
        yield page


@pytest.fixture
def add_case(a_store, tmp_path):
    """Adds a case: an ellipsoid of tissue with two bright lesions, and its difference map."""
    return lambda: add_drawn_head(a_store, tmp_path, two_lesions(), MATRIX, centre=(15, 32, 28), radii=(14, 30, 26))


@pytest.fixture
def open_window(an_engine, tmp_path):
    """A window for a user on a computer of their own, while a block runs."""

    def opened(computer="Lékař"):
        folder = tmp_path / computer
        folder.mkdir(exist_ok=True)
        return running_window(an_engine.url, an_engine.token, folder)

    return opened


@pytest.fixture
def look_at(a_chromium):
    """Opens the Review tab of a window, and closes it in the end."""
    pages = []

    def looked(window):
        pages.append(a_chromium.new_page(viewport={"width": 1280, "height": 720}))
        return ReviewPage(pages[-1], window.url)

    yield looked
    for page in pages:
        page.close()


@pytest.fixture
def window(open_window):
    with open_window() as opened:
        yield opened


class looked_at:  # noqa: N801 - read as what it is
    """A page while the block runs; a fault of its scripts is the test's."""

    def __init__(self, chromium, url, size):
        self._page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
        self._url = url

    def __enter__(self):
        self._shown = WorkbenchPage(self._page, self._url)
        return self._shown

    def __exit__(self, kind, *_):
        self._page.close()
        if kind is None:
            assert self._shown.faults == []
