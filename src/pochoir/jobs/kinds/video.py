"""Job that paints a video. The job's photo is the video.

Its form holds the fields of ``VideoSettings``, such as ``{"keys": "auto", "form": "cutout"}``, and these:

- ``agreed``: true begins also work that takes longer than six hours.
- ``workers``: number of jobs that first paint the keys of different shots side by side, and ``executor`` and
  ``address``, where they run.
- ``partial``: true paints nothing, and writes the frames that an interrupted run of this request has finished.

``Progress`` counts frames of the film; its stage is ``plan``, ``cuts``, ``mattes``, ``keys`` or ``frames``. The first
one has the facts ``frames``, ``keys``, ``seconds``, ``expected_bytes`` and ``film_bytes``. ``Preview`` shows the newest
key or frame. ``Saved`` has the facts ``size``, ``frames``, ``fps``, ``duration_s``, ``transparent``, ``sound``,
``partial``, ``timings``, ``video`` and ``recipe``. A job that is canceled leaves its finished parts, and with ``keep``
the film so far.
"""

from collections.abc import Iterator
from pathlib import Path

from pochoir import imaging, video
from pochoir.errors import MissingExtraError, OptionError, UnknownNameError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Skipped
from pochoir.jobs.executors import EXECUTORS, MOST_WORKERS, share_of_cpus
from pochoir.jobs.filming import Filming
from pochoir.jobs.films import is_finished_film
from pochoir.jobs.job import STREAM, Job
from pochoir.jobs.kinds.stylize import list_inputs
from pochoir.jobs.shots import SHOTS, STEPS, Helpers, paint_shots
from pochoir.jobs.work import Kind, Worker
from pochoir.sequence.inputs import check_recipe, with_form
from pochoir.sequence.making import prepare
from pochoir.sequence.painted import PaintedVideo
from pochoir.sequence.settings import VideoSettings
from pochoir.sequence.tools import Tools
from pochoir.sources import check_shared_pictures

OWN = ("agreed", "partial", "workers", "executor", "address", SHOTS, STEPS)
"""Fields of the form besides those of ``VideoSettings``."""


def settings_of(job: Job) -> VideoSettings:
    """Return the settings of the video that a job's form holds."""
    return VideoSettings.model_validate({name: value for name, value in job.form.items() if name not in OWN})


def helpers_of(job: Job) -> Helpers:
    """Return how many jobs paint shots side by side, and where.

    Raises:
        OptionError: The number is out of bounds.
        UnknownNameError: There is no such executor.
    """
    count, executor = job.form.get("workers", 1), job.form.get("executor", "processes")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_WORKERS:
        raise OptionError(f"workers takes 1 to {MOST_WORKERS}; got {count!r}.")
    if not isinstance(executor, str) or executor not in EXECUTORS:
        raise UnknownNameError("executor", str(executor), EXECUTORS)
    return Helpers(count, executor, job.form.get("address", "auto"))


def tools_of(worker: Worker) -> Tools:
    """Return the networks that a worker keeps loaded."""
    session = worker.session
    return Tools(open_encoder=session.lend_encoder, create_segmenter=session.find_segmenter)


def film(
    job: Job, painted: PaintedVideo, worker: Worker, control: Control, *, inputs: tuple[str, ...] = ()
) -> Iterator[Event]:
    """Paint a video and write the film; end without a final event if the job is canceled.

    Args:
        job: The job.
        painted: The video in the making.
        worker: The worker.
        control: Requests to the job.
        inputs: Files besides those of the video that must not be replaced.
    """
    target = Path(job.output)
    imaging.make_folder(target.parent)
    painted.check_output(target, inputs=inputs, force=job.force)
    if is_finished_film(target, painted, force=job.force):
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    filming = Filming(
        job,
        painted,
        painted.open_store(target),
        previews_s=worker.previews_s,
        agreed=bool(job.form.get("agreed")),
        helpers=helpers_of(job),
    )
    if job.form.get("partial"):
        yield filming.save_partial()
    else:
        yield from filming.run(control)


def _perform(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    painted = prepare(job.photo, job.recipe, settings_of(job), {}, tools_of(worker))
    if SHOTS in job.form:
        yield from paint_shots(job, painted, worker.previews_s, control)
        return
    helpers = helpers_of(job)
    if helpers.count > 1 and not job.recipe.threads:
        painted.threads = share_of_cpus(helpers.count)
    yield from film(job, painted, worker, control)


def _inputs(job: Job) -> list[str]:
    masks = [each.mask for each in settings_of(job).corrections if each.mask is not None]
    return [*list_inputs(job), *masks]


def _check(job: Job) -> None:
    if STREAM in (job.photo, job.output):
        raise OptionError("A video is read from a file and written to a file or a folder, not to standard output.")
    settings = settings_of(job)
    for name in ("agreed", "partial"):
        if not isinstance(job.form.get(name, False), bool):
            raise OptionError(f"{name} must be true or false; got {job.form[name]!r}.")
    helpers_of(job)
    check_recipe(job.recipe)
    recipe = with_form(job.recipe, settings)
    alpha = recipe.backdrop.is_transparent and settings.form != "matte"
    try:
        video.format_of(job.output, alpha=alpha, fps=1.0, codec=settings.codec)
    except MissingExtraError:
        video.check_is_moving(job.photo)  # PyAV would not help there
        raise


KIND = Kind(perform=_perform, inputs=_inputs, check=_check, check_shared=check_shared_pictures)
