"""Parts of one running studio, put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from pochoir.studio.assistant import Assistant
from pochoir.studio.folder import Folder
from pochoir.studio.history import History
from pochoir.studio.models import Item, JobInfo
from pochoir.studio.news import News
from pochoir.studio.painter import Painter
from pochoir.studio.photos import Photos
from pochoir.studio.queue import Queue
from pochoir.studio.shelf import Shelf


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
        self.photos = Photos(
            folder, self.assistant, lambda photo: self.news.publish("photo", photo=photo.model_dump(mode="json"))
        )
        self.shelf = Shelf(folder, self.assistant)
        self.history = History(folder, self.assistant)
        self.queue = Queue(folder, self.photos, self.shelf, self.history, self._publish)
        self.painter = Painter(folder.store, threads=threads)
        self._tasks: set[asyncio.Task[Any]] = set()

    def _publish(self, kind: str, model: JobInfo | Item) -> None:
        self.news.publish(kind, **{"item" if kind == "history" else "job": model.model_dump(mode="json")})

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the other processes and follow the queue."""
        self.queue.restore()
        self.painter.start()
        self.assistant.start()
        self.begin(self.queue.follow())
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
            self.queue.close()
