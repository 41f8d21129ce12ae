"""How a training is, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.waiting import time_left
from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.versions import compared_in_words

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import MaterialInfo, RecipeInfo, TrainingStatus


YEAR = len("2026-")


def state_in_words(training: TrainingStatus | None) -> str:
    """State, what it does, and how long it will take, in one line."""
    if training is None:
        return _("There is no training yet.")
    left = None if training.minutes_left is None else 60 * training.minutes_left
    parts = (
        what_in_words(training),
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


def what_in_words(training: TrainingStatus) -> str:
    """What is learnt by, or what is made with it."""
    if training.database is None:
        return training.recipe
    line = _("{recipe}: {count} scans") if training.database["keep"] else _("{recipe}: preview of {count} scans")
    return line.format(recipe=training.recipe, count=training.database["count"])


def begun_in_words(training: TrainingStatus) -> str:
    """When it was asked for."""
    return training.created[:16].replace("T", " ")


def database_title() -> str:
    """What the section is called in which scans are made."""
    return _("Build a synthetic database")


def stop_tip() -> str:
    """What pressing Stop does."""
    return _("Ends it within seconds; what it learnt, or made, is saved, and it can be resumed")


def curves_note(training: TrainingStatus | None) -> str:
    """Why there is no picture of a case before and after."""
    if training is not None and training.database is not None:
        return _("Making scans has no curves; some of the scans are shown under “{section}”.").format(
            section=database_title()
        )
    return _("A case before and after appears here once the training has drawn one.")


def queue_titles() -> list[str]:
    """What the columns of :func:`queue_rows` are called."""
    return [_("Begun"), _("Recipe"), _("From"), _("State"), _("Done")]


def queue_rows(trainings: Sequence[TrainingStatus]) -> list[list[str]]:
    """The trainings and synthetic databases, one a row."""
    begun = {training.id: begun_in_words(training) for training in trainings}
    return [_queue_row(training, begun) for training in trainings]


def waiting_in_words(trainings: Sequence[TrainingStatus]) -> str:
    """How many trainings wait; empty where none does."""
    waiting = sum(training.state == "queued" for training in trainings)
    return _("{count} waiting").format(count=waiting) if waiting else ""


def material_in_words(material: MaterialInfo, recipe: RecipeInfo | None) -> str:
    """What a training would use, a line each; what stands in its way, or should be known, comes last.

    :param recipe: by which it would learn.
    """
    counts = {name: material.subjects.get(name, 0) for name in ("train", "validation", "test")}
    subjects = _("Subjects: {train} to learn from, {validation} to choose numbers, {test} to judge.")
    lines = [
        *_cases_in_words(material, makes_scans=recipe is not None and recipe.makes == "scans"),
        subjects.format(**counts),
        *(_("Note: {line}").format(line=line) for line in material.problems),
    ]
    return "\n".join(lines)


def _cases_in_words(material: MaterialInfo, *, makes_scans: bool) -> list[str]:
    real = _(
        "It would use {labelled} cases with an accepted mask ({weighted} of them with voxels not to be trusted) and "
        "{unlabelled} without one."
    )
    all_ = _(
        "It would use {labelled} cases with an accepted mask ({weighted} of them with voxels not to be trusted), "
        "{unlabelled} without one and {synthetic} synthetic ones."
    )
    left_out = _("It would not use the synthetic ones: what makes scans learns from real ones.")
    counts = {name: getattr(material, name) for name in ("labelled", "weighted", "unlabelled", "synthetic")}
    if not material.synthetic:
        return [real.format(**counts)]
    return [real.format(**counts), left_out] if makes_scans else [all_.format(**counts)]


def _queue_row(training: TrainingStatus, begun: Mapping[str, str]) -> list[str]:
    """One row.

    :param begun: when each training was asked for, by its id.
    """
    state = in_words(training.state)
    if training.position is not None:
        state = _("{state}, {position} before it").format(state=state, position=training.position)
    source = training.model or _("automatic")
    if training.generator is not None:
        source = ""
    if training.database is not None:
        source = begun.get(training.database["generator"], "")[YEAR:]  # its generator stands in the list too
    return [begun[training.id], what_in_words(training), source, state, f"{100 * training.progress:.0f} %"]


def _warning(lines: Sequence[Mapping[str, Any]]) -> str:
    """The last thing that does not hinder the training, but should be known."""
    return next((str(line["warning"]) for line in reversed(lines) if "warning" in line), "")


def _made_in_words(training: TrainingStatus) -> str:
    if training.result is not None:
        return _scans_in_words(training.result, keep=bool((training.database or {}).get("keep")))
    if training.generator is not None:
        return _("A generator was made, and no version of a model. It can make scans now: see “{section}”.").format(
            section=database_title()
        )
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


def _scans_in_words(result: Mapping[str, Any], *, keep: bool) -> str:
    kept = _("{cases} synthetic scans were made, {with_lesion} with a lesion; {added} were added to the case store.")
    shown = _("{cases} synthetic scans were made to look at, {with_lesion} with a lesion; none was kept.")
    return (kept if keep else shown).format(**{"added": 0, **result})
