"""``/databases``: ask for synthetic scans, made with what a training learnt; then it is one of the trainings."""

from __future__ import annotations

from fastapi import APIRouter

from pseudonormal.server.database_request import Database, DatabaseRequest
from pseudonormal.server.training import TrainingView
from pseudonormal.server.trainings import Trainings


def database_router(trainings: Trainings) -> APIRouter:
    """The route of a server's synthetic databases."""
    router = APIRouter(tags=["trainings"])

    @router.post("/databases", status_code=202)
    async def build(request: DatabaseRequest) -> TrainingView:
        """Put the making of a synthetic database into the queue of the trainings."""
        recipe = trainings.generator(request.generator).record.request.recipe
        return trainings.view(trainings.submit(Database(recipe=recipe, **request.model_dump())))

    return router
