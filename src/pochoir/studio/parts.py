"""Parts of one running studio, put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from pochoir.studio.assistant import Assistant
from pochoir.studio.clips import Motions
from pochoir.studio.folder import Folder
from pochoir.studio.follow import Follower
from pochoir.studio.history import History
from pochoir.studio.models import Item, JobInfo, Photo
from pochoir.studio.news import News
from pochoir.studio.painter import Painter
from pochoir.studio.photos import Photos
from pochoir.studio.queue import Queue
from pochoir.studio.shelf import Shelf
from pochoir.studio.videos import Videos

_EVENTS: dict[type[Photo | JobInfo | Item], tuple[str, str]] = {
    Photo: ("photo", "photo"),
    JobInfo: ("job", "job"),
    Item: ("history", "item"),
}
"""Kind of event, and name of its value, by what it tells of."""


class Studio:
    """Parts of one running studio.

    Args:
        folder: Places of the files.
        threads: Threads of the painter; 0 is all cores.
    """

    def __init__(self, folder: Folder, *, threads: int = 0) -> None:
        self.folder = folder
        self.news = News()
        self.assistant = Assistant()
        self.photos = Photos(folder, self.assistant, self.publish)
        self.previewer = Assistant()
        self.videos = Videos(folder, self.assistant, self.previewer)
        self.shelf = Shelf(folder, self.assistant)
        self.motions = Motions(self.photos, self.assistant)
        self.history = History(folder, self.assistant)
        self.queue = Queue(folder, self.publish)
        self.follower = Follower(
            folder,
            self.queue,
            self.history,
            publish=self.publish,
            remove=lambda id_: self.news.publish("removed", id=id_),
            warn=lambda text: self.news.publish("warning", text=text),
        )
        self.painter = Painter(folder.store, threads=threads)
        self._tasks: set[asyncio.Task[Any]] = set()

    def publish(self, model: Photo | JobInfo | Item) -> None:
        """Tell all open pages of a photo, a job or a finished picture that changed."""
        kind, name = _EVENTS[type(model)]
        self.news.publish(kind, **{name: model.model_dump(mode="json")})

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the other processes and follow the queue."""
        self.painter.start()
        self.assistant.start()
        self.begin(self.follower.run())
        try:
            yield
        finally:
            self.news.close()
            for task in list(self._tasks):
                task.cancel()
            for task in list(self._tasks):
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
            self.painter.close()
            self.assistant.close()
            self.previewer.close()
            self.queue.close()
