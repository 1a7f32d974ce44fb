"""Job that makes a picture, a clip or a painted video again from its record. The job's photo is that file."""

from collections.abc import Iterator
from pathlib import Path

from pochoir import clips, pipeline
from pochoir.errors import InputError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Skipped
from pochoir.jobs.job import Job
from pochoir.jobs.kinds import video
from pochoir.jobs.kinds.animate import film
from pochoir.jobs.kinds.paint import check_form, paint
from pochoir.jobs.outputs import is_finished
from pochoir.jobs.work import Kind, Worker
from pochoir.recipe import Record
from pochoir.sequence import making as sequence_making
from pochoir.sequence.records import holds_video


def _perform(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    place, folder = Path(job.photo).parent, job.form.get("inputs")
    inputs_dir = None if folder is None else Path(folder)
    text = clips.read_record(Path(job.photo))
    if clips.holds_clip(text):
        production = clips.replay(text, base=place, inputs_dir=inputs_dir)
        yield from film(job, production, worker, control, inputs=(job.photo,))
        return
    if holds_video(text):
        painted = sequence_making.replay(text, base=place, inputs_dir=inputs_dir, tools=video.tools_of(worker))
        yield from video.film(job, painted, worker, control, inputs=(job.photo,))
        return
    record = Record.from_json(text)
    if record.request.form is not None:
        raise InputError(f"{job.photo!r} was cut out, not painted; run pochoir segment with the same options.")
    painting = pipeline.replay(record, base=place, inputs_dir=inputs_dir)
    read = [file.path for file in painting.scene.sources.files() if file.path is not None]
    alpha = painting.recipe.backdrop.is_transparent
    if is_finished(job, record.request, alpha=alpha, inputs=[job.photo, *read]):
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    yield from paint(job, painting, worker, control)


def _check(job: Job) -> None:
    check_form(job, "inputs", "agreed")


KIND = Kind(perform=_perform, check=_check)
