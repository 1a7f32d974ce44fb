"""Job that makes a picture again from its record. The job's photo is that picture."""

from collections.abc import Iterator
from pathlib import Path

from pochoir import imaging, pipeline
from pochoir.errors import InputError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Skipped
from pochoir.jobs.job import Job
from pochoir.jobs.kinds.paint import check_form, paint
from pochoir.jobs.outputs import is_finished
from pochoir.jobs.work import Kind, Worker
from pochoir.recipe import Record


def _perform(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    record = Record.from_json(imaging.read_record(job.photo))
    if record.request.form is not None:
        raise InputError(f"{job.photo!r} was cut out, not painted; run pochoir segment with the same options.")
    folder = job.form.get("inputs")
    inputs_dir = None if folder is None else Path(folder)
    painting = pipeline.replay(record, base=Path(job.photo).parent, inputs_dir=inputs_dir)
    read = [file.path for file in painting.scene.sources.files() if file.path is not None]
    alpha = painting.recipe.backdrop.is_transparent
    if is_finished(job, record.request, alpha=alpha, inputs=[job.photo, *read]):
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    yield from paint(job, painting, worker, control)


def _check(job: Job) -> None:
    check_form(job, "inputs")


KIND = Kind(perform=_perform, check=_check)
