"""axe-core finds no violation in any state, in dark and in light, and everything can be reached by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import open_page, picture_bytes, video_bytes
from .steps import drop, paint, wait_for_result

pytestmark = pytest.mark.weights


def check(page, state: str) -> None:
    result = Axe().run(page)
    found = [(each["id"], each["nodes"][0]["html"][:120]) for each in result.response["violations"]]
    assert found == [], state


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_violation_in_any_state(browser, server, tmp_path, scheme):
    photo = tmp_path / "lemon.png"
    photo.write_bytes(picture_bytes(120, 90))
    with open_page(browser, server, color_scheme=scheme) as page:
        if page.is_visible("#new-photo"):
            page.click("#new-photo")
        check(page, "empty")
        drop(page, photo)
        check(page, "editing")
        page.evaluate("() => { document.getElementById('more').open = true; }")
        check(page, "all settings")
        page.click("#show-keys")
        check(page, "keyboard shortcuts")
        page.keyboard.press("Escape")
        paint(page, region="subject", size="128", steps="60")
        page.wait_for_selector("#app[data-state=painting]")
        check(page, "painting")
        wait_for_result(page)
        page.click(".menu summary")
        page.evaluate("() => { document.getElementById('recipe').open = true; }")
        check(page, "result")
        page.keyboard.press("Escape")
        assert not page.evaluate("() => document.querySelector('.menu').open")
        assert page.get_attribute("#app", "data-state") == "result"
        page.click("button.danger")
        check(page, "question")
        page.click("#dialog button:not(.primary)")
        page.click("#tab-batch")
        check(page, "batch")
        page.click("#tab-animate")
        page.wait_for_selector(".motion img")
        page.evaluate("() => { document.getElementById('clip-more').open = true; }")
        check(page, "animate")
        page.click("#tab-video")
        check(page, "no video")
        film = tmp_path / "walk.mp4"
        film.write_bytes(video_bytes())
        with page.expect_file_chooser() as chooser:
            page.click("#choose-video" if page.is_visible("#choose-video") else "#other-video")
        chooser.value.set_files(film)
        page.wait_for_selector("#video-name:has-text('walk.mp4')")
        page.evaluate("() => { document.getElementById('film-more').open = true; }")
        check(page, "video")
        page.click("#frames-open")
        page.wait_for_selector("#frame-stage[data-found='0']")
        page.click("#frame-canvas")
        page.wait_for_selector("#frame-list button")
        page.wait_for_selector("#frame-stage[data-found='0']")
        check(page, "frames")
        page.set_viewport_size({"width": 390, "height": 800})
        for tab in ("video", "animate", "paint"):
            page.click(f"#tab-{tab}")
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 390, tab
        check(page, "phone")


def test_a_walk_by_keyboard_reaches_everything(browser, server, tmp_path):
    photo = tmp_path / "lemon.png"
    photo.write_bytes(picture_bytes(120, 90))
    with open_page(browser, server) as page:
        drop(page, photo)
        page.evaluate("() => document.activeElement.blur()")
        reached = set()
        for _ in range(140):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("() => document.activeElement.id || document.activeElement.dataset.tool || ''"))
        wanted = {"canvas", "keep", "drop", "brush", "erase", "lasso", "box", "undo", "invert", "clear", "mask-reset"}
        wanted |= {
            "mask-upload",
            "mask-download",
            "set-strength",
            "paint",
            "variations",
            "sweep",
            "tab-animate",
            "tab-video",
            "new-photo",
            "show-keys",
        }
        wanted.discard("undo")  # there is nothing to undo yet
        assert wanted <= reached
        page.focus("#paint")
