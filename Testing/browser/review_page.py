"""The Review tab as somebody uses it who looks at the page."""

from __future__ import annotations

import numpy as np
from Testing.browser.windows import VIEW, WorkbenchPage


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
