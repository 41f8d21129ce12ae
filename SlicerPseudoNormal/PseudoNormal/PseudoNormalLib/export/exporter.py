"""What a user can export from a case in the scene, and doing it without holding up the interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.background import Background
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.export.atomic import new_folder
from PseudoNormalLib.export.case_folder import MASK, write_case_folder
from PseudoNormalLib.export.derived_header import DIFFERENCE, PSEUDO_NORMAL
from PseudoNormalLib.export.dicom_seg import write_dicom_seg
from PseudoNormalLib.export.dicom_series import write_dicom_series
from PseudoNormalLib.export.errors import ExportError
from PseudoNormalLib.export.provenance import Provenance, was_edited
from PseudoNormalLib.export.segmentation import write_segmentation
from PseudoNormalLib.i18n import _
from PseudoNormalLib.report import kept_page
from PseudoNormalLib.scene.case_nodes import CaseNodes, report_of
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras

if TYPE_CHECKING:
    from PseudoNormalLib.hosts import Host

_VOLUMES = ("pseudo_normal", "difference", "difference_z")


@dataclass(frozen=True)
class Format:
    """Something to export.

    :param key: its name in settings and code.
    :param title: its name for people.
    :param suffix: of the file; empty where a folder is written.
    :param needs: fields of :class:`CaseNodes` that must be there.
    :param dicom: whether it cannot be without the scan's DICOM files.
    """

    key: str
    title: str
    suffix: str
    needs: tuple[str, ...]
    dicom: bool


FORMATS = (
    Format("folder", _("All results: NIfTI, segmentation and report (folder)"), "", _VOLUMES, dicom=False),
    Format("segmentation", _("Lesion mask as segmentation (.seg.nrrd)"), ".seg.nrrd", ("lesions",), dicom=False),
    Format("dicom_seg", _("Lesion mask as DICOM SEG (.dcm)"), ".dcm", ("lesions",), dicom=True),
    Format("pseudo_normal", _("Pseudo-normal as DICOM series (folder)"), "", ("pseudo_normal",), dicom=True),
    Format("difference", _("Difference as DICOM series (folder)"), "", ("difference",), dicom=True),
    Format("everything", _("Everything of this case, as DICOM too if it came so (folder)"), "", _VOLUMES, dicom=False),
)
EVERYTHING = {"folder": "results", "dicom_seg": "lesion mask.dcm", "pseudo_normal": "pseudo-normal DICOM",
              "difference": "difference DICOM"}  # fmt: skip
"""What "everything" holds, by the format's key: the name in its folder."""


class Exporter:
    """Exports cases of the scene.

    Nodes are read when an export begins and may be changed while it is written.

    :param background: writes on a thread of its own.
    """

    def __init__(self, host: Host, background: Background) -> None:
        self._host = host
        self._background = background

    def obstacle(self, chosen: Format, case: CaseNodes | None) -> str:
        """Why this cannot be exported now, in one line; empty when it can."""
        if case is None or any(getattr(case, name) is None for name in chosen.needs):
            return _("There is nothing to export yet; generate a pseudo-normal first.")
        if chosen.dicom and not self._host.dicom_files(case.image):
            return _("The scan was not loaded from DICOM; export NIfTI or .seg.nrrd instead.")
        return ""

    def writes_dicom(self, chosen: Format, case: CaseNodes) -> bool:
        """Whether it needs the Python packages of ``requirements.txt``."""
        return chosen.dicom or (chosen.key == "everything" and bool(self._host.dicom_files(case.image)))

    def export(
        self,
        chosen: Format,
        case: CaseNodes,
        path: Path,
        done: Callable[[Path], Any],
        failed: Callable[[Exception], Any],
    ) -> None:
        """Write a case; what is told is told on the main thread, later.

        :param path: the file, which is replaced if it is there, or the folder, which must not be there or be empty.
        :param done: called with the path once everything is on disk.
        :param failed: called with the error; ``str(error)`` is one line and nothing was written.
        """
        try:
            write = self._prepare(chosen, case, path)
        except ValueError as error:
            failure = error
            self._background.run(lambda _call: None, lambda _nothing: failed(failure))
            return
        self._background.run(lambda _call: write(), lambda _nothing: done(path), failed)

    def _prepare(self, chosen: Format, case: CaseNodes, path: Path) -> Callable[[], None]:
        """Read the scene; what is returned touches it no more.

        :raises ValueError: the case cannot be exported like that.
        """
        obstacle = self.obstacle(chosen, case)
        if obstacle:
            raise ExportError(obstacle)
        if chosen.key == "segmentation":
            # The scene's own writer, for it knows all that a segmentation can hold; it is quick enough for a mask.
            write_segmentation(path, case.lesions, case.image)
            return lambda: None
        if chosen.key == "everything":
            return self._everything(case, path)
        writer = self._writer(chosen, case)
        return lambda: writer(path)

    def _everything(self, case: CaseNodes, path: Path) -> Callable[[], None]:
        parts = [one for one in FORMATS if one.key in EVERYTHING and not self.obstacle(one, case)]
        writers = {EVERYTHING[one.key]: self._writer(one, case) for one in parts}

        def write() -> None:
            with new_folder(path) as temporary:
                for name, writer in writers.items():
                    writer(temporary / name)

        return write

    def _writer(self, chosen: Format, case: CaseNodes) -> Callable[[Path], None]:
        """As :meth:`_prepare`, for what is written to a place that is known later."""
        report = report_of(case)
        made_by = Provenance.of(report)
        if chosen.key == "folder":
            volumes = {name: _volume(getattr(case, name)) for name in _VOLUMES}
            if case.lesions is not None:
                volumes[MASK] = _mask(case)
            page = kept_page(self._host, case)
            return lambda path: write_case_folder(path, volumes, report, page.read_bytes() if page else None)
        files = self._host.dicom_files(case.image)
        if chosen.key == "dicom_seg":
            mask = _mask(case)
            edited = report is None or was_edited(mask.array, report)
            return lambda path: write_dicom_seg(path, mask, files, made_by, edited=edited)
        volume = _volume(getattr(case, chosen.key))
        kind = PSEUDO_NORMAL if chosen.key == "pseudo_normal" else DIFFERENCE
        return lambda path: write_dicom_series(path, volume, files, kind, made_by)


def _volume(node: Any) -> Volume:
    return Volume(array_of(node).copy(), ijk_to_ras(node))


def _mask(case: CaseNodes) -> Volume:
    return Volume(mask_of(case.lesions, case.image), ijk_to_ras(case.image))
