"""A full disk: a clear message, nothing lost, and everything goes on when there is room."""

import contextlib
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from pochoir.studio.problems import FULL

from .conftest import Server, call, open_page, picture_bytes, wait_until
from .steps import EDITABLE, choose_settings, drop, mask, paint, stroke, wait_for_result

pytestmark = pytest.mark.weights


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True)
    if made.returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class Ballast:
    """File that takes all room of a disk, also what the studio frees meanwhile."""

    def __init__(self, place: Path) -> None:
        self._path = place / "ballast"
        self._ended = threading.Event()
        self._filled = threading.Event()
        self._thread = threading.Thread(target=self._fill)
        self._thread.start()
        self._filled.wait()

    def _fill(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            while not self._ended.is_set():
                for size in (1 << 20, 1 << 12, 1):
                    with contextlib.suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
                self._filled.set()
                self._ended.wait(0.01)

    def remove(self) -> None:
        self._ended.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)


def jobs(server):
    return call(server, "GET", "/api/jobs")[1]


def bring_to_an_end(server) -> bool:
    """Try failed jobs again and stop those that are painted; tell whether none is left."""
    left = jobs(server)
    for job in left:
        if job["state"] == "failed":
            assert job["error"] == FULL
            assert call(server, "POST", f"/api/jobs/{job['id']}/retry")[0] == 200
        elif job["done"] and not job["stopping"]:
            call(server, "POST", f"/api/jobs/{job['id']}/stop")
    return not left


def test_a_full_disk(browser, small_disk, tmp_path):
    photo = tmp_path / "lemon.png"
    photo.write_bytes(picture_bytes(120, 90))
    server = Server(small_disk / "pictures")
    ballast = None
    try:
        with open_page(browser, server) as page:
            drop(page, photo)
            paint(page, size="64", steps="4")
            wait_for_result(page)
            kept = page.inner_text("#result-title")
            page.keyboard.press("Escape")
            choose_settings(page, size="64", steps="3000")
            page.click("#paint")
            page.wait_for_selector("#progress-text:has-text('of 3000')")

            ballast = Ballast(small_disk)
            page.wait_for_selector("#message:has-text('The disk is full')")
            page.click("#stop")  # its picture cannot be saved, or not even the wish be noted
            refused = call(server, "POST", "/api/photos", picture_bytes(90, 60, seed=4))
            assert refused == (507, {"error": FULL, "field": None})
            page.reload()
            page.wait_for_selector("#message:has-text('The disk is full')")
            page.click("#leave")  # the unfinished painting is shown again
            page.wait_for_selector(EDITABLE)
            page.click(".tool[data-tool=brush]")
            stroke(page, (0.1, 0.1), (0.3, 0.1))
            page.wait_for_selector("#app[data-saving] #message:has-text('The disk is full')")

            ballast.remove()
            page.wait_for_selector("#message", state="hidden")
            assert mask(page)[9, 24] == 255  # the stroke that could not be saved
            wait_until(lambda: bring_to_an_end(server))
            history = wait_until(
                lambda: (found := call(server, "GET", "/api/history")[1]) and len(found) == 2 and found
            )
            assert history[1]["name"] == kept
            assert {item["photo"] for item in history} == {history[1]["photo"]}
            assert np.ptp(mask(page)) == 255
    finally:
        if ballast is not None:
            ballast.remove()
        server.stop()
