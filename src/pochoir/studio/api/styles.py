"""Routes of styles."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from pochoir.studio import models
from pochoir.studio.api.common import CACHED, Parts
from pochoir.studio.uploads import receive

router = APIRouter()


@router.get("/styles")
async def list_styles(studio: Parts) -> list[models.Style]:
    """Return the styles."""
    return studio.shelf.all()


@router.post("/styles")
async def add_style(request: Request, studio: Parts) -> models.Style:
    """Keep the body, a picture file, as a style."""
    async with receive(request, studio.folder.uploads) as upload:
        style = await studio.shelf.add(upload)
    studio.news.publish("styles", styles=[each.model_dump() for each in studio.shelf.all()])
    return style


@router.get("/styles/{id_}/thumb", response_class=FileResponse)
async def get_style_thumb(id_: str, studio: Parts) -> FileResponse:
    """Return a small picture of a style."""
    return FileResponse(await studio.shelf.thumb(id_), media_type="image/webp", headers=CACHED)


@router.delete("/styles/{id_}", status_code=204)
async def remove_style(id_: str, studio: Parts) -> None:
    """Delete one of the user's own styles."""
    studio.shelf.remove(id_)
    studio.news.publish("styles", styles=[each.model_dump() for each in studio.shelf.all()])
