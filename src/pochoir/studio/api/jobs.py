"""Routes of paintings that wait, run or have failed."""

from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response

from pochoir.studio import models
from pochoir.studio.api.common import Parts
from pochoir.studio.plans import plan_paintings

router = APIRouter()


@router.post("/jobs")
async def add_jobs(order: Annotated[models.JobOrder, Body()], studio: Parts) -> models.Jobs:
    """Queue a painting, or a sheet of small ones on which seeds or one or two settings differ."""
    infos = studio.queue.add(plan_paintings(order, studio.photos, studio.shelf))
    for info in infos:
        studio.publish(info)
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
    """Stop a painting after its step and keep the best picture so far. One that waits is dropped."""
    info = studio.queue.stop(id_)
    studio.publish(info)
    return info


@router.post("/jobs/{id_}/retry")
async def retry_job(id_: str, studio: Parts) -> models.JobInfo:
    """Queue a painting that failed again, for example after making room on the disk. It goes on where it was."""
    info = studio.queue.retry(id_)
    studio.publish(info)
    return info


@router.delete("/jobs/{id_}", status_code=204)
async def remove_job(id_: str, studio: Parts) -> None:
    """Drop a painting without keeping its picture."""
    studio.queue.remove(id_)
    studio.news.publish("removed", id=id_)
