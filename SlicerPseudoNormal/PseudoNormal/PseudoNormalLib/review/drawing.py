"""What brushes draw: the lesion, or where nobody shall trust the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer
from PseudoNormalLib.scene.volumes import ijk_to_ras, voxel_ml
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.review.bench import ReviewBench
    from PseudoNormalLib.review.editing import MaskEditor
    from PseudoNormalLib.review.session import ReviewSession


class Drawing:
    """Which of the open case's two segments is drawn.

    ``changed`` is emitted when that, or how much is not to be trusted, is another; ``toggled`` when it was changed on
    purpose, by key: whoever hides tools may show them.
    """

    def __init__(self, review: ReviewBench) -> None:
        self.changed = Signal()
        self.toggled = Signal()
        self._review = review
        review.desk.opened.connect(self._opened)
        review.desk.closing.connect(self.changed.emit)

    @property
    def mask(self) -> MaskEditor | None:
        """What is drawn in; None while no case is open."""
        return None if self._review.session is None else self._review.session.editor

    @property
    def distrusts(self) -> bool:
        """Whether brushes mark what is not to be trusted."""
        return self.mask is not None and self.mask.distrusts

    def offers(self) -> dict[str, Offer]:
        """By name: ``lesion``, ``distrusted``."""
        closed = "" if self.mask is not None else _("No case is open")
        return {
            "lesion": Offer(_("Brushes change the lesion mask"), closed),
            "distrusted": Offer(_("Brushes mark where nobody shall trust the mask"), closed),
        }

    def line(self) -> str:
        """How much is not to be trusted; empty where all is."""
        drawn = 0.0 if self.mask is None else self.mask.distrusted.sum() * voxel_ml(ijk_to_ras(self.mask.image))
        line = _("{volume} ml are not to be trusted: retraining leaves them out. The lesion mask stays as it is there.")
        return line.format(volume=f"{drawn:.2f}") if drawn else ""

    def choose(self, *, distrusted: bool) -> None:
        """Draw what is not to be trusted, or the lesion; without an open case nothing happens."""
        if self.mask is not None:
            self.mask.choose(distrusted=distrusted)
            self.changed.emit()

    def toggle(self) -> None:
        """Draw the other one."""
        if self.mask is not None:
            self.choose(distrusted=not self.distrusts)
            self.toggled.emit()

    def _opened(self, session: ReviewSession) -> None:
        session.editor.chosen.connect(self.changed.emit)
        session.editor.distrust_changed.connect(self.changed.emit)
        self.changed.emit()
