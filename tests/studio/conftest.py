import io
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pochoir.studio.app import build_app
from pochoir.studio.folder import Folder
from pochoir.studio.parts import Studio

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
    yield build_app(studio, hosts=frozenset({"testserver"}))
    studio.assistant.close()
    studio.queue.close()


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
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory):
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
