"""``/trainings``: ask for a training, watch it, stop it, let it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from pseudonormal.server.engine import Engine, RecipeEntry
from pseudonormal.server.errors import NotFound, without_place
from pseudonormal.server.job_routes import Since
from pseudonormal.server.material import MaterialAnswer, material_of
from pseudonormal.server.training import TrainingView
from pseudonormal.server.training_request import TrainingRequest
from pseudonormal.server.trainings import Trainings
from pseudonormal.server.work import Settings

if TYPE_CHECKING:
    from pseudonormal.store.store import Store


class Changed(BaseModel):
    """What is another one when a training goes on.

    :param settings: of the trainer and of the recipe.
    """

    model_config = ConfigDict(extra="forbid")

    settings: Settings = Field(default_factory=dict, max_length=50)


def training_router(trainings: Trainings, store: Store, engine: Engine) -> APIRouter:
    """The routes of a server's trainings."""
    router = APIRouter(tags=["trainings"], dependencies=[Depends(without_place(store.folder), scope="function")])

    @router.get("/recipes")
    async def recipes() -> list[RecipeEntry]:
        """The recipes that there are, and which of them can be trained from the case store."""
        return await engine.recipes()

    @router.get("/trainings/material")
    def material(contrast: Annotated[str, Query(max_length=100)] = "") -> MaterialAnswer:
        """What a training would learn from."""
        return material_of(store, contrast)

    @router.post("/trainings", status_code=202)
    async def submit(request: TrainingRequest) -> TrainingView:
        """Put a training into the queue."""
        await engine.check_recipe(request.recipe)
        await engine.check_model(request.model)
        return trainings.view(trainings.submit(request))

    @router.get("/trainings")
    async def all_trainings() -> list[TrainingView]:
        """Every training and every synthetic database, the last first, without what they said."""
        return trainings.views()

    @router.get("/trainings/{training_id}")
    async def one_training(training_id: str, since: Since = 0) -> TrainingView:
        """How far a training is."""
        return trainings.view(trainings.training(training_id), since)

    @router.post("/trainings/{training_id}/stop")
    async def stop(training_id: str) -> TrainingView:
        """End a training within two seconds; what it learnt, or made, is saved. One that is over stays as it is."""
        training = trainings.training(training_id)
        await trainings.stop(training)
        return trainings.view(training, len(training.said))

    @router.post("/trainings/{training_id}/resume", status_code=202)
    async def resume(training_id: str, changed: Changed | None = None) -> TrainingView:
        """Let a training go on from what it saved last."""
        training = trainings.training(training_id)
        trainings.resume(training, changed.settings if changed else {})
        return trainings.view(training, len(training.said))

    @router.get("/trainings/{training_id}/example", response_class=FileResponse)
    async def example(training_id: str) -> FileResponse:
        """The newest picture: a case before and after, or some of the scans that were made (PNG)."""
        picture = trainings.training(training_id).example
        if picture is None:
            raise NotFound("no picture was drawn yet; ask again later")
        return FileResponse(picture, media_type="image/png", headers={"Cache-Control": "no-store"})

    return router
