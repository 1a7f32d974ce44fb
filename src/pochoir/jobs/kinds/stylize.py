"""Job that paints a photo."""

from collections.abc import Iterator
from pathlib import Path

from pochoir import checkpoints
from pochoir.imaging.outputs import format_of
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Skipped
from pochoir.jobs.job import STREAM, Job
from pochoir.jobs.kinds.paint import check_form, check_step_folder, paint
from pochoir.jobs.outputs import is_finished
from pochoir.jobs.streams import open_photo
from pochoir.jobs.work import Kind, Worker
from pochoir.recipe import MASK_FIELDS, STYLE_FIELDS, Request
from pochoir.sources import check_shared_pictures, describe_inputs


def list_inputs(job: Job) -> list[str]:
    """Return the paths of the files that a painting reads."""
    recipe = job.recipe
    paths = [job.photo, *(ref.source for name in STYLE_FIELDS for ref in getattr(recipe, name))]
    paths += [path for name in MASK_FIELDS for path in getattr(recipe, name)]
    paths += [path for path in (recipe.mask, recipe.scribble, recipe.backdrop.picture, recipe.init.picture) if path]
    return paths


def _perform(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    started_s = worker.take_start()
    photo = open_photo(job)
    request = Request(recipe=job.recipe, inputs=describe_inputs(photo, job.recipe))
    if is_finished(job, request, alpha=job.recipe.backdrop.is_transparent, inputs=list_inputs(job)):
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    check_step_folder(job, list_inputs(job))
    checkpoint = None if job.output == STREAM else checkpoints.path_beside(Path(job.output))
    painting = worker.session.iter_stylize(photo, job.recipe, checkpoint=checkpoint, started_s=started_s)
    yield from paint(job, painting, worker, control)


def _check(job: Job) -> None:
    check_form(job)
    if job.output != STREAM:
        format_of(job.output, alpha=job.recipe.backdrop.is_transparent)


KIND = Kind(perform=_perform, inputs=list_inputs, check=_check, check_shared=check_shared_pictures)
