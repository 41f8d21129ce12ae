"""The mask on the screen beside another annotator's revision, and what several revisions say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.submitting import read_distrusted, read_mask
from PseudoNormalLib.scene.lesions import SEGMENT_ID, add_distrusted, new_lesions
from PseudoNormalLib.scene.volumes import ijk_to_ras, voxel_ml
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.background import Call
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.errors import EngineError
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import RevisionInfo
    from PseudoNormalLib.engine.transfer import Volume
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.review.session import ReviewSession

COLOUR = (0.1, 0.85, 0.85)
"""Cyan: neither the mask's amber nor the difference map's red and blue."""


@dataclass(frozen=True)
class Overlap:
    """How far two masks agree.

    :param dice: ``2 |a ∩ b| / (|a| + |b|)``, 1 when both are empty.
    :param mine_ml: volume of the mask on the screen, ml.
    :param theirs_ml: volume of the other one, ml.
    """

    dice: float
    mine_ml: float
    theirs_ml: float


class SecondReading:
    """Another revision of the open case as an outline of its own.

    ``changed`` is emitted when another revision is shown or the overlap is another, also while the mask is edited;
    ``failed`` with one line when the engine refused.
    """

    def __init__(self, host: Host, jobs: EngineJobs, session: ReviewSession) -> None:
        self.changed = Signal()
        self.failed = Signal()
        self.shown: RevisionInfo | None = None
        self._host = host
        self._jobs = jobs
        self._session = session
        self._theirs: np.ndarray | None = None
        self._node: Any | None = None
        self._asked: Call | None = None
        self._voxel_ml = voxel_ml(ijk_to_ras(session.case.image))
        session.editor.changed.connect(self.changed.emit)

    @property
    def overlap(self) -> Overlap | None:
        """The mask as it is now against the revision that is shown; None when none is."""
        if self._theirs is None:
            return None
        mine, theirs = int(self._session.editor.mask.sum()), int(self._theirs.sum())
        both = int((self._session.editor.mask & self._theirs).sum())
        dice = 2.0 * both / (mine + theirs) if mine + theirs else 1.0
        return Overlap(dice, mine * self._voxel_ml, theirs * self._voxel_ml)

    def show(self, revision: RevisionInfo) -> None:
        """Fetch a revision's mask and show its outline, and what it does not trust, instead of an earlier one."""
        case = self._session.id

        def read(engine: EngineClient) -> tuple[np.ndarray, np.ndarray | None]:
            return read_mask(engine, case, revision.id).array, read_distrusted(engine, case, revision)

        self._asked = self._jobs.submit(
            read, lambda drawn: self._show(revision, *drawn), self._say, instead_of=self._asked
        )

    def hide(self) -> None:
        """Take the outline away, and the one that has been asked for."""
        if self._asked is not None:
            self._asked.cancel()
        if self._node is not None:
            self._host.scene.RemoveNode(self._node)
        self._node = self._theirs = self.shown = None
        self.changed.emit()

    def agree(self, revisions: Sequence[RevisionInfo]) -> None:
        """Have the engine make one mask of several revisions (STAPLE) and go on with it.

        It becomes a revision of its own; what is on the screen is saved first and can be had back with undo.

        :param revisions: two or more.
        """
        self._session.drafts.save_then(lambda: self._ask(list(revisions)))

    def close(self) -> None:
        """Take the outline away and look at the mask no more."""
        self._session.editor.changed.disconnect(self.changed.emit)
        self.hide()

    def _ask(self, revisions: list[RevisionInfo]) -> None:
        session = self._session
        if session.drafts.unsaved:
            self.failed.emit(_("A consensus needs a connection to the store; try again when the draft is saved"))
            return

        def consensus(engine: EngineClient) -> tuple[RevisionInfo, Volume]:
            made = session.lease.use(
                engine,
                lambda token: engine.consensus(
                    session.id, [each.id for each in revisions], author=session.annotator, lease=token
                ),
            )
            return made, read_mask(engine, session.id, made.id)

        self._jobs.submit(consensus, lambda made: session.adopt(made[0], made[1].array), self._say)

    def _show(self, revision: RevisionInfo, mask: np.ndarray, distrusted: np.ndarray | None) -> None:
        self.hide()
        image = self._session.case.image
        if not self._host.scene.IsNodePresent(image):
            return
        name = _("{case} lesions by {author}").format(case=self._session.id, author=revision.author)
        self._node = new_lesions(self._host, image, mask, name)
        self._node.GetSegmentation().GetSegment(SEGMENT_ID).SetColor(*COLOUR)
        if distrusted is not None:
            add_distrusted(self._node, image, distrusted)
        self._theirs, self.shown = mask, revision
        self.changed.emit()

    def _say(self, error: EngineError) -> None:
        self.failed.emit(str(error))
