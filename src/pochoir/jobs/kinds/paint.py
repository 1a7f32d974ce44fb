"""Painting as a job: steps become events, and the result is saved."""

import time
from collections.abc import Iterator
from math import inf
from pathlib import Path

from pochoir import imaging
from pochoir.errors import OptionError, OutputPathError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Preview, Progress, Saved
from pochoir.jobs.job import Job
from pochoir.jobs.streams import encode_preview, save_output
from pochoir.jobs.work import Worker
from pochoir.painting import Painting
from pochoir.transfer import Step

MOST_STEP_PICTURES = 20
"""About so many step pictures are saved: enough to watch the painting grow."""


def paint(job: Job, painting: Painting, worker: Worker, control: Control) -> Iterator[Event]:
    """Take a painting's steps and save its result; end without a final event if the job is canceled."""
    resumed = (f"resumed after {painting.resumed_steps} steps of a run that was interrupted",)
    notes = resumed if painting.resumed_steps else ()
    previewed_s = -inf  # the first step is shown at once
    has_picture = False  # to be kept, which is that of the first step at least
    painting.should_stop = lambda: control.canceled and (has_picture or not control.keeps)
    with painting:
        for step in painting:
            has_picture = True
            _save_step(job, step)
            yield _progress(job, step, painting, notes)
            notes = ()
            if worker.previews_s is not None and time.monotonic() - previewed_s >= worker.previews_s:
                previewed_s = time.monotonic()
                yield Preview(job=job.id, jpeg=encode_preview(step.picture()), done=step.done)
            if control.canceled:
                break
    if control.canceled and not control.keeps:
        return
    result = painting.result()
    is_whole = painting.is_finished
    save_output(job, result.save)
    if is_whole:
        painting.remove_checkpoint()
    interrupted = () if is_whole else ("interrupted: this is the best picture so far",)
    yield Saved(
        job=job.id,
        outputs=(job.output,),
        facts={
            "size": result.size._asdict(),
            "losses": None if result.losses is None else result.losses._asdict(),
            "timings": dict(result.timings),
            "seed": result.recipe.seed,
            "recipe": result.recipe.to_dict(),
            "transparent": result.composite.shape[1] == 4,
        },
        notes=(*notes, *result.notes, *interrupted),
        interrupted=not is_whole,
    )


def check_form(job: Job, *names: str) -> None:
    """Refuse a form with fields that this kind of job does not have, and a bad folder for step pictures.

    Raises:
        OptionError: There is such a field.
        OutputPathError: A picture of a step could replace the photo.
    """
    for name in job.form:
        if name not in ("save_steps", "format", *names):
            raise OptionError(f"A job of kind {job.kind} has no {name!r} in its form.")


def check_step_folder(job: Job, inputs: list[str]) -> None:
    """Refuse a folder for step pictures in which an input could be replaced.

    Raises:
        OutputPathError: An input lies in the folder under the name that a step picture would get.
    """
    folder = job.form.get("save_steps")
    if folder is None:
        return
    for path in map(Path, inputs):
        is_there = path.match("step-*.png") and path.parent.resolve() == Path(folder).resolve()
        if is_there and not job.force:
            raise OutputPathError(
                f"'{path}' is an input and could be overwritten by --save-steps {folder}; choose another folder or "
                "replace it (--force)."
            )
    imaging.make_folder(folder)


def _progress(job: Job, step: Step, painting: Painting, notes: tuple[str, ...]) -> Progress:
    return Progress(
        job=job.id,
        done=step.done,
        total=step.total,
        left_s=step.left_s,
        stage="painting",
        facts={
            "scale": step.scale,
            "scales": step.scales,
            "step_of_scale": step.step,
            "size": step.size._asdict(),
            "losses": step.losses._asdict(),
            "expected_bytes": painting.expected_bytes,
        },
        notes=notes,
    )


def _save_step(job: Job, step: Step) -> None:
    folder = job.form.get("save_steps")
    every = max(1, step.total // MOST_STEP_PICTURES)
    if folder is not None and (step.done % every == 0 or step.done == step.total):
        imaging.save(Path(folder, f"step-{step.done:05d}.png"), step.picture())
