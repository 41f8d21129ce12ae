"""How long a slice takes to follow the mouse wheel, in a real page.

    python -m Testing.bench.browser_scroll

Starts the workbench as ``pseudonormal web`` does, with the shipped model, and generates for the project's sample, 1 mm.
Then it turns the wheel in the first of the three linked columns and takes the time until the page has decoded another
picture of that view, and until it has another picture of all three.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from Testing.browser.conftest import NAMES, looked_at
from Testing.browser.gateways import ROOT, running_gateway
from Testing.browser.windows import VIEW

MODELS = ROOT / "Resources" / "models"
TURNS, WARM_UP = 60, 5
SIZES = ((1280, 720), (1920, 1080))
GENERATING_MS = 1_800_000  # a whole brain on two cores that others may use too

# From the wheel event until the pictures after it can be painted, in ms: the one in that view, and the last of all.
TURN = """
([selector, down]) => new Promise((resolve) => {
  const touched = document.querySelector(selector).querySelector('.pn-picture img');
  const all = [...document.querySelectorAll('.pn-picture img')].filter((picture) => picture.offsetParent);
  const before = new Map(all.map((picture) => [picture, picture.src]));
  const isNew = (picture) => picture.src !== before.get(picture) && picture.complete;
  const target = touched.parentElement;
  const box = target.getBoundingClientRect();
  const start = performance.now();
  let first = 0;
  const look = () => {
    if (!first && isNew(touched)) { first = performance.now() - start; }
    if (first && all.every(isNew)) { resolve([first, performance.now() - start]); }
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
    known = {"PSEUDONORMAL_MODELS": str(MODELS)}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = next(filter(None, map(shutil.which, NAMES)), None)
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        with running_gateway(Path(folder), module="PseudoNormalWeb.gateway", environment=known) as gateway:
            url = gateway.url + gateway.open()
            with looked_at(chromium, url, SIZES[0]) as shown:
                shown.page.set_default_timeout(GENERATING_MS)
                shown.generate()
                shown.read("Done")
            for size in SIZES:
                with looked_at(chromium, url, size) as shown:
                    sys.stdout.write(in_words(size, measure(shown)) + "\n")
        chromium.close()


def measure(shown: object) -> list[tuple[float, float]]:
    """Milliseconds of each turn, see ``TURN``."""
    selector = VIEW.format(column="image", orientation="Axial")
    shown.view("image").hover()
    shown.page.wait_for_timeout(2000)
    times = []
    for turn in range(TURNS + WARM_UP):
        times.append(shown.page.evaluate(TURN, [selector, turn % 40 >= 20]))
        shown.page.wait_for_timeout(500)  # until the still pictures have arrived
    return times[WARM_UP:]


def in_words(size: tuple[int, int], times: list[tuple[float, float]]) -> str:
    """One line about all turns."""
    touched, last = zip(*times, strict=True)
    slowest = statistics.quantiles(touched, n=10)[-1]
    return (
        f"{size[0]}x{size[1]}: a new frame after {statistics.median(touched):.0f} ms median, {slowest:.0f} ms in the "
        f"slowest tenth, all three columns after {statistics.median(last):.0f} ms median, of {len(times)} turns"
    )


if __name__ == "__main__":
    main()
