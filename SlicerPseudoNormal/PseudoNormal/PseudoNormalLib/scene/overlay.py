"""How the difference map lies over the scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PseudoNormalLib.scene.colours import diverging_table, hide_middle, symmetric_limit
from PseudoNormalLib.scene.volumes import array_of

GREATEST_THRESHOLD = 10.0
"""The largest that is offered, robust z."""


@dataclass(frozen=True)
class Overlay:
    """What the user sets.

    :param threshold: differences smaller than this are not shown, robust z.
    :param opacity: of the shown ones, 0 to 1.
    :param limit: robust z where the colours end; None: chosen from the difference map.
    :param visible: whether the difference map is shown at all.
    """

    threshold: float = 1.0
    opacity: float = 0.8
    limit: float | None = None
    visible: bool = True


def colour_difference(difference_z: Any, overlay: Overlay) -> float:
    """Give a difference map its colours, window and threshold.

    The threshold acts through the colour table, whose steps are 1/128 of the limit.

    :param difference_z: vtkMRMLScalarVolumeNode, robust z.
    :returns: the limit in use, robust z.
    """
    limit = overlay.limit or symmetric_limit(array_of(difference_z))
    table = diverging_table(difference_z.GetScene())
    hide_middle(table, overlay.threshold / limit)
    display = difference_z.GetDisplayNode()
    changing = display.StartModify()
    display.SetAndObserveColorNodeID(table.GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(2.0 * limit, 0.0)
    display.EndModify(changing)
    return limit
