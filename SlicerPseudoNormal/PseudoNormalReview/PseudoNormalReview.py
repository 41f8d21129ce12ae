"""The module PseudoNormalReview: take a case, correct its lesion mask, accept it.

A shell: what it does is in ``PseudoNormalLib``, which lies in the module PseudoNormal.
"""

from __future__ import annotations

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


class PseudoNormalReview(ScriptedLoadableModule):
    """What Slicer shows of the module in its menus."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PseudoNormal Review")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
        self.parent.dependencies = ["PseudoNormal", "Segmentations", "SegmentEditor", "Volumes"]
        self.parent.contributors = ["The PseudoNormal contributors"]
        self.parent.helpText = _(
            "Takes cases from a store one after the other: walk through the findings, correct the lesion mask, accept "
            "the case. Everything is kept. Needs no model and no GPU. Research software, not a medical device."
        )
        self.parent.acknowledgementText = _("Apache License 2.0.")


class PseudoNormalReviewWidget(ScriptedLoadableModuleWidget):
    """Shows the panel while the module is open."""

    def setup(self) -> None:
        """Slicer opens the module for the first time."""
        from PseudoNormalLib.panels.review_panel import ReviewPanel

        ScriptedLoadableModuleWidget.setup(self)
        self.logic = PseudoNormalReviewLogic()
        self.panel = ReviewPanel(self.logic.review)
        self.layout.addWidget(self.panel.widget)

    def enter(self) -> None:
        """The user comes to the module."""
        self.panel.enter()

    def exit(self) -> None:
        """The user goes to another module; the case stays open."""
        self.panel.leave()

    def cleanup(self) -> None:
        """Slicer ends, or reloads the module: what is unsaved is on disk afterwards."""
        self.logic.review.keep()
        self.panel.close()


class PseudoNormalReviewLogic(ScriptedLoadableModuleLogic):
    """The module's logic for scripts: ``slicer.util.getModuleLogic("PseudoNormalReview").review``."""

    def __init__(self, parent: Any = None) -> None:
        from PseudoNormalLib.review.bench import ReviewBench

        ScriptedLoadableModuleLogic.__init__(self, parent)
        # The other module's engine and comparison: one engine serves both.
        self.review = ReviewBench(slicer.util.getModuleLogic("PseudoNormal").bench)


class PseudoNormalReviewTest(ScriptedLoadableModuleTest):
    """A self-test that needs no engine; the tests in Testing/ are the thorough ones."""

    def runTest(self, **_options: Any) -> None:  # noqa: N802 - Slicer's name
        """What Slicer calls."""
        slicer.mrmlScene.Clear(0)
        self.test_an_edited_mask_can_be_undone_and_redone()

    def test_an_edited_mask_can_be_undone_and_redone(self) -> None:
        """The mask comes back voxel for voxel."""
        import numpy as np
        from PseudoNormalLib.hosts import desktop
        from PseudoNormalLib.review.editing import MaskEditor
        from PseudoNormalLib.scene.lesions import new_lesions
        from PseudoNormalLib.scene.volumes import new_volume

        host = desktop()
        before = np.zeros((20, 30, 40), bool)
        before[5:9, 5:9, 5:9] = True
        after = np.roll(before, 3, axis=1)
        image = new_volume(host.scene, "scan", before.astype(np.float32), np.diag([1.0, 1.0, 2.0, 1.0]))
        editor = MaskEditor(host, image, new_lesions(host, image, before, "lesions"))
        editor.replace(after)
        editor.undo()
        np.testing.assert_array_equal(editor.mask, before)
        editor.redo()
        np.testing.assert_array_equal(editor.mask, after)
        editor.close()
