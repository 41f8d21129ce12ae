"""From the radiologist's scene into the case store, where annotators find it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from PseudoNormalLib.engine.errors import EngineError, Unknown
from PseudoNormalLib.engine.transfer import Volume, encode
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import job_of, set_stored, stored_as
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.subject import subject_of
from PseudoNormalLib.scene.volumes import ijk_to_ras
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.replies import CaseInfo
    from PseudoNormalLib.scene.case_nodes import CaseNodes


class Handover:
    """Sends generated cases to the engine's case store for review; one at a time, without blocking.

    The engine has scan and results already, from generating them; the lesion mask goes as it stands in the scene. Who
    the patient is does not: a key without a name tells that scans are of one person.

    :ivar changed: emitted when a case is being sent, was sent, or could not be.
    :ivar failed: emitted with one line that says what went wrong and what to do.
    :ivar served: whether the engine has a case store, as far as anybody has asked.
    """

    def __init__(self, jobs: EngineJobs) -> None:
        self.changed = Signal()
        self.failed = Signal()
        self.served = False
        self._jobs = jobs
        self._sending = False

    def obstacle(self, case: CaseNodes | None) -> str:
        """Why a case cannot be sent now, in one line; empty when it can."""
        if case is None or not job_of(case):
            return _("There is no result yet: press Generate")
        if stored_as(case):
            return _("It is in the case store already, as {name}").format(name=stored_as(case))
        if self._sending:
            return _("The case is being sent")
        return "" if self.served else _("The engine serves no case store")

    def send(self, case: CaseNodes) -> None:
        """Begin to send; ``changed`` tells when it is over, see :func:`PseudoNormalLib.scene.case_nodes.stored_as`."""
        mask = None if case.lesions is None else Volume(mask_of(case.lesions, case.image), ijk_to_ras(case.image))
        job, subject = job_of(case), subject_of(case.image)
        self._sending = True
        self._jobs.submit(
            lambda engine: _put(engine, job, mask, subject), lambda made: self._sent(case, job, made), self._not_sent
        )
        self.changed.emit()

    def _sent(self, case: CaseNodes, job: str, made: CaseInfo) -> None:
        self._sending = False
        if job_of(case) == job:  # else it was generated again meanwhile, and that result is not there yet
            set_stored(case, made.id)
        self.changed.emit()

    def _not_sent(self, error: EngineError) -> None:
        self._sending = False
        again = _("Generate again, then send it") if isinstance(error, Unknown) else ""
        self.failed.emit(" ".join(part for part in (f"{str(error).rstrip('.')}.", again) if part))
        self.changed.emit()


def _put(engine: EngineClient, job: str, mask: Volume | None, subject: str | None) -> CaseInfo:
    """On a worker thread."""
    sent = None if mask is None else engine.upload(encode(mask), "mask.nrrd")
    try:
        return engine.add_case(job=job, mask=sent, subject=subject)
    finally:
        if sent is not None:
            with suppress(EngineError):  # it forgets uploads by itself too, only later
                engine.delete_volume(sent)
