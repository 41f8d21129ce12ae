"""Pictures of the workbench in a browser: the real command, the sample scan, the shipped model.

With the repository, ``SlicerPseudoNormal/PseudoNormal`` and ``SlicerPseudoNormal/Web`` on ``PYTHONPATH``:
``python Resources/screenshots/browser.py Resources/screenshots``. It also prints how long the command took until the
page could be used.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from Testing.browser.gateways import running_gateway

SIZE = {"width": 1440, "height": 810}
PATIENCE_MS = 600_000
SETTLING_MS = 3000  # until the still frame, sharper than those on the way, has come
GRID_MS = 20_000  # ten views, and the surface is made first
GENERATE, FINDING = "Generate the pseudo-normal", ".pn-table tbody tr"


def main(folder: Path) -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as data, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        begun = time.monotonic()
        with running_gateway(Path(data), module="PseudoNormalWeb.gateway") as gateway:
            page.goto(gateway.address, timeout=PATIENCE_MS)
            page.get_by_role("button", name=GENERATE).wait_for(timeout=PATIENCE_MS)
            sys.stdout.write(f"usable after {time.monotonic() - begun:.1f} s\n")
            _generate(page)
            page.screenshot(path=folder / "browser.png")
            page.get_by_text("All directions and 3D").click()
            page.get_by_label("Lesion surface in 3D").check()
            page.wait_for_timeout(GRID_MS)
            page.screenshot(path=folder / "browser-grid.png")
        browser.close()


def _generate(page: Page) -> None:
    page.get_by_role("button", name=GENERATE).click(timeout=PATIENCE_MS)
    page.locator(FINDING).first.click(timeout=PATIENCE_MS)
    page.wait_for_timeout(SETTLING_MS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
