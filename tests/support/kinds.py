"""Kinds of jobs for tests: quick, without networks, and observable from outside."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from pochoir._files import place_of, replacing
from pochoir.errors import OptionError, WeightsMissingError
from pochoir.jobs import Event, Failed, Job, Kind, Preview, Progress, Saved, Skipped, Worker, register
from pochoir.jobs.control import Control


def _count(job: Job, worker: Worker, control: Control) -> Iterator[Event]:
    """Copy the photo backwards in some steps; write down each begin in the file ``log``."""
    output, data = Path(job.output), place_of(job.photo).read_bytes()[::-1]
    if output.is_file() and output.read_bytes() == data:
        yield Skipped(job=job.id, outputs=(job.output,))
        return
    if "log" in job.form:
        with Path(job.form["log"]).open("a") as log:
            log.write(f"{Path(job.output).name} {os.getpid()}\n")
    if job.form.get("fails"):
        raise OptionError(f"{job.photo} cannot be used.")
    if job.form.get("lacks"):
        raise WeightsMissingError("The weights are not here.")
    steps = job.form.get("steps", 3)
    for done in range(1, steps + 1):
        time.sleep(job.form.get("step_s", 0.0))
        deadline = time.monotonic() + job.form.get("step_until_canceled_s", 0.0)
        while time.monotonic() < deadline and not control.canceled:  # a long step that looks up in between
            time.sleep(0.01)
        if control.canceled:
            return
        yield Progress(job=job.id, done=done, total=steps, left_s=0.0)
        if worker.previews_s is not None:
            yield Preview(job=job.id, jpeg=bytes([done]), done=done)
        die = job.form.get("die")  # a file: whoever finds it removes it and dies
        if die and done == 2 and Path(die).exists():
            Path(die).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as draft:
        draft.write_bytes(data)
    yield Saved(job=job.id, outputs=(job.output,), facts={"pid": os.getpid()})


def _break(job: Job) -> None:
    if "bad" in job.form:
        raise OptionError("The form is bad.")


COUNT = Kind(perform=_count, check=_break)
register("count", "support.kinds:COUNT")

__all__ = ["COUNT", "Failed"]
