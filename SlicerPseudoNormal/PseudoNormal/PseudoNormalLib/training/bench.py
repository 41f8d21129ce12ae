"""Everything that the module PseudoNormalTraining does, put together for one host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PseudoNormalLib.engine.connection import LOCAL
from PseudoNormalLib.engine.errors import EngineError
from PseudoNormalLib.engine.training_replies import MaterialInfo, RecipeInfo, TrainingStatus
from PseudoNormalLib.i18n import _
from PseudoNormalLib.signals import Signal
from PseudoNormalLib.training.comparing import ModelComparing
from PseudoNormalLib.training.curves import TrainingCurves
from PseudoNormalLib.training.versions import Versions
from PseudoNormalLib.training.watch import TrainingWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PseudoNormalLib.engine.background import Call
    from PseudoNormalLib.engine.client import EngineClient
    from PseudoNormalLib.engine.replies import EngineStatus, ModelInfo
    from PseudoNormalLib.training.database import DatabasePlan
    from PseudoNormalLib.training.plan import Plan
    from PseudoNormalLib.workbench import Workbench

EXAMPLE, SHEET = "training-example.png", "synthetic-scans.png"


class TrainingBench:
    """The logics of trainings, and what follows from one for the other.

    :param bench: the module PseudoNormal's: the engine is the same in both.
    :ivar offered: emitted when recipes, models or material are other ones.
    :ivar failed: emitted with one line when the engine did not do what was asked.
    :ivar stopping: emitted when a training was asked to stop.
    :ivar status: what the engine runs on; None where that is not known.
    :ivar recipes: those that the engine has.
    :ivar models: those that the engine has.
    :ivar material: what a training would learn from; None where that is not known.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.host = bench, bench.host
        self.offered, self.failed, self.stopping = Signal(), Signal(), Signal()
        self.status: EngineStatus | None = None
        self.recipes: tuple[RecipeInfo, ...] = ()
        self.models: tuple[ModelInfo, ...] = ()
        self.material: MaterialInfo | None = None
        self.watch = TrainingWatch(bench.background, bench.connection.client)
        self.curves = TrainingCurves(bench.host.scene)
        self.versions = Versions(bench.jobs)
        self.comparing = ModelComparing(bench.host, bench.jobs)
        self._contrast, self._stopping = "", ""
        self._asked: Call | None = None
        self._done: set[str] = set()
        self.watch.followed.connect(self._followed)
        self.watch.changed.connect(self._trainings_changed)
        self.watch.answered.connect(self.refresh)
        bench.connection.changed.connect(self._engine_changed)

    @property
    def current(self) -> TrainingStatus | None:
        """The training that is followed."""
        return self.watch.current

    def obstacle(self) -> str:
        """Why there is nothing to train on, in one line; empty when there is."""
        choice = self.bench.connection.choice
        if choice.kind == LOCAL and choice.python and not choice.store:
            return _("Choose the folder of the case store first")
        return self.bench.engine_missing()

    def wake(self) -> None:
        """The module was entered: start the engine, ask what there is, follow the trainings."""
        if self.obstacle():
            return
        self.bench.connection.start()
        if self.watch.watching:
            self.refresh()
        else:
            self.watch.start()

    def rest(self) -> None:
        """The module was left: trainings that are not over are followed all the same."""
        if all(training.over for training in self.watch.trainings):
            self.watch.stop()

    def refresh(self) -> None:
        """Ask what there is: recipes, models, material, versions."""
        contrast = self._contrast

        def ask(engine: EngineClient) -> tuple[EngineStatus, list[RecipeInfo], list[ModelInfo], MaterialInfo]:
            routes = engine.trainings
            return engine.status(), routes.recipes(), engine.models(), routes.material(contrast)

        self._asked = self.bench.jobs.submit(ask, self._told, self._not_done, instead_of=self._asked)
        self.versions.refresh()

    def choose_contrast(self, contrast: str) -> None:
        """Look what there is of a contrast."""
        self._contrast = contrast
        if not self.obstacle():
            self.refresh()

    def keep_store_in(self, folder: str) -> None:
        """Have the engine on this computer serve the case store in a folder; it starts anew for that."""
        connection = self.bench.connection
        connection.choose(replace(connection.choice, store=folder))
        self.wake()

    def start(self, plan: Plan) -> None:
        """Put a training into the engine's queue and follow it."""
        self._ask(
            lambda engine: engine.trainings.start(
                plan.recipe,
                model=plan.model or None,
                minutes=plan.minutes,
                contrast=plan.contrast,
                settings=plan.settings,
            )
        )

    def build(self, plan: DatabasePlan) -> None:
        """Put the making of synthetic scans into the engine's queue and follow it."""
        self._ask(
            lambda engine: engine.trainings.build(plan.generator, plan.count, seed=plan.seed, keep=plan.keep),
        )

    def stop(self) -> None:
        """End the followed training within two seconds; what it learnt, or made, is saved."""
        training = self.current
        if training is not None:
            self._stopping = training.id
            self._ask(lambda engine: engine.trainings.stop(training.id))
            self.stopping.emit()

    def stop_obstacle(self) -> str:
        """Why the followed training cannot be stopped now, in one line; empty when it can."""
        training = self.current
        if training is None:
            return _("There is no training yet")
        if training.over:
            return _("Nothing is under way")
        return _("It is being stopped") if self._stopping == training.id else ""

    def resume_obstacle(self) -> str:
        """Why the followed training cannot go on now, in one line; empty when it can."""
        if self.current is None:
            return _("There is no training yet")
        open_ = self.current.state in ("stopped", "failed")
        return "" if open_ else _("Only a training that was stopped or failed can go on")

    def resume(self, settings: Mapping[str, Any]) -> None:
        """Let the followed training go on from what it saved last.

        :param settings: that are other ones from now on.
        """
        training = self.current
        if training is not None:
            self._ask(lambda engine: engine.trainings.resume(training.id, settings))

    def close(self) -> None:
        """Ask no more, and let go of the scene. The trainings go on."""
        self.watch.stop()
        self.comparing.close()
        self.bench.connection.changed.disconnect(self._engine_changed)

    @property
    def follows_database(self) -> bool:
        """Whether it is a synthetic database that is followed."""
        return self.current is not None and self.current.database is not None

    @property
    def example(self) -> bytes | None:
        """A case before and after, as PNG; None where no training is followed, or it has drawn none yet."""
        return None if self.follows_database else self.watch.example

    @property
    def sheet(self) -> bytes | None:
        """Some scans of the database that is followed, as PNG; None where there is none, or none was made yet."""
        return self.watch.example if self.follows_database else None

    def file_of(self, picture: bytes | None) -> Path | None:
        """A picture as a file, which the next one overwrites; None for none."""
        if picture is None:
            return None
        path = self.host.temp_folder / (SHEET if self.follows_database else EXAMPLE)
        path.write_bytes(picture)
        return path

    def _ask(self, work: Callable[[EngineClient], TrainingStatus]) -> None:
        self.bench.jobs.submit(work, lambda training: self.watch.follow(training.id), self._not_done)

    def _told(self, told: tuple[EngineStatus, list[RecipeInfo], list[ModelInfo], MaterialInfo]) -> None:
        self.status, recipes, models, self.material = told
        self.recipes, self.models = tuple(recipes), tuple(models)
        self.offered.emit()

    def _not_done(self, error: EngineError) -> None:
        self._stopping = ""
        self.failed.emit(str(error))

    def _followed(self, training: TrainingStatus) -> None:
        if training.over or training.state == "queued":
            self._stopping = ""
        self.curves.show(self.watch.lines)

    def _trainings_changed(self) -> None:
        done = {training.id for training in self.watch.trainings if training.state == "done"}
        if done - self._done:  # there are other versions, or other cases
            self.refresh()
        self._done = done

    def _engine_changed(self, *_state: Any) -> None:
        if self.bench.connection.state not in ("running", "remote"):
            return
        self.watch.forget()
        self.watch.start()
