"""Measure the studio: start, page weight, first preview, stop, memory; beside a Gradio page with an image editor.

    python benchmarks/studio.py PHOTO [--gradio PYTHON] [--size 512] [--stops 10] [--starts 5]

PYTHON is an interpreter with Gradio installed, in an environment of its own. Both are started as processes and opened
in the same Chromium. The Gradio page holds an ``ImageEditor`` and two sliders and paints nothing, so only start, weight
and memory are compared with it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
GRADIO = """
import gradio
with gradio.Blocks(analytics_enabled=False) as page:
    gradio.ImageEditor(type="numpy")
    gradio.Slider(0, 1)
    gradio.Slider(0, 4)
    gradio.ImageSlider()
    gradio.Button("Paint")
page.launch(server_name="127.0.0.1", server_port={port}, quiet=True)
"""


def start(command: list[str], address: str) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server and return it with the seconds until it answers."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).read()  # noqa: S310
            return process, time.monotonic() - began
        except OSError:
            if process.poll() is not None or time.monotonic() - began > 90:
                raise SystemExit(f"{command[0]} does not answer at {address}") from None
            time.sleep(0.01)


def measure_start(command: list[str]) -> tuple[float, float]:
    """Start the studio and end it; return the seconds until the page and the API answer."""
    began = time.monotonic()
    process, ready = start(command, "http://127.0.0.1:8497/")
    urllib.request.urlopen("http://127.0.0.1:8497/api/jobs", timeout=30).read()
    both = time.monotonic() - began
    process.terminate()
    process.wait()
    return round(ready, 2), round(both, 2)


def memory(process: subprocess.Popen[bytes]) -> list[float]:
    """Return the resident memory of a process and of its children, in MB, largest last."""
    root = psutil.Process(process.pid)
    return [root.memory_info().rss / 1e6, *(child.memory_info().rss / 1e6 for child in root.children(recursive=True))]


def open_page(browser: Browser, address: str, ready: str) -> tuple[Page, dict[str, Any]]:
    """Open a page and return it with requests, bytes and the seconds until ``ready`` is there."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.setdefault(answer.url, _size(answer)))
    began = time.monotonic()
    page.goto(address)
    page.wait_for_selector(ready, timeout=300_000)
    usable = time.monotonic() - began
    page.wait_for_timeout(1500)
    own = {url: size for url, size in sizes.items() if "/thumb" not in url}
    return page, {"usable_s": usable, "requests": len(own), "kB": sum(own.values()) / 1000}


def _size(answer: Any) -> int:
    if "event-stream" in (answer.headers.get("content-type") or ""):
        return 0
    try:
        return int(answer.request.sizes()["responseBodySize"])
    except Exception:  # an answer that the browser has dropped
        return 0


def measure_painting(page: Page, photo: Path, size: int) -> dict[str, float]:
    """Paint a photo; return the seconds to the mask, the first preview and the answer to stop."""
    with page.expect_file_chooser() as chooser:
        page.click("#choose-photo")
    began = time.monotonic()
    chooser.value.set_files(photo)
    page.wait_for_selector(".tool[data-tool=keep]:not([disabled])", timeout=300_000)
    seconds = {"mask_s": time.monotonic() - began}
    page.click("#region-whole")
    page.click("#looks .look:has-text('mosaic')")
    page.fill("#set-size", str(size))
    page.press("#set-size", "Tab")
    page.wait_for_timeout(3000)  # the painter has loaded its network
    began = time.monotonic()
    page.click("#paint")
    page.wait_for_selector("#app[data-previewed]", timeout=300_000)
    seconds["preview_s"] = time.monotonic() - began
    return seconds


def measure_stops(page: Page, count: int) -> list[float]:
    """Stop the painting that runs and further ones, each later than the one before; return the seconds to the picture.

    The moments are spread over the scales, so that they fall into short and long steps and between two scales.
    """
    seconds = []
    for number in range(count):
        page.wait_for_timeout(1500 + 650 * number)
        began = time.monotonic()
        page.click("#stop")
        page.wait_for_selector("#app[data-state=result]", timeout=300_000)
        seconds.append(round(time.monotonic() - began, 2))
        if number < count - 1:
            page.keyboard.press("Escape")
            page.wait_for_selector("#app[data-state=edit]")
            page.click("#paint")
            page.wait_for_selector("#app[data-previewed]", timeout=300_000)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--gradio", metavar="PYTHON")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--stops", type=int, default=10)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is not installed.")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        own = [sys.executable, "-m", "pochoir", "studio", "--folder", folder, "--port", "8497", "--no-browser"]
        print("ready, and its API, in seconds", [measure_start(own) for _ in range(arguments.starts)])
        process, ready = start(own, "http://127.0.0.1:8497/")
        page, weight = open_page(browser, "http://127.0.0.1:8497/", "#app[data-ready]")
        idle = memory(process)
        painting = measure_painting(page, arguments.photo, arguments.size)
        stops = measure_stops(page, arguments.stops)
        print("stops", stops, "largest", max(stops, default=0.0))
        print("studio", {"ready_s": round(ready, 2)} | rounded(weight) | rounded(painting))
        print("memory in MB: server", round(idle[0]), "after painting", [round(each) for each in memory(process)])
        process.terminate()
        process.wait()
        if arguments.gradio:
            program = GRADIO.format(port=8498)
            process, ready = start([arguments.gradio, "-c", program], "http://127.0.0.1:8498/")
            _, weight = open_page(browser, "http://127.0.0.1:8498/", "button:has-text('Paint')")
            print("gradio", {"ready_s": round(ready, 2)} | rounded(weight), "memory in MB", round(memory(process)[0]))
            process.terminate()
            process.wait()
        browser.close()
    print("threads", os.cpu_count(), re.sub(r"\s+", " ", sys.version))


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with two digits after the point."""
    return {name: round(value, 2) for name, value in values.items()}


if __name__ == "__main__":
    main()
