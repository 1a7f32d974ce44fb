"""Job that makes a clip of a photo.

Its form holds the fields of ``ClipSettings``, such as ``{"motion": ["nod"], "duration": "3s"}``. It may also hold
``rig``: limbs as a table, or the path of the file with them. The output is a moving picture, or a folder of frames.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any

from pochoir import clips, imaging, video
from pochoir.animation.clip import Clip
from pochoir.animation.rig import Rig
from pochoir.animation.settings import ClipSettings
from pochoir.clips import Production
from pochoir.clips.stages import RENDERING, StageClock, plan_stages
from pochoir.errors import OptionError, OutputPathError
from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Preview, Progress, Saved, Skipped
from pochoir.jobs.job import STREAM, Job
from pochoir.jobs.kinds.stylize import list_inputs
from pochoir.jobs.streams import encode_frame, encode_preview, open_photo
from pochoir.jobs.work import Kind, Worker
from pochoir.painting import Painting
from pochoir.sources import check_shared_pictures

PARTS = 1000
"""Parts that the work on a clip is divided into for its progress."""
RIG = "rig"
"""Field of the form besides those of ``ClipSettings``."""


def film(
    job: Job, production: Production, worker: Worker, control: Control, *, inputs: tuple[str, ...] = ()
) -> Iterator[Event]:
    """Make a clip and save it; end without a final event if the job is canceled, and leave nothing then.

    Args:
        job: The job.
        production: The clip in the making.
        worker: The worker.
        control: Requests to the job.
        inputs: Files besides those of the production that must not be replaced.
    """
    target = Path(job.output)
    fps, alpha = production.settings.fps, production.is_transparent
    imaging.make_folder(target.parent)
    video.check_film_output(target, alpha=alpha, fps=fps, inputs=[*production.input_paths, *inputs], force=job.force)
    if clips.is_up_to_date(target, production, force=job.force):
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    reporter = _Reporter(job, StageClock(plan_stages(production)), worker.previews_s)
    started_s = time.monotonic()
    for title, painting in production.paintings():
        for event in reporter.paint(title, painting):
            yield event
            if control.canceled:
                return
    clip = production.clip()
    painted_s = time.monotonic() - started_s
    yield from reporter.render(
        clip, control, lambda progress: clip.save(target, quality=production.quality, progress=progress)
    )
    if control.canceled:
        return
    timings = {"paint": painted_s, "render": time.monotonic() - started_s - painted_s}
    facts = _describe(clip, production) | {"timings": timings}
    yield Saved(job=job.id, outputs=(job.output,), facts=facts, notes=clip.notes)


class _Reporter:
    """Turns the work on a clip into events."""

    def __init__(self, job: Job, clock: StageClock, previews_s: float | None) -> None:
        self._job = job
        self._clock = clock
        self._previews_s = previews_s
        self._previewed_s = -inf  # the first picture is shown at once

    def paint(self, title: str, painting: Painting) -> Iterator[Event]:
        """Take the steps of a painting."""
        self._clock.begin(title)
        for step in painting:
            facts = {
                "step": step.done,
                "steps": step.total,
                "scale": step.scale,
                "scales": step.scales,
                "step_of_scale": step.step,
                "size": step.size._asdict(),
                "losses": step.losses._asdict(),
                "expected_bytes": painting.expected_bytes,
            }
            left_s = self._clock.estimate_left_s(step.done, step.total, step.left_s)
            yield self._progress(f"painting: {title}", left_s, facts)
            if self._is_preview_due():
                yield self._preview(encode_preview(step.picture()))

    def render(
        self, clip: Clip, control: Control, save: Callable[[Callable[[int], object]], object]
    ) -> Iterator[Event]:
        """Let ``save`` write the clip in a thread of its own, and stop it if the job is canceled."""
        self._clock.begin(RENDERING)
        written: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        is_stopped = threading.Event()

        def report(frames: int) -> None:
            if control.canceled or is_stopped.is_set():
                raise _Stopped
            written.put(frames)

        with ThreadPoolExecutor(1, thread_name_prefix="pochoir-film") as pool:
            saving = pool.submit(save, report)
            saving.add_done_callback(lambda _: written.put(None))
            try:
                while (frames := written.get()) is not None:
                    left_s = self._clock.estimate_left_s(frames, len(clip))
                    yield self._progress(RENDERING, left_s, {"step": frames, "steps": len(clip)})
                    if self._is_preview_due():
                        yield self._preview(encode_frame(clip.frame_at(frames - 1)))
            finally:
                is_stopped.set()
        error = saving.exception()
        if error is not None and not isinstance(error, _Stopped):
            raise error

    def _progress(self, stage: str, left_s: float | None, facts: dict[str, Any]) -> Progress:
        done = round(PARTS * self._clock.share)
        return Progress(job=self._job.id, done=done, total=PARTS, left_s=left_s, stage=stage, facts=facts)

    def _is_preview_due(self) -> bool:
        return self._previews_s is not None and time.monotonic() - self._previewed_s >= self._previews_s

    def _preview(self, jpeg: bytes) -> Preview:
        self._previewed_s = time.monotonic()
        return Preview(job=self._job.id, jpeg=jpeg, done=round(PARTS * self._clock.share))


class _Stopped(Exception):  # noqa: N818  # not an error: the writer is asked to end
    """Ends the writing of a clip whose job was canceled."""


def _describe(clip: Clip, production: Production) -> dict[str, Any]:
    return {
        "size": clip.size._asdict(),
        "frames": len(clip),
        "fps": clip.fps,
        "duration_s": clip.timing.duration_s,
        "loop": clip.timing.loop,
        "transparent": clip.is_transparent,
        "seed": production.recipe.seed,
        "clip": production.settings.model_dump(mode="json"),
        "recipe": production.recipe.to_dict(),
    }


def _settings_of(job: Job) -> ClipSettings:
    return ClipSettings.model_validate({name: value for name, value in job.form.items() if name != RIG})


def _rig_of(job: Job) -> Rig | str | None:
    rig = job.form.get(RIG)
    if rig is None or isinstance(rig, str):
        return rig
    if not isinstance(rig, dict):
        raise OptionError(f"The rig of a job is a table of limbs, or the path of a file; got {rig!r}.")
    return Rig.from_dict(rig)


def _inputs(job: Job) -> list[str]:
    rig = job.form.get(RIG)
    return [*list_inputs(job), *([rig] if isinstance(rig, str) else [])]


def _perform(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    production = clips.prepare(open_photo(job), job.recipe, _settings_of(job), rig=_rig_of(job))
    rig = job.form.get(RIG)
    yield from film(job, production, worker, control, inputs=(rig,) if isinstance(rig, str) else ())


def _check(job: Job) -> None:
    settings = _settings_of(job)
    _rig_of(job)
    if job.output == STREAM:
        raise OutputPathError("A clip is written to a file or a folder, not to standard output.")
    video.format_of(job.output, alpha=job.recipe.backdrop.is_transparent, fps=settings.fps)


KIND = Kind(perform=_perform, inputs=_inputs, check=_check, check_shared=check_shared_pictures)
