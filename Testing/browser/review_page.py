"""The Review tab as somebody uses it who looks at the page, and the cases that are reviewed."""

from __future__ import annotations

import time

import numpy as np
from Testing.browser.windows import VIEW, WorkbenchPage

SHAPE = (30, 64, 56)
MATRIX = np.array([[-2.4, 0.2, 0, 66], [0.2, 2.4, 0, -78], [0, 0, 4.0, -50], [0, 0, 0, 1.0]])
LEFT, RIGHT = (0.3, 0.4), (0.3, 0.55)
"""Where nothing is in the mask, in parts of the view."""


def two_lesions():
    z, y, x = np.indices(SHAPE)
    large = (z - 15) ** 2 + (y - 32) ** 2 + (x - 40) ** 2 < 6**2
    return large | ((z - 15) ** 2 + (y - 44) ** 2 + (x - 30) ** 2 < 3**2)


class ReviewPage(WorkbenchPage):
    """The page with the Review tab in front."""

    def open(self):
        super().open()
        self.page.get_by_role("tab", name="Review").click()

    def sign(self, name):
        field = self.page.get_by_label("Your name")
        field.fill(name)
        field.press("Enter")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).locator("visible=true").first.click()

    def said(self, text):
        """Wait until a line is to be read that holds a text."""
        self.page.locator(".pn-note:visible", has_text=text).first.wait_for()

    def state(self, key):
        """What the page's state says."""
        return self.page.evaluate("key => window.trame.state.state[key]", key)

    def until(self, key, holds=bool):
        """A value of the page's state, once it is as wanted."""
        self.wait_until(lambda: holds(self.state(key)))
        return self.state(key)

    def unfold(self, title):
        """Have a section of the drawer open."""
        section = self.page.get_by_role("button", name=title, exact=True).locator("visible=true").first
        if section.get_attribute("aria-expanded") != "true":
            section.click()

    def reading(self, text):
        """Choose one of the other readings, or choose it no more."""
        chosen = self.state("ReadingsState__chosen")
        self.page.locator("tr:visible", has_text=text).last.click()
        self.until("ReadingsState__chosen", lambda now: now != chosen)

    def volume(self, other_than=""):
        """The line about the findings, once it is another one."""
        self.page.wait_for_function(
            "other => { const line = window.trame?.state?.state?.DecisionsState__summary;"  # not there at first
            " return line && line.includes('findings') && line !== other; }",
            arg=other_than,
        )
        return self.state("DecisionsState__summary")

    def take(self, case):
        """Choose a case in the list and open it."""
        row = self.page.locator("tr", has_text=case)
        row.click()
        self.page.wait_for_function("id => window.trame.state.state.WorklistState__chosen === id", arg=case)
        self.press("Open")

    def paint_in(self, case, name="Ada"):
        """Sign, open a case and draw a stroke; the line about the findings before it."""
        self.sign(name)
        self.take(case)
        untouched = self.volume()
        self.press("Paint")
        self.drag(LEFT, RIGHT)
        return untouched

    def drag(self, start, end, column="image"):
        """With the left mouse button, in parts of the view's width and height."""
        box = self.page.locator(VIEW.format(column=column, orientation="Axial")).bounding_box()
        points = np.linspace(start, end, 8) * (box["width"], box["height"]) + (box["x"], box["y"])
        self.page.mouse.move(*points[0])
        self.page.wait_for_timeout(300)
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point)
            self.page.wait_for_timeout(60)
        self.page.mouse.up()


def journal_of(folder):
    """The mask (D, H, W) that the window has written to disk last: what its scene had."""
    entries = sorted((folder / "journal").glob("[!.]*.npz"), key=lambda path: path.stat().st_mtime_ns)
    with np.load(entries[-1]) as entry:
        shape = tuple(entry["shape"])
        return np.unpackbits(entry["mask"], count=int(np.prod(shape))).reshape(shape).astype(bool)


def ml(mask):
    return mask.sum() * abs(np.linalg.det(MATRIX)) / 1000


def written(folder, holds, seconds=60):
    """The mask in the journal, once it holds."""
    until = time.monotonic() + seconds
    while True:
        try:
            mask = journal_of(folder)
            if holds(mask):
                return mask
        except (IndexError, FileNotFoundError):
            pass
        assert time.monotonic() < until, "the journal never had it"
        time.sleep(0.02)
