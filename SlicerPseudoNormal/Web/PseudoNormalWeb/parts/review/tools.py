"""The tools that draw in the open case's mask: trame-slicer's, on the segment that the review has chosen."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer
from PseudoNormalLib.scene.volumes import ijk_to_ras, voxel_ml
from PseudoNormalLib.signals import Signal
from trame_slicer.segmentation import (
    SegmentationEffectErase,
    SegmentationEffectIslands,
    SegmentationEffectNoTool,
    SegmentationEffectPaint,
    SegmentationEffectSmoothing,
    SegmentationEffectThreshold,
    SegmentationEffectVolumeIntensityMask,
)
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode
from trame_slicer.segmentation.segmentation_effect_smoothing import SmoothingEffectMode

from PseudoNormalWeb.parts.review.history import EditorHistory

if TYPE_CHECKING:
    from PseudoNormalLib.review.bench import ReviewBench
    from PseudoNormalLib.review.session import ReviewSession
    from PseudoNormalLib.scene.case_nodes import CaseNodes


class Tool(str, Enum):
    """What the mouse does in a slice."""

    LOOK = "look"
    PAINT = "paint"
    ERASE = "erase"


class Smoothing(str, Enum):
    """How a segment is made smooth."""

    MEDIAN = "median"
    OPENING = "opening"
    CLOSING = "closing"


_BRUSHES = {Tool.PAINT: SegmentationEffectPaint, Tool.ERASE: SegmentationEffectErase}
_MODES = {
    Smoothing.MEDIAN: SmoothingEffectMode.MEDIAN,
    Smoothing.OPENING: SmoothingEffectMode.OPENING,
    Smoothing.CLOSING: SmoothingEffectMode.CLOSING,
}


class Tools:
    """One tool is in hand; others work on the whole segment at once. Each use is one step to undo.

    ``changed`` is emitted when another tool is in hand, or the range or the case is another.

    :param app: trame-slicer's ``SlicerApp``.
    :ivar tool: the one in hand.
    :ivar limited: whether brushes change only voxels whose intensity lies in the range.
    :ivar span: intensities of the open case's scan, least and most.
    :ivar range: intensities, from and to.
    """

    def __init__(self, app: Any, review: ReviewBench) -> None:
        self.changed = Signal()
        self.tool = Tool.LOOK
        self.limited = False
        self.span = self.range = (0.0, 1.0)
        self._editor = app.segmentation_editor
        self._views = app.view_manager
        self._pointing = app.app_logic.GetInteractionNode()
        self._review = review
        # Its picture of the range pulses, which has every view drawn anew five times a second.
        self._editor.get_effect(SegmentationEffectVolumeIntensityMask).set_mask_visible(False)
        for brush in _BRUSHES.values():
            self._editor.get_effect(brush).set_use_sphere_brush(False)
        review.desk.history_of = self.history_of
        review.desk.opened.connect(self._opened)
        review.desk.closing.connect(self._closing)
        review.brush_changed.connect(self._size)
        self._size()

    def history_of(self, case: CaseNodes) -> EditorHistory:
        """Take a case's mask into the editor; see :data:`PseudoNormalLib.review.session.HistoryOf`."""
        return EditorHistory(self._editor, case)

    def offers(self) -> dict[str, Offer]:
        """By name: ``paint``, ``erase``, ``look``, ``range``, ``fill``, ``largest``, ``small``, ``smooth``."""
        closed = "" if self._review.session is not None else _("No case is open")
        return {
            "look": Offer(_("The mouse changes brightness and contrast"), closed),
            "paint": Offer(_("The mouse adds voxels to what is drawn"), closed),
            "erase": Offer(_("The mouse takes voxels from what is drawn"), closed),
            "range": Offer(_("Brushes change only voxels whose intensity lies between these"), closed),
            "fill": Offer(_("Add every voxel of the scan whose intensity lies between these"), closed),
            "largest": Offer(_("Keep the largest connected part and remove all others"), closed),
            "small": Offer(_("Remove connected parts that are smaller than this"), closed),
            "smooth": Offer(_("Make the outline smoother"), closed),
        }

    def hold(self, tool: Tool) -> None:
        """Take another tool; without an open case it is always to look."""
        if self._review.session is None:
            tool = Tool.LOOK
        if tool in _BRUSHES:
            self._give_views(self._editor.get_effect(_BRUSHES[tool]))
        self._editor.set_active_effect_type(_BRUSHES.get(tool, SegmentationEffectNoTool))
        # Dragging changes brightness in its own mode, and a brush gets nothing of it then.
        mode = self._pointing.ViewTransform if tool in _BRUSHES else self._pointing.AdjustWindowLevel
        self._pointing.SetCurrentInteractionMode(mode)
        self.tool = tool
        self._limit()
        self.changed.emit()

    def use_ball(self, ball: bool) -> None:
        """Have brushes reach into neighbouring slices, or not."""
        for brush in _BRUSHES.values():
            self._editor.get_effect(brush).set_use_sphere_brush(ball)

    def set_range(self, low: float, high: float, *, limited: bool) -> None:
        """Have brushes keep to other intensities, or to none."""
        if (self.range, self.limited) != ((low, high), limited):
            self.range, self.limited = (low, high), limited
            self._limit()
            self.changed.emit()

    def fill(self) -> None:
        """Add every voxel whose intensity lies in the range."""
        self._apply(SegmentationEffectThreshold, self._fill)

    def keep_largest(self) -> None:
        """Keep the largest connected part."""
        self._apply(SegmentationEffectIslands, lambda effect: effect.keep_largest_island())

    def remove_small(self, least_ml: float) -> None:
        """Remove connected parts that are smaller.

        :param least_ml: the volume that remains, ml.
        """
        session = self._review.session
        if session is not None:
            voxels = max(1, round(least_ml / voxel_ml(ijk_to_ras(session.case.image))))
            self._apply(SegmentationEffectIslands, lambda effect: effect.remove_small_islands(voxels))

    def smooth(self, how: Smoothing, kernel_mm: float) -> None:
        """Make the outline smoother.

        :param kernel_mm: width of the neighbourhood, mm.
        """

        def run(effect: Any) -> None:
            effect.set_kernel_size(kernel_mm)
            effect.apply_smoothing(smoothing_mode=_MODES[how])

        self._apply(SegmentationEffectSmoothing, run)

    def close(self) -> None:
        """Follow the review no more."""
        self._review.desk.opened.disconnect(self._opened)
        self._review.desk.closing.disconnect(self._closing)
        self._review.brush_changed.disconnect(self._size)
        self._review.desk.history_of = None

    def _fill(self, effect: Any) -> None:
        effect.set_threshold_min_max_values(self.range)
        effect.apply()

    def _apply(self, kind: Any, run: Any) -> None:
        """Use a tool once on the whole segment; the range binds brushes only."""
        if self._review.session is None:
            return
        self._editor.editor_node.SetSourceVolumeIntensityMask(False)
        effect = self._editor.set_active_effect_type(kind)
        try:
            run(effect)
        finally:
            self.hold(self.tool)
            self._review.session.editor.look()

    def _give_views(self, brush: Any) -> None:
        """A brush learns of a view while that is still being made, and finds none then."""
        for pipeline in (weak() for weak in brush.pipelines):
            if pipeline is not None:
                pipeline.SetView(self._views.get_view(pipeline.GetViewNode()))

    def _limit(self) -> None:
        node = self._editor.editor_node
        node.SetSourceVolumeIntensityMaskRange(*self.range)
        node.SetSourceVolumeIntensityMask(self.limited and self.tool is not Tool.LOOK)

    def _size(self) -> None:
        """Brushes are as large as what grows and shrinks to the difference map: one circle shows both."""
        for brush in _BRUSHES.values():
            self._editor.get_effect(brush).set_brush_diameter(2 * self._review.radius_mm, BrushDiameterMode.Absolute)

    def _opened(self, session: ReviewSession) -> None:
        least, most = session.case.image.GetImageData().GetScalarRange()
        self.span = self.range = (float(least), float(most))
        self.limited = False
        self.hold(Tool.LOOK)

    def _closing(self) -> None:
        self.hold(Tool.LOOK)
