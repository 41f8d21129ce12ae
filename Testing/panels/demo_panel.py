"""The radiologist's panel on a 1 mm brain with two lesions, with the shipped model: for measures and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from Testing.engine_process import RunningEngine, running_engine
from Testing.panels.event_loop import run_until
from Testing.panels.standin.session import a_slicer_in
from Testing.sick_brain import sick_brain

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "Resources" / "models"
REQUIREMENTS = ROOT / "SlicerPseudoNormal" / "PseudoNormal" / "Resources" / "requirements.txt"
BRIGHTNESS = 1.0  # what the template's brightest voxel has: the model is sure of the lesions
PATIENCE_S = 1200  # a busy machine takes its time


@dataclass(frozen=True)
class DemoPanel:
    """The panel, entered, with the scan chosen.

    :param bench: the logics under it.
    """

    panel: Any
    bench: Any
    engine: RunningEngine
    application: Any

    def until(self, holds, seconds=PATIENCE_S):
        """Run the event loop until something holds."""
        run_until(self.application, holds, seconds)

    def settle(self):
        """Let everything that is due now happen."""
        for _ in range(20):
            self.application.processEvents()

    def generate(self):
        """Press Generate and wait until the result is shown."""
        self.panel.generate.generate_button.click()
        self.until(lambda: not self.panel.generate.progress.cancel_button.enabled)
        said = self.panel.generate.progress.message.text
        assert said == "Done", said


@contextmanager
def demo_panel(folder: Path) -> Iterator[DemoPanel]:
    """The panel with a real engine on a loopback port, whose model is loaded, and its case store.

    :param folder: existing; gets the engine's data and what a user would keep.
    """
    array, matrix = sick_brain(BRIGHTNESS)
    with running_engine(MODELS, folder / "engine", folder / "store") as engine, a_slicer_in(folder) as standing:
        from PseudoNormalLib.engine.connection import REMOTE, Choice
        from PseudoNormalLib.hosts import desktop
        from PseudoNormalLib.panels.generate_panel import GeneratePanel
        from PseudoNormalLib.scene.volumes import new_volume
        from PseudoNormalLib.workbench import Workbench

        engine.wait_until_ready()
        host = desktop()
        bench = Workbench(host)
        bench.connection.choose(Choice(kind=REMOTE, url=engine.url, key=engine.token))
        panel = GeneratePanel(bench, REQUIREMENTS)
        panel.enter()
        image = new_volume(host.scene, "MNI152 T1", np.rint(400 * array).astype(np.int16), matrix)
        panel.scan.image_selector.setCurrentNode(image)
        demo = DemoPanel(panel, bench, engine, standing.application)
        demo.until(lambda: panel.scan.model_combo.count > 1)
        yield demo
        panel.close()
        bench.close()
