"""The report to read, and the files to take along."""

from __future__ import annotations

import secrets
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from PseudoNormalLib.export.exporter import FORMATS, Format
from PseudoNormalLib.export.free_place import free_place
from PseudoNormalLib.i18n import _
from PseudoNormalLib.report import kept_page, pages_folder
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.window.forms import button, note, section

if TYPE_CHECKING:
    from PseudoNormalLib.scene.case_nodes import CaseNodes

    from PseudoNormalWeb.window.window import Window

EXPORTS, REPORTS = "pseudonormal_exports", "pseudonormal_reports"
"""Under these names the window serves what was exported, and the reports."""


@dataclass
class ExportState:
    """What can be taken along.

    :param formats: what can be chosen, as Vuetify's items; ``format`` is the chosen one's key.
    :param obstacle: why it cannot be exported now; empty when it can.
    :param no_report: why the report cannot be opened; empty when it can.
    :param report: the report's address.
    :param link: the last download's address, and below what name it is saved.
    """

    formats: list[dict[str, str]] = field(
        default_factory=lambda: [{"title": one.title, "value": one.key} for one in FORMATS]
    )
    format: str = FORMATS[0].key
    obstacle: str = ""
    no_report: str = ""
    report: str = ""
    message: str = ""
    failed: bool = False
    writing: bool = False
    link: str = ""
    file: str = ""


class ExportPart:
    """Opens the report of the case that is shown, and has the browser download what is exported."""

    def __init__(self, window: Window) -> None:
        self._host, self._bench = window.host, window.bench
        self._case: CaseNodes | None = window.bench.comparison.case
        self._folder = window.host.temp_folder / "exports"
        self._state = TypedState(window.server.state, ExportState)
        self._save: Any = None
        served = {EXPORTS: self._folder, REPORTS: pages_folder(window.host)}
        for folder in served.values():
            folder.mkdir(parents=True, exist_ok=True)
        window.server.enable_module({"serve": {name: str(folder) for name, folder in served.items()}})
        self._state.bind_changes({self._state.name.format: self._offer})
        self._signals = ((window.bench.comparison.changed, self._show), (window.bench.generate.finished, self._show))
        for signal, listener in self._signals:
            signal.connect(listener)
        self._offer()

    def build(self) -> None:
        """Make the widgets, inside the trame layout that is open."""
        name = self._state.name
        with section(_("Report and export"), collapsed=True):
            tip = _("Pictures and numbers of every finding, in a page of its own")
            button(
                _("Open the report"), f"window.open({name.report}, '_blank')", tip=tip, reason=name.no_report, wide=True
            )
            v3.VSelect(v_model=(name.format,), items=(name.formats,), label=_("What"))
            button(
                _("Download"),
                self._export,
                tip=_("Write it and save it on your computer; a folder comes as a ZIP file"),
                reason=name.obstacle,
                wide=True,
                loading=(name.writing,),
            )
            note(f"{{{{ {name.obstacle} }}}}", v_show=f"{name.obstacle} && !{name.writing}")
            note(f"{{{{ {name.message} }}}}", classes=(f"{name.failed} ? 'pn-note pn-error' : 'pn-note'",))
            html.A(
                f"{{{{ {name.file} }}}}",
                href=(name.link,),
                download=(name.file,),
                v_show=(name.link,),
                classes="pn-note pn-link",
            )
            self._save = client.JSEval(exec="Object.assign(window.document.createElement('a'), $event).click()")

    def close(self) -> None:
        """Follow no more; the part is not used again."""
        for signal, listener in self._signals:
            signal.disconnect(listener)

    @property
    def _chosen(self) -> Format:
        return next(one for one in FORMATS if one.key == self._state.data.format)

    def _show(self, case: CaseNodes | None) -> None:
        if case is not self._case:
            self._say("")
        self._case = case
        self._offer()

    def _offer(self, *_news: Any) -> None:
        data, case = self._state.data, self._case
        page = kept_page(self._host, case) if case is not None else None
        missing = _("There is no report: generate a pseudo-normal first; reports last as long as the session")
        data.no_report = "" if page else missing
        data.report = f"{REPORTS}/{quote(page.name)}" if page else ""
        obstacle = self._bench.exporter.obstacle(self._chosen, case)
        data.obstacle = _("It is being written") if data.writing else obstacle

    def _export(self) -> None:
        chosen, case = self._chosen, self._case
        assert case is not None
        shutil.rmtree(self._folder, ignore_errors=True)  # the last one: who wants it again writes it again
        folder = self._folder / secrets.token_urlsafe(12)
        folder.mkdir(parents=True)
        self._state.data.writing = True
        self._say(_("Writing…"))
        path = free_place(folder, case.image.GetName(), chosen)

        def written(path: Path) -> None:
            self._bench.background.run(lambda _call: one_file(path), self._ready, self._failed)

        self._bench.exporter.export(chosen, case, path, written, self._failed)
        self._offer()

    def _ready(self, path: Path) -> None:
        data = self._state.data
        data.link, data.file = "/".join([EXPORTS, path.parent.name, quote(path.name)]), path.name
        self._end(_("Ready ({size} MB); if your browser did not save it, take it here:").format(size=_megabytes(path)))
        self._save.exec({"href": data.link, "download": data.file})

    def _failed(self, error: Exception) -> None:
        self._end(str(error), failed=True)

    def _end(self, message: str, *, failed: bool = False) -> None:
        self._state.data.writing = False
        self._state.data.message, self._state.data.failed = message, failed
        self._offer()

    def _say(self, message: str) -> None:
        data = self._state.data
        data.message, data.failed, data.link = message, False, ""


def one_file(path: Path) -> Path:
    """What a browser can save: a file as it is, a folder as a ZIP file beside it, which takes its place."""
    if path.is_file():
        return path
    packed = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for entry in sorted(path.rglob("*")):
            archive.write(entry, Path(path.name) / entry.relative_to(path))
    shutil.rmtree(path)
    return packed


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f}"
