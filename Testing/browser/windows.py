"""A real window's process for tests, and what a person would see of it in a browser."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from Testing.browser.forked_windows import ForkedWindow

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "SlicerPseudoNormal" / "PseudoNormal", ROOT / "SlicerPseudoNormal" / "Web")
PATIENCE_MS = 120_000
"""Milliseconds, for Playwright: a busy machine takes its time."""
END_S = 60
SHOWN = 5.0
"""Mean brightness of a view above which it shows a scan; an empty one has labels only."""
VIEW = "[data-view='PseudoNormal-{column}-{orientation}']"


@dataclass(frozen=True)
class RunningWindow:
    """A window that serves one tab.

    :param data: the user's data folder.
    """

    url: str
    process: ForkedWindow
    files: Path
    data: Path
    log: Path

    def end(self):
        """Let go of it, as the gateway does; its exit code."""
        self.process.stdin.close()
        return self.process.wait(timeout=END_S)


@contextmanager
def running_window(engine_url, token, folder, *, sample=None):
    """A window that serves while the block runs.

    :param folder: existing; gets what is uploaded, settings and the log.
    :param sample: the scan that is there from the beginning; the project's own where none is given.
    """
    files, data, log = folder / "files", folder / "data", folder / "window.log"
    files.mkdir(exist_ok=True)
    arguments = ["--engine", engine_url, "--files", str(files), "--data", str(data)]
    arguments += ["--sample", str(sample)] if sample else []
    # a killed window leaves nothing elsewhere, as with the gateway
    environment = {**os.environ, "PSEUDONORMAL_TOKEN": token, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}
    process = ForkedWindow(arguments, environment, log, SOURCES)
    try:
        first = process.stdout.readline()
        assert first, f"the window did not start:\n{log.read_text()}"
        yield RunningWindow(f"http://127.0.0.1:{json.loads(first)['port']}/", process, files, data, log)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            stream.close()


class WorkbenchPage:
    """What a person does with the page, and reads on it.

    :param page: Playwright's.
    """

    def __init__(self, page, url):
        self.page, self.url = page, url
        page.set_default_timeout(PATIENCE_MS)
        self.faults = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.open()

    def open(self):
        self.page.goto(self.url)
        self.wait("() => [...document.querySelectorAll('.pn-picture img')].some(picture => picture.naturalWidth > 50)")

    def wait(self, condition, argument=None):
        """Until some JavaScript holds."""
        self.page.wait_for_function(condition, arg=argument, timeout=PATIENCE_MS)

    def view(self, column, orientation="Axial"):
        return self.page.locator(VIEW.format(column=column, orientation=orientation))

    def place(self, column="image", orientation="Axial"):
        """Where a slice is, in words."""
        return self.view(column, orientation).locator(".pn-place").inner_text()

    def wait_until_placed(self, place, column="image"):
        """Until a slice is at a place; "not X" waits until it is elsewhere."""
        wanted, other = place.removeprefix("not "), place.startswith("not ")
        selector = VIEW.format(column=column, orientation="Axial") + " .pn-place"
        self.wait(
            "([selector, wanted, other]) => (document.querySelector(selector).innerText === wanted) !== other",
            [selector, wanted, other],
        )

    def picture(self, column, orientation="Axial"):
        """The address of the picture that a view shows; another picture has another address."""
        return self.view(column, orientation).locator(".pn-picture img").first.get_attribute("src")

    def wait_for_another_picture(self, before, column):
        selector = VIEW.format(column=column, orientation="Axial") + " .pn-picture img"
        self.wait("([selector, before]) => document.querySelector(selector).src !== before", [selector, before])

    def brightness(self, column, orientation="Axial"):
        """Mean of what a view shows, 0 to 255, what is written over it included."""
        from io import BytesIO

        import numpy as np
        from PIL import Image

        shot = Image.open(BytesIO(self.view(column, orientation).screenshot())).convert("L")
        return float(np.asarray(shot).mean())

    def wait_until(self, condition):
        """Until something holds that cannot be asked in JavaScript."""
        for _ in range(PATIENCE_MS // 250):
            if condition():
                return
            self.page.wait_for_timeout(250)
        raise AssertionError("it never came about")

    def settled(self, column):
        """What a view looks like once it does not change any more."""
        looks = [self.view(column).screenshot()]

        def is_still():
            looks.append(self.view(column).screenshot())
            return looks[-1] == looks[-2]

        self.wait_until(is_still)
        return looks[-1]

    def wait_until_shown(self, column):
        """Until a column shows more than what is written over it."""
        self.wait_until(lambda: self.brightness(column) > SHOWN)

    def button(self, text):
        return self.page.get_by_role("button", name=text, exact=True)

    def tip(self, text):
        """The tooltip of a button."""
        return self.button(text).locator("xpath=..").get_attribute("title")

    def generate(self):
        self.button("Generate the pseudo-normal").click()

    def read(self, text):
        """Wait until a text is to be read."""
        self.page.get_by_text(text).locator("visible=true").first.wait_for()

    def finding(self, row):
        return self.page.locator(".pn-table tbody tr").nth(row)
