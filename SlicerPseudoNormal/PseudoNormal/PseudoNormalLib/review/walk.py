"""The walk through the findings of one case: go to each, decide about it, grow or shrink it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from PseudoNormalLib.review.decisions import Anchor, Decision, anchors, carry_over, from_anchors
from PseudoNormalLib.review.editing import MaskEditor
from PseudoNormalLib.review.grow import grow, shrink
from PseudoNormalLib.scene.findings import Finding, findings_from_report, measure, middle_of
from PseudoNormalLib.scene.navigation import jump_to_finding
from PseudoNormalLib.scene.volumes import array_of, ijk_to_ras
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.scene.case_nodes import CaseNodes


class FindingWalk:
    """The findings of a mask that is being edited, the one that is shown, and what was said about each.

    Findings are measured again after every edit and numbered by size; decisions go with their voxels. ``changed`` is
    emitted when findings, decisions or the current finding are others than before.

    :param editor: holds the mask; a rejected finding leaves it as one step to undo.
    :param before: what the engine said, see :func:`PseudoNormalLib.scene.findings.measure`.
    """

    def __init__(self, case: CaseNodes, editor: MaskEditor, *, report: dict | None = None) -> None:
        self.changed = Signal()
        self.findings: list[Finding] = []
        self.current = 0
        self._editor = editor
        self._image = case.image
        self._matrix = ijk_to_ras(case.image)
        self._middle = middle_of(array_of(case.image), self._matrix)
        self._before: Sequence[Finding] = findings_from_report(report) if report else ()
        self._labels = np.zeros(editor.mask.shape, np.int32)
        self._decisions: dict[int, Decision] = {}
        self.anchors: tuple[Anchor, ...] = ()
        """The decisions in a form that outlives the session."""
        self._difference_z: np.ndarray | None = None
        self._evidence: np.ndarray | None = None
        self.compare_with(case)
        editor.changed.connect(self._measure)

    @property
    def can_follow_difference(self) -> bool:
        """Whether there is a difference map for the brush to follow."""
        return self._evidence is not None

    def compare_with(self, case: CaseNodes) -> None:
        """Take the difference map of this case: at the start, and after the pseudo-normal was generated again.

        The brush follows the wide difference where there is one: the other is 0 outside the mask it was made for.
        """
        self._difference_z = None if case.difference_z is None else array_of(case.difference_z)
        wide = case.wide_difference_z
        self._evidence = self._difference_z if wide is None else array_of(wide)
        self._measure()

    def decision(self, number: int) -> Decision:
        """What was said about a finding."""
        return self._decisions.get(number, Decision.OPEN)

    def go_to(self, number: int) -> None:
        """Show a finding in all views; a number that does not exist changes nothing."""
        if 1 <= number <= len(self.findings):
            self.current = number
            jump_to_finding(self._image, self.findings[number - 1])
            self.changed.emit()

    def next(self) -> None:
        """Show the next finding, after the last one the first."""
        self._step(1)

    def previous(self) -> None:
        """Show the previous finding, before the first one the last."""
        self._step(-1)

    def accept(self) -> None:
        """The current finding is a lesion; go on with the next one that is open."""
        self._decide(Decision.ACCEPTED)

    def keep(self) -> None:
        """The current finding stays without being called a lesion; go on with the next one that is open."""
        self._decide(Decision.KEPT)

    def reject(self) -> None:
        """The current finding is none: its voxels leave the mask. The one that takes its place is shown."""
        number = self.current
        if number:
            self._editor.replace(self._editor.mask & (self._labels != number))
            self.go_to(min(number, len(self.findings)))

    def grow(self, point_ras: tuple[float, float, float], *, radius_mm: float, threshold: float) -> None:
        """Grow the mask to the difference map, see :func:`PseudoNormalLib.review.grow.grow`."""
        self._brush(grow, point_ras, radius_mm, threshold)

    def shrink(self, point_ras: tuple[float, float, float], *, radius_mm: float, threshold: float) -> None:
        """Shrink the mask to the difference map, see :func:`PseudoNormalLib.review.grow.shrink`."""
        self._brush(shrink, point_ras, radius_mm, threshold)

    def restore(self, number: int, found: Sequence[Anchor]) -> None:
        """Come back to where one left: the finding that was shown and the decisions."""
        self._set(from_anchors(found, self._labels))
        self.current = number if number <= len(self.findings) else 0
        self.changed.emit()

    def _step(self, by: int) -> None:
        count = len(self.findings)
        if count:
            start = self.current if self.current or by < 0 else 0
            self.go_to((start - 1 + by) % count + 1)

    def _decide(self, decision: Decision) -> None:
        if not self.current:
            return
        self._set(self._decisions | {self.current: decision})
        ahead = [*range(self.current + 1, len(self.findings) + 1), *range(1, self.current)]
        still_open = [number for number in ahead if self.decision(number) is Decision.OPEN]
        self.go_to(still_open[0] if still_open else self.current)

    def _brush(
        self,
        stroke: Callable[..., np.ndarray],
        point_ras: tuple[float, float, float],
        radius_mm: float,
        threshold: float,
    ) -> None:
        if self._evidence is None:
            raise ValueError("this case has no difference map; regenerate the pseudo-normal first")
        self._editor.replace(
            stroke(
                self._editor.mask,
                self._evidence,
                self._matrix,
                point_ras,
                radius_mm=radius_mm,
                threshold=threshold,
            )
        )

    def _set(self, decisions: dict[int, Decision]) -> None:
        self._decisions = decisions
        self.anchors = anchors(decisions, self._labels)

    def _measure(self) -> None:
        """Measure the mask as it is now; decisions and the current finding go with their voxels."""
        mask = self._editor.mask
        difference_z = np.zeros(mask.shape, np.float32) if self._difference_z is None else self._difference_z
        before = self._labels
        self.findings, self._labels = measure(mask, self._matrix, difference_z, self._middle, tuple(self._before))
        box = _box_around(self.findings)
        self._set(carry_over(self._decisions, before[box], self._labels[box]))
        self.current = _follow(self.current, before[box], self._labels[box])
        self.changed.emit()


def _box_around(findings: Sequence[Finding]) -> tuple[slice, ...]:
    """The smallest box that holds all findings, along z, y, x: a small part of the scan."""
    if not findings:
        return (slice(0, 0),) * 3
    boxes = np.array([finding.bounding_box for finding in findings])
    return tuple(slice(first, last) for first, last in zip(boxes.min(0)[:, 0], boxes.max(0)[:, 1], strict=True))


def _follow(number: int, before: np.ndarray, after: np.ndarray) -> int:
    """The new number of a finding, by the voxels it shares; 0 when it has left the mask."""
    shared = after[(before == number) & (after > 0)] if number else after[:0]
    return int(np.bincount(shared).argmax()) if shared.size else 0
