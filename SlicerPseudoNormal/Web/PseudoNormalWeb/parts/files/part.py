"""The button and the drop target for files, how far an upload is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from trame.widgets import client, html
from trame.widgets import vuetify3 as v3
from trame_server.utils.typed_state import TypedState

from PseudoNormalWeb.parts.files.opening import Opening
from PseudoNormalWeb.window.forms import button, section

if TYPE_CHECKING:
    from PseudoNormalWeb.window.window import Window

SERVED = "pseudonormal_files"
SERVED_FOLDER = "served"
SCRIPT = "upload.js"
CSS = """
.pn-files-news .v-snackbar__wrapper { border: 1px solid rgba(128, 144, 160, .35);
  border-left: 4px solid rgb(var(--v-theme-primary)); }
.pn-files-refused .v-snackbar__wrapper { border-left-color: rgb(var(--v-theme-error)); }
.pn-files-news .v-snackbar__content { font-size: 13px; line-height: 1.45; }
"""
TOLD_S = 8000
"""Milliseconds after which good news vanish; what was refused stays until it is closed."""


@dataclass
class FilesState:
    """What is told of an upload.

    :param kind: "upload", "reading", "error" or "done".
    :param fraction: of the upload, 0 to 100.
    """

    shown: bool = False
    kind: str = ""
    line: str = ""
    fraction: float = 0.0


class FilesPart:
    """Opens files and DICOM folders of the user's computer.

    The page uploads them (``upload.js``) and calls the triggers ``files_*``; the last one is ``files_arrived``.
    """

    def __init__(self, window: Window) -> None:
        self._server = window.server
        self._opening = Opening(window.bench, window.files)
        self._state = TypedState(window.server.state, FilesState)
        self._server.enable_module(
            {"serve": {SERVED: str(Path(__file__).parent / SERVED_FOLDER)}, "scripts": [f"{SERVED}/{SCRIPT}"]}
        )
        triggers = {
            "files_arrived": self._arrived,
            "files_progress": self._progress,
            "files_failed": self._failed,
            "files_cancelled": self._cancelled,
        }
        for name, listener in triggers.items():
            self._server.controller.trigger(name)(listener)
        self._opening.opened.connect(self._opened)

    def build(self) -> None:
        """See :class:`PseudoNormalWeb.window.part.Part`."""
        with section(_("Open")), html.Div(id="pn-files", raw_attrs=[f'data-drop="{_("Drop scans or DICOM folders")}"']):
            with html.Div(classes="pn-row"):
                button(
                    _("Open files…"),
                    "window.pseudonormalFiles.choose(false)",
                    tip=_("NIfTI, NRRD or MetaImage, one or several; a mask beside its scan is taken as its seed mask"),
                    prepend_icon="mdi-file-outline",
                )
                button(
                    _("DICOM folder…"),
                    "window.pseudonormalFiles.choose(true)",
                    tip=_("A folder with DICOM files; each series in it is opened"),
                    prepend_icon="mdi-folder-outline",
                )
            html.Div(_("or drop them anywhere on this page"), classes="pn-note", style="margin-top: 6px;")
            self._build_news()

    def close(self) -> None:
        """See :class:`PseudoNormalWeb.window.part.Part`."""
        self._opening.opened.disconnect(self._opened)

    def _build_news(self) -> None:
        names = self._state.name
        client.Style(CSS)
        with v3.VSnackbar(
            v_model=(names.shown,),
            timeout=(f"{names.kind} === 'done' ? {TOLD_S} : -1",),
            color="surface",
            location="bottom",
            min_width=380,
            classes=(f"['pn-files-news', {names.kind} === 'error' ? 'pn-files-refused' : '']",),
        ):
            html.Div(f"{{{{ {names.line} }}}}", style="white-space: pre-line; overflow-wrap: anywhere;")
            v3.VProgressLinear(
                v_if=(f"['upload', 'reading'].includes({names.kind})",),
                model_value=(names.fraction,),
                indeterminate=(f"{names.kind} === 'reading'",),
                color="primary",
                rounded=True,
                style="margin-top: 8px;",
            )
            with v3.Template(v_slot_actions=True):
                v3.VBtn(
                    _("Cancel"),
                    v_if=(f"{names.kind} === 'upload'",),
                    click="window.pseudonormalFiles.cancel()",
                    variant="text",
                )
                v3.VBtn(
                    _("Close"),
                    v_if=(f"['error', 'done'].includes({names.kind})",),
                    click=f"{names.shown} = false",
                    variant="text",
                )

    def _tell(self, kind: str, line: str, fraction: float = 0.0) -> None:
        data = self._state.data
        data.kind, data.line, data.fraction, data.shown = kind, line, fraction, True

    def _progress(self, file: str, number: int, count: int, sent: float, total: float) -> None:
        line = _("Uploading {file}: {sent} of {total} MB")
        if count > 1:
            line = _("Uploading file {number} of {count}: {sent} of {total} MB")
        megabytes = {"sent": f"{sent / 1e6:.0f}", "total": f"{total / 1e6:.0f}"}
        line = line.format(file=file, number=number, count=count, **megabytes)
        self._tell("upload", line, 100 * sent / max(total, 1))

    def _arrived(self, upload: str) -> None:
        try:
            self._opening.take(upload)
        except ValueError as error:
            self._tell("error", str(error))
            return
        self._tell("reading", _("Opening…"))

    def _failed(self, upload: str, reason: str, said: str) -> None:
        lines = {
            "empty": _("There are no files in it"),
            "lost": _("The connection was lost while the files were sent; open them again"),
            "refused": said or _("The files were refused; open fewer or smaller ones"),
        }
        self._give_up(upload)
        self._tell("error", lines.get(reason, said))

    def _cancelled(self, upload: str) -> None:
        self._give_up(upload)
        self._tell("done", _("Cancelled; nothing was opened"))

    def _give_up(self, upload: str) -> None:
        if upload:
            self._opening.forget(upload)

    def _opened(self, opened: str, refused: str) -> None:
        lines: list[Any] = [_("Opened: {names}").format(names=opened) if opened else "", refused]
        self._tell("error" if refused else "done", "\n".join(line for line in lines if line))
