"""Service: the studio's parts and its API, which are put together while the page is already being served."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from pochoir.studio.parts import Studio


class Service:
    """ASGI application of the API. It is built in a thread, and requests wait until it is there.

    Importing FastAPI and building its routes takes longer than everything that the page itself needs.

    Args:
        open_studio: Returns the parts. It is called once, in a thread.
    """

    def __init__(self, open_studio: "Callable[[], Studio]") -> None:
        self._open_studio = open_studio
        self._api: ASGIApp | None = None
        self._building: asyncio.Future[ASGIApp] | None = None
        self.studio: Studio | None = None
        """The parts, once they are there."""
        self.failure: Exception | None = None
        """Error that kept the parts from being put together."""
        self.on_failure: Callable[[], None] = lambda: None
        """Called after such an error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            api = self._api or await self._get_api()
        except Exception:  # the server is about to end, and says why
            await JSONResponse({"error": "The studio cannot be opened.", "field": None}, 503)(scope, receive, send)
            return
        await api(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Put the parts together and run them."""
        closing = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(closing))
        try:
            yield
        finally:
            closing.set()
            await task

    def end_streams(self) -> None:
        """End the pages' event streams."""
        if self.studio is not None:
            self.studio.news.close()

    async def _run(self, closing: asyncio.Event) -> None:
        try:
            await self._get_api()
            assert self.studio is not None  # noqa: S101  # it was opened before the API was built
            async with self.studio.running():
                await closing.wait()
        except Exception as error:  # the server ends and says why
            self.failure = error
            self.on_failure()

    async def _get_api(self) -> ASGIApp:
        if self._building is None:
            self._building = asyncio.get_running_loop().run_in_executor(None, self._build)
        self._api = await asyncio.shield(self._building)  # one request that ends early does not end it for all
        return self._api

    def _build(self) -> ASGIApp:
        from pochoir.studio.api import build_api

        self.studio = self._open_studio()
        return build_api(self.studio)
