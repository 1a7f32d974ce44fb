"""Routes of videos, previews and films."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request
from fastapi.responses import FileResponse

from pochoir.sequence.settings import MOST_FRAME
from pochoir.studio import models
from pochoir.studio.api.common import CACHED, Parts
from pochoir.studio.uploads import receive
from pochoir.studio.videos import VIDEO_LIMIT, film_recipe, plan_film

router = APIRouter()
Frame = Annotated[int, Path(ge=0, le=MOST_FRAME, description="Number of the frame, counted from 0.")]


@router.post("/videos")
async def add_video(request: Request, studio: Parts) -> models.Video:
    """Keep the body, a video file or an animated picture, as a video."""
    async with receive(request, studio.folder.uploads, limit=VIDEO_LIMIT) as upload:
        return await studio.videos.add(upload)


@router.get("/videos")
async def list_videos(studio: Parts) -> list[models.Video]:
    """Return the videos, the one that was opened last first."""
    return studio.videos.all()


@router.get("/videos/{id_}")
async def get_video(id_: str, studio: Parts) -> models.Video:
    """Return a video."""
    return studio.videos.get(id_)


@router.delete("/videos/{id_}", status_code=204)
async def remove_video(id_: str, studio: Parts) -> None:
    """Forget a video. Films that were made of it stay."""
    studio.videos.remove(id_)


@router.get("/videos/{id_}/poster", response_class=FileResponse)
async def get_poster(id_: str, studio: Parts) -> FileResponse:
    """Return the first frame of a video."""
    return FileResponse(studio.videos.poster(id_), media_type="image/webp", headers=CACHED)


@router.get("/videos/{id_}/frames/{number}", response_class=FileResponse)
async def get_frame(id_: str, number: Frame, studio: Parts) -> FileResponse:
    """Return a frame of a video, at most 1280 pixels wide and high."""
    return FileResponse(await studio.videos.frame(id_, number), media_type="image/webp", headers=CACHED)


@router.post("/videos/{id_}/frames/{number}/matte", response_class=FileResponse)
async def find_in_frame(
    id_: str, number: Frame, hints: Annotated[models.FrameHints, Body()], studio: Parts
) -> FileResponse:
    """Find the subject in a frame, with hints, and return its matte as an 8-bit PNG as large as the frame's picture.

    A film with the same hints as its correction of this frame takes the same matte and follows it through the shot.
    """
    return FileResponse(await studio.videos.matte(id_, number, hints), media_type="image/png")


@router.post("/videos/{id_}/preview")
async def preview_film(id_: str, film: Annotated[models.Film, Body()], studio: Parts) -> models.FilmPreview:
    """Paint five small frames that are spread over the film, and estimate the whole. It takes a while."""
    return await studio.videos.preview(id_, film, film_recipe(film, studio.shelf))


@router.get("/videos/{id_}/preview/{number}", response_class=FileResponse)
async def get_preview_frame(id_: str, number: int, studio: Parts) -> FileResponse:
    """Return a frame of the last preview."""
    return FileResponse(studio.videos.preview_frame(id_, number), media_type="image/webp")


@router.post("/films")
async def add_film(order: Annotated[models.FilmOrder, Body()], studio: Parts) -> models.JobInfo:
    """Queue a painted video."""
    plan = plan_film(order, studio.videos, studio.shelf)
    await studio.videos.check(plan)
    (info,) = studio.queue.add([plan])
    studio.publish(info)
    return info


@router.post("/history/{id_}/resume")
async def resume_film(id_: str, studio: Parts) -> models.JobInfo:
    """Go on with a film that was stopped; its finished parts are used."""
    path = studio.history.path(id_)
    info = studio.queue.resume(path, studio.history.facts(path))
    studio.publish(info)
    return info
