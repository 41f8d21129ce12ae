"""Setting up the engine on this computer: what is downloaded, how it goes, and removing it again."""

from __future__ import annotations

import qt

from PseudoNormalLib.engine.setup import REQUIREMENT, EngineSetup
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.progress_box import log_view


class SetUpBox:
    """Asks for the click that installs, and shows the installation.

    :ivar widget: the section.
    """

    def __init__(self, setup: EngineSetup, *, collapsed: bool) -> None:
        self._setup = setup
        self.widget, form = section(_("Set up the engine"), collapsed=collapsed)
        self.requirement_edit = qt.QLineEdit()
        self.requirement_edit.placeholderText = REQUIREMENT
        self.requirement_edit.toolTip = _(
            "What pip installs: a name, or for offline use a file or folder of the engine"
        )
        self.announcement = note()
        self.install_button = button(_("Install"), "", self._start)
        self.cancel_button = button(_("Cancel"), "", setup.cancel)
        self.remove_button = button(_("Remove"), "", self._remove)
        self.log = log_view(_("What the installation says appears here."))
        self.message = note()
        form.addRow(_("Package:"), self.requirement_edit)
        buttons = row(self.install_button, self.cancel_button, self.remove_button)
        for part in (self.announcement, buttons, self.log, self.message):
            form.addRow(part)
        self.requirement_edit.textChanged.connect(self._offer)
        setup.said.connect(self._hear)
        setup.ended.connect(self._ended)
        self._offer()

    def close(self) -> None:
        """Follow no more."""
        self._setup.said.disconnect(self._hear)
        self._setup.ended.disconnect(self._ended)

    def _hear(self, line: str) -> None:
        self.log.appendPlainText(line)

    def _start(self) -> None:
        self.log.clear()
        self.message.text = _("Installing; this takes some minutes…")
        self._setup.start(self.requirement_edit.text)
        self._offer()

    def _remove(self) -> None:
        self.message.text = _("Removing…")
        self._setup.remove()
        self._offer()

    def _ended(self, line: str) -> None:
        self.message.text = line
        self._offer()

    def _offer(self) -> None:
        setup = self._setup
        self.announcement.text = setup.announcement(self.requirement_edit.text)
        busy = _("It is under way") if setup.running else ""
        there = _("It is installed; remove it first to install it anew") if setup.complete else ""
        allow(self.install_button, _("Download and install the engine now"), busy or there)
        allow(self.cancel_button, _("End the installation"), "" if setup.running else _("Nothing is under way"))
        nothing = "" if setup.removable else _("Nothing is installed by this panel")
        allow(self.remove_button, _("Delete the engine's environment and free its disk space"), busy or nothing)
