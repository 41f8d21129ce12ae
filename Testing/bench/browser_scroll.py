"""How long a slice takes to follow the mouse wheel, in a real page.

    python -m Testing.bench.browser_scroll

Starts an engine with the shipped model and a window with the project's sample (1 mm), generates, turns the wheel in the
first of the three columns, and takes the time from each turn until the page has decoded another picture of that view.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from Testing.browser.conftest import NAMES, looked_at
from Testing.browser.windows import ROOT, VIEW, running_window
from Testing.engine_process import running_engine

MODELS = ROOT / "Resources" / "models"
TURNS, WARM_UP = 60, 5
SIZES = ((1280, 720), (1920, 1080))

# From the wheel event until the picture after it can be painted, in ms.
TURN = """
([selector, down]) => new Promise((resolve) => {
  const view = document.querySelector(selector);
  const picture = view.querySelector('.pn-picture img');
  const target = picture.parentElement;
  const before = picture.src;
  const box = target.getBoundingClientRect();
  const start = performance.now();
  const look = () => {
    if (picture.src !== before && picture.complete) { resolve(performance.now() - start); }
    else { requestAnimationFrame(look); }
  };
  target.dispatchEvent(new WheelEvent('wheel', {
    deltaY: down ? 100 : -100, bubbles: true, cancelable: true,
    clientX: box.x + box.width / 2, clientY: box.y + box.height / 2,
  }));
  look();
})
"""


def main() -> None:
    """Print the median and the slowest of ten for each size of the page."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = next(filter(None, map(shutil.which, NAMES)), None)
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        place = Path(folder)
        for size in SIZES:
            with (
                running_engine(MODELS, place / "engine") as engine,
                running_window(engine.url, engine.token, place) as window,
            ):
                times = measure(chromium, window.url, size)
            deciles = statistics.quantiles(times, n=10)
            line = (
                f"{size[0]}x{size[1]}: a new frame after {statistics.median(times):.0f} ms median, {deciles[-1]:.0f} ms"
            )
            sys.stdout.write(f"{line} in the slowest tenth, of {len(times)} turns of the wheel\n")
        chromium.close()


def measure(chromium: object, url: str, size: tuple[int, int]) -> list[float]:
    """Milliseconds of each turn."""
    with looked_at(chromium, url, size) as shown:
        selector = VIEW.format(column="image", orientation="Axial")
        shown.page.set_default_timeout(900_000)  # a whole brain on two cores
        shown.generate()
        shown.read("Done")
        shown.view("image").hover()
        shown.page.wait_for_timeout(2000)
        times = []
        for turn in range(TURNS + WARM_UP):
            times.append(shown.page.evaluate(TURN, [selector, turn % 40 >= 20]))
            shown.page.wait_for_timeout(400)  # until the still picture has arrived
        return times[WARM_UP:]


if __name__ == "__main__":
    main()
