"""Follower: the store's events become news for the page, and saved pictures go into the history."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from pochoir.errors import PochoirError
from pochoir.jobs import Event, Saved, Skipped
from pochoir.studio.folder import Folder
from pochoir.studio.history import History
from pochoir.studio.models import Item, JobInfo
from pochoir.studio.problems import describe
from pochoir.studio.queue import Queue

LOOK_S = 0.05
"""Seconds between two looks at the store."""
DISK_S = 3.0
"""Seconds between two looks at the free space."""
LEAST_FREE = 8 << 20
"""Bytes below which the disk counts as full: about one picture and its checkpoint."""
WARNING = "The disk is full: make room. Nothing that was saved is lost, and painting goes on when there is room."
STOPPED = {"stylize": "stopped: the best picture so far", "video": "stopped: the film so far"}
"""Notes on results of jobs that were stopped, by their kind."""


class Follower:
    """Follows the store until its task is cancelled. An error of the disk delays it and ends nothing.

    Args:
        folder: Places of the files.
        queue: The jobs.
        history: The finished pictures.
        publish: Called with every finished picture.
        remove: Called with the id of every job that ended without one: its file is gone or cannot be read.
        warn: Called with a message that stands until it is called with an empty one.
    """

    def __init__(
        self,
        folder: Folder,
        queue: Queue,
        history: History,
        publish: Callable[[Item], None],
        remove: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._folder, self._queue, self._history = folder, queue, history
        self._publish, self._remove, self._warn = publish, remove, warn
        self._unfinished: list[tuple[JobInfo, Event]] = []
        """Jobs that are done in the store and not yet in the history."""
        self.warning = ""
        """Message that stands."""
        self._looked_at = 0.0

    async def run(self) -> None:
        """Publish the store's events until the task is cancelled."""
        is_restored = False
        while True:
            problem = ""
            try:
                if not is_restored:
                    self._unfinished += self._queue.restore()
                    is_restored = True
                for number, event in await asyncio.to_thread(self._queue.store.events, self._queue.last):
                    self._queue.last = number
                    info = self._queue.take(number, event)
                    if info is not None and event.is_final and event.kind != "failed":
                        self._unfinished.append((info, event))
                while self._unfinished:
                    await self._finish(*self._unfinished[0])
                    del self._unfinished[0]
                problem = self._find_full_disk()
            except (PochoirError, OSError) as error:
                problem = describe(error, self._folder)
            if problem != self.warning:
                self.warning = problem
                self._warn(problem)
            await asyncio.sleep(LOOK_S)

    def _find_full_disk(self) -> str:
        if time.monotonic() - self._looked_at < DISK_S:
            return self.warning
        self._looked_at = time.monotonic()
        return WARNING if shutil.disk_usage(self._folder.root).free < LEAST_FREE else ""

    async def _finish(self, info: JobInfo, event: Event) -> None:
        if isinstance(event, Saved | Skipped):
            kept = self._queue.kept(info.id)
            output = self._folder.root / kept.get("output", "")
            item = None
            if output.is_file():
                self._remember(info, event, output, kept.get("mask"))
                item = await self._history.item(output)
            if item is None:
                self._remove(info.id)
            else:
                self._publish(item)
        self._queue.forget(info.id)

    def _remember(self, info: JobInfo, event: Saved | Skipped, output: Path, mask: str | None) -> None:
        # A job is skipped whose painter died between writing the file and saying so.
        facts = event.facts if isinstance(event, Saved) else {}
        is_partial = isinstance(event, Saved) and event.interrupted
        known = {}
        if info.kind == "stylize" and "transparent" in facts:  # it is shown without being read again
            known = {**facts["size"], "transparent": facts["transparent"]}
        self._history.remember(
            output,
            photo=info.photo,
            job=info.id,
            mask=mask,
            order=None if info.order is None else info.order.model_dump(mode="json"),
            place=None if info.place is None else info.place.model_dump(mode="json"),
            form=info.form,
            video=info.video,
            partial=info.kind == "video" and is_partial,
            notes=[*event.notes, *([STOPPED[info.kind]] if is_partial else [])],
            seconds=sum(facts.get("timings", {}).values()) or None,
            finished=time.time(),
            **known,
        )
