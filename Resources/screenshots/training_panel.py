"""Pictures of the training panel, off screen: a real engine, real trainings on simulated cases.

The first is of a training of the shipped model, the second of a synthetic database that a generator made.

With the repository and ``SlicerPseudoNormal/PseudoNormal`` on ``PYTHONPATH`` and ``QT_QPA_PLATFORM=offscreen``:
``python Resources/screenshots/training_panel.py Resources/screenshots 4`` learns twice for four minutes; reading the
cases and judging take some more.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from panels import take
from PseudoNormalLib.engine.transfer import Volume, encode
from Testing.lab import review
from Testing.panels.demo_panel import DemoPanel, demo_panel
from Testing.sick_brain import sick_brain

from pseudonormal.store.store import Store

if TYPE_CHECKING:
    from PseudoNormalLib.panels.training_panel import TrainingPanel

PICTURE, DATABASE = "panel-training.png", "panel-database.png"
SCANS = 18
ACCEPTED, WAITING = 12, 3
"""Cases, each of a subject of its own: the MNI152 brain, its lesions moved, with noise."""


def fill_store(folder: Path, scans: Path) -> None:
    """Add cases to the store, most of them accepted.

    :param scans: an existing folder that gets the scans.
    """
    healthy = sick_brain(0.0)[0].copy()  # both may be the same memory
    sick, matrix = sick_brain(1.0)
    store = Store.open(folder)
    for number in range(ACCEPTED + WAITING):
        rng = np.random.default_rng(number)
        lesion = np.roll(sick - healthy, rng.integers(-9, 10, 3), (0, 1, 2)) * (healthy > 0)
        array = 400 * (healthy + lesion) + rng.normal(0, 6, sick.shape) * (healthy > 0)
        scan = scans / f"{number}.nrrd"
        scan.write_bytes(encode(Volume(np.rint(array).astype(np.int16), matrix)))
        case = store.add_case(scan, subject=str(number), contrast="t1").id
        if number < ACCEPTED:
            review(store, case, lesion > 0.1)
    store.close()


@contextmanager
def a_panel(demo: DemoPanel, minutes: int) -> Iterator[TrainingPanel]:
    """The panel, entered, in which a training of some minutes can be started."""
    from PseudoNormalLib.panels.training_panel import TrainingPanel
    from PseudoNormalLib.training.bench import TrainingBench

    training = TrainingBench(demo.bench)
    panel = TrainingPanel(training)
    panel.enter()
    demo.until(lambda: panel.start.start_button.enabled)
    panel.start.minutes_spin.value = minutes
    yield panel
    panel.close()
    training.close()


def take_training(demo: DemoPanel, minutes: int, picture: Path) -> None:
    """Train, and write the picture once the outcome is judged."""
    with a_panel(demo, minutes) as panel:
        panel.start.start_button.click()
        demo.until(lambda: panel.versions.table.rowCount == 2, 60.0 * (minutes + 60))
        panel.versions.table.setCurrentCell(0, 0)
        take(demo, panel.widget, picture)  # which gives it its width
        panel.curves.example.fit()
        take(demo, panel.widget, picture)


def take_database(demo: DemoPanel, minutes: int, picture: Path) -> None:
    """Train a generator, build a database with it, and write the picture of its section."""
    with a_panel(demo, minutes) as panel:
        panel.start.recipe_combo.setCurrentIndex(panel.start.recipe_combo.findData("um"))
        panel.start.start_button.click()
        demo.until(lambda: panel.database.build_button.enabled, 60.0 * (minutes + 60))
        panel.database.count_spin.value = SCANS
        panel.database.build_button.click()
        demo.until(lambda: panel.state.message.text.endswith("added to the case store."))
        for box in (panel.engine, panel.start, panel.curves, panel.versions, panel.compare):
            box.widget.collapsed = True
        take(demo, panel.widget, picture)  # which gives it its width
        panel.database.sheet.fit()
        take(demo, panel.widget, picture)


def main(folder: Path, minutes: int) -> None:
    """Write the pictures into an existing folder."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        fill_store(place / "store", place)
        with demo_panel(place) as demo:
            take_training(demo, minutes, folder / PICTURE)
            take_database(demo, minutes, folder / DATABASE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
