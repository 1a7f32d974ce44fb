"""Routes of the API. What the page can do, a script can do with these."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from pochoir import __version__
from pochoir.errors import InputError
from pochoir.recipe import Record
from pochoir.studio import assistant, models
from pochoir.studio.folder import NotFoundError
from pochoir.studio.orders import command_line, order_of, python_call, settings_schema
from pochoir.studio.parts import Studio
from pochoir.studio.uploads import UPLOAD_LIMIT, Upload, receive

Problems = {404: {"model": models.Problem}, 413: {"model": models.Problem}, 422: {"model": models.Problem}}
router = APIRouter(prefix="/api", responses=Problems)  # type: ignore[arg-type]
MASK_TYPE = "application/x-pochoir-mask"
"""Content type of a mask as gzipped bytes, one for each pixel of the photo."""

MEDIA_TYPES = {
    "png": ("png", "image/png"),
    "jpeg": ("jpg", "image/jpeg"),
    "webp": ("webp", "image/webp"),
    "tiff": ("tif", "image/tiff"),
    "ora": ("ora", "image/openraster"),
}


def _get_studio(request: Request) -> Studio:
    found: Studio = request.app.state.studio
    return found


Parts = Annotated[Studio, Depends(_get_studio)]


@router.get("/state")
async def state(studio: Parts) -> models.State:
    """Return everything that the page shows first."""
    return models.State(
        version=__version__,
        limits=models.Limits(upload=UPLOAD_LIMIT),
        settings=settings_schema(),
        styles=studio.shelf.all(),
        photo=studio.photos.latest(),
        jobs=studio.queue.infos(),
        history=await studio.history.all(),
    )


@router.get("/events", response_class=StreamingResponse)
async def events(studio: Parts) -> StreamingResponse:
    """Stream changes as server-sent events: photo, job, history, removed, styles."""
    return StreamingResponse(studio.news.stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/photos")
async def add_photo(request: Request, studio: Parts) -> models.Photo:
    """Keep the body, a picture file, as a photo. Its subject is found in the background."""
    async with receive(request, studio.folder.uploads) as upload:
        photo = await studio.photos.add(upload, lambda text: _find_order(studio, text))
    if photo.mask_version is None and "x-batch" not in request.headers:
        studio.begin(studio.photos.find_subject(photo.id))
    return photo


@router.post("/sample")
async def add_sample(studio: Parts) -> models.Photo:
    """Open the sample photo."""
    with tempfile.TemporaryDirectory(dir=studio.folder.uploads) as folder:
        path = Path(await studio.assistant.run(assistant.write_sample, folder))
        upload = Upload(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        photo = await studio.photos.add(upload, lambda text: _find_order(studio, text))
    if photo.mask_version is None:
        studio.begin(studio.photos.find_subject(photo.id))
    return photo


@router.get("/photos/{id_}")
async def get_photo(id_: str, studio: Parts) -> models.Photo:
    """Return a photo."""
    return studio.photos.get(id_)


@router.get("/photos/{id_}/image", response_class=FileResponse)
async def get_photo_image(id_: str, studio: Parts) -> FileResponse:
    """Return the upright picture of a photo in sRGB, at most 4096 pixels on its long side."""
    return FileResponse(studio.photos.shown_path(id_), headers={"Cache-Control": "private, max-age=86400"})


@router.post("/photos/{id_}/subject")
async def find_subject(id_: str, corrections: models.Corrections, studio: Parts) -> models.Photo:
    """Find the subject again with hints. It replaces the mask; an event tells when it is done."""
    photo = studio.photos.get(id_)
    studio.begin(studio.photos.find_subject(id_, corrections))
    return photo.model_copy(update={"state": "finding", "corrections": corrections})


@router.get("/photos/{id_}/mask", response_class=FileResponse)
async def get_mask(id_: str, studio: Parts) -> FileResponse:
    """Return a photo's mask as an 8-bit PNG of the photo's size: white is subject."""
    path = studio.photos.mask_path(id_)
    if path is None:
        raise NotFoundError("This photo has no mask yet.")
    return FileResponse(path, media_type="image/png")


@router.put(
    "/photos/{id_}/mask",
    openapi_extra={"requestBody": {"content": {MASK_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def put_mask(id_: str, request: Request, studio: Parts) -> models.Photo:
    """Replace a photo's mask by gzipped bytes, one for each pixel, row by row."""
    studio.photos.get(id_)
    async with receive(request, studio.folder.uploads) as upload:
        return await studio.photos.set_mask(id_, upload)


@router.post("/photos/{id_}/mask")
async def upload_mask(id_: str, request: Request, studio: Parts) -> models.Photo:
    """Replace a photo's mask by the body, a picture file of the photo's proportions."""
    studio.photos.get(id_)
    async with receive(request, studio.folder.uploads) as upload:
        return await studio.photos.upload_mask(id_, upload)


@router.delete("/photos/{id_}/mask")
async def reset_mask(id_: str, studio: Parts) -> models.Photo:
    """Drop the corrections and find the subject again."""
    studio.photos.reset_mask(id_)
    studio.begin(studio.photos.find_subject(id_))
    return studio.photos.get(id_).model_copy(update={"state": "finding"})


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
    headers = {"Cache-Control": "private, max-age=86400"}
    return FileResponse(await studio.shelf.thumb(id_), media_type="image/webp", headers=headers)


@router.delete("/styles/{id_}", status_code=204)
async def remove_style(id_: str, studio: Parts) -> None:
    """Delete one of the user's own styles."""
    studio.shelf.remove(id_)
    studio.news.publish("styles", styles=[each.model_dump() for each in studio.shelf.all()])


@router.post("/jobs")
async def add_jobs(order: Annotated[models.JobOrder, Body()], studio: Parts) -> models.Jobs:
    """Queue a painting, or several small variations with different seeds."""
    infos = studio.queue.order(order)
    for info in infos:
        studio.news.publish("job", job=info.model_dump(mode="json"))
    return models.Jobs(jobs=infos)


@router.get("/jobs")
async def list_jobs(studio: Parts) -> list[models.JobInfo]:
    """Return the paintings that wait, run or have failed."""
    return studio.queue.infos()


@router.get("/jobs/{id_}")
async def get_job(id_: str, studio: Parts) -> models.JobInfo:
    """Return the state of a painting."""
    return studio.queue.info(id_)


@router.get("/jobs/{id_}/preview", response_class=Response)
async def get_preview(id_: str, studio: Parts) -> Response:
    """Return the picture so far as JPEG."""
    return Response(studio.queue.preview(id_), media_type="image/jpeg")


@router.post("/jobs/{id_}/stop")
async def stop_job(id_: str, studio: Parts) -> models.JobInfo:
    """Stop a painting after its step and keep the best picture so far."""
    return studio.queue.stop(id_)


@router.delete("/jobs/{id_}", status_code=204)
async def remove_job(id_: str, studio: Parts) -> None:
    """Drop a painting without keeping its picture."""
    studio.queue.remove(id_)
    studio.news.publish("removed", id=id_)


@router.get("/history")
async def list_history(studio: Parts) -> list[models.Item]:
    """Return the finished pictures, the newest first."""
    return await studio.history.all()


@router.get("/history/{id_}/image", response_class=FileResponse)
async def get_image(
    id_: str,
    studio: Parts,
    kind: Annotated[Literal["picture", "cutout", "matte", "layers"], Query(alias="as")] = "picture",
    file_format: Annotated[Literal["png", "jpeg", "webp", "tiff", "ora"], Query(alias="format")] = "png",
    recipe: Annotated[bool, Query(description="Whether the file holds the recipe.")] = True,
    download: Annotated[bool, Query(description="Whether browsers save it as a file.")] = False,
) -> FileResponse:
    """Return a finished picture in a format, or its cutout, its matte, or its layers as OpenRaster."""
    if (kind == "layers") != (file_format == "ora"):
        raise InputError("Layers come as ora, and only layers do.")
    source = studio.history.path(id_)
    suffix, media_type = MEDIA_TYPES[file_format]
    stem = source.stem if kind == "picture" else f"{source.stem}-{kind}"
    name = f"{stem}.{suffix}" if download else None
    if kind == "picture" and recipe and source.suffix == f".{suffix}":
        return FileResponse(source, media_type=media_type, filename=name)
    facts = studio.history.facts(source)
    photo = None
    if kind == "layers" and facts.get("photo"):
        photo = str(studio.photos.path(facts["photo"])) if studio.photos.find(facts["photo"]) else None
    with tempfile.NamedTemporaryFile(dir=studio.folder.uploads, suffix=f".{suffix}", delete=False) as file:
        target = Path(file.name)
    target.unlink()
    mask = facts.get("mask")
    try:
        await studio.assistant.run(
            assistant.export,
            *(str(source), str(target), kind),
            photo=photo,
            mask=mask if mask and Path(mask).is_file() else None,
            keeps_record=recipe,
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return FileResponse(target, media_type=media_type, filename=name, background=BackgroundTask(_remove, target))


@router.get("/history/{id_}/thumb", response_class=FileResponse)
async def get_thumb(id_: str, studio: Parts) -> FileResponse:
    """Return a small picture of a finished picture."""
    return FileResponse(await studio.history.thumb(id_), media_type="image/webp")


@router.get("/history/{id_}/recipe")
async def get_recipe(id_: str, studio: Parts) -> models.RecipeTexts:
    """Return a picture's recipe, and the command line and Python code that paint it."""
    path = studio.history.path(id_)
    record = await studio.history.record(path)
    photo = next((entry.name for entry in record.request.inputs if entry.role == "photo"), "photo.jpg")
    return models.RecipeTexts(
        recipe=record.recipe.to_dict(),
        command=command_line(record.recipe, photo, path.name),
        python=python_call(record.recipe, photo, path.name),
    )


@router.delete("/history/{id_}", status_code=204)
async def remove_item(id_: str, studio: Parts) -> None:
    """Delete a finished picture's file."""
    studio.history.remove(id_)
    studio.news.publish("removed", id=id_)


def _remove(path: Path) -> None:
    for each in (path, path.with_name(f"{path.name}.json")):  # some formats keep the record in a file beside them
        each.unlink(missing_ok=True)


def _find_order(studio: Studio, text: str) -> tuple[str | None, models.Order]:
    """Return the known photo of a picture's record, and its looks and settings."""
    try:
        record = Record.from_json(text)
    except (InputError, json.JSONDecodeError):
        return None, models.Order()
    hashes = [entry.sha256 for entry in record.request.inputs if entry.role == "photo"]
    known = studio.photos.find(hashes[0]) if hashes else None
    return known, order_of(record, studio.shelf.find)
