"""``/registry``: the versions of the engine's models, promoting one, and going back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from pseudonormal.errors import InputError
from pseudonormal.models.registry import Registry
from pseudonormal.models.versions import Entry
from pseudonormal.server.errors import NotDone, NotFound

Answer = TypeVar("Answer")
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
_ON_THE_COMMAND_LINE = "; give --force"


class VersionEntry(BaseModel):
    """One version of a model.

    :param parent: the version that it was trained from; None for a model that came from elsewhere.
    :param data: fingerprint of what it was trained on.
    :param created: ISO 8601, UTC.
    :param metrics: means over the subjects of the frozen evaluation cases.
    :param cases: the same for each case.
    :param comparisons: with earlier versions on the same cases, by version: "subjects", "better", "worse" and
        "difference" (by metric: mean, low, high).
    :param state: "current": what the plain name means; "retired": was current; "candidate": never was.
    """

    name: str
    version: str
    parent: str | None
    fingerprint: str
    data: str
    recipe: str
    created: str
    metrics: dict[str, float | None]
    cases: list[dict[str, Any]]
    comparisons: dict[str, dict[str, Any]]
    state: Literal["candidate", "current", "retired"]

    @classmethod
    def of(cls, entry: Entry) -> VersionEntry:
        """As the registry knows it."""
        return cls(**entry.as_json())


class Promotion(BaseModel):
    """What is to be promoted.

    :param force: also when it is worse than the current version, or nobody can tell.
    """

    model_config = ConfigDict(extra="forbid")

    version: Name
    force: bool = False


def registry_router(registry: Registry) -> APIRouter:
    """The routes of the model registry."""
    router = APIRouter(tags=["registry"])

    def told(ask: Callable[[], Answer]) -> Answer:
        """What the registry answers, or its refusal as clients know it."""
        try:
            return ask()
        except InputError as error:
            line = str(error).replace(f"{registry.folder}/", "").partition(_ON_THE_COMMAND_LINE)[0]
            raise NotDone(line) from error

    def known(name: str, version: str | None = None) -> None:
        versions = [entry.version for entry in told(lambda: registry.entries(name))]
        if not versions:
            raise NotFound(f"the model '{name[:100]}' has no versions yet; a training makes the first")
        if version is not None and version not in versions:
            raise NotFound(f"the model '{name}' has no version '{version}'; name one of {', '.join(versions)}")

    @router.get("/registry")
    def versions(name: Annotated[str, Query(max_length=100)] = "") -> list[VersionEntry]:
        """All versions of a model, or of all models, in the order in which they were registered."""
        names = [each for each in registry.names() if name in ("", each)]
        return [
            VersionEntry.of(entry)
            for entries in told(lambda: [registry.entries(each) for each in names])
            for entry in entries
        ]

    @router.post("/registry/{name}/promote")
    def promote(name: Name, promotion: Promotion) -> VersionEntry:
        """Make a version what the plain name means; 409 with the reason when it is worse, unless forced."""
        known(name, promotion.version)
        return VersionEntry.of(told(lambda: registry.promote(name, promotion.version, promotion.force)))

    @router.post("/registry/{name}/rollback")
    def rollback(name: Name) -> VersionEntry:
        """Go back to the version that was current before the present one."""
        known(name)
        return VersionEntry.of(told(lambda: registry.rollback(name)))

    return router
