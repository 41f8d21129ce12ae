"""One open case: its nodes, the mask under the annotator's hands, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.drafts import STORE_SECONDS, Drafts, Work
from PseudoNormalLib.review.editing import History, MaskEditor
from PseudoNormalLib.review.journal import Entry
from PseudoNormalLib.review.keeping import ResultsKeeper
from PseudoNormalLib.review.leases import RENEW_SECONDS, Holder, LeaseKeeper
from PseudoNormalLib.review.opening import make_nodes, remove_nodes
from PseudoNormalLib.review.place import Place
from PseudoNormalLib.review.walk import FindingWalk
from PseudoNormalLib.scene import navigation
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.volumes import ijk_to_ras
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.background import Background
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import RevisionInfo
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.review.journal import Journal
    from PseudoNormalLib.review.opening import OpenCase

HistoryOf = Callable[[CaseNodes], History]
"""Makes the undo stack for a case's mask: the Segment Editor widget's where there is one."""


class ReviewSession:
    """A case from the moment it is on the screen until it is given back.

    ``saved`` is emitted with each new revision, ``trouble`` with one line when something failed and is tried again,
    ``lost`` with one line when somebody else has the case now: the work stays on this computer and comes up when the
    case is opened again.

    :param holder: the annotator, and the sitting that has begun for it; it ends with the session.
    """

    def __init__(
        self,
        host: Host,
        background: Background,
        jobs: EngineJobs,
        journal: Journal,
        opened: OpenCase,
        holder: Holder,
        *,
        history_of: HistoryOf | None = None,
        store_seconds: float = STORE_SECONDS,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self.saved = Signal()
        self.trouble = Signal()
        self.lost = Signal()
        self.id = opened.lease.case.id
        self.annotator = holder.annotator
        self.revisions = list(opened.details.history)
        self.stranded = list(opened.stranded)
        self._host = host
        self._journal = journal
        self._taken: list[Entry] = []
        self._sitting = holder.sitting
        self.case = make_nodes(host, opened)
        self.editor = MaskEditor(
            host, self.case.image, self.case.lesions, history=history_of(self.case) if history_of else None
        )
        self.walk = FindingWalk(self.case, self.editor, report=opened.details.report)
        self._go_back_to(opened.place)
        self.lease = LeaseKeeper(
            host, jobs, opened.lease, lambda engine: holder.take(engine, self.id), seconds=renew_seconds
        )
        blank = Entry(
            case=self.id,
            sitting=self._sitting,
            annotator=self.annotator,
            parent=self.revisions[-1].id if self.revisions else None,
            state="draft",
            comment="",
            mask=self.editor.mask,
            matrix=ijk_to_ras(self.case.image),
        )
        self.drafts = Drafts(
            host, background, jobs, journal, self.lease, self._work, blank, store_seconds=store_seconds
        )
        self.results = ResultsKeeper(jobs, self.lease, self.drafts, self.id)
        self.results.trouble.connect(self.trouble.emit)
        self.drafts.saved.connect(self._saved)
        self.drafts.trouble.connect(self.trouble.emit)
        self.drafts.overtaken.connect(self.lost.emit)
        self.lease.trouble.connect(self.trouble.emit)
        self.lease.lost.connect(self.lost.emit)

    def finish(self, state: str, comment: str, done: Callable[[], None]) -> None:
        """Say the last word about the case.

        :param state: ``accepted``, ``needs_second_reader`` or ``rejected``.
        :param done: called when the store has it; then close the session. When saving fails ``trouble`` tells.
        """
        self.editor.look()
        self.drafts.finish(state, comment, done)

    def take_over(self, stranded: Entry) -> None:
        """Put a mask that was left on this computer in the place of the one on the screen, as one step to undo."""
        nothing = np.zeros(stranded.mask.shape, bool)
        self.editor.replace(stranded.mask, nothing if stranded.distrusted is None else stranded.distrusted)
        self.stranded.remove(stranded)
        self._taken.append(stranded)
        self.drafts.save()

    def adopt(self, revision: RevisionInfo, mask: np.ndarray) -> None:
        """Go on from a revision that the store made, as one step to undo.

        :param mask: (D, H, W) bool, the revision's.
        """
        self.editor.replace(mask)
        self.revisions.append(revision)
        self.drafts.adopt(revision)
        self.saved.emit(revision)

    def show_again(self, case: CaseNodes, job: str) -> None:
        """Go on with nodes that were generated again for the edited mask, and have the store keep them.

        :param job: id of the job that made them.
        """
        self.case = case
        self.walk.compare_with(case)
        self.results.keep(job)

    def keep(self) -> None:
        """Write what is unsaved to disk on this computer, at once: the application is going away.

        :raises OSError: that is not possible.
        """
        self.editor.look()
        self.drafts.keep()

    def close(self, done: Callable[[], None] | None = None) -> None:
        """Save what has changed, give the case back and take it out of the scene.

        :param done: called when the store has been told, or could not be: then the work is in the journal.
        """
        self.editor.look()

        def leave() -> None:
            if self.drafts.unsaved:
                self._keep_or_say()
            self.drafts.close()
            self.editor.close()
            remove_nodes(self._host, self.case)
            self.lease.close(end)

        def end(given_back: bool) -> None:
            self._journal.end(self._sitting, given_back=given_back)
            if done:
                done()

        self.drafts.save_then(lambda: self.results.then(leave))

    def _keep_or_say(self) -> None:
        try:
            self.drafts.keep()
        except OSError as error:
            self.trouble.emit(_("The work cannot be kept on this computer: {error}").format(error=error))

    def _work(self) -> Work:
        position = navigation.place(self._host.scene)
        place = Place(self._sitting, self.walk.current, position, self.walk.anchors)
        return Work(self.editor.mask, self.editor.distrusted, place)

    def _go_back_to(self, place: Place | None) -> None:
        if place is None:
            self.walk.go_to(1)
            return
        self.walk.restore(place.finding, place.decisions)
        if place.position is not None:
            navigation.jump_to(self._host.scene, place.position)

    def _saved(self, revision: RevisionInfo) -> None:
        self.revisions.append(revision)
        for entry in self._taken:
            self._journal.remove(entry.sitting)
        self._taken = []
        self.saved.emit(revision)
