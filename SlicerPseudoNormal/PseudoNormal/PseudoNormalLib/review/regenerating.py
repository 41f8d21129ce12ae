"""The pseudo-normal once more, for the mask as it was edited. This is the one part of a review that needs a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PseudoNormalLib.generate import GenerateLogic, GenerateRequest
from PseudoNormalLib.i18n import _
from PseudoNormalLib.review.offers import Offer

if TYPE_CHECKING:
    from PseudoNormalLib.review.session import ReviewSession
    from PseudoNormalLib.scene.case_nodes import CaseNodes


class Regeneration:
    """Has the open case's pseudo-normal generated for the mask on the screen.

    The mask stays as it is and is saved; pseudo-normal and difference maps are others afterwards, the brush follows the
    new ones, and the store keeps them with the mask.
    Progress, failure and the end are told by the signals of ``generate``.

    :param generate: one of its own, not the module PseudoNormal's.
    """

    def __init__(self, generate: GenerateLogic) -> None:
        self._generate = generate
        self._session: ReviewSession | None = None
        generate.finished.connect(self._finished)

    def offer(self, session: ReviewSession | None) -> Offer:
        """Whether it can be done now for the open case."""
        closed = "" if session is not None else _("No case is open")
        busy = _("It is being generated") if self._generate.running else ""
        tip = _("Restore the scan under the mask as it is now; pseudo-normal and difference map are others then")
        return Offer(tip, closed or busy)

    def start(self, session: ReviewSession) -> None:
        """Begin.

        :raises ValueError: the mask is empty or one is being generated already; one line for people.
        """
        session.editor.look()
        self._generate.start(GenerateRequest(session.case.image, session.case.lesions, wide=True))
        self._session = session
        session.drafts.save_then(lambda: None)  # results belong to a saved mask

    def cancel(self) -> None:
        """End what is under way: the case is put away."""
        self._session = None
        self._generate.cancel()

    def _finished(self, case: CaseNodes) -> None:
        session, self._session = self._session, None
        if session is not None and case.image is session.case.image:
            session.show_again(case, self._generate.generated.job)
