"""Queue: orders become jobs in the store, and the store's events become news for the page."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pochoir.errors import WriteError
from pochoir.jobs import Event, Failed, Job, Preview, Progress, Saved, Store
from pochoir.jobs.event import FINAL_STATES
from pochoir.recipe import Recipe
from pochoir.studio.folder import Folder, NotFoundError, checked_id, read_json, write_json
from pochoir.studio.history import History, iter_paths
from pochoir.studio.models import Item, JobInfo, JobOrder, Order
from pochoir.studio.orders import build_recipe, vary
from pochoir.studio.photos import Photos
from pochoir.studio.shelf import Shelf

LOOK_S = 0.1
"""Seconds between two looks at the store."""
MAX_FINISHED = 50
MAX_FAILED = 20
"""Failed paintings that the page still shows."""


class Queue:
    """Paintings that wait, run or have failed.

    Args:
        folder: Places of the files.
        photos: The photos.
        shelf: The styles.
        history: The finished pictures.
        publish: Called with every change: ``("job", JobInfo)`` or ``("history", Item)``.
    """

    def __init__(
        self,
        folder: Folder,
        photos: Photos,
        shelf: Shelf,
        history: History,
        publish: Callable[[str, JobInfo | Item], None],
    ) -> None:
        self._folder, self._photos, self._shelf, self._history = folder, photos, shelf, history
        self._publish = publish
        self._store = Store(folder.store)
        self._infos: dict[str, JobInfo] = {}
        self._finished: dict[str, str] = {}
        """Names in the store of the last finished paintings, whose previews a page may still ask for."""
        self._last = 0

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def infos(self) -> list[JobInfo]:
        """Return the paintings that are not finished, and the last ones that failed."""
        return list(self._infos.values())

    def info(self, id_: str) -> JobInfo:
        """Return the state of one painting.

        Raises:
            NotFoundError: There is none with this id.
        """
        if id_ not in self._infos:
            raise NotFoundError("This painting is not in the queue any more.")
        return self._infos[id_]

    def order(self, order: JobOrder) -> list[JobInfo]:
        """Queue one painting, or several small variations of it.

        Raises:
            InputError: The photo or a setting cannot be used.
        """
        photo = self._photos.get(order.photo)
        source = str(self._photos.path(order.photo))
        mask = self._photos.freeze_mask(order.photo) if order.use_mask else None
        plain = Order(looks=order.looks, settings=order.settings)
        orders = [plain] if order.variations == 1 else [vary(plain, number) for number in range(order.variations)]
        jobs, infos = [], []
        for number, each in enumerate(orders):
            recipe = build_recipe(each, self._shelf.source, mask)
            variation = number + 1 if order.variations > 1 else 0
            stem = f"{Path(photo.name).stem}-v{variation}" if variation else Path(photo.name).stem
            job = self._reserve(stem, source, recipe)
            output = Path(job.output)
            info = JobInfo(
                id=job.id[:16], photo=photo.id, name=output.stem, state="queued", variation=variation, order=each
            )
            kept = {"info": info.model_dump(mode="json"), "mask": recipe.mask, "output": output.name, "job": job.id}
            write_json(self._folder.jobs / f"{info.id}.json", kept)
            jobs.append(job)
            infos.append(info)
        for info in infos:
            self._infos[info.id] = info
        self._store.add(jobs)
        return infos

    def _reserve(self, stem: str, source: str, recipe: Recipe) -> Job:
        """Return a job whose output no other job has, of this server or of another one on the same folder."""
        for output in iter_paths(self._folder.root, stem):
            job = Job(kind="stylize", photo=source, output=str(output), recipe=recipe)
            try:
                (self._folder.jobs / f"{job.id[:16]}.json").open("x").close()
            except FileExistsError:
                continue
            except OSError as error:
                raise WriteError(f"Cannot write to {self._folder.root}: {error.strerror or error}.") from error
            return job
        raise AssertionError  # numbers do not end

    def stop(self, id_: str) -> JobInfo:
        """Stop a painting and keep its best picture so far; one that waits is dropped."""
        info = self.info(id_)
        self._store.cancel(self._job_id(id_), keep=True)
        self._infos[id_] = info.model_copy(update={"stopping": True})
        return self._infos[id_]

    def remove(self, id_: str) -> None:
        """Drop a painting without keeping its picture."""
        self.info(id_)
        self._store.cancel(self._job_id(id_))
        self._infos.pop(id_, None)
        (self._folder.jobs / f"{id_}.json").unlink(missing_ok=True)

    def preview(self, id_: str) -> bytes:
        """Return the last preview of a painting as JPEG.

        Raises:
            NotFoundError: There is none yet.
        """
        jpeg = self._store.preview(self._finished.get(id_) or self._job_id(id_))
        if jpeg is None:
            raise NotFoundError("There is no preview yet.")
        return jpeg

    def restore(self) -> None:
        """Show the paintings of an earlier server again; the painter resumes them."""
        failed = 0
        for state in reversed(self._store.states()):
            kept = read_json(self._folder.jobs / f"{state.job.id[:16]}.json")
            if kept is None:
                continue
            if state.state in FINAL_STATES and (state.state != "failed" or failed >= MAX_FAILED):
                (self._folder.jobs / f"{state.job.id[:16]}.json").unlink(missing_ok=True)
                continue
            failed += state.state == "failed"
            info = JobInfo(**kept["info"])
            self._infos[info.id] = info.model_copy(update={"state": state.state, "error": state.error})
        self._infos = dict(reversed(self._infos.items()))
        self._last = max((number for number, _ in self._store.events(0)), default=0)

    async def follow(self) -> None:
        """Publish the store's events until the task is cancelled."""
        while True:
            try:
                events = await asyncio.to_thread(self._store.events, self._last)
            except WriteError:
                events = []
            for number, event in events:
                self._last = number
                await self._take(number, event)
            await asyncio.sleep(LOOK_S)

    async def _take(self, number: int, event: Event) -> None:
        id_ = event.job[:16]
        info = self._infos.get(id_)
        if info is None:
            return
        changes: dict[str, Any] = {"state": event.kind} if event.kind not in ("progress", "preview") else {}
        if isinstance(event, Progress):
            changes |= {"done": event.done, "total": event.total, "left_s": event.left_s, "stage": event.stage}
        elif isinstance(event, Preview):
            changes["preview"] = number
        elif isinstance(event, Failed):
            changes["error"] = event.error
        if event.is_final:
            changes["stopping"] = False
        info = self._infos[id_] = info.model_copy(update=changes)
        self._publish("job", info)
        if event.is_final and not isinstance(event, Failed):
            self._infos.pop(id_, None)
            self._finished[id_] = event.job
            if len(self._finished) > MAX_FINISHED:
                del self._finished[next(iter(self._finished))]
            await self._finish(info, event)

    async def _finish(self, info: JobInfo, event: Event) -> None:
        kept_path = self._folder.jobs / f"{info.id}.json"
        kept = read_json(kept_path) or {}
        output = self._folder.root / kept.get("output", "")
        if isinstance(event, Saved) and output.is_file():
            seconds = sum(event.facts.get("timings", {}).values()) or None
            self._history.remember(
                output,
                photo=info.photo,
                job=info.id,
                mask=kept.get("mask"),
                order=None if info.order is None else info.order.model_dump(mode="json"),
                variation=info.variation,
                notes=[*event.notes, *(["stopped: the best picture so far"] if event.interrupted else [])],
                seconds=seconds,
                finished=time.time(),
            )
            item = await self._history.item(output)
            if item is not None:
                self._publish("history", item)
        kept_path.unlink(missing_ok=True)

    def _job_id(self, id_: str) -> str:
        kept = read_json(self._folder.jobs / f"{checked_id(id_)}.json")
        if kept is None:
            raise NotFoundError("This painting is not in the queue any more.")
        return str(kept["job"])
