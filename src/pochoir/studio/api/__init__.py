"""Routes of the API. What the page can do, a script can do with these."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from pochoir import __version__
from pochoir.studio import clips, models, sheets
from pochoir.studio.api import history, jobs, moving, photos, styles, videos
from pochoir.studio.api.common import Parts, find_again
from pochoir.studio.orders import settings_schema
from pochoir.studio.uploads import UPLOAD_LIMIT
from pochoir.studio.videos import FORMATS, VIDEO_LIMIT, film_schema

Problems = {404: {"model": models.Problem}, 413: {"model": models.Problem}, 422: {"model": models.Problem}}
router = APIRouter(prefix="/api", responses=Problems)  # type: ignore[arg-type]


@router.get("/state")
async def state(studio: Parts) -> models.State:
    """Return everything that the page shows first."""
    photo = studio.photos.latest()
    return models.State(
        version=__version__,
        limits=models.Limits(upload=UPLOAD_LIMIT, video=VIDEO_LIMIT),
        settings=settings_schema(),
        axes=sheets.suggestions(),
        clip_settings=clips.clip_schema(),
        clip_formats=clips.formats(),
        film_settings=film_schema(),
        film_formats=list(FORMATS),
        videos=studio.videos.all(),
        motions=clips.motions(),
        styles=studio.shelf.all(),
        photo=None if photo is None else find_again(studio, photo),
        jobs=studio.queue.infos(),
        history=await studio.history.all(),
        warning=studio.follower.warning,
    )


@router.get("/events", response_class=StreamingResponse)
async def events(studio: Parts) -> StreamingResponse:
    """Stream changes as server-sent events: photo, job, history, removed, styles, warning."""
    return StreamingResponse(studio.news.stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


for part in (photos, styles, jobs, moving, videos, history):
    router.include_router(part.router)
