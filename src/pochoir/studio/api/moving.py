"""Routes of clips: motions to choose from, and orders."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import FileResponse

from pochoir.studio import models
from pochoir.studio.api.common import CACHED, Parts
from pochoir.studio.clips import plan_clip

router = APIRouter()


@router.get("/photos/{id_}/motions")
async def list_motions(id_: str, studio: Parts) -> list[models.Motion]:
    """Return the motions, and for each that the photo's subject cannot do the reason. It takes seconds at first."""
    return await studio.motions.of(id_)


@router.get("/photos/{id_}/motions/{name}", response_class=FileResponse)
async def get_motion(
    id_: str, name: str, studio: Parts, moves: Annotated[bool, Query(description="Whether the picture moves.")] = False
) -> FileResponse:
    """Return a small picture of a photo's subject in a motion, once the motions were listed."""
    return FileResponse(studio.motions.picture(id_, name, moves=moves), media_type="image/webp", headers=CACHED)


@router.post("/clips")
async def add_clip(order: Annotated[models.ClipOrder, Body()], studio: Parts) -> models.JobInfo:
    """Queue a clip of a finished picture, or of a photo with its mask."""
    (info,) = studio.queue.add([plan_clip(order, studio.photos, studio.shelf, studio.history)])
    studio.publish(info)
    return info
