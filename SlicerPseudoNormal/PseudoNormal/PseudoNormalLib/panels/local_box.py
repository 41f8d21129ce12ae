"""The engine on this computer: where its Python is, on which device it computes, how it fares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ctk
import qt

from PseudoNormalLib.engine.connection import Choice
from PseudoNormalLib.i18n import _

DEVICES = ("auto", "cpu", "cuda")


class LocalBox:
    """Where the engine is and what it computes on.

    :param chosen: called when one of them was changed.
    :ivar widget: the box.
    """

    def __init__(self, chosen: Callable[[], Any]) -> None:
        self.python_edit = ctk.ctkPathLineEdit()
        self.python_edit.filters = ctk.ctkPathLineEdit.Files
        self.python_edit.toolTip = _("The Python of the engine's environment; Set up makes one")
        self.device_combo = qt.QComboBox()
        self.device_combo.toolTip = _("What the engine computes on; automatic takes a GPU where there is one")
        self.widget = qt.QWidget()
        form = qt.QFormLayout(self.widget)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(_("Its Python:"), self.python_edit)
        form.addRow(_("Device:"), self.device_combo)
        self.offer_devices(DEVICES)
        self.python_edit.currentPathChanged.connect(chosen)
        self.device_combo.connect("currentIndexChanged(int)", chosen)

    @property
    def device(self) -> str:
        """The device that is chosen."""
        return self.device_combo.currentData or DEVICES[0]

    def show(self, choice: Choice) -> None:
        """Show what is kept."""
        if self.python_edit.currentPath != choice.python:  # who types keeps the cursor
            self.python_edit.blockSignals(True)
            self.python_edit.currentPath = choice.python
            self.python_edit.blockSignals(False)
        self.offer_devices(DEVICES, choice.device)

    def offer_devices(self, devices: Sequence[str], chosen: str | None = None) -> None:
        """Offer devices, the automatic choice first.

        :param chosen: the one to stand in the box; by default the one that stands there.
        """
        chosen = chosen or self.device
        self.device_combo.blockSignals(True)
        self.device_combo.clear()
        for device in dict.fromkeys((DEVICES[0], *devices, chosen)):
            self.device_combo.addItem(_("Automatic") if device == DEVICES[0] else device, device)
        self.device_combo.setCurrentIndex(self.device_combo.findData(chosen))
        self.device_combo.blockSignals(False)
