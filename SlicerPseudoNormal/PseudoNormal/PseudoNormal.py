"""The module PseudoNormal: generate a pseudo-normal, compare it with the scan, walk through the findings.

A shell: what it does is in ``PseudoNormalLib``, which knows nothing of modules.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class PseudoNormal(ScriptedLoadableModule):
    """What Slicer shows of the module in its menus."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PseudoNormal")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        self.parent.dependencies = ["Segmentations", "Volumes"]
        self.parent.contributors = ["The PseudoNormal contributors"]
        self.parent.helpText = _(
            "Shows what a brain MRI would look like without its lesions, where the two differ, and each lesion with "
            "its numbers. Choose a scan and press Generate. Research software, not a medical device."
        )
        self.parent.acknowledgementText = _("Apache License 2.0. The card of each model names the data behind it.")
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data() -> None:
    """Offer the samples in Slicer's module Sample Data."""
    from PseudoNormalLib.samples import register

    register(Path(__file__).parent / "Resources" / "Icons")


class PseudoNormalWidget(ScriptedLoadableModuleWidget):
    """Shows the panel while the module is open."""

    def setup(self) -> None:
        """Slicer opens the module for the first time."""
        from PseudoNormalLib.panels.generate_panel import GeneratePanel

        ScriptedLoadableModuleWidget.setup(self)
        self.logic = PseudoNormalLogic()
        self.panel = GeneratePanel(self.logic.bench, Path(self.resourcePath("requirements.txt")))
        self.layout.addWidget(self.panel.widget)

    def enter(self) -> None:
        """The user comes to the module."""
        self.panel.enter()

    def exit(self) -> None:
        """The user goes to another module."""
        self.panel.leave()

    def cleanup(self) -> None:
        """Slicer ends, or reloads the module."""
        self.panel.close()
        self.logic.bench.close()


class PseudoNormalLogic(ScriptedLoadableModuleLogic):
    """The module's logic for scripts: ``slicer.util.getModuleLogic("PseudoNormal").bench``."""

    def __init__(self, parent: Any = None) -> None:
        from PseudoNormalLib.hosts import desktop
        from PseudoNormalLib.workbench import Workbench

        ScriptedLoadableModuleLogic.__init__(self, parent)
        self.bench = Workbench(desktop())


class PseudoNormalTest(ScriptedLoadableModuleTest):
    """A self-test that needs no engine; the tests in Testing/ are the thorough ones."""

    def runTest(self, **_options: Any) -> None:  # noqa: N802 - Slicer's name
        """What Slicer calls."""
        slicer.mrmlScene.Clear(0)
        self.test_a_case_can_be_compared_and_walked_through()

    def test_a_case_can_be_compared_and_walked_through(self) -> None:
        """A scan and its pseudo-normal come to stand side by side, and the views go where they are sent."""
        import numpy as np
        from PseudoNormalLib.scene.case_nodes import CaseNodes, case_of, link
        from PseudoNormalLib.scene.layout import slice_nodes
        from PseudoNormalLib.scene.navigation import jump_to
        from PseudoNormalLib.scene.volumes import new_volume, new_volume_like

        bench = PseudoNormalLogic().bench
        scan = np.random.default_rng(0).normal(500, 20, (20, 30, 40)).astype(np.float32)
        image = new_volume(bench.host.scene, "scan", scan, np.eye(4))
        case = CaseNodes(image, *(new_volume_like(image, name, scan) for name in ("normal", "difference", "z")))
        link(case)
        bench.comparison.show(case_of(image))
        jump_to(bench.host.scene, (10.0, 11.0, 12.0))
        views = slice_nodes(bench.host.scene)
        assert len(views) == 3
        for view in views:
            assert view.GetSliceToRAS().GetElement(2, 3) == 12.0
        bench.close()
