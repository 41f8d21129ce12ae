"""Pictures of the panels, off screen: the MNI152 brain with two lesions, a real engine, the shipped model.

With the repository and ``SlicerPseudoNormal/PseudoNormal`` on ``PYTHONPATH`` and ``QT_QPA_PLATFORM=offscreen``:
``python Resources/screenshots/panels.py Resources/screenshots``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.transfer import Volume, encode
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras
from Testing.panels.demo_panel import DemoPanel, demo_panel

WIDTH = 460
HALF_WAY = 500  # of the progress bar's thousand steps
OTHERS = (("accepted", (12, 0, 0)), ("needs_second_reader", (0, -16, 0)), ("draft", (-10, 8, 0)), (None, (6, 10, 14)))
"""What became of further cases in the list, and by how many voxels their lesion lies elsewhere, along z, y and x."""


def take(demo: DemoPanel, widget: Any, picture: Path) -> None:
    """Write the picture of a panel, as high as it wants to be."""
    widget.show()
    demo.settle()
    layout = widget.layout()
    widget.resize(WIDTH, max(layout.totalHeightForWidth(WIDTH), layout.totalSizeHint().height()))
    demo.settle()
    if not widget.grab().save(str(picture)):
        raise OSError(f"{picture}: cannot be written")


def take_generating(demo: DemoPanel, folder: Path) -> None:
    """The radiologist's panel before, while and after a pseudo-normal is generated."""
    panel = demo.panel
    take(demo, panel.widget, folder / "panel-generate-fresh.png")
    panel.generate.generate_button.click()
    demo.until(lambda: panel.generate.progress.bar.value > HALF_WAY)
    take(demo, panel.widget, folder / "panel-generate-running.png")
    demo.until(lambda: panel.generate.progress.message.text == "Done")
    panel.findings.table.step(1)
    take(demo, panel.widget, folder / "panel-generate.png")


def fill_store(demo: DemoPanel) -> None:
    """Hand the generated case over, and add further ones that were worked on."""
    panel, case = demo.panel, demo.bench.comparison.case
    panel.findings.send_button.click()
    demo.until(lambda: not panel.findings.send_button.enabled and panel.findings.sent_note.text)
    client = EngineClient(demo.engine.url, demo.engine.token)
    matrix, mask = ijk_to_ras(case.image), mask_of(case.lesions, case.image)
    image = client.upload(encode(Volume(array_of(case.image), matrix)), "scan.nrrd")
    for number, (state, shift) in enumerate(OTHERS):
        lesion = encode(Volume(np.roll(mask, shift, (0, 1, 2)), matrix))
        seed = client.upload(lesion, "mask.nrrd")
        made = client.add_case(image, mask=seed, model="brain-mr", priority=0.8 - 0.1 * number, contrast="t1")
        if state:
            lease = client.lease_case(made.id, "Grace")
            client.add_revision(made.id, lesion, lease=lease.lease, state=state, parent=made.head, comment="clear")
            client.give_back(lease.lease)


def take_reviewing(demo: DemoPanel, folder: Path) -> None:
    """The annotator's panel with the list of cases, and with a case open in which something is drawn."""
    from PseudoNormalLib.panels.review_panel import ReviewPanel
    from PseudoNormalLib.review.bench import ReviewBench

    review = ReviewBench(demo.bench)
    review.sign("Ada")
    panel = ReviewPanel(review)
    panel.enter()
    demo.until(lambda: panel.worklist.table.rowCount == len(OTHERS) + 1)
    panel.store.widget.collapsed = True
    take(demo, panel.widget, folder / "panel-review-list.png")
    panel.worklist.next_button.click()
    demo.until(lambda: review.session is not None)
    session = review.session
    session.walk.accept()
    session.editor.choose(distrusted=True)
    distrusted = np.roll(session.editor.mask, 6, 1) & ~session.editor.mask
    session.editor.replace(session.editor.mask, distrusted)
    panel.editor.widget.collapsed = panel.readings.widget.collapsed = False
    panel.verdict.save()
    demo.until(lambda: not session.drafts.unsaved and panel.worklist.table.rowCount)
    take(demo, panel.widget, folder / "panel-review.png")
    away: list[bool] = []
    review.desk.close(lambda: away.append(True))
    demo.until(lambda: away)
    panel.close()


def main(folder: Path) -> None:
    """Write all pictures into an existing folder."""
    with tempfile.TemporaryDirectory() as data, demo_panel(Path(data)) as demo:
        take_generating(demo, folder)
        fill_store(demo)
        take_reviewing(demo, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
