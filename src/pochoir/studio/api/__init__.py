"""Routes of the API. What the page can do, a script can do with these."""

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

from pochoir import __version__
from pochoir.errors import PochoirError
from pochoir.studio import clips, models, sheets
from pochoir.studio.api import history, jobs, moving, photos, styles, videos
from pochoir.studio.api.common import Parts, find_again
from pochoir.studio.folder import Folder
from pochoir.studio.orders import settings_schema
from pochoir.studio.parts import Studio
from pochoir.studio.problems import describe, describe_request, find_field, status_of
from pochoir.studio.uploads import UPLOAD_LIMIT
from pochoir.studio.videos import FORMATS, VIDEO_LIMIT, film_schema

Problems = {404: {"model": models.Problem}, 413: {"model": models.Problem}, 422: {"model": models.Problem}}
router = APIRouter()


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


def build_api(studio: Studio) -> FastAPI:
    """Return the application of the API."""
    app = FastAPI(
        title="pochoir studio",
        version=__version__,
        description="Everything that the page can do. Changing requests need the header X-Pochoir: 1.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.studio = studio
    for part in (router, photos.router, styles.router, jobs.router, moving.router, videos.router, history.router):
        app.include_router(part, prefix="/api", responses=Problems)  # type: ignore[arg-type]
    _add_errors(app, studio.folder)
    return app


def _add_errors(app: FastAPI, folder: Folder) -> None:
    def answer(text: str, status: int, field: str | None = None) -> JSONResponse:
        return JSONResponse({"error": text, "field": field}, status)

    @app.exception_handler(PochoirError)
    async def on_error(_: Request, error: PochoirError) -> JSONResponse:
        field = getattr(error, "field", None) or find_field(str(error), settings_schema())
        return answer(describe(error, folder), status_of(error), field)

    @app.exception_handler(OSError)
    async def on_disk_error(_: Request, error: OSError) -> JSONResponse:
        return answer(describe(error, folder), status_of(error))

    @app.exception_handler(RequestValidationError)
    async def on_bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
        text, field = describe_request(error.errors())
        return answer(text, 422, field)

    @app.exception_handler(HTTPException)
    async def on_http_error(_: Request, error: HTTPException) -> JSONResponse:
        return answer(str(error.detail), error.status_code)

    @app.exception_handler(Exception)
    async def on_bug(_: Request, error: Exception) -> JSONResponse:
        return answer(f"This should not happen: {type(error).__name__}.", 500)
