"""What the engine made, as nodes beside the input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import CaseNodes, case_of, link, set_job, set_report
from PseudoNormalLib.scene.colours import symmetric_limit
from PseudoNormalLib.scene.findings import findings_from_report
from PseudoNormalLib.scene.lesions import mask_of, new_lesions
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras, new_volume_like, set_array

if TYPE_CHECKING:
    from PseudoNormalLib.engine.jobs import Generated
    from PseudoNormalLib.hosts import Host

VOLUMES = ("pseudo_normal", "difference", "difference_z")
WIDE = "wide_difference_z"
WANTED = (*VOLUMES, "lesion_mask", "report_html")
NAMES = {
    "pseudo_normal": _("{scan} pseudo-normal"),
    "difference": _("{scan} difference"),
    "difference_z": _("{scan} difference (z)"),
    "wide_difference_z": _("{scan} wide difference (z)"),
    "lesions": _("{scan} lesions"),
}
"""How nodes are called after their scan."""


@dataclass(frozen=True, eq=False)
class Sent:
    """A volume node as it was when it was sent.

    :param volume: its voxels and matrix; the voxels are the node's own memory, which a copy would cost time for.
    :param age: the modification time of the voxels.
    """

    volume: Volume
    age: int

    @classmethod
    def of(cls, image: Any) -> Sent:
        """A volume node as it is now.

        :raises ValueError: it holds no scan; one line.
        """
        return cls(Volume(array_of(image), ijk_to_ras(image)), _age(image))

    def still_is(self, image: Any) -> bool:
        """Whether the node's voxels and grid are what was sent."""
        voxels = image.GetImageData() is not None and np.shares_memory(array_of(image), self.volume.array)
        return voxels and _age(image) == self.age and np.array_equal(ijk_to_ras(image), self.volume.ijk_to_ras)


def place_results(host: Host, image: Any, sent: Sent, generated: Generated, lesions: Any | None = None) -> CaseNodes:
    """Put an engine's results into the scene.

    Everything is checked first: either all of it appears or nothing changes. Volumes of an earlier result are filled
    anew, so that views keep showing them. An earlier lesion segmentation is never touched: when the new mask differs,
    it is hidden, and the new one stands beside it.

    :param image: the volume node that was sent.
    :param sent: the node as it was sent.
    :param lesions: the segmentation whose mask was sent; it stays as it is.
    :returns: the case, linked in the scene.
    :raises ValueError: the node is gone, another grid now, or a result is missing or does not fit; one line.
    """
    _check_image(host, image, sent)
    arrays = {name: _fitting(generated, name, sent.volume) for name in (*VOLUMES, "lesion_mask")}
    if WIDE in generated.volumes:
        arrays[WIDE] = _fitting(generated, WIDE, sent.volume)
    findings_from_report(generated.report)
    earlier = case_of(image)
    made = {
        name: _volume(image, getattr(earlier, name), name, arrays[name]) for name in arrays if name != "lesion_mask"
    }
    if WIDE not in made and earlier.wide_difference_z is not None:  # it would be another mask's
        host.scene.RemoveNode(earlier.wide_difference_z)
        made[WIDE] = None
    made["difference"].GetDisplayNode().SetWindowLevel(2.0 * (symmetric_limit(arrays["difference"], 0.0) or 1.0), 0.0)
    if lesions is None:
        lesions = _lesions(host, image, earlier.lesions, arrays["lesion_mask"] != 0)
    case = replace(earlier, image=image, lesions=lesions, **made)
    for node in (*made.values(), lesions):
        if node is not None:
            _put_beside(image, node)
    link(case)
    set_report(case, generated.report)
    set_job(case, generated.job)
    return case


def _check_image(host: Host, image: Any, sent: Sent) -> None:
    if not host.scene.IsNodePresent(image):
        raise ValueError(_("The scan was closed while its pseudo-normal was generated; load it and generate again"))
    if not sent.still_is(image):
        line = _("{name}: was changed while its pseudo-normal was generated; generate again")
        raise ValueError(line.format(name=image.GetName()))


def _age(image: Any) -> int:
    return int(image.GetImageData().GetPointData().GetScalars().GetMTime())


def _fitting(generated: Generated, name: str, sent: Volume) -> np.ndarray:
    volume = generated.volumes.get(name)
    fits = volume is not None and volume.array.shape == sent.array.shape
    if not fits or not np.allclose(volume.ijk_to_ras, sent.ijk_to_ras, rtol=0, atol=1e-3):
        line = _("The engine's result “{name}” is missing or does not fit the scan; is it the same version as this?")
        raise ValueError(line.format(name=name))
    return volume.array


def _volume(image: Any, earlier: Any | None, name: str, array: np.ndarray) -> Any:
    if earlier is None:
        return new_volume_like(image, NAMES[name].format(scan=image.GetName()), array)
    earlier.CopyOrientation(image)
    set_array(earlier, array)
    return earlier


def _lesions(host: Host, image: Any, earlier: Any | None, mask: np.ndarray) -> Any:
    if earlier is not None:
        if earlier.GetSegmentation().GetNumberOfSegments() and np.array_equal(mask_of(earlier, image), mask):
            return earlier
        earlier.SetDisplayVisibility(False)
    return new_lesions(host, image, mask, NAMES["lesions"].format(scan=image.GetName()))


def _put_beside(image: Any, node: Any) -> None:
    """Into the input's place in the subject hierarchy: what is exported from there keeps patient and study."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(image.GetScene())
    item = hierarchy.GetItemByDataNode(image) if hierarchy is not None else 0
    if not item:
        return
    place = hierarchy.GetItemParent(item)
    its = hierarchy.GetItemByDataNode(node)
    if its:
        hierarchy.SetItemParent(its, place)
    else:
        hierarchy.CreateItem(place, node)
