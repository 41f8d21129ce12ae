"""A synthetic database to be built: the user's choice, and what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PseudoNormalLib.i18n import _
from PseudoNormalLib.training.words import begun_in_words

if TYPE_CHECKING:
    from PseudoNormalLib.engine.training_replies import TrainingStatus
    from PseudoNormalLib.training.bench import TrainingBench

PREVIEWED = 6
USUAL_COUNT, MOST = 40, 100_000


@dataclass(frozen=True)
class DatabasePlan:
    """Scans to be made.

    :param generator: id of the training that made it.
    :param seed: the same one gives the same scans.
    :param keep: whether they go into the case store, as synthetic cases.
    """

    generator: str
    count: int
    seed: int
    keep: bool


def explanation() -> str:
    """What it is about, in a paragraph."""
    return _(
        "A generator that was trained makes annotated scans that nobody acquired. They are marked as synthetic "
        "everywhere: trainings learn from them, nobody is given them to review, and nothing is judged on them."
    )


def generators(training: TrainingBench) -> list[TrainingStatus]:
    """The trainings that have made a generator, the last first."""
    return [each for each in training.watch.trainings if each.generator is not None]


def generator_named(training: TrainingBench, identity: str) -> TrainingStatus | None:
    """The generator of an id; the last one where there is none of that id."""
    known = generators(training)
    return next((each for each in known if each.id == identity), next(iter(known), None))


def generator_offers(training: TrainingBench) -> list[tuple[str, str]]:
    """What scans can be made with: text and id."""
    line = _("{recipe}, {begun}, from {count} subjects")
    return [
        (line.format(recipe=each.recipe, begun=begun_in_words(each), count=(each.generator or {})["subjects"]), each.id)
        for each in generators(training)
    ]


def preview_plan(training: TrainingBench, generator: TrainingStatus) -> DatabasePlan:
    """A few scans to look at; they are the first ones of the database that would be built next."""
    return DatabasePlan(generator.id, PREVIEWED, _next_seed(training, generator), keep=False)


def build_plan(training: TrainingBench, generator: TrainingStatus, count: int) -> DatabasePlan:
    """Scans for the case store, none of which an earlier database of that generator has."""
    return DatabasePlan(generator.id, count, _next_seed(training, generator), keep=True)


def count_in(text: object) -> int:
    """How many scans somebody has typed; 0 where that is no number, or too small or great a one."""
    written = str(text).strip()
    count = int(written) if written.isascii() and written.isdigit() else 0
    return count if count <= MOST else 0


def build_obstacle(training: TrainingBench, generator: TrainingStatus | None) -> str:
    """Why no scans can be made now, in one line; empty when they can."""
    if training.obstacle():
        return training.obstacle()
    if generator is None:
        names = ", ".join(recipe.name for recipe in training.recipes if recipe.makes == "scans")
        line = _("There is no generator yet: train one with a recipe that makes scans ({names})")
        return line.format(names=names or "um, translation")
    return ""


def _next_seed(training: TrainingBench, generator: TrainingStatus) -> int:
    wanted = [each.database for each in training.watch.trainings if each.database is not None]
    used = [each["seed"] for each in wanted if each["keep"] and each["generator"] == generator.id]
    return max(used, default=-1) + 1
