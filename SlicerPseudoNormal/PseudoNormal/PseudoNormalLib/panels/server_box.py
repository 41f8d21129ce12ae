"""An engine on another computer: its address, its key, and whether it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.client import EngineClient
from PseudoNormalLib.engine.connection import Choice, Tested, check_engine
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row


class ServerBox:
    """Where the server is.

    :param background: asks the server when Test is pressed.
    :param chosen: called when address or key were changed.
    :ivar widget: the box.
    """

    def __init__(self, background: Background, chosen: Callable[[], Any]) -> None:
        self._background = background
        self.url_edit = qt.QLineEdit()
        self.url_edit.placeholderText = _("such as https://server:8765")
        self.key_edit = qt.QLineEdit()
        self.key_edit.echoMode = qt.QLineEdit.Password
        self.test_button = button(_("Test"), _("Ask the server whether it answers and takes the key"), self._test)
        self.answer = note()
        self.widget = qt.QWidget()
        form = qt.QFormLayout(self.widget)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(_("Address:"), self.url_edit)
        form.addRow(_("Key:"), row(self.key_edit, self.test_button))
        form.addRow(self.answer)
        form.addRow(
            note(_("Generate sends the scan's voxels and their place in space to this server, and nothing else."))
        )
        for edit in (self.url_edit, self.key_edit):
            edit.editingFinished.connect(chosen)
            edit.textChanged.connect(self._offer)
        self._offer()

    def show(self, choice: Choice) -> None:
        """Show what is kept."""
        for edit, kept in ((self.url_edit, choice.url), (self.key_edit, choice.key)):
            if edit.text.strip() != kept:  # who types keeps the cursor
                edit.text = kept

    def _offer(self) -> None:
        reason = "" if self.url_edit.text.strip() else _("Give the server's address first")
        allow(self.test_button, _("Ask the server whether it answers and takes the key"), reason)

    def _test(self) -> None:
        client = EngineClient(self.url_edit.text.strip(), self.key_edit.text.strip())
        self.answer.text = _("Asking…")
        self._background.run(lambda _call: check_engine(client), self._tested, self._failed)

    def _tested(self, tested: Tested) -> None:
        self.answer.text = tested.line

    def _failed(self, error: Exception) -> None:
        self.answer.text = str(error)
