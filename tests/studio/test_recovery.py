"""A killed painter or server loses nothing; two servers share one folder."""

import psutil
import pytest

from .conftest import Server, call, picture_bytes, wait_until

pytestmark = pytest.mark.weights


def get(server, path):
    status, answer = call(server, "GET", path)
    assert status == 200
    return answer


def begin(server, *, steps: int, size: int = 96):
    headers = {"X-File-Name": "lemon.png", "X-Batch": "1"}
    _, photo = call(server, "POST", "/api/photos", picture_bytes(120, 90), **headers)
    style = next(each["id"] for each in get(server, "/api/styles") if each["name"] == "mosaic")
    order = {"photo": photo["id"], "looks": {"whole": [{"id": style}]}, "settings": {"size": size, "steps": steps}}
    return call(server, "POST", "/api/jobs", order)[1]["jobs"][0]


def wait_for_jobs(server, check):
    wait_until(lambda: check(get(server, "/api/jobs")))


def painters(server):
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_a_killed_painter_and_a_killed_server_go_on(tmp_path):
    server = Server(tmp_path / "pictures")
    try:
        job = begin(server, steps=120, size=160)
        wait_for_jobs(server, lambda jobs: jobs and jobs[0]["done"] >= 3)
        for process in painters(server):
            process.kill()
        wait_for_jobs(server, lambda jobs: not jobs or jobs[0]["done"] >= 1)
        server.kill()
        server.start()
        left = get(server, "/api/jobs")
        assert not left or left[0]["id"] == job["id"]
        wait_for_jobs(server, lambda jobs: not jobs)
        history = get(server, "/api/history")
        assert len(history) == 1
        assert [path.suffix for path in server.folder.iterdir() if path.is_file() and path.name[0] != "."] == [".png"]
    finally:
        assert server.stop() in (0, 130)


def test_two_servers_on_one_folder(tmp_path):
    first, second = Server(tmp_path / "pictures"), Server(tmp_path / "pictures")
    try:
        begin(first, steps=4, size=48)
        begin(second, steps=5, size=48)
        wait_for_jobs(first, lambda jobs: not jobs)
        wait_for_jobs(second, lambda jobs: not jobs)
        wait_until(lambda: len(get(first, "/api/history")) == 2)
        names = {item["name"] for item in get(first, "/api/history")}
        assert names == {item["name"] for item in get(second, "/api/history")}
        assert len(names) == 2
    finally:
        first.stop()
        second.stop()


def test_a_photo_that_nobody_is_finding_the_subject_of_is_found_when_it_is_opened(tmp_path):
    server = Server(tmp_path / "pictures")
    try:
        headers = {"X-File-Name": "lemon.png", "X-Batch": "1"}
        _, photo = call(server, "POST", "/api/photos", picture_bytes(60, 45), **headers)
        assert photo["mask_version"] is None
        server.kill()
        server.start()
        assert wait_until(lambda: get(server, f"/api/photos/{photo['id']}")["mask_version"])
    finally:
        server.stop()
