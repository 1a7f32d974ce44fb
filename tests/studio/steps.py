"""Steps that a person takes on the page."""

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

READY = "#app[data-ready]"
EDITABLE = ".tool[data-tool=keep]:not([disabled])"


def drop(page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        if page.is_visible("#choose-photo"):
            page.click("#choose-photo")
        else:
            page.click("#new-photo")
            page.click("#choose-photo")
    chooser.value.set_files(path)
    page.wait_for_selector(f"#app[data-state=edit] #canvas[aria-label='{path.name}']")
    page.wait_for_selector(EDITABLE)
    page.wait_for_selector("#subject-status:not(.busy)")


def mask(page) -> np.ndarray:
    """Return the mask as the server has it, after the page has saved it."""
    page.wait_for_selector("#app:not([data-saving])")
    href = page.get_attribute("#mask-download", "href")
    answer = page.request.get(re.match(r"http://[^/]+", page.url)[0] + href)
    assert answer.ok
    with Image.open(io.BytesIO(answer.body())) as picture:
        return np.asarray(picture).astype(int)


def wait_until_found(page) -> None:
    """Wait until the subject is looked for, and then until it is found."""
    page.wait_for_selector("#subject-status.busy")
    page.wait_for_selector("#subject-status:not(.busy)")


def point(page, x: float, y: float) -> tuple[float, float]:
    """Return the place on the screen of a place in the picture, both as shares."""
    box = page.locator("#canvas").bounding_box()
    width, height = 120, 90
    zoom = min(box["width"] / width, box["height"] / height) * 0.965
    left, top = (box["width"] - width * zoom) / 2, (box["height"] - height * zoom) / 2
    return box["x"] + left + x * width * zoom, box["y"] + top + y * height * zoom


def stroke(page, *places: tuple[float, float]) -> None:
    page.mouse.move(*point(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*point(page, *place), steps=4)
    page.mouse.up()


def choose_settings(page, **settings: str) -> None:
    if not page.get_attribute("#more", "open"):
        page.evaluate("() => { document.getElementById('more').open = true; }")
    for name, value in settings.items():
        page.fill(f"#set-{name}", value)
        page.press(f"#set-{name}", "Tab")


def paint(page, *, look: str = "mosaic", region: str = "whole", **settings: str) -> None:
    page.click(f"#region-{region}")
    tile = page.locator(f"#looks .look:has-text('{look}')")
    if tile.get_attribute("aria-selected") != "true":
        tile.click()
    choose_settings(page, **({"size": "64", "steps": "4"} | settings))
    page.click("#paint")


def begin_long_painting(page, path: Path) -> None:
    """Drop a photo and begin a painting that no test waits for."""
    drop(page, path)
    paint(page, steps="2000", size="128")
    page.wait_for_selector("#app[data-state=painting]")


def wait_for_result(page) -> None:
    page.wait_for_selector("#app[data-state=result]")
