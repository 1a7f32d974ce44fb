import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pochoir.studio.app import build_app
from pochoir.studio.folder import Folder
from pochoir.studio.parts import Studio
from pochoir.studio.service import Service

from .steps import READY

OWN = {"X-Pochoir": "1"}


def picture_bytes(width: int = 60, height: int = 40, *, file_format: str = "PNG", seed: int = 0) -> bytes:
    """Return a drawn photo as a file: a bright disc on a dark ground."""
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(x - width / 2, y - height / 2) < height / 3
    noise = np.random.default_rng(seed).integers(0, 20, (height, width, 3))
    pixels = np.where(disc[..., None], (230, 180, 60), (30, 50, 90)) + noise
    file = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, format=file_format)
    return file.getvalue()


@pytest.fixture
def app(tmp_path):
    studio = Studio(Folder(tmp_path / "pictures"))
    yield build_app(Service(lambda: studio), hosts=frozenset({"testserver"}))
    studio.assistant.close()
    studio.queue.close()


def video_bytes(frames: int = 6, width: int = 64, height: int = 48, fps: int = 8) -> bytes:
    """Return a drawn video as an MP4 file: the bright disc of ``picture_bytes`` moves to the right."""
    import av

    y, x = np.mgrid[:height, :width]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            disc = np.hypot(x - width / 3 - 2 * number, y - height / 2) < height / 3
            pixels = np.where(disc[..., None], (230, 180, 60), (30, 50, 90)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


def call(server, method, path, body=None, **headers):
    """Send a request; return the status and the answer's JSON."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
    request = urllib.request.Request(  # noqa: S310
        server.address.rstrip("/") + path, method=method, data=data, headers=OWN | kind | headers
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


def remove_jobs(server) -> list[dict[str, Any]]:
    """Remove all jobs, and return them."""
    jobs = call(server, "GET", "/api/jobs")[1]
    for job in jobs:
        call(server, "DELETE", f"/api/jobs/{job['id']}")
    return jobs


def wait_until(check, seconds=150.0):
    """Return the first true answer of ``check``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come in time")


class Server:
    """A studio in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pochoir",
                "studio",
                "--folder",
                str(self.folder),
                "--port",
                "0",
                "--no-browser",
                "--threads",
                "1",
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found is not None, "the studio did not start"
        self.address = found[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One studio for all tests that leave it whole: the first painting of each loads and compiles much."""
    running = Server(tmp_path_factory.mktemp("studio") / "pictures")
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("POCHOIR_REQUIRE_BROWSER"):
            pytest.fail("no Chromium is installed, and the environment asks for the browser tests")
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        home = str(tmp_path_factory.mktemp("browser"))  # it writes settings and caches there
        own = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
        opened = playwright.chromium.launch(executable_path=path, args=flags, env=os.environ | own)
        yield opened
        opened.close()


@pytest.fixture
def photo_file(tmp_path):
    path = tmp_path / "lemon.png"
    path.write_bytes(picture_bytes(120, 90))
    return path


@contextmanager
def open_page(browser, server, *, watch=None, **options):
    """Open the studio in a fresh context of the browser.

    At the end the jobs that are left are logged and removed, so that a failed test says what it waited for and does
    not hold up the others. ``watch(page)`` is called before the studio is loaded.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(200_000)  # on a busy machine; the first painting may have to compile the kernels
    try:
        opened = context.new_page()
        if watch is not None:
            watch(opened)
        opened.goto(server.address)
        opened.wait_for_selector(READY)
        try:
            yield opened
        finally:
            _log_page(opened)
    finally:
        for job in remove_jobs(server):
            logging.getLogger(__name__).warning("left at the end: %s", job)
        context.close()


def _log_page(page) -> None:
    """Log what the page shows, for tests that fail; pytest prints logs of those alone."""
    try:
        shown = page.evaluate(
            """() => ({
                message: document.getElementById("message").textContent,
                data: { ...document.getElementById("app").dataset },
                jobs: [...studio.app.jobs.values()].map(({ id, kind, state, error }) => ({ id, kind, state, error })),
                items: studio.app.history.slice(0, 3).map(({ id, name, job }) => ({ id, name, job })),
                painting: studio.app.shown, clip: studio.animate.shown, film: studio.video.shown,
            })"""
        )
    except Exception as error:  # the browser may be what failed
        shown = error
    logging.getLogger(__name__).warning("the page at the end: %s", shown)


@pytest.fixture
def page(browser, server):
    problems: list[str] = []
    requests: list[str] = []

    def watch(opened):
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        opened.on("request", lambda request: requests.append(request.url))
        opened.problems = problems

    with open_page(browser, server, watch=watch, accept_downloads=True) as opened:
        yield opened
        foreign = [url for url in requests if not url.startswith((server.address, "blob:", "data:"))]
    assert foreign == []
    assert problems == []
