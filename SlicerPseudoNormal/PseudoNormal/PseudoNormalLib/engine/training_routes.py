"""The engine's routes for trainings and versions of models as methods; they block, as those of the client do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PseudoNormalLib.engine.http import Http, path_part
from PseudoNormalLib.engine.replies import parse
from PseudoNormalLib.engine.training_replies import MaterialInfo, RecipeInfo, TrainingStatus, VersionInfo


class TrainingRoutes:
    """What :attr:`PseudoNormalLib.engine.client.EngineClient.trainings` is.

    Every method raises :class:`PseudoNormalLib.engine.errors.EngineError` when the engine cannot be reached or
    refuses, :class:`PseudoNormalLib.engine.errors.Unknown` where it serves no case store.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def recipes(self) -> list[RecipeInfo]:
        """The recipes that it has, those that can be trained first."""
        return [parse(RecipeInfo, recipe) for recipe in self._http.json("GET", "/recipes")]

    def material(self, contrast: str = "") -> MaterialInfo:
        """What a training would learn from.

        :param contrast: of the scans to use; ``any``: mix them; empty: there must be one.
        """
        return parse(MaterialInfo, self._http.json("GET", "/trainings/material", query={"contrast": contrast}))

    def start(
        self,
        recipe: str,
        *,
        model: str | None = None,
        minutes: float = 10.0,
        contrast: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> TrainingStatus:
        """Put a training into the engine's queue.

        :param model: the model to begin from; None: the engine's own choice.
        :param minutes: how long it learns.
        :param contrast: as for :meth:`material`.
        :param settings: of the trainer and of the recipe.
        :raises Busy: too many wait.
        """
        body = {
            "recipe": recipe,
            "model": model,
            "minutes": minutes,
            "contrast": contrast,
            "settings": dict(settings or {}),
        }
        return parse(TrainingStatus, self._http.json("POST", "/trainings", body=body))

    def build(self, generator: str, count: int, *, seed: int = 0, keep: bool = True) -> TrainingStatus:
        """Put the making of synthetic scans into the engine's queue.

        :param generator: id of the training that made it.
        :param seed: the same one gives the same scans.
        :param keep: whether they go into the case store, as synthetic cases.
        :raises Unknown: there is none, or its files are gone.
        :raises Conflict: that training has made no generator.
        :raises Busy: too many wait.
        """
        body = {"generator": generator, "count": count, "seed": seed, "keep": keep}
        return parse(TrainingStatus, self._http.json("POST", "/databases", body=body))

    def all(self) -> list[TrainingStatus]:
        """Every training and every synthetic database, the last first, without what they said."""
        return [parse(TrainingStatus, training) for training in self._http.json("GET", "/trainings")]

    def status(self, training: str, since: int = 0) -> TrainingStatus:
        """How far a training is, with what it said from one line on."""
        return parse(
            TrainingStatus, self._http.json("GET", f"/trainings/{path_part(training)}", query={"since": since})
        )

    def stop(self, training: str) -> TrainingStatus:
        """End a training within two seconds, what it learnt, or made, saved; one that is over stays as it is."""
        return parse(TrainingStatus, self._http.json("POST", f"/trainings/{path_part(training)}/stop"))

    def resume(self, training: str, settings: Mapping[str, Any] | None = None) -> TrainingStatus:
        """Let a training go on from what it saved last.

        :param settings: that are other ones from now on.
        :raises Conflict: it is not stopped or failed.
        """
        body = {"settings": dict(settings or {})}
        return parse(TrainingStatus, self._http.json("POST", f"/trainings/{path_part(training)}/resume", body=body))

    def example(self, training: str) -> bytes:
        """The newest picture of a case before and after, or of some of the scans that were made; PNG.

        :raises Unknown: there is none yet.
        """
        return self._http.fetch(f"/trainings/{path_part(training)}/example")

    def versions(self, name: str = "") -> list[VersionInfo]:
        """The versions of a model, oldest first; of all models where none is named."""
        return [parse(VersionInfo, each) for each in self._http.json("GET", "/registry", query={"name": name})]

    def promote(self, name: str, version: str, *, force: bool = False) -> VersionInfo:
        """Make a version what the plain name means.

        :param force: also when it is worse than the current one, or nobody can tell.
        :raises Conflict: it is worse than the current one, or nobody can tell, or it is current already.
        """
        body = {"version": version, "force": force}
        return parse(VersionInfo, self._http.json("POST", f"/registry/{path_part(name)}/promote", body=body))

    def roll_back(self, name: str) -> VersionInfo:
        """Go back to the version that was current before the present one.

        :raises Conflict: there is none.
        """
        return parse(VersionInfo, self._http.json("POST", f"/registry/{path_part(name)}/rollback"))
