"""Routes of finished pictures and clips."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from pochoir.animation.settings import ClipSettings
from pochoir.errors import InputError
from pochoir.recipe import Record
from pochoir.sequence.settings import VideoSettings
from pochoir.studio import assistant, clips, models, moving, videos
from pochoir.studio.api.common import Parts
from pochoir.studio.orders import command_line, python_call
from pochoir.studio.parts import Studio

router = APIRouter()
MEDIA_TYPES = {
    "png": ("png", "image/png"),
    "jpeg": ("jpg", "image/jpeg"),
    "webp": ("webp", "image/webp"),
    "tiff": ("tif", "image/tiff"),
    "ora": ("ora", "image/openraster"),
    "gif": ("gif", "image/gif"),
    "mp4": ("mp4", "video/mp4"),
    "webm": ("webm", "video/webm"),
    "mov": ("mov", "video/quicktime"),
    "mkv": ("mkv", "video/x-matroska"),
}


@router.get("/history")
async def list_history(studio: Parts) -> list[models.Item]:
    """Return the finished pictures, the newest first."""
    return await studio.history.all()


@router.get("/history/{id_}/image", response_class=FileResponse)
async def get_image(
    id_: str,
    studio: Parts,
    kind: Annotated[Literal["picture", "cutout", "matte", "layers", "still"], Query(alias="as")] = "picture",
    file_format: Annotated[
        Literal["png", "jpeg", "webp", "tiff", "ora", "gif", "mp4", "webm", "mov", "mkv"], Query(alias="format")
    ] = "png",
    recipe: Annotated[bool, Query(description="Whether the file holds the recipe.")] = True,
    download: Annotated[bool, Query(description="Whether browsers save it as a file.")] = False,
) -> FileResponse:
    """Return a finished picture in a format, or its cutout, its matte, or its layers as OpenRaster.

    Clips come in the formats of moving pictures; their first frame comes as ``still``.
    """
    if (kind == "layers") != (file_format == "ora"):
        raise InputError("Layers come as ora, and only layers do.")
    source = studio.history.path(id_)
    if kind == "still":
        return FileResponse(await studio.history.still(id_), media_type="image/webp")
    suffix, media_type = MEDIA_TYPES[file_format]
    stem = source.stem if kind == "picture" else f"{source.stem}-{kind}"
    name = f"{stem}.{suffix}" if download else None
    if kind == "picture" and recipe and source.suffix == f".{suffix}":
        return FileResponse(source, media_type=media_type, filename=name)
    item = await studio.history.item(source)
    moves = item is not None and item.kind != "picture"
    if moves and (kind != "picture" or file_format not in clips.FORMATS):
        raise InputError(f"Clips come as {', '.join(clips.FORMATS)}.")
    if not moves and file_format in ("gif", "mp4", "webm", "mov", "mkv"):
        raise InputError(f"Pictures come as png, jpeg, webp, tiff or ora; only clips come as {file_format}.")
    with tempfile.NamedTemporaryFile(dir=studio.folder.uploads, suffix=f".{suffix}", delete=False) as file:
        target = Path(file.name)
    target.unlink()
    try:
        if moves:
            await studio.assistant.run(moving.convert, str(source), str(target), keeps_record=recipe)
        else:
            await _export(studio, source, target, kind, keeps_record=recipe)
    except BaseException:
        _remove(target)
        raise
    return FileResponse(target, media_type=media_type, filename=name, background=BackgroundTask(_remove, target))


async def _export(studio: Studio, source: Path, target: Path, kind: str, *, keeps_record: bool) -> None:
    facts = studio.history.facts(source)
    photo = None
    if kind == "layers" and facts.get("photo"):
        photo = str(studio.photos.path(facts["photo"])) if studio.photos.find(facts["photo"]) else None
    mask = facts.get("mask")
    await studio.assistant.run(
        assistant.export,
        *(str(source), str(target), kind),
        photo=photo,
        mask=mask if mask and Path(mask).is_file() else None,
        keeps_record=keeps_record,
    )


@router.get("/history/{id_}/thumb", response_class=FileResponse)
async def get_thumb(id_: str, studio: Parts) -> FileResponse:
    """Return a small picture of a finished picture."""
    return FileResponse(await studio.history.thumb(id_), media_type="image/webp")


@router.get("/history/{id_}/recipe")
async def get_recipe(id_: str, studio: Parts) -> models.RecipeTexts:
    """Return the recipe of a picture or a clip, and the command line and Python code that make the same."""
    path = studio.history.path(id_)
    text = await studio.history.record(path)
    values: dict[str, Any] = json.loads(text)
    record = Record.from_json(text)
    photo = next((entry.name for entry in record.request.inputs if entry.role == "photo"), "photo.jpg")
    names = (photo, path.name)
    if isinstance(values.get("clip"), dict):
        clip = ClipSettings.model_validate(values["clip"])
        command = clips.clip_command(clip, record.recipe, *names)
        python = clips.clip_call(clip, record.recipe, *names)
    elif isinstance(values.get("video"), dict):
        film = VideoSettings.model_validate(values["video"])
        video = next((entry.name for entry in record.request.inputs if entry.role == "video"), "video.mp4")
        command = videos.film_command(film, record.recipe, video, path.name)
        python = videos.film_call(film, record.recipe, video, path.name)
    else:
        command, python = command_line(record.recipe, *names), python_call(record.recipe, *names)
    return models.RecipeTexts(recipe=record.recipe.to_dict(), command=command, python=python)


@router.delete("/history/{id_}", status_code=204)
async def remove_item(id_: str, studio: Parts) -> None:
    """Delete a finished picture's file."""
    studio.history.remove(id_)
    studio.news.publish("removed", id=id_)


def _remove(path: Path) -> None:
    for each in (path, path.with_name(f"{path.name}.json")):  # some formats keep the record in a file beside them
        each.unlink(missing_ok=True)
