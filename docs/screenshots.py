"""Make the screenshots of docs/studio.md: python docs/screenshots.py [--size 512] [--video FILE] [--all FOLDER].

With ``--all`` every state is also saved as a desktop, a tablet and a phone show it, dark and light, to be looked at.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
LOADED = "() => [...document.querySelectorAll('#looks img')].every((each) => each.complete && each.naturalWidth)"
"""Condition of the page: the thumbnails of the looks are drawn."""
EDITABLE = ".tool[data-tool=keep]:not([disabled])"


class Camera:
    """Saver of screenshots.

    Args:
        page: The page.
        folder: Place of the pictures at all sizes; None makes none.
    """

    def __init__(self, page: Page, folder: Path | None) -> None:
        self._page, self._folder = page, folder

    def save(self, name: str, *, to_docs: bool = True, scheme: str = "dark", width: int = 1100) -> None:
        """Save a state of the page as a small JPEG."""
        if to_docs:
            self._look(*SIZES["desktop"], scheme)
            picture = self._shoot()
            picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
            picture.save(IMAGES / f"studio-{name}.jpg", quality=82, optimize=True)
        if self._folder is None:
            return
        for device, size in SIZES.items():
            for each in ("dark", "light"):
                self._look(*size, each)
                self._shoot().save(self._folder / f"{name}-{device}-{each}.png")
        self._look(*SIZES["desktop"], "dark")

    def _look(self, width: int, height: int, scheme: str) -> None:
        self._page.set_viewport_size({"width": width, "height": height})
        self._page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        self._page.wait_for_timeout(700)

    def _shoot(self) -> Image.Image:
        return Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")


def paint(page: Page, camera: Camera, size: str) -> None:
    """Walk through the Paint tab."""
    camera.save("empty", to_docs=False)
    page.click("#try-sample")
    page.wait_for_selector(EDITABLE)
    page.wait_for_function(LOADED)
    page.click("#more summary")  # for the face
    page.select_option("#set-subject_color", "match")
    page.fill("#set-subject_strength", "0.3")
    page.click("#more summary")
    page.click("#region-subject")
    page.click("#looks .look:has-text('mosaic')")
    page.click("#region-background")
    page.click("#looks .look:has-text('woodblock-waves')")
    page.fill("#set-size", size)
    page.press("#set-size", "Tab")
    page.wait_for_timeout(1500)
    page.evaluate("() => document.querySelectorAll('#panel, #panel *').forEach((each) => (each.scrollTop = 0))")
    camera.save("edit")
    page.click("#paint")
    page.wait_for_selector("#app[data-previewed]")
    page.wait_for_timeout(3000)
    camera.save("painting")
    page.wait_for_selector("#app[data-state=result]")
    camera.save("result")
    page.click("#views button:has-text('Cutout')")
    camera.save("cutout", scheme="light")
    page.keyboard.press("Escape")
    page.click("#sweep")
    page.fill("#sweep-values-0", "0.3, 0.6")
    page.select_option("#sweep-1", "style_scale")
    page.fill("#sweep-values-1", "1, 2")
    camera.save("sweep", to_docs=False)
    page.click("#dialog button.primary")
    page.wait_for_selector("#sheet-facts:has-text('Choose a picture')")
    page.click(".cell >> nth=3")
    camera.save("sheet")
    page.keyboard.press("Escape")


def animate(page: Page, camera: Camera) -> None:
    """Walk through the Animate tab."""
    page.click("#tab-animate")
    page.wait_for_selector(".motion img")
    page.click(".motion:has-text('turn')")
    page.check("input[name=clip-source][value=looks]")
    camera.save("motions")
    page.click("#make-clip")
    page.wait_for_selector("#clip-result:not([hidden])")
    page.wait_for_timeout(1000)
    camera.save("clip", to_docs=False)


def film(page: Page, camera: Camera, file: Path, size: str) -> None:
    """Walk through the Video tab."""
    page.click("#tab-video")
    camera.save("video-empty", to_docs=False)
    with page.expect_file_chooser() as chooser:
        page.click("#choose-video")
    chooser.value.set_files(file)
    page.wait_for_selector("#video-source:not([hidden])")
    page.wait_for_timeout(1000)
    camera.save("video-open", to_docs=False)
    page.click("#frames-open")
    page.wait_for_selector("#frame-stage[data-found='0']")
    for _ in range(12):
        page.click("#frame-next")
    page.wait_for_selector("#frame-stage[data-found='12']")
    box = page.locator("#frame-canvas").bounding_box()
    assert box is not None
    page.click("#frame-tools [data-tool=keep]")
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.55 * box["height"])
    page.click("#frame-tools [data-tool=drop]")
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.3 * box["height"])
    page.wait_for_selector("#frame-list button:has-text('2 points')")
    page.wait_for_selector("#frame-stage[data-found='12']")
    camera.save("frames")
    page.click("#frame-clear")
    page.wait_for_selector("#frame-stage[data-found='12']")
    page.click("#frames-close")
    page.click("#video-region-whole")
    page.click("#video-looks .look:has-text('mosaic')")
    page.fill("#film-size", size)
    page.press("#film-size", "Tab")
    page.click("#preview-film")
    page.wait_for_selector("#film-tiles img")
    camera.save("video", to_docs=False)


def main() -> None:
    """Walk through the page and save its states."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="512")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.all is not None:
        arguments.all.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "pochoir", "studio", "--folder", folder, "--port", "0", "--no-browser"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        page.set_default_timeout(900_000)
        page.goto(found[0])
        page.wait_for_selector("#app[data-ready]")
        camera = Camera(page, arguments.all)
        try:
            paint(page, camera, arguments.size)
            animate(page, camera)
            if arguments.video is not None:
                film(page, camera, arguments.video, arguments.size)
        finally:
            browser.close()
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
