"""The versions of the engine's models: which there are, which is current, promoting one and going back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.errors import Conflict, EngineError
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PseudoNormalLib.engine.background import Call
    from PseudoNormalLib.engine.jobs import EngineJobs
    from PseudoNormalLib.engine.training_replies import VersionInfo
    from PseudoNormalLib.engine.training_routes import TrainingRoutes


class Versions:
    """What the registry of the engine holds; nothing here blocks.

    :ivar changed: emitted when other versions, or other current ones, are known.
    :ivar done: emitted with one line when a version was promoted, or the one before came back.
    :ivar refused: emitted with the version and the engine's reason why it should not be promoted.
    :ivar failed: emitted with one line when the engine could not be asked.
    :ivar all: every version, the last first.
    """

    def __init__(self, jobs: EngineJobs) -> None:
        self.changed, self.done, self.refused, self.failed = Signal(), Signal(), Signal(), Signal()
        self.all: tuple[VersionInfo, ...] = ()
        self._jobs = jobs
        self._asked: Call | None = None

    def refresh(self) -> None:
        """Ask the engine again."""
        self._asked = self._jobs.submit(
            lambda engine: engine.trainings.versions(), self._arrived, self._not_arrived, instead_of=self._asked
        )

    def promote(self, version: VersionInfo, *, force: bool = False) -> None:
        """Make a version what its plain name means.

        :param force: whatever speaks against it.
        """

        def not_done(error: EngineError) -> None:
            if isinstance(error, Conflict) and not force:
                self.refused.emit(version, str(error))
            else:
                self._not_arrived(error)

        self._change(lambda engine: engine.promote(version.name, version.version, force=force), not_done)

    def roll_back(self, name: str) -> None:
        """Let the version that was current before be so again."""
        self._change(lambda engine: engine.roll_back(name), self._not_arrived)

    def promote_obstacle(self, version: VersionInfo | None) -> str:
        """Why a version cannot be promoted, in one line; empty when it can be tried."""
        if version is None:
            return _("Choose a version in the table first")
        return _("It is the current version") if version.state == "current" else ""

    def back_obstacle(self, version: VersionInfo | None) -> str:
        """Why its model cannot be rolled back, in one line; empty when it can."""
        if version is None:
            return _("Choose a version in the table first")
        retired = any(other.name == version.name and other.state == "retired" for other in self.all)
        return "" if retired else _("No version was current before")

    def _change(self, work: Callable[[TrainingRoutes], VersionInfo], failed: Callable[[EngineError], Any]) -> None:
        def done(version: VersionInfo) -> None:
            self.done.emit(_("{model} is the current version from now on").format(model=version.model))
            self.refresh()

        self._jobs.submit(lambda engine: work(engine.trainings), done, failed)

    def _arrived(self, versions: Sequence[VersionInfo]) -> None:
        self.all = tuple(reversed(versions))
        self.changed.emit()

    def _not_arrived(self, error: EngineError) -> None:
        self.failed.emit(str(error))


def version_titles() -> list[str]:
    """What the columns of :func:`version_row` are called."""
    return [_("Model"), _("State"), _("Made from"), _("On the evaluation cases")]


def version_row(version: VersionInfo) -> list[str]:
    """A version in the list of all."""
    states = {"current": _("current"), "retired": _("retired"), "candidate": _("candidate")}
    state = states.get(version.state, version.state)
    return [version.model, state, version.parent or "", metrics_in_words(version.metrics)]


def comparisons_in_words(version: VersionInfo | None) -> str:
    """How a version did against others, a line each."""
    line = _("Against {version}: {verdict}")
    compared = version.comparisons.items() if version is not None else ()
    return "\n".join(line.format(version=other, verdict=compared_in_words(each)) for other, each in compared)


def compared_in_words(comparison: Mapping[str, Any] | None) -> str:
    """How a model compares with another one, in words: verdict, then each metric with its confidence interval.

    :param comparison: "better", "worse" and "difference" (by metric: mean, low, high).
    """
    if comparison is None:
        return ""
    told = any(triple[1] is not None for triple in comparison["difference"].values())
    if comparison["worse"]:
        verdict = _("worse")
    elif comparison["better"]:
        verdict = _("better")
    else:
        verdict = _("no clear difference") if told else _("too few subjects to tell")
    return "; ".join([verdict, *(_change(name, *triple) for name, triple in comparison["difference"].items())])


def metrics_in_words(metrics: Mapping[str, float]) -> str:
    """Means over the subjects of the evaluation cases."""
    return ", ".join(_metric(name, f"{value:.3g}") for name, value in metrics.items() if value is not None)


def _change(name: str, mean: float, low: float | None, high: float | None) -> str:
    interval = "" if low is None or high is None else f" ({low:+.3g} … {high:+.3g})"
    return _metric(name, f"{mean:+.3g}{interval}")


def _metric(name: str, value: str) -> str:
    words = {
        "dice": _("Dice {value}"),
        "psnr_db": _("PSNR {value} dB"),
        "false_positive_ml": _("false positives {value} ml"),
    }
    return words.get(name, f"{name.replace('_', ' ')} {{value}}").format(value=value)
