"""Routes of photos and their masks."""

import hashlib
import json
import tempfile
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from pochoir.errors import InputError
from pochoir.recipe import Record
from pochoir.studio import assistant, models
from pochoir.studio.api.common import CACHED, Parts, find_again
from pochoir.studio.folder import NotFoundError
from pochoir.studio.orders import check_corrections, order_of
from pochoir.studio.parts import Studio
from pochoir.studio.uploads import Upload, receive

router = APIRouter()
MASK_TYPE = "application/x-pochoir-mask"
"""Content type of a mask as gzipped bytes, one for each pixel of the photo."""


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
    return find_again(studio, studio.photos.get(id_))


@router.get("/photos/{id_}/image", response_class=FileResponse)
async def get_photo_image(id_: str, studio: Parts) -> FileResponse:
    """Return the upright picture of a photo in sRGB, at most 4096 pixels on its long side."""
    return FileResponse(studio.photos.shown_path(id_), headers=CACHED)


@router.post("/photos/{id_}/subject")
async def find_subject(id_: str, corrections: models.Corrections, studio: Parts) -> models.Photo:
    """Find the subject again with hints. It replaces the mask; an event tells when it is done."""
    photo = studio.photos.get(id_)
    check_corrections(corrections)
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


def _find_order(studio: Studio, text: str) -> tuple[str | None, models.Order]:
    """Return the known photo of a picture's record, and its looks and settings."""
    try:
        record = Record.from_json(text)
    except (InputError, json.JSONDecodeError):
        return None, models.Order()
    hashes = [entry.sha256 for entry in record.request.inputs if entry.role == "photo"]
    known = studio.photos.find(hashes[0]) if hashes else None
    return known, order_of(record, studio.shelf.find)
