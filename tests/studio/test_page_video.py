"""The Video tab: drop a video, preview it, paint it, stop and go on, keep it."""

import pytest

from .conftest import picture_bytes, video_bytes
from .steps import READY

pytestmark = pytest.mark.weights
RESULT = "#film-result:not([hidden])"


def choose(page, path) -> None:
    page.click("#tab-video")
    with page.expect_file_chooser() as chooser:
        page.click("#choose-video" if page.is_visible("#choose-video") else "#other-video")
    chooser.value.set_files(path)


def set_film(page, **values: str) -> None:
    page.evaluate("() => { document.getElementById('film-more').open = true; }")
    for name, value in values.items():
        page.fill(f"#film-{name}", value)
        page.press(f"#film-{name}", "Tab")


def test_a_film_from_drop_to_download(page, tmp_path, server):
    still = tmp_path / "still.png"
    still.write_bytes(picture_bytes())
    choose(page, still)
    page.wait_for_selector("#video .message:has-text('still picture')")
    page.problems.clear()
    walk = tmp_path / "walk.mp4"
    walk.write_bytes(video_bytes(24))
    choose(page, walk)
    page.wait_for_selector("#video-facts:has-text('64 × 48 · 24 frames · 3 s')")  # noqa: RUF001
    page.click("#video-region-whole")
    tile = page.locator("#video-looks .look:has-text('mosaic')")
    if tile.get_attribute("aria-selected") != "true":
        tile.click()
    set_film(page, keys="99")
    page.click("#make-film")
    page.wait_for_selector("#film-keys-error:has-text('1 to 48')")
    page.problems.clear()
    set_film(page, keys="4", size="48", end="1s")
    page.evaluate("() => studio.video.painting.steps = 3")
    page.click("#preview-film")
    page.wait_for_selector("#film-tiles img")
    assert page.locator("#film-tiles img").count() == 5
    assert "8 frames, about 2 of them painted" in page.inner_text("#video-status")

    set_film(page, end="", keys="1")
    page.click("#make-film")
    page.wait_for_selector("#film-progress .progress-text:has-text('Painting')")
    page.wait_for_selector("#film-player img[src*=preview]")
    page.click("#film-progress button")
    page.wait_for_selector(RESULT)
    assert "the film so far" in page.inner_text("#film-facts")
    page.click("button:has-text('Go on painting')")
    page.wait_for_selector("#film-facts:has-text('24 frames'):not(:has-text('so far'))")
    name = page.inner_text("#film-title")
    assert (server.folder / name).stat().st_size > 0
    assert page.get_attribute("#film-player video", "src").endswith("format=mp4")
    assert page.evaluate("() => document.querySelector('#film-player video').readyState >= 0")
    page.wait_for_function("() => document.getElementById('film-command').textContent")
    assert "pochoir video walk.mp4" in page.text_content("#film-command")
    page.click("#film-actions summary")
    with page.expect_download() as download:
        page.click("#film-actions .menu-items button:has-text('GIF')")
    assert download.value.suggested_filename.endswith(".gif")

    page.reload()
    page.wait_for_selector(READY)
    page.click(f".card[title='{name}']")
    page.wait_for_selector(f"#film-title:has-text('{name}')")
    page.click("#film-actions button.danger")
    page.click("#dialog button.primary")
    page.wait_for_selector(f".card[title='{name}']", state="detached")


def canvas_point(page, x: float, y: float) -> tuple[float, float]:
    """Return the place on the screen of a pixel of the shown frame."""
    return tuple(
        page.evaluate(
            """([x, y]) => {
                const { stage } = studio.video.frames, box = stage.canvas.getBoundingClientRect();
                return [box.left + (stage.offset.x + (x + .5) * stage.zoom) / stage.ratio,
                    box.top + (stage.offset.y + (y + .5) * stage.zoom) / stage.ratio];
            }""",
            [x, y],
        )
    )


def matte_at(page, x: int, y: int) -> int:
    return page.evaluate(
        "([x, y]) => { const { mask } = studio.video.frames.stage; return mask.data[y * mask.width + x]; }", [x, y]
    )


def wait_for_frame(page, number: int) -> None:
    page.wait_for_selector(f"#frame-stage[data-found='{number}']")


def test_single_frames_are_corrected_by_pointer_and_by_keyboard(page, tmp_path):
    walk = tmp_path / "stroll.mp4"
    walk.write_bytes(video_bytes(8))
    choose(page, walk)
    page.wait_for_selector("#video-name:has-text('stroll.mp4')")
    page.click("#frames-open")
    wait_for_frame(page, 0)
    page.keyboard.press(".")
    page.keyboard.press(".")
    page.keyboard.press(",")
    wait_for_frame(page, 1)
    assert page.inner_text("#frame-of") == "1 of 7"
    assert matte_at(page, 58, 4) < 100
    page.mouse.click(*canvas_point(page, 58, 4))
    page.wait_for_selector("#frame-list button[aria-pressed=true]:has-text('Frame 1: 1 point')")
    wait_for_frame(page, 1)
    assert matte_at(page, 58, 4) == 255

    page.keyboard.press("d")  # by keyboard: the crosshair begins in the middle
    page.wait_for_selector("#frame-tools [data-tool=drop][aria-pressed=true]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    page.wait_for_selector("#frame-list button:has-text('Frame 1: 2 points')")
    wait_for_frame(page, 1)
    page.click("#frame-undo")
    page.wait_for_selector("#frame-list button:has-text('Frame 1: 1 point')")
    page.focus("#frame-number")
    page.keyboard.press("End")
    wait_for_frame(page, 7)
    page.click("#frame-tools [data-tool=box]")
    page.mouse.move(*canvas_point(page, 10, 5))
    page.mouse.down()
    page.mouse.move(*canvas_point(page, 50, 40), steps=3)
    page.mouse.up()
    page.wait_for_selector("#frame-list button:has-text('Frame 7: box')")
    wait_for_frame(page, 7)
    page.click("#frame-list button:has-text('Frame 1')")
    wait_for_frame(page, 1)
    assert matte_at(page, 58, 4) == 255
    page.click("#frame-list button:has-text('Frame 7')")
    wait_for_frame(page, 7)
    page.click("#frame-clear")
    page.wait_for_selector("#frame-list button:has-text('Frame 7')", state="detached")
    page.keyboard.press("Escape")
    page.wait_for_selector("#frame-stage", state="hidden")
    assert page.evaluate("() => document.activeElement.id") == "frames-open"

    page.evaluate("() => { document.getElementById('film-more').open = true; }")
    page.select_option("#film-form", "matte")
    set_film(page, size="48")
    page.click("#make-film")
    page.wait_for_selector(RESULT)
    page.wait_for_function("() => document.getElementById('film-command').textContent")
    assert "--keep-points 1=58,4" in page.text_content("#film-command")
    assert "keep_points={1: '58,4'}" in page.text_content("#film-python")
    page.click("#film-actions button:has-text('Change it')")
    page.wait_for_selector("#frame-list button:has-text('Frame 1: 1 point')")
