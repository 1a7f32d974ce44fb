"""The Animate tab: choose motions, make a clip, watch it, keep it."""

import io

import pytest
from PIL import Image

from .conftest import open_page
from .steps import READY, drop

pytestmark = pytest.mark.weights
MADE = "#clip-result:not([hidden])"


def animate(page, *, duration: str = "0.5s", fps: str = "8") -> None:
    page.click("#tab-animate")
    page.wait_for_selector(".motion img")
    for name, value in (("duration", duration), ("fps", fps)):
        page.fill(f"#clip-{name}", value)
        page.press(f"#clip-{name}", "Tab")


def make(page) -> None:
    page.click("#make-clip")
    page.wait_for_selector(MADE)


def test_a_clip_of_a_photo(page, photo_file, server):
    drop(page, photo_file)
    animate(page)
    assert page.locator("#motions-unable-list dt:has-text('trot')").count() == 1
    page.focus(".motion >> nth=0")
    page.keyboard.press("ArrowRight")  # by keyboard: the second motion, too
    page.keyboard.press("Enter")
    assert page.locator(".motion[aria-selected=true]").count() == 2
    page.check("input[name=clip-source][value=photo]")
    page.fill("#clip-fps", "900")
    page.press("#clip-fps", "Tab")
    page.click("#make-clip")
    page.wait_for_selector("#clip-fps-error:has-text('between 1 and 120')")
    page.problems.clear()
    page.fill("#clip-fps", "8")
    page.press("#clip-fps", "Tab")
    make(page)
    name = page.inner_text("#clip-title")
    with Image.open(server.folder / name) as clip:
        assert clip.n_frames == 4
    page.wait_for_selector("#clip-player[data-playing=true] img")
    page.click(".play")
    page.wait_for_selector("#clip-player[data-playing=false]")
    page.wait_for_function("() => document.getElementById('clip-command').textContent")
    assert "pochoir animate lemon.png" in page.text_content("#clip-command")
    assert "--motion breathe --motion sway" in page.text_content("#clip-command")
    assert "pochoir.animate(" in page.text_content("#clip-python")

    page.click("#clip-actions summary")
    with page.expect_download() as download:
        page.click(".menu-items button:has-text('GIF')")
    assert download.value.suggested_filename == name.replace(".webp", ".gif")
    with Image.open(download.value.path()) as clip:
        assert clip.n_frames == 4

    page.reload()  # clips are kept beside pictures
    page.wait_for_selector(READY)
    page.click(f".card[title='{name}']")
    page.wait_for_selector(f"#clip-title:has-text('{name}')")
    page.click("#clip-actions button:has-text('Change it')")
    assert page.locator(".motion[aria-selected=true]").count() == 2
    assert page.input_value("#clip-duration") == "0.5s"
    page.click(f".card[title='{name}']")
    page.click("#clip-actions button.danger")
    page.click("#dialog button.primary")
    page.wait_for_selector(f".card[title='{name}']", state="detached")
    assert not (server.folder / name).exists()


def test_a_clip_of_a_painted_picture_in_a_calm_browser(browser, server, photo_file):
    with open_page(browser, server, reduced_motion="reduce") as page:
        drop(page, photo_file)
        page.evaluate(
            """() => { const { looks, app } = studio; const id = looks.styles.find((each) => each.name === "mosaic").id;
                looks.setChosen({ whole: [{ id, weight: 1 }] }); app.settings = { size: 64, steps: 2 }; }"""
        )
        animate(page)
        page.check("input[name=clip-source][value=looks]")
        page.hover(".motion >> nth=1")
        assert "moves=1" not in page.get_attribute(".motion >> nth=1 >> img", "src")
        make(page)
        page.wait_for_selector("#clip-player[data-playing=false] img")  # still until it is asked to play
        still = page.request.get(server.address.rstrip("/") + page.get_attribute("#clip-player img", "src")).body()
        with Image.open(io.BytesIO(still)) as picture:
            assert getattr(picture, "n_frames", 1) == 1
            assert picture.size[0] >= 64
        page.click(".play")
        page.wait_for_selector("#clip-player[data-playing=true]")
        assert "--style mosaic" in page.text_content("#clip-command")


def test_a_clip_can_be_cancelled(page, photo_file):
    drop(page, photo_file)
    animate(page, duration="60s", fps="60")
    page.check("input[name=clip-source][value=photo]")
    page.click("#make-clip")
    page.wait_for_selector("#clip-progress .progress-text:has-text('rendering')")
    page.click("#clip-progress button")
    page.wait_for_selector("#clip-progress", state="hidden")
    page.wait_for_selector(".card.job", state="detached")
