"""The application: the page in front of the API, and the server."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pochoir.errors import InputError
from pochoir.studio.folder import Folder
from pochoir.studio.security import Closing, Guard, allowed_hosts
from pochoir.studio.service import Service

if TYPE_CHECKING:
    from pochoir.studio.parts import Studio

STATIC = Path(__file__).parent / "static"
LOOPBACK_HOST = "127.0.0.1"
DEFAULT_PORT = 8420


def build_app(service: Service, *, hosts: frozenset[str], token: str | None = None) -> Starlette:
    """Return the application: the page and its files, and the API behind them.

    Args:
        service: The API.
        hosts: Allowed Host headers; empty allows any, which requires a token.
        token: Secret that requests have to know; None needs none.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service.running():
            yield

    async def page(_: Request) -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def docs(_: Request) -> FileResponse:
        return FileResponse(STATIC / "docs.html")

    async def icon(_: Request) -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    async def on_http_error(_: Request, error: Exception) -> JSONResponse:
        detail, status = (str(error.detail), error.status_code) if isinstance(error, HTTPException) else ("", 500)
        return JSONResponse({"error": detail, "field": None}, status)

    return Starlette(
        exception_handlers={HTTPException: on_http_error},
        routes=[
            Route("/", page),
            Route("/docs", docs),
            Route("/favicon.ico", icon),
            Mount("/static", StaticFiles(directory=STATIC)),
            Mount("/", service),  # the API, and what nobody knows
        ],
        middleware=[
            Middleware(Closing),
            Middleware(Guard, hosts=hosts, token=token),
            Middleware(GZipMiddleware, minimum_size=2048, compresslevel=5),
        ],
        lifespan=lifespan,
    )


def serve(
    root: Path,
    *,
    host: str = LOOPBACK_HOST,
    port: int = DEFAULT_PORT,
    threads: int = 0,
    on_ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the studio until Ctrl-C.

    Args:
        root: Folder of the finished pictures.
        host: Address to listen on. Any other than this machine's own needs a token, which the address then holds.
        port: Port to listen on; 0 takes a free one. If the default port is taken, the next free one is used.
        threads: Threads of the painter; 0 is all cores.
        on_ready: Called with the address once the page can be opened.

    Raises:
        InputError: The address cannot be used.
        WriteError: The folder cannot be used.
    """
    folder = Folder(root)
    listener = _listen(host, port)
    actual = int(listener.getsockname()[1])
    hosts = allowed_hosts(host, actual)
    token = None if hosts else secrets.token_urlsafe(24)

    def open_studio() -> "Studio":
        from pochoir.studio.parts import Studio

        return Studio(folder, threads=threads)

    service = Service(open_studio)
    app = build_app(service, hosts=hosts, token=token)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False, timeout_graceful_shutdown=2
    )
    server = _Server(config, service)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{actual}/" + ("" if token is None else f"?token={token}")

    async def run() -> None:
        task = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        if server.started:
            on_ready(address)
        await task
        if service.failure is not None:
            raise service.failure

    try:
        asyncio.run(run())
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Server that ends the pages' event streams first, which would otherwise hold up its end."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        service.on_failure = self.close

    def close(self) -> None:
        """End the server after its requests."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down."""
        asyncio.get_running_loop().call_soon_threadsafe(self._service.end_streams)
        super().handle_exit(sig, frame)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports = range(port, port + 20) if port == DEFAULT_PORT else (port,)
    problem: OSError | None = None
    for each in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, each))
        except (OSError, OverflowError) as error:
            listener.close()
            problem = error if isinstance(error, OSError) else OSError(str(error))
            continue
        return listener
    reason = "" if problem is None else problem.strerror or str(problem)
    raise InputError(f"Cannot listen on {host}:{port}: {reason}. Choose another port with --port.")
