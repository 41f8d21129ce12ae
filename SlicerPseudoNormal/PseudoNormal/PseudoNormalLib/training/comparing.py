"""One scan through two models, and what they made of it side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.errors import Cancelled, EngineError
from PseudoNormalLib.engine.transfer import Volume
from PseudoNormalLib.i18n import _
from PseudoNormalLib.scene.case_nodes import CaseNodes
from PseudoNormalLib.scene.findings import findings_from_report
from PseudoNormalLib.scene.lesions import mask_of
from PseudoNormalLib.scene.model_comparison import ModelComparison
from PseudoNormalLib.scene.results import Sent
from PseudoNormalLib.scene.volumes import new_volume_like
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from PseudoNormalLib.engine.jobs import EngineJobs, Generated, GenerateJob
    from PseudoNormalLib.engine.replies import JobStatus
    from PseudoNormalLib.hosts import Host
    from PseudoNormalLib.training.bench import TrainingBench

VOLUMES = ("pseudo_normal", "difference_z")


@dataclass(frozen=True)
class Outcome:
    """What a model made of the scan.

    :param findings: how many lesions it found, or was given.
    :param volume_ml: of these.
    """

    model: str
    case: CaseNodes
    findings: int
    volume_ml: float


class ModelComparing:
    """Generates with one model, then with the other, and shows both; nothing here blocks.

    The nodes of the last comparison are replaced by those of the next one. The results of the scan's own case are left
    alone.

    :ivar progress: emitted with the fraction done, a message, and None (nobody knows how long it will take).
    :ivar finished: emitted with the two outcomes.
    :ivar failed: emitted with one line.
    :ivar cancelled: emitted when the engine has let go.
    """

    def __init__(self, host: Host, jobs: EngineJobs) -> None:
        self.progress, self.finished, self.failed, self.cancelled = Signal(), Signal(), Signal(), Signal()
        self.views = ModelComparison(host)
        self._host, self._jobs = host, jobs
        self._job: GenerateJob | None = None
        self._made: list[Any] = []

    @property
    def running(self) -> bool:
        """Whether a comparison is under way."""
        return self._job is not None

    def start(self, image: Any, models: tuple[str, str], lesions: Any | None = None) -> None:
        """Begin; the outcome is told by one of ``finished``, ``failed`` and ``cancelled``.

        :param image: vtkMRMLScalarVolumeNode.
        :param models: names of models, or of versions (``name:version``).
        :param lesions: vtkMRMLSegmentationNode whose mask both get; None: each finds the lesions itself.
        :raises ValueError: it cannot be begun; the text is one line for people.
        """
        if self.running:
            raise ValueError(_("Two models are being compared; wait for it or cancel it"))
        sent = Sent.of(image)
        mask = None if lesions is None else Volume(mask_of(lesions, image), sent.volume.ijk_to_ras)
        self._next(image, sent, mask, list(models), [])

    def cancel(self) -> None:
        """End what is under way, if anything is."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Let go of the scene."""
        self.cancel()
        self.views.close()

    def _next(self, image: Any, sent: Sent, mask: Volume | None, models: list[str], come: list[Generated]) -> None:
        def done(generated: Generated) -> None:
            self._job = None
            brought = [*come, generated]
            if len(brought) < len(models):
                self._next(image, sent, mask, models, brought)
            else:
                self._place(image, sent, models, brought)

        self._job = self._jobs.generate(
            sent.volume,
            mask=mask,
            model=models[len(come)],
            wanted=VOLUMES,
            on_progress=lambda status: self._on_progress(status, models, len(come)),
            on_done=done,
            on_failed=self._on_failed,
        )

    def _place(self, image: Any, sent: Sent, models: list[str], brought: list[Generated]) -> None:
        if not self._host.scene.IsNodePresent(image) or not sent.still_is(image):
            self.failed.emit(_("The scan was changed or closed while the models were compared; compare them again"))
            return
        self.views.close()
        for node in self._made:
            self._host.scene.RemoveNode(node)
        self._made = []
        outcomes = [self._outcome(image, *pair) for pair in zip(models, brought, strict=True)]
        self.views.show(outcomes[0].case, outcomes[1].case)
        self.finished.emit(*outcomes)

    def _outcome(self, image: Any, model: str, generated: Generated) -> Outcome:
        findings = findings_from_report(generated.report)
        case = CaseNodes(image)
        for name in VOLUMES:
            title = f"{image.GetName()} {name.replace('_', ' ')} ({model})"
            node = new_volume_like(image, title, generated.volumes[name].array)
            self._made.append(node)
            case = replace(case, **{name: node})
        return Outcome(model, case, len(findings), sum(finding.volume_ml for finding in findings))

    def _on_progress(self, status: JobStatus, models: list[str], number: int) -> None:
        message = f"{models[number]}: {status.message}"
        self.progress.emit((number + status.progress) / len(models), message, None)

    def _on_failed(self, error: EngineError) -> None:
        self._job = None
        if isinstance(error, Cancelled):
            self.cancelled.emit()
        else:
            self.failed.emit(str(error))


def comparable_models(training: TrainingBench) -> list[str]:
    """Every version, the last first, then the models that have none."""
    versions = training.versions.all
    versioned = {version.name for version in versions}
    unversioned = [model.name for model in training.models if model.name not in versioned]
    return [*(version.model for version in versions), *unversioned]


def first_pair(training: TrainingBench) -> tuple[str, str]:
    """What is compared unless somebody chooses otherwise: the current version and the last; empty where unknown."""
    last = next(iter(comparable_models(training)), "")
    return next((version.model for version in training.versions.all if version.state == "current"), last), last


def compare_obstacle(training: TrainingBench, image: Any | None, models: tuple[str, str]) -> str:
    """Why two models cannot be compared on a scan now, in one line; empty when they can."""
    if training.comparing.running:
        return _("Two models are being compared")
    if training.bench.engine_missing():
        return training.bench.engine_missing()
    if image is None:
        return _("Choose a scan first")
    if "" in models:
        return _("The engine has not said yet which models it has")
    return _("Choose two different models") if models[0] == models[1] else ""


def outcome_in_words(name: str, outcome: Outcome) -> str:
    """What a model made, in one line.

    :param name: what its column is called.
    """
    line = _("{name} ({model}): {findings}, {volume} ml")
    findings = _("1 finding") if outcome.findings == 1 else _("{count} findings").format(count=outcome.findings)
    return line.format(name=name, model=outcome.model, findings=findings, volume=f"{outcome.volume_ml:.1f}")
