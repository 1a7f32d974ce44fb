"""Follower: the store's events become news for the page, and saved pictures go into the history."""

import asyncio
import shutil
import time
from collections.abc import Callable

from pochoir.errors import PochoirError
from pochoir.jobs import Event, Saved
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
        warn: Called with a message that stands until it is called with an empty one.
    """

    def __init__(
        self,
        folder: Folder,
        queue: Queue,
        history: History,
        publish: Callable[[Item], None],
        warn: Callable[[str], None],
    ) -> None:
        self._folder, self._queue, self._history = folder, queue, history
        self._publish, self._warn = publish, warn
        self._unfinished: list[tuple[JobInfo, Event]] = []
        """Jobs that are done in the store and not yet in the history."""
        self.warning = ""
        """Message that stands."""
        self._looked_at = 0.0

    async def run(self) -> None:
        """Publish the store's events until the task is cancelled."""
        self._unfinished += self._queue.restore()
        while True:
            problem = ""
            try:
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
        kept = self._queue.kept(info.id)
        output = self._folder.root / kept.get("output", "")
        if isinstance(event, Saved) and output.is_file():
            seconds = sum(event.facts.get("timings", {}).values()) or None
            known = {}
            if info.kind == "stylize" and "transparent" in event.facts:  # it is shown without being read again
                known = {**event.facts["size"], "transparent": event.facts["transparent"]}
            self._history.remember(
                output,
                photo=info.photo,
                job=info.id,
                mask=kept.get("mask"),
                order=None if info.order is None else info.order.model_dump(mode="json"),
                place=None if info.place is None else info.place.model_dump(mode="json"),
                form=info.form,
                video=info.video,
                partial=info.kind == "video" and event.interrupted,
                notes=[*event.notes, *([STOPPED[info.kind]] if event.interrupted else [])],
                seconds=seconds,
                finished=time.time(),
                **known,
            )
            item = await self._history.item(output)
            if item is not None:
                self._publish(item)
        self._queue.forget(info.id)
