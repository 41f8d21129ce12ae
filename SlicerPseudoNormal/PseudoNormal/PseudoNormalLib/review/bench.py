"""Everything that the module PseudoNormalReview does, put together for one host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PseudoNormalLib.engine.connection import LOCAL
from PseudoNormalLib.generate import GenerateLogic
from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.comparing import SecondReading
from PseudoNormalLib.review.deciding import Deciding
from PseudoNormalLib.review.desk import ReviewDesk
from PseudoNormalLib.review.drawing import Drawing
from PseudoNormalLib.review.journal import Journal
from PseudoNormalLib.review.pointing import pointed_at
from PseudoNormalLib.review.readings import Readings
from PseudoNormalLib.review.regenerating import Regeneration
from PseudoNormalLib.review.taking import Taking
from PseudoNormalLib.review.verdict import Verdict
from PseudoNormalLib.review.walk import FindingWalk
from PseudoNormalLib.review.worklist import Worklist
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.review.session import ReviewSession
    from PseudoNormalLib.scene.case_nodes import CaseNodes
    from PseudoNormalLib.workbench import Workbench

ANNOTATOR = "PseudoNormal/Review/Annotator"
LEAST_MM, MOST_MM = 1.0, 50.0
GREATEST_THRESHOLD = 10.0
"""Of the brush that follows the difference map, robust z."""


class ReviewBench:
    """The logics of a review, and what follows from one for the other.

    :param bench: the module PseudoNormal's: engine, comparison and flicker are the same in both.
    :ivar signed: emitted when another annotator has given their name.
    :ivar radius_mm: of the brush that follows the difference map.
    :ivar threshold: of that brush, robust z.
    :ivar brush_changed: emitted when one of the two is another.
    :ivar reading: another annotator's revision of the open case, None while no case is open.
    :ivar taking: the list's buttons: says what can be done now, and does it; so do ``deciding``, ``drawing``,
        ``verdict`` and ``readings`` for their part of the review.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.host = bench.host
        self.signed = Signal()
        self.brush_changed = Signal()
        self.radius_mm = 8.0
        self.threshold = 0.8
        self.desk = ReviewDesk(bench.host, bench.background, bench.jobs, Journal(bench.host.data_folder / "journal"))
        self.worklist = Worklist(bench.jobs)
        self.generate = GenerateLogic(bench.host, bench.jobs)
        self.regeneration = Regeneration(self.generate)
        self.reading: SecondReading | None = None
        self.desk.opened.connect(self._opened)
        self.desk.closing.connect(self._closing)
        self.desk.closed.connect(self.worklist.refresh)
        self.taking = Taking(self)
        self.deciding = Deciding(self)
        self.drawing = Drawing(self)
        self.verdict = Verdict(self)
        self.readings = Readings(self)
        self.generate.finished.connect(self._show)

    @property
    def session(self) -> ReviewSession | None:
        """The open case."""
        return self.desk.session

    @property
    def annotator(self) -> str:
        """The name under which revisions are saved."""
        return self.host.settings.get(ANNOTATOR)

    def sign(self, annotator: str) -> None:
        """Be somebody else from now on."""
        self.host.settings.set(ANNOTATOR, annotator.strip())
        self.signed.emit()

    def keep_store_in(self, folder: str) -> None:
        """Have the engine on this computer serve the case store in a folder; it starts anew for that."""
        connection = self.bench.connection
        connection.choose(replace(connection.choice, store=folder))
        self.wake()

    def wake(self) -> None:
        """The module was entered: start the engine, bring in what was left behind, list the cases."""
        if not self.obstacle():
            self.bench.connection.start()
            self.desk.recover()
            self.worklist.refresh()

    def obstacle(self) -> str:
        """Why there are no cases to be had, in one line; empty when there are."""
        choice = self.bench.connection.choice
        if self.bench.connection.state == "missing":
            return _("There is no engine on this computer yet: set it up in the module PseudoNormal")
        if choice.kind == LOCAL and not choice.store:
            return _("Choose the folder of the case store first")
        if not self.annotator:
            return _("Give your name first: it stands beside what you save")
        return ""

    def where(self) -> str:
        """Whose cases these are, or why there are none, in one line; empty where that goes without saying."""
        choice = self.bench.connection.choice
        served = _("The cases are those of the server {url}.").format(url=choice.url) if choice.kind != LOCAL else ""
        return self.obstacle() or served

    def set_brush(self, *, radius_mm: float | None = None, threshold: float | None = None) -> None:
        """Another radius (mm, kept within what makes sense) or threshold (robust z)."""
        radius_mm = self.radius_mm if radius_mm is None else min(max(radius_mm, LEAST_MM), MOST_MM)
        threshold = self.threshold if threshold is None else threshold
        if (radius_mm, threshold) != (self.radius_mm, self.threshold):
            self.radius_mm, self.threshold = radius_mm, threshold
            self.brush_changed.emit()

    def grow(self) -> None:
        """Grow the mask to the difference map where the mouse or the crosshair is."""
        self._stroke(FindingWalk.grow)

    def shrink(self) -> None:
        """Shrink the mask to the difference map where the mouse or the crosshair is."""
        self._stroke(FindingWalk.shrink)

    def keep(self) -> None:
        """The application is going away: what is unsaved is on disk on this computer when this returns.

        :raises OSError: that is not possible.
        """
        self.desk.keep()

    def _stroke(self, brush: Callable[..., None]) -> None:
        point = pointed_at(self.host.scene)
        if point is not None and self.session is not None and self.session.walk.can_follow_difference:
            brush(self.session.walk, point, radius_mm=self.radius_mm, threshold=self.threshold)

    def _opened(self, session: ReviewSession) -> None:
        self.reading = SecondReading(self.host, self.bench.jobs, session)
        self.bench.comparison.show(session.case)
        session.walk.go_to(session.walk.current)
        self.worklist.refresh()

    def _closing(self) -> None:
        self.bench.flicker.stop()
        self.regeneration.cancel()
        if self.reading is not None:
            self.reading.close()
            self.reading = None

    def _show(self, case: CaseNodes) -> None:
        if self.session is not None and self.session.case is case:
            self.bench.comparison.show(case)
