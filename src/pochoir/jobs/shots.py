"""Shots of a video painted side by side: each job paints the keys of some shots, and the film's own job uses them."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final

from pochoir.jobs.control import Control
from pochoir.jobs.event import Event, Failed, Preview, Progress, Saved
from pochoir.jobs.job import Job
from pochoir.jobs.runner import run
from pochoir.jobs.streams import encode_frame
from pochoir.sequence.painted import PaintedVideo
from pochoir.sequence.store import FolderStore

SHOTS: Final = "shots"
"""Field of the form of a job that paints some shots: the first one, and the distance to the next."""
STEPS: Final = "steps"
"""Field of its form with the steps that were planned for a first key; 0 takes the recipe's."""
_DONE: Final = "shots-done"


@dataclass(frozen=True)
class Helpers:
    """Jobs that paint shots side by side.

    Attributes:
        count: Number of jobs; 1 is none beside the film's own.
        executor: Name of the executor.
        address: Address of a cluster.
    """

    count: int = 1
    executor: str = "processes"
    address: str = "auto"


def paint_shots(job: Job, painted: PaintedVideo, previews_s: float | None, control: Control) -> Iterator[Event]:
    """Paint the keys of some shots; the job's output is the folder for them."""
    first, every = job.form[SHOTS]
    painted.steps = int(job.form.get(STEPS, 0))
    store = FolderStore(Path(job.output), painted.record.parts_key)
    store.write_json(SHOTS, [first, every])
    previewed_s = -inf
    for event in painted.keys(first, every, store):
        yield Progress(job=job.id, done=event.done, total=event.total, stage=event.stage)
        if event.picture is not None and previews_s is not None and time.monotonic() - previewed_s >= previews_s:
            previewed_s = time.monotonic()
            yield Preview(job=job.id, jpeg=encode_frame(event.picture), done=event.done)
        if control.canceled:
            return
    yield Saved(job=job.id, outputs=(job.output,), notes=painted.notes)


def paint_side_by_side(
    job: Job, painted: PaintedVideo, store: FolderStore, helpers: Helpers, *, previews_s: float | None
) -> Generator[Event, None, None]:
    """Run the jobs that paint the shots, and collect their parts; yield their progress as the film's.

    Args:
        job: Job of the film.
        painted: The film.
        store: Store of the film.
        helpers: Number and place of the jobs.
        previews_s: Seconds between two previews of a job; None makes none.

    Raises:
        PochoirError: One of the jobs failed. A job that died with its process is no error: the film's own job paints
            what is missing.
    """
    if helpers.count < 2 or store.read_json(_DONE):
        return
    form: dict[str, Any] = painted.settings.replace(codec="auto").model_dump(mode="json") | {STEPS: painted.steps}
    jobs = [
        Job(
            kind="video",
            photo=job.photo,
            output=str(store.folder / f"shots-{number}-of-{helpers.count}"),
            recipe=painted.asked.replace(threads=painted.threads),
            form=form | {SHOTS: [number, helpers.count]},
            force=True,
        )
        for number in range(helpers.count)
    ]
    events = run(
        jobs,
        executor=helpers.executor,
        workers=helpers.count,
        threads=painted.threads,
        address=helpers.address,
        previews_s=previews_s,
    )
    parts = {each.id: (0, 0) for each in jobs}
    with closing(events):
        for event in events:
            if isinstance(event, Failed) and event.category != "lost":
                raise event.to_exception()
            if isinstance(event, Progress) and event.stage != "cuts":
                parts[event.job] = (event.done, event.total)
                done, total = (sum(each) for each in zip(*parts.values(), strict=True))
                facts = {"part": done, "parts": total, "jobs": helpers.count}
                yield Progress(job=job.id, done=0, total=painted.count, stage="keys", facts=facts)
            elif isinstance(event, Preview):
                yield event.model_copy(update={"job": job.id})
    collect_shots(store)
    store.write_json(_DONE, helpers.count)


def collect_shots(store: FolderStore) -> None:
    """Move the parts that jobs have painted into the store of their film."""
    if store.folder.is_dir():
        for folder in sorted(store.folder.glob("shots-*-of-*")):
            store.absorb(folder)
