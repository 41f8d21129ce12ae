"""How a training is, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.waiting import time_left
from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.versions import compared_in_words

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import MaterialInfo, TrainingStatus


def state_in_words(training: TrainingStatus | None) -> str:
    """State, what it does, and how long it will take, in one line."""
    if training is None:
        return _("There is no training yet.")
    left = None if training.minutes_left is None else 60 * training.minutes_left
    parts = (
        training.recipe,
        in_words(training.state),
        training.message if training.state == "running" else "",
        time_left(left) if training.state == "running" else "",
    )
    return " · ".join(part for part in parts if part)


def in_words(state: str) -> str:
    """A training's state, as people say it."""
    words = {
        "queued": _("waiting"),
        "running": _("running"),
        "stopped": _("stopped, saved"),
        "done": _("done"),
        "failed": _("failed"),
    }
    return words.get(state, state)


def news_in_words(training: TrainingStatus, lines: Sequence[Mapping[str, Any]]) -> str:
    """What should be known of a training: its error, else what it made, else its last warning; empty for nothing.

    :param lines: all that it said.
    """
    return training.error or _made_in_words(training) or _warning(lines)


def queue_titles() -> list[str]:
    """What the columns of :func:`queue_row` are called."""
    return [_("Begun"), _("Recipe"), _("From"), _("State"), _("Done")]


def queue_row(training: TrainingStatus) -> list[str]:
    """A training in the list of all."""
    state = in_words(training.state)
    if training.position is not None:
        state = _("{state}, {position} before it").format(state=state, position=training.position)
    begun = training.created[:16].replace("T", " ")
    return [begun, training.recipe, training.model or _("automatic"), state, f"{100 * training.progress:.0f} %"]


def waiting_in_words(trainings: Sequence[TrainingStatus]) -> str:
    """How many trainings wait; empty where none does."""
    waiting = sum(training.state == "queued" for training in trainings)
    return _("{count} waiting").format(count=waiting) if waiting else ""


def material_in_words(material: MaterialInfo) -> str:
    """What a training would use, a line each; what stands in its way, or should be known, comes last."""
    counts = {name: material.subjects.get(name, 0) for name in ("train", "validation", "test")}
    cases = _(
        "It would use {labelled} cases with an accepted mask ({weighted} of them with voxels not to be trusted) and "
        "{unlabelled} without one."
    )
    subjects = _("Subjects: {train} to learn from, {validation} to choose numbers, {test} to judge.")
    lines = [
        cases.format(labelled=material.labelled, weighted=material.weighted, unlabelled=material.unlabelled),
        subjects.format(**counts),
        *(_("Note: {line}").format(line=line) for line in material.problems),
    ]
    return "\n".join(lines)


def _warning(lines: Sequence[Mapping[str, Any]]) -> str:
    """The last thing that does not hinder the training, but should be known."""
    return next((str(line["warning"]) for line in reversed(lines) if "warning" in line), "")


def _made_in_words(training: TrainingStatus) -> str:
    candidate: Any = training.candidate
    if not candidate:
        return ""
    line = _("Version {version} of {name} was made from {parent}: {verdict}.")
    return line.format(
        version=candidate["version"],
        name=candidate["name"],
        parent=candidate["parent"],
        verdict=compared_in_words(candidate),
    )
