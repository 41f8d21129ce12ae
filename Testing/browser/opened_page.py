"""A real browser on a real window, for tests of what the page does with files, exports and trainings."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from Testing.browser.gateways import PATIENCE_S, running_gateway, wait_for

WINDOW = (sys.executable, "-m", "PseudoNormalWeb.window")
PATIENCE_MS = 1000 * PATIENCE_S


class OpenedPage:
    """A page and what its state says.

    :ivar page: Playwright's.
    :ivar faults: of its scripts.
    """

    def __init__(self, page):
        self.page, self.faults = page, []

    def state(self, key):
        """A value of trame's state, as the page has it."""
        return self.page.evaluate("key => window.trame.state.state[key]", key)

    def until(self, key, holds=bool, seconds=PATIENCE_S):
        """Wait for a value of the state."""
        wait_for(lambda: holds(self.state(key)), seconds)
        return self.state(key)

    def press(self, name):
        """Click the button of that name."""
        self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click(timeout=PATIENCE_MS)

    def tab(self, name):
        self.page.get_by_role("tab", name=name, exact=True).click()

    def unfold(self, title):
        """Have a section of the drawer open."""
        section = self.page.get_by_role("button", name=title, exact=True).locator("visible=true").first
        if section.get_attribute("aria-expanded") != "true":
            section.click()

    def choose(self, label, text):
        """Choose in a selector."""
        field = self.page.locator(".v-select", has=self.page.get_by_label(label, exact=True)).locator("visible=true")
        field.first.click()
        self.page.locator(".v-overlay .v-list-item", has_text=text).locator("visible=true").first.click()

    def open(self, *files, button="Open files…"):
        """Choose files by the button; gives the kind of news and its lines once there are any."""
        with self.page.expect_file_chooser() as chooser:
            self.press(button)
        chooser.value.set_files([str(file) for file in files])
        return self.news()

    def news(self):
        """What is said of an upload that is over."""
        self.page.wait_for_function(
            "() => (told => told.FilesState__shown && ['error', 'done'].includes(told.FilesState__kind))"
            "(window.trame.state.state)",
            timeout=PATIENCE_MS,
        )
        kind, line = self.state("FilesState__kind"), self.state("FilesState__line")
        self.page.locator(".pn-files-news").get_by_role("button", name="Close").click()
        self.page.wait_for_selector(".pn-files-news .v-snackbar__content", state="hidden")
        return kind, line

    def download(self, start):
        """The file that the browser saves after a step."""
        with self.page.expect_download(timeout=PATIENCE_MS) as download:
            start()
        return download.value


@contextmanager
def opened_page(chromium, folder, *options, width=1280, height=720, **settings):
    """A gateway with real windows, and a browser on one of them.

    :param folder: becomes the user's.
    :param options: of the gateway.
    :param settings: see :func:`running_gateway`.
    """
    with running_gateway(folder, *options, window=WINDOW, spare_after_s=1000, **settings) as gateway:
        page = chromium.new_page(viewport={"width": width, "height": height})
        opened = OpenedPage(page)
        page.on("pageerror", lambda error: opened.faults.append(str(error)))
        page.goto(gateway.url, timeout=PATIENCE_MS)
        page.get_by_role("button", name="Open files…").wait_for(timeout=PATIENCE_MS)
        yield opened
        page.close()
        assert opened.faults == []
