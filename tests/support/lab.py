"""Stand-ins for what is slow in the lab: a runner of jobs that copies photos."""

import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pochoir.jobs import Event, Failed, Job, Queued, Saved, Skipped, Started


@functools.lru_cache(maxsize=64)
def _read(photo: str, size: int | None) -> np.ndarray[Any, Any]:
    image = Image.open(photo).convert("RGB")
    if size is not None:
        image.thumbnail((size, size))
    return np.array(image)


class Copier:
    """Runs jobs as ``pochoir.jobs.run`` does: copies each photo, with the first pixel coloured after the settings.

    Args:
        failure: Failure of the jobs whose output's name contains ``failing``. An ``Exception`` becomes a ``Failed``
            event, anything else is raised.
        failing: Part of the failing outputs' names.
    """

    def __init__(self, failure: BaseException | None = None, *, failing: str = "") -> None:
        self.painted: list[str] = []
        self.options: dict[str, Any] = {}
        self._failure = failure
        self._failing = failing

    def __call__(self, jobs: Iterable[Job], **options: Any) -> Iterator[Event]:
        self.options = options
        queue = list(jobs)
        for job in queue:
            yield Queued(job=job.id, photo=job.photo, output=job.output)
        for job in queue:
            yield Started(job=job.id, at=100.0)
            if self._failure is not None and self._failing in Path(job.output).name:
                if not isinstance(self._failure, Exception):
                    raise self._failure
                yield Failed.from_error(job.id, self._failure)
                continue
            yield self._finish(job)

    def _finish(self, job: Job) -> Event:
        pixels = _read(job.photo, job.recipe.size if isinstance(job.recipe.size, int) else None).copy()
        digest = hashlib.sha256(repr(sorted(job.recipe.to_dict().items())).encode()).digest()
        pixels[0, 0] = list(digest[:3])
        output = Path(job.output)
        if output.is_file() and np.array_equal(np.array(Image.open(output)), pixels):
            return Skipped(job=job.id, outputs=(job.output,))
        Image.fromarray(pixels).save(output)
        self.painted.append(output.name)
        return Saved(job=job.id, outputs=(job.output,), at=101.5)
