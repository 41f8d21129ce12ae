"""Which scan, which mask, which model: what is to be generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import qt

from PseudoNormalLib.choices import (
    Choices,
    about_model,
    choose_scan,
    contrast_offers,
    mode_offers,
    model_offers,
)
from PseudoNormalLib.engine.replies import ModelInfo
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import node_selector, note, section
from PseudoNormalLib.parameters import ParameterNode
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host


class ScanBox:
    """Selectors of a scan and of how its pseudo-normal is generated; they follow the scene's own memory.

    :param parameters: a :class:`ParameterNode` of :class:`Choices`.
    :ivar widget: the section.
    :ivar changed: emitted whenever another choice was made.
    """

    def __init__(self, host: Host, parameters: ParameterNode[Choices]) -> None:
        self.changed = Signal()
        self._host, self._parameters = host, parameters
        self.widget, form = section(_("Scan"))
        self.image_selector = node_selector("vtkMRMLScalarVolumeNode", _("Choose a scan"))
        self.image_selector.toolTip = _("The brain MRI whose lesions are to be taken out; any contrast and orientation")
        form.addRow(_("Scan:"), self.image_selector)
        self.contrast_combo = qt.QComboBox()
        for text, word in contrast_offers(host, parameters.values):
            self.contrast_combo.addItem(text, word)
        self.contrast_combo.toolTip = _(
            "Stands in the report and in the case store, and chooses the model where that is automatic; "
            "the numbers do not depend on it otherwise"
        )
        form.addRow(_("Contrast:"), self.contrast_combo)
        self.lesions_selector = node_selector("vtkMRMLSegmentationNode", _("Find the lesions"))
        self.lesions_selector.toolTip = _("A segmentation whose mask is used instead of the one that the engine finds")
        form.addRow(_("Lesion mask:"), self.lesions_selector)
        self.model_combo = qt.QComboBox()
        self.model_note = note()
        form.addRow(_("Model:"), self.model_combo)
        form.addRow("", self.model_note)
        self.mode_combo = qt.QComboBox()
        for text, mode in mode_offers():
            self.mode_combo.addItem(text, mode)
        form.addRow(_("Restoration:"), self.mode_combo)
        self.texture_check = qt.QCheckBox(_("Grain in the pseudo-normal, for the eye only"))
        form.addRow("", self.texture_check)
        self._models: tuple[ModelInfo, ...] = ()
        self.offer_models(())
        for selector in (self.image_selector, self.lesions_selector):
            selector.setMRMLScene(host.scene)
        self._follow(parameters.values)
        self._connect()

    def offer_models(self, models: Sequence[ModelInfo]) -> None:
        """Offer the models that the engine has; its own choice stands first."""
        self._models = tuple(models)
        self.model_combo.blockSignals(True)
        self.model_combo.clear()
        for text, name in model_offers(models):
            self.model_combo.addItem(text, name)
        self.model_combo.setCurrentIndex(max(0, self.model_combo.findData(self._parameters.values.model)))
        self.model_combo.blockSignals(False)
        self._describe()

    def close(self) -> None:
        """Let go of the scene."""
        self._parameters.changed.disconnect(self._follow)
        for selector in (self.image_selector, self.lesions_selector):
            selector.setMRMLScene(None)

    def _connect(self) -> None:
        keep = self._parameters.update
        self.image_selector.connect("currentNodeChanged(vtkMRMLNode*)", self._choose_image)
        self.contrast_combo.connect("currentIndexChanged(int)", lambda: keep(contrast=self.contrast_combo.currentData))
        self.lesions_selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: keep(lesions=node))
        self.model_combo.connect("currentIndexChanged(int)", lambda: keep(model=self.model_combo.currentData))
        self.mode_combo.connect("currentIndexChanged(int)", lambda: keep(mode=self.mode_combo.currentData))
        self.texture_check.toggled.connect(lambda on: keep(texture=bool(on)))
        self._parameters.changed.connect(self._follow)

    def _choose_image(self, image: Any) -> None:
        choose_scan(self._parameters, image)

    def _follow(self, chosen: Choices) -> None:
        self.image_selector.setCurrentNode(chosen.image)
        self.lesions_selector.setCurrentNode(chosen.lesions)
        self.model_combo.setCurrentIndex(max(0, self.model_combo.findData(chosen.model)))
        self.mode_combo.setCurrentIndex(max(0, self.mode_combo.findData(chosen.mode)))
        self.texture_check.checked = chosen.texture
        self.contrast_combo.setCurrentIndex(max(0, self.contrast_combo.findData(chosen.contrast)))
        self._describe()
        self.changed.emit()

    def _describe(self) -> None:
        chosen = self._parameters.values
        self.contrast_combo.setItemText(0, contrast_offers(self._host, chosen)[0][0])
        self.model_note.text = about_model(self._host, self._models, chosen)
        self.model_note.visible = bool(self.model_note.text)
