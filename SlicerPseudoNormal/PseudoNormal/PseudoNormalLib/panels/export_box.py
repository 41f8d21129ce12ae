"""The report to read, and the files to take along."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import ctk
import qt

from PseudoNormalLib.export.exporter import FORMATS, Exporter, Format
from PseudoNormalLib.export.free_place import free_place
from PseudoNormalLib.i18n import _
from PseudoNormalLib.panels.forms import allow, button, note, row, section
from PseudoNormalLib.report import kept_page
from PseudoNormalLib.scene.case_nodes import CaseNodes

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

FOLDER = "PseudoNormal/Export/Folder"
"""The setting that keeps the last folder."""


class ExportBox:
    """Opens the report and exports the case that is shown.

    :param requirements: the file with the Python packages that DICOM needs; they are installed at the click.
    :ivar widget: the section.
    """

    def __init__(self, host: Host, exporter: Exporter, requirements: Path) -> None:
        self._host, self._exporter, self._requirements = host, exporter, requirements
        self._case: CaseNodes | None = None
        self._writing = False
        self.widget, form = section(_("Report and export"), collapsed=True)
        self.report_button = button(_("Open the report"), "", self._open_report)
        form.addRow(_("Report:"), self.report_button)
        self.format_combo = qt.QComboBox()
        for one in FORMATS:
            self.format_combo.addItem(one.title, one.key)
        self.format_combo.connect("currentIndexChanged(int)", self._offer)
        form.addRow(_("What:"), self.format_combo)
        self.folder_edit = ctk.ctkPathLineEdit()
        self.folder_edit.filters = ctk.ctkPathLineEdit.Dirs
        self.folder_edit.currentPath = host.settings.get(FOLDER, str(Path.home()))
        self.folder_edit.toolTip = _("The folder to write into; files that are there already stay as they are")
        form.addRow(_("Into:"), self.folder_edit)
        self.export_button = button(_("Export"), "", self._export)
        self.message = note()
        form.addRow(row(self.export_button))
        form.addRow(self.message)
        self._offer()

    def show(self, case: CaseNodes | None) -> None:
        """Another case is shown, or none."""
        self._case = case
        self.message.text = ""
        self._offer()

    @property
    def chosen(self) -> Format:
        """What is to be exported."""
        return FORMATS[max(0, self.format_combo.currentIndex)]

    def _offer(self) -> None:
        page = kept_page(self._host, self._case) if self._case is not None else None
        tip = _("Pictures and numbers of every finding, in the browser")
        reason = _("There is no report: generate a pseudo-normal first; reports last as long as the session")
        allow(self.report_button, tip, "" if page else reason)
        obstacle = _("It is being written") if self._writing else self._exporter.obstacle(self.chosen, self._case)
        allow(self.export_button, _("Write it into the folder"), obstacle)

    def _open_report(self) -> None:
        page = kept_page(self._host, self._case)
        if page is None or not qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page))):
            self.message.text = _("The report could not be opened: {page}").format(page=page)

    def _export(self) -> None:
        if self._exporter.writes_dicom(self.chosen, self._case) and not self._install():
            return
        folder = Path(self.folder_edit.currentPath)
        self._host.settings.set(FOLDER, str(folder))
        self._writing = True
        self.message.text = _("Writing…")
        self._offer()
        path = free_place(folder, self._case.image.GetName(), self.chosen)
        self._exporter.export(self.chosen, self._case, path, self._done, self._failed)

    def _install(self) -> bool:
        """Have what DICOM needs installed; Slicer asks first and shows how it goes."""
        import slicer.packaging

        try:
            wanted = slicer.packaging.load_requirements(str(self._requirements))
            slicer.packaging.pip_ensure(wanted, requester="PseudoNormal")
        except (RuntimeError, subprocess.CalledProcessError) as error:
            line = _("DICOM needs packages that are not installed ({error}); export NIfTI or .seg.nrrd instead")
            self.message.text = line.format(error=error)
            return False
        return True

    def _done(self, path: Path) -> None:
        self._end(_("Written: {path}").format(path=path))

    def _failed(self, error: Exception) -> None:
        self._end(str(error))

    def _end(self, message: str) -> None:
        self._writing = False
        self.message.text = message
        self._offer()
