"""``/volumes``: uploads come and go."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from pseudonormal.server.volumes import Volumes

LONGEST_NAME = 1000


class VolumeView(BaseModel):
    """An upload as clients see it."""

    id: str
    name: str
    bytes: int


def volume_router(volumes: Volumes) -> APIRouter:
    """The routes of a server's uploads."""
    router = APIRouter(tags=["volumes"])

    @router.post(
        "/volumes",
        status_code=201,
        openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
    )
    async def upload(
        request: Request, name: Annotated[str, Query(max_length=LONGEST_NAME)] = "volume.nrrd"
    ) -> VolumeView:
        """Send a volume as the request's body: NIfTI, NRRD or MetaImage, as the suffix of the name says."""
        try:
            volume = await volumes.receive(name, request.stream())
        except ClientDisconnect:  # nobody is there to read this
            return VolumeView(id="", name="", bytes=0)
        return VolumeView(id=volume.id, name=volume.name, bytes=volume.bytes)

    @router.delete("/volumes/{volume_id}", status_code=204)
    async def remove(volume_id: str) -> Response:
        """Forget an upload."""
        volumes.remove(volume_id)
        return Response(status_code=204)

    return router
