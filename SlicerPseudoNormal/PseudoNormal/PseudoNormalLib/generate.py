"""From a volume node to the nodes of its case: the extension's main job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from PseudoNormalLib.engine.errors import Cancelled, EngineError
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.results import WANTED, WIDE, Sent, place_results
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.jobs import EngineJobs, Generated, GenerateJob
    from PseudoNormalLib.engine.replies import JobStatus
    from PseudoNormalLib.hosts import Host

REACH_MM = 5.0
"""So far beyond a mask the review's brush can grow it before the pseudo-normal is generated again."""


@dataclass(frozen=True)
class GenerateRequest:
    """What the user chose.

    :param image: vtkMRMLScalarVolumeNode.
    :param lesions: vtkMRMLSegmentationNode with the lesion mask to use; None: the engine finds the lesions.
    :param model: name of a model; None: the engine's own choice.
    :param mode: "auto", "void" or "guided".
    :param texture: add grain to the pseudo-normal.
    :param contrast: the scan's, by a word of :data:`PseudoNormalLib.contrast.CONTRASTS`; None: not known.
    :param wide: put the wide difference into the scene too; the engine makes it for the case store in any case.
    """

    image: Any
    lesions: Any | None = None
    model: str | None = None
    mode: str = "auto"
    texture: bool = False
    contrast: str | None = None
    wide: bool = False


class GenerateLogic:
    """Sends a volume to the engine and puts what comes back into the scene; one at a time, without blocking.

    The scene changes when everything has arrived, and not at all when something fails or is cancelled.

    :param jobs: an :class:`PseudoNormalLib.engine.jobs.EngineJobs`.
    :ivar progress: emitted with the fraction done, a message, and the seconds left or None.
    :ivar log: emitted with each line that the engine says.
    :ivar finished: emitted with the :class:`PseudoNormalLib.scene.case_nodes.CaseNodes`.
    :ivar failed: emitted with one line that says what went wrong and what to do.
    :ivar cancelled: emitted when the engine has let go of the cancelled job.
    :ivar generated: what the last finished job brought, report and files included.
    """

    def __init__(self, host: Host, jobs: EngineJobs) -> None:
        self.progress = Signal()
        self.log = Signal()
        self.finished = Signal()
        self.failed = Signal()
        self.cancelled = Signal()
        self.generated: Generated | None = None
        self._host = host
        self._jobs = jobs
        self._job: GenerateJob | None = None

    @property
    def running(self) -> bool:
        """Whether a job is under way."""
        return self._job is not None

    def start(self, request: GenerateRequest) -> None:
        """Begin; the outcome is told by one of ``finished``, ``failed`` and ``cancelled``.

        :raises ValueError: it cannot be begun; the text is one line for people.
        """
        if self.running:
            raise ValueError(_("A pseudo-normal is being generated; wait for it or cancel it"))
        sent = Sent.of(request.image)
        self._job = self._jobs.generate(
            sent.volume,
            mask=None if request.lesions is None else Volume(_mask(request), sent.volume.ijk_to_ras),
            model=request.model,
            mode=request.mode,
            texture=request.texture,
            reach_mm=REACH_MM,
            contrast=request.contrast,
            wanted=(*WANTED, WIDE) if request.wide else WANTED,
            on_progress=self._on_progress,
            on_log=self.log.emit,
            on_done=lambda generated: self._on_done(request, sent, generated),
            on_failed=self._on_failed,
        )

    def cancel(self) -> None:
        """End the job that is under way, if there is one."""
        if self._job is not None:
            self._job.cancel()

    def _on_progress(self, status: JobStatus) -> None:
        self.progress.emit(status.progress, status.message, status.seconds_left)

    def _on_done(self, request: GenerateRequest, sent: Sent, generated: Generated) -> None:
        self._job = None
        try:
            case = place_results(self._host, request.image, sent, generated, request.lesions)
        except ValueError as error:
            self.failed.emit(str(error))
            return
        self.generated = generated
        self.finished.emit(case)

    def _on_failed(self, error: EngineError) -> None:
        self._job = None
        if isinstance(error, Cancelled):
            self.cancelled.emit()
        else:
            self.failed.emit(str(error))


def _mask(request: GenerateRequest) -> np.ndarray:
    mask = mask_of(request.lesions, request.image)
    if not mask.any():
        line = _("{name}: holds no lesion on this scan; draw it, or generate without a mask")
        raise ValueError(line.format(name=request.lesions.GetName()))
    return mask
