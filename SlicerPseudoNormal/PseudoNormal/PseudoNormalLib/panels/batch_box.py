"""Many scans: those of a folder, or all that are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ctk
import qt

from PseudoNormalLib.batch import Batch
from PseudoNormalLib.batch_case import Settings
from PseudoNormalLib.batch_items import Item, items_in_folder, items_in_scene
from PseudoNormalLib.choices import Choices
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, section
from PseudoNormalLib.panels.progress_box import ProgressBox
from PseudoNormalLib.parameters import ParameterNode

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

INPUT, OUTPUT = "PseudoNormal/Batch/Input", "PseudoNormal/Batch/Output"
"""Settings that keep the last folders."""
FOLDER, LOADED = "folder", "loaded"
HEIGHT = 150  # px


class BatchBox:
    """Generates pseudo-normals of many scans into one folder, with model and restoration as chosen above.

    :ivar widget: the section.
    """

    def __init__(self, host: Host, batch: Batch, choices: ParameterNode[Choices]) -> None:
        self._host, self._batch, self._choices = host, batch, choices
        self._obstacle = ""
        self.widget, form = section(_("Many scans"), collapsed=True)
        self.source_combo = qt.QComboBox()
        self.source_combo.addItem(_("All images of a folder"), FOLDER)
        self.source_combo.addItem(_("All loaded scans"), LOADED)
        self.input_edit, self.output_edit = _folder_edit(host, INPUT), _folder_edit(host, OUTPUT)
        self.store_check = qt.QCheckBox(_("Put them into the case store for review too"))
        self.start_button = button(_("Generate all"), "", self._start)
        self.table = _table()
        self.progress = ProgressBox(batch.cancel)
        form.addRow(_("What:"), self.source_combo)
        form.addRow(_("From:"), self.input_edit)
        form.addRow(_("Into:"), self.output_edit)
        for part in (self.store_check, self.start_button, self.progress.widget, self.table):
            form.addRow(part)
        self.source_combo.connect("currentIndexChanged(int)", self._offer)
        for edit in (self.input_edit, self.output_edit):
            edit.currentPathChanged.connect(self._offer)
        self.table.cellDoubleClicked.connect(self._open)
        self._signals = (
            (batch.changed, self._show_row),
            (batch.progress, self.progress.show),
            (batch.finished, self._finished),
        )
        for signal, listener in self._signals:
            signal.connect(listener)
        self.offer_store(served=False)
        self._offer()

    def offer_store(self, *, served: bool) -> None:
        """Let cases be put into the engine's store, if it serves one."""
        tip = _("Annotators find them in the module PseudoNormal Review")
        allow(self.store_check, tip, "" if served else _("The engine serves no case store"))

    def offer(self, obstacle: str) -> None:
        """Let a batch be begun, or say why none can be."""
        self._obstacle = obstacle
        self._offer()

    def close(self) -> None:
        """Follow no more."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    def _offer(self) -> None:
        self.input_edit.enabled = self.source_combo.currentData == FOLDER
        missing = "" if self.output_edit.currentPath.strip() else _("Choose the folder that takes the results")
        if self.source_combo.currentData == FOLDER and not self.input_edit.currentPath.strip():
            missing = _("Choose the folder with the scans")
        running = _("A batch is under way") if self._batch.running else ""
        tip = _("One folder a scan; a batch that was broken off goes on where it was")
        allow(self.start_button, tip, running or self._obstacle or missing)

    def _items(self) -> Sequence[Item]:
        if self.source_combo.currentData == LOADED:
            return items_in_scene(self._host)
        found = items_in_folder(Path(self.input_edit.currentPath))
        for line in found.left_out:
            self.progress.say(line)
        return found.items

    def _start(self) -> None:
        chosen = self._choices.values
        self.progress.begin(_("Beginning…"))
        try:
            settings = Settings(chosen.model or None, chosen.mode, chosen.texture)
            into_store = self.store_check.enabled and self.store_check.checked
            self._batch.start(self._items(), Path(self.output_edit.currentPath), settings, into_store=into_store)
        except ValueError as error:
            self.progress.end(str(error))
            return
        self._host.settings.set(INPUT, self.input_edit.currentPath)
        self._host.settings.set(OUTPUT, self.output_edit.currentPath)
        self.table.setRowCount(len(self._batch.rows))
        for index in range(len(self._batch.rows)):
            self._show_row(index)
        self._offer()

    def _show_row(self, index: int) -> None:
        row = self._batch.rows[index]
        percent = f" {100 * row.fraction:.0f} %" if row.state == "running" else ""
        for column, text in enumerate((row.case, f"{_in_words(row.state)}{percent}", row.line)):
            self.table.setItem(index, column, qt.QTableWidgetItem(text))

    def _open(self, index: int) -> None:
        page = self._batch.rows[index].page
        if page is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def _finished(self, line: str) -> None:
        self.progress.end(line, done=True)
        self._offer()


def _folder_edit(host: Host, setting: str) -> ctk.ctkPathLineEdit:
    edit = ctk.ctkPathLineEdit()
    edit.filters = ctk.ctkPathLineEdit.Dirs
    edit.currentPath = host.settings.get(setting)
    return edit


def _table() -> qt.QTableWidget:
    table = qt.QTableWidget()
    table.setColumnCount(3)
    table.setHorizontalHeaderLabels([_("Case"), _("State"), _("What")])
    table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    table.horizontalHeader().setStretchLastSection(True)
    table.verticalHeader().setVisible(False)
    table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
    table.setMinimumHeight(HEIGHT)
    table.toolTip = _("Double-click a case that is done to read its report")
    return table


def _in_words(state: str) -> str:
    words = {
        "waiting": _("waiting"),
        "running": _("running"),
        "done": _("done"),
        "done before": _("done before"),
        "failed": _("failed"),
        "cancelled": _("cancelled"),
    }
    return words[state]
