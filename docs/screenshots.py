"""Make the screenshots of docs/studio.md: python docs/screenshots.py [--size 512]."""

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


def save(page: Page, name: str, width: int = 1100) -> None:
    """Save a screenshot as a small JPEG."""
    page.wait_for_timeout(700)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture.save(IMAGES / name, quality=82, optimize=True)


def main() -> None:
    """Walk through the page and save its states."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="512")
    size = parser.parse_args().size
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "pochoir", "studio", "--folder", folder, "--port", "0", "--no-browser"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        page.set_default_timeout(300_000)
        page.goto(found[0])
        page.wait_for_selector("#app[data-ready]")
        page.click("#try-sample")
        page.wait_for_selector(".tool[data-tool=keep]:not([disabled])")
        page.wait_for_timeout(5000)
        page.click("#region-subject")
        page.click("#looks .look:has-text('stained-glass')")
        page.click("#region-background")
        page.click("#looks .look:has-text('woodblock-waves')")
        page.fill("#set-size", size)
        page.press("#set-size", "Tab")
        page.wait_for_timeout(1500)
        save(page, "studio-edit.jpg")
        page.click("#paint")
        page.wait_for_selector("#app[data-previewed]")
        page.wait_for_timeout(3000)
        save(page, "studio-painting.jpg")
        page.wait_for_selector("#app[data-state=result]")
        save(page, "studio-result.jpg")
        page.emulate_media(color_scheme="light")
        page.click("#views button:has-text('Cutout')")
        save(page, "studio-cutout.jpg")
        browser.close()
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
