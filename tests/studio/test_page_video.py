"""The Video tab: drop a video, preview it, paint it, stop and go on, keep it."""

import pytest

from .conftest import picture_bytes, video_bytes
from .steps import READY

pytestmark = pytest.mark.weights
RESULT = "#video-result:not([hidden])"


def choose(page, path) -> None:
    page.click("#tab-video")
    with page.expect_file_chooser() as chooser:
        page.click("#choose-video" if page.is_visible("#choose-video") else "#other-video")
    chooser.value.set_files(path)


def set_film(page, **values: str) -> None:
    page.evaluate("() => { document.getElementById('video-more').open = true; }")
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
    page.wait_for_selector("#video-tiles img")
    assert page.locator("#video-tiles img").count() == 5
    assert "8 frames, about 2 of them painted" in page.inner_text("#video-status")

    set_film(page, end="", keys="1")
    page.click("#make-film")
    page.wait_for_selector("#video-progress .progress-text:has-text('Painting')")
    page.wait_for_selector("#video-player img[src*=preview]")
    page.click("#video-progress button")
    page.wait_for_selector(RESULT)
    assert "the film so far" in page.inner_text("#film-facts")
    page.click("button:has-text('Go on painting')")
    page.wait_for_selector("#film-facts:has-text('24 frames'):not(:has-text('so far'))")
    name = page.inner_text("#film-title")
    assert (server.folder / name).stat().st_size > 0
    assert page.get_attribute("#video-player video", "src").endswith("format=mp4")
    assert page.evaluate("() => document.querySelector('#video-player video').readyState >= 0")
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
