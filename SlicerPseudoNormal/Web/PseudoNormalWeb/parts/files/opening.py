"""What was uploaded becomes volumes of the scene: read on a thread, placed on the main one."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from PseudoNormalLib.dicom_files import remember_files
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.lesions import mask_of, new_lesions
from PseudoNormalLib.scene.volumes import new_volume, same_grid
from PseudoNormalLib.signals import Signal

from PseudoNormalWeb.parts.files.arrival import Arrival, read_arrival

if TYPE_CHECKING:
    from PseudoNormalLib.workbench import Workbench

    from PseudoNormalWeb.parts.files.picture import Picture

_STUDY = "Study"
_PASSING = "mask as it came"


class Opening:
    """Takes uploads into the scene, one after the other; the page is never held up.

    :param files: the folder in which each upload has one of its own.
    :ivar opened: emitted with what was opened and what was refused, both in one line each; either may be empty.
    """

    def __init__(self, bench: Workbench, files: Path) -> None:
        self.opened = Signal()
        self._bench, self._host, self._files = bench, bench.host, files

    def take(self, upload: str) -> None:
        """Begin to open an upload; ``opened`` tells when it is over.

        :param upload: its folder's name.
        """
        folder = self.folder(upload)

        def failed(error: Exception) -> None:
            self._end(_("It could not be opened: {error}").format(error=" ".join(str(error).split())), folder)

        self._bench.background.run(
            lambda _call: read_arrival(folder), lambda arrival: self._place(arrival, folder), failed
        )

    def forget(self, upload: str) -> None:
        """Remove what has come of an upload that was given up."""
        shutil.rmtree(self.folder(upload), ignore_errors=True)

    def folder(self, upload: str) -> Path:
        """An upload's folder.

        :raises ValueError: there can be none of that name.
        """
        if not upload or Path(upload).name != upload or upload.startswith("."):
            raise ValueError(_("There is no upload of the name {name}").format(name=repr(upload)))
        return self._files / upload

    def _place(self, arrival: Arrival, folder: Path) -> None:
        refused = list(arrival.refused)
        images = [self._volume(scan) for scan in arrival.scans]
        # The finest of several comes into view, for it shows most.
        chosen = max(images, key=lambda node: node.GetImageData().GetNumberOfPoints(), default=None)
        candidates = images or [each for each in (self._bench.choices.values.image,) if each is not None]
        lesions = None
        for mask in arrival.masks:
            try:
                image, lesions = self._lesions(mask, candidates)
                chosen = chosen or image
            except ValueError as error:
                refused.append(str(error))
        if chosen is not None:
            self._choose(chosen, lesions)
        names = [node.GetName() for node in (*images, *((lesions,) if lesions is not None else ()))]
        self._end("\n".join(refused), None if names else folder, ", ".join(names))

    def _choose(self, image: Any, lesions: Any | None) -> None:
        """Make a scan the one to work on; what was chosen for another scan does not hold for it."""
        change: dict[str, Any] = {"lesions": lesions}
        if image is not self._bench.choices.values.image:
            change |= {"image": image, "contrast": ""}
        self._bench.choices.update(**change)

    def _volume(self, scan: Picture) -> Any:
        node = new_volume(self._host.scene, scan.name, scan.array, scan.ijk_to_ras, scan.window_level)
        if scan.files:
            remember_files(node, scan.files)
        if scan.patient:
            _tell_patient(node, scan.patient)
        return node

    def _lesions(self, mask: Picture, images: list[Any]) -> tuple[Any, Any]:
        """A mask as the seed mask of a scan: of the one on its grid, else of the first.

        :returns: the scan and the segmentation node.
        :raises ValueError: there is no scan for it; one line.
        """
        if not images:
            line = _("{name}: is a mask; open its scan first, or both together")
            raise ValueError(line.format(name=mask.name))
        scene = self._host.scene
        own = new_volume(scene, _PASSING, mask.array > 0, mask.ijk_to_ras, (1.0, 0.5))
        image = next((each for each in images if same_grid(each, own)), images[0])
        drawn = new_lesions(self._host, own, mask.array > 0, _PASSING)
        try:
            array = mask_of(drawn, image)
        finally:
            for node in (drawn, own):
                scene.RemoveNode(node)
        if not array.any():
            line = _("{name}: is a mask that marks nothing on {scan}; open it with the scan that it belongs to")
            raise ValueError(line.format(name=mask.name, scan=image.GetName()))
        return image, new_lesions(self._host, image, array, mask.name)

    def _end(self, refused: str, useless: Path | None, opened: str = "") -> None:
        if useless is not None:
            shutil.rmtree(useless, ignore_errors=True)
        self.opened.emit(opened, refused)


def _tell_patient(node: Any, patient: str) -> None:
    """Put a volume below its patient, as the desktop's DICOM module does: scans of one person get one key."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    names = slicer.vtkMRMLSubjectHierarchyConstants
    key = hashlib.sha256(patient.encode()).hexdigest()[:8]
    item = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), f"Patient {key}")
    hierarchy.SetItemAttribute(item, names.GetDICOMPatientIDAttributeName(), patient)
    hierarchy.CreateItem(hierarchy.CreateStudyItem(item, _STUDY), node)
