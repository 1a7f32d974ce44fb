"""The application: parts put together, its pages, its errors, and the server."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from pochoir import __version__
from pochoir.errors import InputError, PochoirError
from pochoir.studio import api
from pochoir.studio.folder import Folder
from pochoir.studio.orders import settings_schema
from pochoir.studio.parts import Studio
from pochoir.studio.problems import describe, describe_request, find_field, status_of
from pochoir.studio.security import Closing, Guard, allowed_hosts

STATIC = Path(__file__).parent / "static"
LOOPBACK_HOST = "127.0.0.1"
DEFAULT_PORT = 8420


def build_app(studio: Studio, *, hosts: frozenset[str], token: str | None = None) -> FastAPI:
    """Return the application.

    Args:
        studio: The parts.
        hosts: Allowed Host headers; empty allows any, which requires a token.
        token: Secret that requests have to know; None needs none.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with studio.running():
            yield

    app = FastAPI(
        title="pochoir studio",
        version=__version__,
        description="Everything that the page can do. Changing requests need the header X-Pochoir: 1.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.studio = studio
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "docs.html")

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    _add_errors(app, studio.folder)
    app.add_middleware(GZipMiddleware, minimum_size=2048, compresslevel=5)
    app.add_middleware(Guard, hosts=hosts, token=token)
    app.add_middleware(Closing)
    return app


def _add_errors(app: FastAPI, folder: Folder) -> None:
    schema = settings_schema()

    def answer(text: str, status: int, field: str | None = None) -> JSONResponse:
        return JSONResponse({"error": text, "field": field}, status)

    @app.exception_handler(PochoirError)
    async def on_error(_: Request, error: PochoirError) -> JSONResponse:
        field = getattr(error, "field", None) or find_field(str(error), schema)
        return answer(describe(error, folder), status_of(error), field)

    @app.exception_handler(OSError)
    async def on_disk_error(_: Request, error: OSError) -> JSONResponse:
        return answer(describe(error, folder), status_of(error))

    @app.exception_handler(RequestValidationError)
    async def on_bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
        text, field = describe_request(error.errors())
        return answer(text, 422, field)

    @app.exception_handler(HTTPException)
    async def on_http_error(_: Request, error: HTTPException) -> JSONResponse:
        return answer(str(error.detail), error.status_code)

    @app.exception_handler(Exception)
    async def on_bug(_: Request, error: Exception) -> JSONResponse:
        return answer(f"This should not happen: {type(error).__name__}.", 500)


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
    studio = Studio(folder, threads=threads)
    app = build_app(studio, hosts=hosts, token=token)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False, timeout_graceful_shutdown=2
    )
    server = _Server(config, studio)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{actual}/" + ("" if token is None else f"?token={token}")

    async def run() -> None:
        task = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        if server.started:
            on_ready(address)
        await task

    try:
        asyncio.run(run())
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Server that ends the pages' event streams first, which would otherwise hold up its end."""

    def __init__(self, config: uvicorn.Config, studio: Studio) -> None:
        super().__init__(config)
        self._studio = studio

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down."""
        asyncio.get_running_loop().call_soon_threadsafe(self._studio.news.close)
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
