"""Which engine works: on this computer or on a server; whether it runs, and what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import qt

from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.connection import LOCAL, REMOTE, EngineConnection
from PseudoNormalLib.engine.news import status_in_words
from PseudoNormalLib.engine.replies import EngineStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.panels.local_box import LocalBox
from PseudoNormalLib.panels.progress_box import log_view
from PseudoNormalLib.panels.server_box import ServerBox


class EngineBox:
    """Chooses the engine, starts and stops it; follows how it fares.

    :ivar widget: the section; folded away where an engine was chosen before.
    """

    def __init__(self, connection: EngineConnection, background: Background) -> None:
        self._connection = connection
        self.widget, form = section(_("Engine"), collapsed=connection.state not in ("missing", "failed"))
        self.kind_combo = qt.QComboBox()
        self.kind_combo.addItem(_("On this computer"), LOCAL)
        self.kind_combo.addItem(_("On a server"), REMOTE)
        self.local = LocalBox(self._choose)
        self.server = ServerBox(background, self._choose)
        self.state = note()
        self.start_button = button(_("Start"), "", connection.start)
        self.stop_button = button(_("Stop"), "", connection.stop)
        self.log = log_view(_("What the engine says appears here."))
        self._run = row(self.start_button, self.stop_button)
        form.addRow(_("Engine:"), self.kind_combo)
        for part in (self.local.widget, self.server.widget, self.state, self._run, self.log):
            form.addRow(part)
        for line in connection.log_tail():
            self.log.appendPlainText(line)
        self._show()
        self.kind_combo.connect("currentIndexChanged(int)", self._choose)
        self._signals = (
            (connection.changed, self._show),
            (connection.said, self._hear),
            (connection.died, self._report_death),
            (connection.failed, self._fail),
        )
        for signal, listener in self._signals:
            signal.connect(listener)

    def show_status(self, status: EngineStatus) -> None:
        """The engine has told what it runs on."""
        self.state.text = status_in_words(status)
        if self._connection.choice.kind == LOCAL:
            self.local.offer_devices(status.devices)

    def say(self, line: str) -> None:
        """How the engine fares, in one line; one that is being started needs no word of its not answering yet."""
        if self._connection.state != "starting":
            self.state.text = line

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _choose(self) -> None:
        choice = replace(
            self._connection.choice,
            kind=self.kind_combo.currentData,
            python=self.local.python_edit.currentPath,
            device=self.local.device,
            url=self.server.url_edit.text.strip(),
            key=self.server.key_edit.text.strip(),
        )
        self._connection.choose(choice)

    def _show(self, *_state: Any) -> None:
        choice, state = self._connection.choice, self._connection.state
        remote = choice.kind == REMOTE
        self.kind_combo.blockSignals(True)  # another panel may have chosen: what stands here is not to be kept
        self.kind_combo.setCurrentIndex(self.kind_combo.findData(choice.kind))
        self.kind_combo.blockSignals(False)
        self.local.widget.visible = not remote
        self.server.widget.visible = remote
        self._run.visible = not remote
        self.log.visible = not remote
        self.local.show(choice)
        self.server.show(choice)
        self.state.text = _in_words(state)
        missing = _("There is no engine on this computer yet") if state == "missing" else ""
        runs = _("It runs already") if state in ("starting", "running") else ""
        allow(self.start_button, _("Start the engine; Generate does it too"), missing or runs)
        allow(
            self.stop_button,
            _("End the engine; its memory is freed"),
            missing or ("" if runs else _("It does not run")),
        )

    def _hear(self, line: str) -> None:
        self.log.appendPlainText(line)

    def _report_death(self, line: str) -> None:
        self.state.text = line

    def _fail(self, line: str) -> None:
        self.state.text = line
        self.widget.collapsed = False


def _in_words(state: str) -> str:
    """The connection's state; looked up late, when the language is known."""
    words = {
        "missing": _("There is no engine on this computer yet: set one up, or point at its Python."),
        "stopped": _("The engine is not running; Generate starts it."),
        "starting": _("The engine is starting…"),
        "running": _("The engine is running."),
        "failed": _("The engine could not be started; its log says why."),
        "remote": _("The server works; nothing is computed here."),
    }
    return words[state]
