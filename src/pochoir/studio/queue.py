"""Queue: plans become jobs in the store, and what the page knows of them is kept beside it."""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pochoir.errors import InputError, WriteError
from pochoir.jobs import Canceled, Event, Failed, Job, Preview, Progress, Queued, Saved, Skipped, Store
from pochoir.jobs.event import FINAL_STATES
from pochoir.studio.folder import Folder, NotFoundError, checked_id, read_json, write_json
from pochoir.studio.history import iter_paths
from pochoir.studio.models import JobInfo
from pochoir.studio.plans import Plan
from pochoir.studio.problems import describe

MAX_FINISHED = 50
"""Finished paintings whose previews a page may still ask for."""
MAX_FAILED = 20
"""Failed paintings that the page still shows."""
_MADE = ("saved", "skipped")
"""States of jobs whose output is there and on its way into the history."""
_NOT_QUEUED = "This painting is not in the queue any more."


class Queue:
    """Jobs that wait, run or have failed.

    Args:
        folder: Places of the files.
        publish: Called with each job that changes.
    """

    def __init__(self, folder: Folder, publish: Callable[[JobInfo], None]) -> None:
        self._folder, self._publish = folder, publish
        self.store = Store(folder.store)
        self._infos: dict[str, JobInfo] = {}
        self._finished: dict[str, str] = {}
        """Names in the store of the last finished jobs."""
        self.last = 0
        """Number of the last event that was taken."""

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def infos(self) -> list[JobInfo]:
        """Return the jobs that are not in the history yet, and the last ones that failed."""
        return list(self._infos.values())

    def info(self, id_: str) -> JobInfo:
        """Return the state of one job.

        Raises:
            NotFoundError: There is none with this id.
        """
        if id_ not in self._infos:
            raise NotFoundError(_NOT_QUEUED)
        return self._infos[id_]

    def add(self, plans: Iterable[Plan]) -> list[JobInfo]:
        """Queue all of the plans, or none of them.

        Raises:
            WriteError: The disk is full, or the folder cannot be written.
        """
        jobs: list[Job] = []
        infos: list[JobInfo] = []
        try:
            for plan in plans:
                jobs.append(self._reserve(plan))
                infos.append(self._keep(plan, jobs[-1]))
            self.store.add(jobs)
        except BaseException:
            for job in jobs:
                self._kept_path(job.id[:16]).unlink(missing_ok=True)
            raise
        for info in infos:
            self._infos[info.id] = info
        return infos

    def _reserve(self, plan: Plan) -> Job:
        """Return a job whose output no other job has, of this server or of another one on the same folder."""
        for output in iter_paths(self._folder.root, plan.stem, plan.suffix):
            job = Job(kind=plan.kind, photo=plan.source, output=str(output), recipe=plan.recipe, form=plan.form)
            try:
                self._kept_path(job.id[:16]).open("x").close()
            except FileExistsError:
                continue
            except OSError as error:
                raise WriteError(f"Cannot write to {self._folder.root}: {error.strerror or error}.") from error
            return job
        raise AssertionError  # numbers do not end

    def _keep(self, plan: Plan, job: Job) -> JobInfo:
        output = Path(job.output)
        info = JobInfo(
            id=job.id[:16],
            kind=plan.kind,
            photo=plan.photo,
            name=output.stem,
            state="queued",
            place=plan.place,
            order=plan.order,
            form=plan.form or None,
            video=plan.video,
        )
        mask = plan.mask or plan.recipe.mask
        kept = {"info": info.model_dump(mode="json"), "mask": mask, "output": output.name, "job": job.id}
        write_json(self._kept_path(info.id), kept)
        return info

    def stop(self, id_: str) -> JobInfo:
        """Stop a job and keep its best picture so far; one that waits is dropped, and one that ended stays as it is."""
        info = self.info(id_)
        if info.state == "queued":
            self.remove(id_)
            return info.model_copy(update={"state": "canceled"})
        if info.state != "started":
            return info
        self.store.cancel(self._job_id(id_), keep=True)
        self._infos[id_] = info.model_copy(update={"stopping": True})
        return self._infos[id_]

    def retry(self, id_: str) -> JobInfo:
        """Queue a failed job again. It goes on where it was.

        Raises:
            NotFoundError: There is none with this id.
            InputError: It has not failed.
        """
        info = self.info(id_)
        if info.state != "failed":
            raise InputError("Only what failed can be tried again.")
        job_id = self._job_id(id_)
        self.store.add([state.job for state in self.store.states() if state.job.id == job_id])
        self._infos[id_] = info.model_copy(
            update={"state": "queued", "error": "", "done": 0, "left_s": None, "preview": 0}
        )
        return self._infos[id_]

    def resume(self, output: Path, facts: dict[str, Any]) -> JobInfo:
        """Queue a film again that was stopped. It goes on where it was. One that goes on already stays as it is.

        Args:
            output: The film so far.
            facts: Facts that the history keeps of it.

        Raises:
            InputError: The film is whole, or was not made by this studio.
        """
        id_ = facts.get("job")
        jobs = [state.job for state in self.store.states() if state.job.id[:16] == id_]
        if not jobs or not facts.get("partial"):
            raise InputError("Only a film that was stopped can go on.")
        known = self._infos.get(jobs[0].id[:16])
        if known is not None and known.state != "failed":
            return known
        info = JobInfo(
            id=jobs[0].id[:16],
            kind="video",
            name=output.stem,
            state="queued",
            order=facts.get("order"),
            form=facts.get("form"),
            video=facts.get("video"),
        )
        kept = {"info": info.model_dump(mode="json"), "mask": None, "output": output.name, "job": jobs[0].id}
        write_json(self._kept_path(info.id), kept)
        self.store.add(jobs)
        self._infos[info.id] = info
        return info

    def remove(self, id_: str) -> None:
        """Drop a job without keeping its picture.

        Raises:
            NotFoundError: There is none with this id, or its picture is saved.
        """
        if self.info(id_).state in _MADE:
            raise NotFoundError(_NOT_QUEUED)
        self.store.cancel(self._job_id(id_))
        self.forget(id_)

    def preview(self, id_: str) -> bytes:
        """Return the last preview of a job as JPEG.

        Raises:
            NotFoundError: There is none yet.
        """
        jpeg = self.store.preview(self._finished.get(id_) or self._job_id(id_))
        if jpeg is None:
            raise NotFoundError("There is no preview yet.")
        return jpeg

    def kept(self, id_: str) -> dict[str, Any]:
        """Return what was kept of a job: ``info``, ``mask``, ``output`` and ``job``."""
        return read_json(self._kept_path(id_)) or {}

    def forget(self, id_: str) -> None:
        """Remove a job that ended, and what was kept of it."""
        self._infos.pop(id_, None)
        with contextlib.suppress(OSError):
            self._kept_path(id_).unlink(missing_ok=True)

    def restore(self) -> list[tuple[JobInfo, Event]]:
        """Show the jobs of an earlier server again; the painter resumes them.

        Returns:
            Jobs that were saved when no server was there to put them into the history.
        """
        self.last = max((number for number, _ in self.store.events(0)), default=0)  # later ones are taken, too
        failed = 0
        made: list[tuple[JobInfo, Event]] = []
        infos: list[JobInfo] = []
        for state in reversed(self.store.states()):
            id_ = state.job.id[:16]
            kept = self.kept(id_)
            if not kept:
                continue
            info = JobInfo(**kept["info"])
            if state.state in _MADE:
                events = [each for _, each in self.store.events(job=state.job.id) if isinstance(each, Saved | Skipped)]
                made += [(info, event) for event in events[-1:]]
                infos.append(info.model_copy(update={"state": state.state}))
            elif state.state in FINAL_STATES and (state.state != "failed" or failed >= MAX_FAILED):
                self.forget(id_)
            else:
                failed += state.state == "failed"
                error = describe(state.error, self._folder) if state.error else ""
                infos.append(info.model_copy(update={"state": state.state, "error": error}))
        self._infos = {info.id: info for info in reversed(infos)}
        return made

    def take(self, number: int, event: Event) -> JobInfo | None:
        """Note an event of the store and publish the job; return it if it is known here."""
        id_ = event.job[:16]
        info = self._infos.get(id_)
        if info is None or info.state in _MADE:
            return None
        changes: dict[str, Any] = {"state": event.kind} if event.kind not in ("progress", "preview") else {}
        if isinstance(event, Progress):
            changes |= {"done": event.done, "total": event.total, "left_s": event.left_s, "stage": event.stage}
        elif isinstance(event, Preview):
            changes["preview"] = number
        elif isinstance(event, Failed):
            changes["error"] = describe(event.error, self._folder)
        if event.is_final or isinstance(event, Queued):  # a painter that died has not stopped it
            changes["stopping"] = False
        info = self._infos[id_] = info.model_copy(update=changes)
        self._publish(info)
        if event.is_final and not isinstance(event, Failed):
            if isinstance(event, Canceled):
                self._infos.pop(id_, None)
            self._finished[id_] = event.job
            if len(self._finished) > MAX_FINISHED:
                del self._finished[next(iter(self._finished))]
        return info

    def _job_id(self, id_: str) -> str:
        kept = self.kept(id_)
        if not kept:
            raise NotFoundError(_NOT_QUEUED)
        return str(kept["job"])

    def _kept_path(self, id_: str) -> Path:
        return self._folder.jobs / f"{checked_id(id_)}.json"
