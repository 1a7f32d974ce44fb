"""News that comes late, early or never: the page shows every result all the same."""

import pytest

from .conftest import call, open_page, wait_until
from .steps import choose_settings, drop, paint, wait_for_result
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
    drop(page, photo_file)
    paint(page, steps="2000", size="128")
    page.wait_for_selector("#app[data-state=painting]")
    for job in call(server, "GET", "/api/jobs")[1]:
        call(server, "DELETE", f"/api/jobs/{job['id']}")
    page.wait_for_selector("#app[data-state=edit]")


def test_a_painting_that_waits_and_is_stopped_is_not_waited_for(page, photo_file, server):
    drop(page, photo_file)
    paint(page, steps="2000", size="128")
    page.wait_for_selector("#app[data-state=painting]")
    page.click("#leave")
    paint(page, steps="3", size="64")
    page.wait_for_selector("#progress-text:has-text('Waiting')")
    page.click("#stop")
    page.wait_for_selector("#app[data-state=edit]")
