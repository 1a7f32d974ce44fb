"""News that comes late, early or never: the page shows every result all the same."""

import pytest

from .conftest import call, open_page, remove_jobs, wait_until
from .steps import begin_long_painting, choose_settings, drop, paint, wait_for_result
from .test_page_animate import animate, make

pytestmark = pytest.mark.weights
EMPTY_STREAM = {"status": 200, "content_type": "text/event-stream", "body": "retry: 200\n\n"}


def answer_after_the_result(page, server, path: str) -> None:
    """Hold the answer to an order until its result is in the history, and the page has heard of it."""

    def hold(route):
        answer = route.fetch()
        jobs = answer.json().get("jobs", [answer.json()])
        names = {job["name"] for job in jobs}
        wait_until(lambda: names <= {item["name"].rsplit(".", 1)[0] for item in call(server, "GET", "/api/history")[1]})
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route(f"**{path}", hold)


def test_a_clip_that_is_done_before_the_order_is_answered(page, photo_file, server):
    drop(page, photo_file)
    animate(page)
    page.check("input[name=clip-source][value=photo]")
    answer_after_the_result(page, server, "/api/clips")
    make(page)
    assert page.locator(".card.job").count() == 0


def test_a_painting_that_is_done_before_the_order_is_answered(page, photo_file, server):
    drop(page, photo_file)
    answer_after_the_result(page, server, "/api/jobs")
    paint(page)
    wait_for_result(page)
    assert page.locator(".card.job").count() == 0


def test_a_batch_that_is_done_before_the_order_is_answered(page, photo_file, server):
    drop(page, photo_file)  # looks are shown with a photo
    page.click("#looks .look:has-text('mosaic')")
    choose_settings(page, size="64", steps="4")
    page.click("#tab-batch")
    answer_after_the_result(page, server, "/api/jobs")
    with page.expect_file_chooser() as chooser:
        page.click("#batch button:has-text('photos')")
    chooser.value.set_files(photo_file)
    page.click("#batch button.primary")
    page.wait_for_selector("#batch td a img")


def test_results_and_the_subject_come_although_every_connection_for_news_breaks(browser, server, photo_file):
    with open_page(
        browser, server, watch=lambda page: page.route("**/api/events", lambda route: route.fulfill(**EMPTY_STREAM))
    ) as page:
        drop(page, photo_file)
        paint(page)
        wait_for_result(page)
        animate(page)
        make(page)
        assert page.locator(".card.job").count() == 0


def test_a_painting_that_another_window_removes_is_not_waited_for(page, photo_file, server):
    begin_long_painting(page, photo_file)
    remove_jobs(server)
    page.wait_for_selector("#app[data-state=edit]")


def test_a_painting_that_waits_and_is_stopped_is_not_waited_for(page, photo_file, server):
    begin_long_painting(page, photo_file)
    page.click("#leave")
    paint(page, steps="3", size="64")
    page.wait_for_selector("#progress-text:has-text('Waiting')")
    running, _ = call(server, "GET", "/api/jobs")[1]
    before = len(list(server.folder.glob("*.png")))
    page.click("#stop")
    page.wait_for_selector("#app[data-state=edit]")
    paint(page, steps="4")
    call(server, "DELETE", f"/api/jobs/{running['id']}")
    wait_for_result(page)
    assert len(list(server.folder.glob("*.png"))) == before + 1


def test_a_painting_that_is_removed_before_the_order_is_answered_is_not_waited_for(page, photo_file, server):
    drop(page, photo_file)

    def remove(route):
        answer = route.fetch()
        call(server, "DELETE", f"/api/jobs/{answer.json()['jobs'][0]['id']}")
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route("**/api/jobs", remove)
    with page.expect_response("**/api/jobs"):
        paint(page, steps="2000", size="128")
    page.wait_for_timeout(500)
    assert page.get_attribute("#app", "data-state") == "edit"
    assert page.locator(".card.job").count() == 0


def test_a_clip_that_is_stopped_while_its_tab_is_closed_is_not_waited_for(page, photo_file, server):
    begin_long_painting(page, photo_file)
    animate(page)
    page.check("input[name=clip-source][value=photo]")
    page.click("#make-clip")
    page.wait_for_selector("#clip-progress .stop")
    page.click("#tab-paint")
    (clip,) = (job for job in call(server, "GET", "/api/jobs")[1] if job["kind"] == "animate")
    call(server, "POST", f"/api/jobs/{clip['id']}/stop")
    page.wait_for_selector(f"[data-key=job-{clip['id']}]", state="detached")
    page.click("#tab-animate")
    page.wait_for_selector("#clip-sources")
    assert page.is_hidden("#clip-progress")


def test_a_picture_that_is_removed_elsewhere_is_not_animated(page, photo_file, server):
    drop(page, photo_file)
    paint(page)
    wait_for_result(page)
    animate(page)
    page.wait_for_selector("#clip-player img[src*='/api/history/']")
    item = page.evaluate("() => studio.animate.source.item.id")
    call(server, "DELETE", f"/api/history/{item}")
    page.wait_for_selector("#clip-player img[src*='/api/photos/']")
    assert page.is_checked("input[name=clip-source][value=photo]")


def test_a_result_whose_file_is_gone_can_be_removed(page, photo_file, server):
    drop(page, photo_file)
    paint(page)
    wait_for_result(page)
    (server.folder / page.inner_text("#result-title")).unlink()
    page.click("#result-actions .danger")
    page.click("#dialog button.primary")
    page.wait_for_selector("#app[data-state=edit]")
    page.problems.clear()  # the refusal is in the console


def test_a_batch_whose_photos_are_removed_elsewhere_says_so(page, photo_file, server):
    begin_long_painting(page, photo_file)
    page.click("#tab-batch")
    with page.expect_file_chooser() as chooser:
        page.click("#batch button:has-text('photos')")
    chooser.value.set_files(photo_file)
    page.click("#batch button.primary")
    page.wait_for_selector("#batch td:has-text('Waiting')")
    remove_jobs(server)
    page.wait_for_selector("#batch td:has-text('Deleted')")


def test_a_result_comes_although_the_connection_for_news_is_slow(browser, server, photo_file):
    held = []

    def hold(page):
        page.route("**/api/events", lambda route: held.append(route))

    with open_page(browser, server, watch=hold) as page:
        drop_without_news(page, server, photo_file)
        paint(page)
        wait_until(lambda: not call(server, "GET", "/api/jobs")[1])
        held[0].continue_()
        wait_for_result(page)


def drop_without_news(page, server, path) -> None:
    """Open a photo whose subject the server knows, so that no news of it is needed."""
    call(server, "POST", "/api/photos", path.read_bytes(), **{"X-File-Name": path.name})
    wait_until(lambda: call(server, "GET", "/api/state")[1]["photo"]["mask_version"])
    drop(page, path)


def test_a_page_whose_state_did_not_come_is_opened_again_when_the_server_answers(browser, server):
    def watch(page):
        page.route("**/api/state", lambda route: route.abort(), times=1)
        page.route("**/api/events", lambda route: route.fulfill(**EMPTY_STREAM), times=1)

    with open_page(browser, server, watch=watch) as page:
        page.wait_for_selector("#looks .look", state="attached")
        page.wait_for_selector("#app[data-ready]")
