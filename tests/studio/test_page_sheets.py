"""Sheets on the page: sweep settings, look, choose one, paint it large; failed paintings are tried again."""

import pytest

from .conftest import call
from .steps import choose_settings, drop, paint, wait_for_result

pytestmark = pytest.mark.weights
PAINTED = "#sheet-facts:has-text('Choose a picture')"


@pytest.fixture
def ready(page, photo_file):
    drop(page, photo_file)
    page.click("#region-whole")
    tile = page.locator("#looks .look:has-text('mosaic')")
    if tile.get_attribute("aria-selected") != "true":
        tile.click()
    choose_settings(page, size="48", steps="2")
    return page


def test_sweep_two_settings_and_paint_one_large(ready):
    page = ready
    page.click("#sweep")
    page.fill("#sweep-values-0", "0.2, 9")
    page.click("#dialog button.primary")
    page.wait_for_selector("#dialog .field-error:has-text('strength must be between 0 and 1')")
    page.problems.clear()  # the refusal is in the console, too
    page.fill("#sweep-values-0", "0.2, 0.8")
    page.select_option("#sweep-1", "color")
    assert page.inner_text("#dialog [role=status]") == "6 pictures"
    page.fill("#sweep-values-1", "style, photo")
    page.click("#dialog button.primary")
    page.wait_for_selector("#app[data-state=sheet]")
    page.wait_for_selector(PAINTED)
    assert page.locator(".cell img").count() == 4
    assert page.inner_text(".sheet-table th[scope=col] >> nth=1") == "Colours photo"
    assert page.is_disabled("#sheet-actions [data-key=large]")

    page.reload()  # the sheet is made of files, and comes back
    page.click(".sheet-card >> nth=0")
    page.focus(".cell >> nth=0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.inner_text("#sheet-facts") == "Strength 0.8 · Colours photo"
    page.evaluate("() => studio.app.settings.size = 72")
    page.click("#sheet-actions [data-key=large]")
    wait_for_result(page)
    assert page.input_value("#set-strength") == "0.8"
    assert page.input_value("#set-color") == "photo"
    assert page.inner_text("#result-facts").startswith("72 ")


def test_four_variations_side_by_side(ready):
    page = ready
    page.click("#variations")
    page.wait_for_selector(PAINTED)
    assert page.locator(".cell img").count() == 4
    page.click(".cell >> nth=2")
    assert page.inner_text("#sheet-facts") == "Seed 2"
    page.click("#sheet-actions [data-key=open]")
    wait_for_result(page)
    page.click("button:has-text('Back to the sheet')")
    page.click("#sheet-actions [data-key=remove]")
    page.click("#dialog button.primary")
    page.wait_for_selector("#app[data-state=edit]")


def test_a_sheet_that_is_painted_while_the_page_asks_is_removed_whole(ready, server):
    page = ready
    paint(page, steps="2000", size="128")
    page.wait_for_selector("#app[data-state=painting]")
    page.click("#leave")
    choose_settings(page, steps="2", size="48")
    page.click("#variations")
    page.wait_for_selector("#sheet-actions [data-key=stop]")
    before = {path.name for path in server.folder.glob("*.png")}
    page.click("#sheet-actions [data-key=remove]")
    call(server, "DELETE", f"/api/jobs/{call(server, 'GET', '/api/jobs')[1][0]['id']}")
    page.wait_for_selector(PAINTED, state="attached")
    assert len({path.name for path in server.folder.glob("*.png")} - before) == 4
    page.click("#dialog button.primary")
    page.wait_for_selector("#app[data-state=edit]")
    assert {path.name for path in server.folder.glob("*.png")} == before


def test_a_sheet_that_another_window_removes_is_left(ready, server):
    page = ready
    page.click("#variations")
    page.wait_for_selector(PAINTED)
    for item in page.evaluate("() => studio.app.history.filter((item) => item.place)"):
        call(server, "DELETE", f"/api/history/{item['id']}")
    page.wait_for_selector("#app[data-state=edit]")


def test_a_failed_painting_is_tried_again(page, photo_file, server):
    drop(page, photo_file)
    paint(page, steps="2")
    wait_for_result(page)
    page.keyboard.press("Escape")
    # A folder stands where the picture would go, until it is removed.
    page.evaluate(
        """async () => {
            const { jobs } = await (await fetch("/api/jobs", { method: "POST", headers: { "X-Pochoir": "1", "Content-Type": "application/json" },
                body: JSON.stringify({ photo: studio.app.photo.id, looks: { whole: [{ id: studio.app.history[0].order.looks.whole[0].id }] }, settings: { size: 600, steps: 4000 } }) })).json();
            window.name = jobs[0].id;
        }"""  # noqa: E501
    )
    page.wait_for_selector(".card.job.started")
    name = page.inner_text(".card.job .card-name")
    blocked = server.folder / f"{name}.png"
    blocked.mkdir()
    page.click(".card.job")
    page.click("#stop")
    page.wait_for_selector(".card.job.failed")
    blocked.rmdir()
    page.problems.clear()
    page.click(".card.job.failed")
    page.click("#dialog button:has-text('Try again')")
    page.wait_for_selector("#progress-text:has-text('steps')")
    page.click("#stop")
    wait_for_result(page)
    assert page.inner_text("#result-title") == f"{name}.png"
